using UniCardio.Pipeline;
using UniCardio.Signals.Processing;

namespace UniCardio.Streaming.Input;

/// <summary>
/// One channel of one segment: blocks find their place, gaps are found and the short ones bridged, what is certain is resampled to 125 Hz.
/// Samples are counted from the segment's origin.
/// </summary>
/// <remarks>
/// Samples before <see cref="Frontier"/> are certain: nothing that comes later changes them. Those from there to <see cref="Top"/> lie
/// after a gap that may still be filled. Whatever the blocks were, the certain samples go through bridging, flat-line and gap finding and
/// the resampler in order, once.
/// </remarks>
internal sealed partial class LiveChannel
{
    private const int Chunk = 512;

    private readonly double _jitterSamples;
    private readonly int _maxBridge;
    private readonly float _minValue, _maxValue;
    private readonly ChannelTally _tally;
    private readonly IncrementalResampler _resampler;
    private readonly SampleRing<float> _values;
    private readonly SampleRing<SampleMarks> _marks;
    private readonly SampleRing<float> _resampled;
    private readonly float[] _scratch;
    private readonly RecentStamps _stamps = new();
    private readonly int _minFlat;
    private readonly float _flatTolerance;
    private FlatRunDetector _flat;
    private IncrementalGapFinder _gaps = new();
    private long _origin, _newestTime, _passed;
    private int _openGap;
    // Where the channel's samples lie between those of the segment's own grid, in samples: its first block is taken to stand on one
    // exactly.
    private double _phase;
    private bool _hasStarted, _hasMeasured;

    public LiveChannel(ChannelOptions options, HopTiming timing, Resampler resampler, TimeSpan bridgedGap, ChannelTally tally)
    {
        Options = options;
        Rate = options.SampleRate;
        _tally = tally;
        _jitterSamples = options.JitterSeconds!.Value * Rate;
        _maxBridge = (int)Math.Floor((bridgedGap.TotalSeconds * Rate) + 1e-9);
        (_minValue, _maxValue) = (options.MinValue!.Value, options.MaxValue!.Value);
        _minFlat = Math.Max(8, (int)Math.Ceiling(options.FlatSeconds * Rate));
        _flatTolerance = options.FlatTolerance;
        _resampler = new IncrementalResampler(resampler);
        double retained = timing.RetainedSeconds(_resampler.Reach / Rate);
        _values = new SampleRing<float>((int)Math.Ceiling(retained * Rate) + Chunk);
        _marks = new SampleRing<SampleMarks>(_values.Capacity);
        _resampled = new SampleRing<float>((int)Math.Ceiling(retained * NetworkSignal.Rate) + Chunk);
        _scratch = new float[_resampler.MaxOutput(Chunk)];
        Reset(0);
    }

    public ChannelOptions Options { get; }

    /// <summary>Samples a second.</summary>
    public double Rate { get; }

    public RateRatio Ratio => _resampler.Resampler.Ratio;

    /// <summary>The sample before which all is certain.</summary>
    public long Frontier { get; private set; }

    /// <summary>The sample after the newest one.</summary>
    public long Top { get; private set; }

    /// <summary>Samples at 125 Hz that are certain.</summary>
    public long Produced => _resampler.Produced;

    /// <summary>
    /// Seconds that a sample at 125 Hz can wait for those after it: for the filter's reach, or for the end of a gap that may be bridged.
    /// </summary>
    public double ReachSeconds => (_resampler.Reach + _maxBridge + 2) / Rate;

    public InputCounts Counts => _tally.ToCounts(_gaps.Count, _gaps.Missing);

    /// <summary>Begins a segment.</summary>
    public void Reset(long origin)
    {
        _tally.Gaps += _gaps.Count;
        _tally.MissingSamples += _gaps.Missing;
        _gaps = new IncrementalGapFinder();
        _flat = new FlatRunDetector(_minFlat, _flatTolerance);
        _resampler.Restart();
        _stamps.Clear();
        (_origin, _newestTime, _passed, Frontier, Top, _openGap) = (origin, long.MinValue, 0, 0, 0, 0);
        (_hasStarted, _hasMeasured, _phase) = (false, false, 0);
    }

    /// <summary>The sample at or before a time.</summary>
    public long IndexBefore(long time) => (long)Math.Floor(Position(time));

    /// <summary>The time of a sample.</summary>
    public long TimeOf(long index) => _origin + (long)Math.Round((index + _phase) / Rate * TimeSpan.TicksPerSecond);

    /// <summary>Puts a block in its place.</summary>
    public PushResult Write(long time, ReadOnlySpan<float> samples)
    {
        _tally.ReorderedBlocks += time < _newestTime ? 1 : 0;
        _newestTime = Math.Max(_newestTime, time);
        long index = Place(time);
        long end = index + samples.Length;
        Grow(end);
        int taken = 0, repeated = 0, late = 0;
        for (int i = 0; i < samples.Length; i++)
        {
            long at = index + i;
            bool isReceived = at >= 0 && at < Top && at >= Top - _marks.Capacity && (_marks[at] & SampleMarks.Received) != 0;
            if (isReceived)
            {
                repeated++;
            }
            else if (at < Frontier)
            {
                late++;
            }
            else
            {
                Take(at, samples[i]);
                taken++;
            }
        }

        _tally.RepeatedSamples += repeated;
        _tally.LateSamples += late;
        _tally.DuplicateBlocks += repeated == samples.Length ? 1 : 0;
        _tally.OverlappingBlocks += repeated > 0 && repeated < samples.Length ? 1 : 0;
        long certain = Frontier;
        while (certain < Top && (_marks[certain] & SampleMarks.Received) != 0)
            certain++;
        Release(certain);
        return new PushResult(taken, repeated, late, 0);
    }

    /// <summary>Gives up what has not come before a sample.</summary>
    public void GiveUpBefore(long index)
    {
        if (index <= Frontier)
            return;
        Grow(index);
        long certain = index;
        while (certain < Top && (_marks[certain] & SampleMarks.Received) != 0)
            certain++;
        Release(certain);
    }

    /// <summary>Ends the segment: everything that has come is certain.</summary>
    public void Complete()
    {
        GiveUpBefore(Top);
        Pass(Frontier);
        Keep(_resampler.Complete(_scratch));
    }

    /// <summary>Samples from <see cref="Produced"/> on become missing, up to an end; after <see cref="Complete"/> only.</summary>
    public void PadTo(long end) => _resampled.Fill(Produced, end, float.NaN);

    /// <summary>Copies samples at 125 Hz, NaN before the origin.</summary>
    public void ReadResampled(long from, Span<float> destination)
    {
        int before = (int)Math.Clamp(-from, 0, destination.Length);
        destination[..before].Fill(float.NaN);
        _resampled.CopyTo(from + before, destination[before..]);
    }

    /// <summary>Copies input samples and what is known of them; from 0 on and before <see cref="Frontier"/>.</summary>
    public void ReadInput(long from, Span<float> values, Span<SampleMarks> marks)
    {
        _values.CopyTo(from, values);
        _marks.CopyTo(from, marks);
    }

    private double Position(long time) => ((time - _origin) * Rate / TimeSpan.TicksPerSecond) - _phase;

    // The rules stand at StreamingSession.Push.
    private long Place(long time)
    {
        if (_stamps.TryFind(time, out long index))
            return index;
        double position = Position(time);
        if (!_hasStarted)
        {
            index = (long)Math.Round(position);
            _phase = position - index;
        }
        else
        {
            index = Math.Abs(position - Top) <= _jitterSamples ? Top
                : Frontier < Top && Math.Abs(position - Frontier) <= _jitterSamples ? Frontier
                : (long)Math.Round(position);
        }
        _hasStarted = true;
        _stamps.Add(time, index);
        return index;
    }

    private void Grow(long top)
    {
        if (top <= Top)
            return;
        _marks.Fill(Top, top, SampleMarks.None);
        _values.Fill(Top, top, float.NaN);
        Top = top;
    }

    private void Take(long at, float value)
    {
        SampleMarks marks = SampleMarks.Received;
        if (!float.IsFinite(value))
        {
            value = float.NaN;
            _tally.NonFiniteSamples++;
        }
        else if (value < _minValue || value > _maxValue)
        {
            value = float.NaN;
            marks |= SampleMarks.Implausible;
            _tally.ImplausibleSamples++;
        }
        _values[at] = value;
        _marks[at] = marks;
    }

    private void Release(long certain)
    {
        for (long at = Frontier; at < certain; at++)
        {
            float value = _values[at];
            _flat.Push(value);
            if (_flat.HasBecomeFlat)
                MarkFlat(at + 1 - _flat.Length, at);
            if (_flat.IsFlat)
                _marks[at] |= SampleMarks.Flat | SampleMarks.KnownFlat;
            if (float.IsNaN(value))
                _openGap = Math.Min(_openGap + 1, _maxBridge + 1);
            else
                EndGap(at);
        }
        Frontier = certain;
        // A gap that may still be bridged waits for its other side.
        Pass(_hasMeasured && _openGap <= _maxBridge ? Frontier - _openGap : Frontier);
    }

    private void MarkFlat(long from, long last)
    {
        for (long at = Math.Max(from, 0); at <= last; at++)
            _marks[at] |= SampleMarks.Flat;
    }

    private void EndGap(long at)
    {
        if (_hasMeasured && _openGap > 0 && _openGap <= _maxBridge)
        {
            double from = _values[at - _openGap - 1], to = _values[at];
            for (int i = 0; i < _openGap; i++)
            {
                _values[at - _openGap + i] = (float)(from + ((to - from) * (i + 1) / (_openGap + 1)));
                _marks[at - _openGap + i] |= SampleMarks.Bridged;
            }
        }
        (_openGap, _hasMeasured) = (0, true);
    }

    private void Pass(long end)
    {
        while (_passed < end)
        {
            ReadOnlySpan<float> piece = _values.Piece(_passed, Math.Min(end - _passed, Chunk));
            CountGaps(piece);
            Keep(_resampler.Push(piece, _scratch));
            _passed += piece.Length;
        }
    }

    // What is missing before the first sample is no gap.
    private void CountGaps(ReadOnlySpan<float> piece)
    {
        int lead = 0;
        if (_gaps.Received == 0)
        {
            while (lead < piece.Length && float.IsNaN(piece[lead]))
                lead++;
        }
        _gaps.Push(piece[lead..]);
    }

    private void Keep(int count) => _resampled.Write(_resampler.Produced - count, _scratch.AsSpan(0, count));
}
