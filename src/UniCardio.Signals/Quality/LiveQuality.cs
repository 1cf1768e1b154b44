using UniCardio.Signals.Beats;
using UniCardio.Signals.Patient;

namespace UniCardio.Signals.Quality;

/// <summary>The index of <see cref="QualityTrack"/> for a signal that arrives piece by piece: the same features, functions and reasons.
/// Nothing is allocated after construction.</summary>
/// <remarks>
/// A second is judged once <see cref="LagSeconds"/> more have come, since its beats are certain only then. What differs from a whole
/// recording: the second detector's threshold, clipping and the usual pulse are those of the last <see cref="KeptSeconds"/> s and 128
/// beats.
/// Cost a second of signal: about 0.2 million operations, most of them the spectrum's.
/// </remarks>
internal sealed class LiveQuality
{
    /// <summary>Seconds from the end of a second until it is judged.</summary>
    public const int LagSeconds = 5;

    /// <summary>Seconds that are kept: the window, as many before it as filters need, and the lag.</summary>
    public const int KeptSeconds = 4 + PublishedIndices.WindowSeconds + LagSeconds;

    private const int Rate = QualityTrack.WorkRate, Kept = KeptSeconds * Rate, MaxBeats = 128;
    private readonly ChannelKind _kind;
    private readonly double _millimetres;
    private readonly BeatDetector _detector;
    private readonly SlidingSpectrum _spectrum = new();
    private readonly SortCounts _counts = new(KeptSeconds);
    private readonly float[] _work = new float[Kept], _bridged = new float[Kept];
    private readonly double[] _scratch = new double[3 * Kept], _heights = new double[MaxBeats];
    private readonly Beat[] _beats = new Beat[MaxBeats];
    private readonly int[] _times = new int[MaxBeats], _others;
    private int _count, _filled;
    private long _start;

    /// <summary>Begins.</summary>
    /// <param name="kind">An ECG, a PPG or an arterial pressure.</param>
    /// <param name="unit">Its unit; "" where it is unknown or the signal is normalised.</param>
    public LiveQuality(ChannelKind kind, string unit)
    {
        _kind = kind;
        _millimetres = SortCounts.MillimetresPer(kind, unit);
        _detector = new BeatDetector(kind, Rate, unit);
        _others = new int[TwoAverageDetector.MaxBeats(Kept, Rate)];
    }

    /// <summary>Seconds judged.</summary>
    public int Seconds { get; private set; }

    /// <summary>The index of the last judged second, 0 to 1; NaN until ten seconds were judged as a whole.</summary>
    public double Index { get; private set; } = double.NaN;

    /// <summary>Why it is low.</summary>
    public QualityReasons Reasons { get; private set; }

    /// <summary>Takes samples.</summary>
    /// <param name="samples">The next ones at <see cref="QualityTrack.WorkRate"/>, NaN where missing.</param>
    public void Push(ReadOnlySpan<float> samples)
    {
        while (samples.Length > 0)
        {
            if (_filled == Kept)
                DropSecond();
            int next = Math.Min(samples.Length, Rate - (_filled % Rate));
            samples[..next].CopyTo(_work.AsSpan(_filled));
            _detector.Push(samples[..next]);
            _filled += next;
            samples = samples[next..];
            if (_filled % Rate == 0 && _filled > LagSeconds * Rate)
                Judge();
        }
    }

    private void DropSecond()
    {
        _work.AsSpan(Rate).CopyTo(_work);
        _filled -= Rate;
        _start += Rate;
    }

    private void Judge()
    {
        while (_detector.TryRead(out Beat beat))
            Keep(beat);
        int second = (_filled / Rate) - LagSeconds - 1, to = (second + 1) * Rate;
        int from = Math.Max(0, to - (PublishedIndices.WindowSeconds * Rate));
        ReadOnlySpan<float> work = _work.AsSpan(0, _filled);
        Span<float> bridged = _bridged.AsSpan(0, _filled);
        QualityFeatures.Bridge(work, bridged);
        _spectrum.Push(bridged.Slice(second * Rate, Rate));
        _counts.Count(work, _millimetres);
        int first = 0, next = 0;
        while (first < _count && _beats[first].Sample - _start < from)
            first++;
        for (next = first; next < _count && _beats[next].Sample - _start < to; next++)
            _times[next] = (int)(_beats[next].Sample - _start);
        int found = TwoAverageDetector.Find(bridged, Rate, _kind, _detector.IsInverted, _scratch.AsSpan(0, 3 * _filled), _others), at = 0;
        ReadOnlySpan<int> others = PublishedIndices.Within(_others.AsSpan(0, found), from, to, ref at);
        PublishedIndices indices = PublishedIndices.Of(bridged[from..to], from, _times.AsSpan(first, next - first), others, _spectrum,
            _kind, _detector.IsInverted);
        BeatWindow window = BeatQuality.Window(_beats.AsSpan(first, next - first), (to - from) / (double)Rate, Rate, out double rate,
            out double deviation);
        QualityFeatures features = QualityFeatures.Of(_counts, second, window, rate, deviation, indices);
        bool whole = ++Seconds >= PublishedIndices.WindowSeconds;
        Index = whole ? QualityModel.For(_kind).Index(features) : double.NaN;
        Reasons = QualityTrack.ReasonsOf(_kind, features, indices, whole) | Damping(to);
    }

    private void Keep(in Beat beat)
    {
        if (_count == MaxBeats)
            _beats.AsSpan(1).CopyTo(_beats);
        _count = Math.Min(MaxBeats, _count + 1);
        _beats[_count - 1] = beat;
    }

    // A pressure whose pulses of the last three seconds are much smaller than usual.
    private QualityReasons Damping(int to)
    {
        if (_kind != ChannelKind.BloodPressure || _count == 0)
            return QualityReasons.None;
        double largest = double.NegativeInfinity;
        for (int i = 0; i < _count; i++)
        {
            _heights[i] = _beats[i].Value - (double)_beats[i].OnsetValue;
            long sample = _beats[i].Sample - _start;
            if (sample >= to - (3 * Rate) && sample < to)
                largest = Math.Max(largest, _heights[i]);
        }

        Span<double> heights = _heights.AsSpan(0, _count);
        heights.Sort();
        return largest < QualityTrack.MinPulse * heights[_count / 2] ? QualityReasons.Damped : QualityReasons.None;
    }
}
