namespace UniCardio.Signals.Beats;

/// <summary>One beat. Samples count from the first one pushed.</summary>
/// <param name="Sample">An ECG's R peak, which is the largest deflection of its QRS complex; a pulse's systolic peak.</param>
/// <param name="Onset">The foot of a pulse; the R peak of an ECG.</param>
/// <param name="Value">The signal at <paramref name="Sample"/>: systolic pressure for a pressure wave.</param>
/// <param name="OnsetValue">The signal at <paramref name="Onset"/>: diastolic pressure for a pressure wave.</param>
/// <param name="Quality">0 to 1: agreement with the shape of the beats before it (correlation), less where what lies between the beats is
/// as large as they are.</param>
public readonly record struct Beat(long Sample, long Onset, float Value, float OnsetValue, float Quality);

/// <summary>Why there is no beat.</summary>
public enum NoBeatReason
{
    /// <summary>There are beats.</summary>
    None,

    /// <summary>Nothing measured yet, or too little to know.</summary>
    TooShort,

    /// <summary>The samples are missing.</summary>
    Missing,

    /// <summary>The signal does not move.</summary>
    Flat,

    /// <summary>It moves by less than a beat does in its unit: asystole, or electrodes that are off.</summary>
    TooSmall,

    /// <summary>A pressure below any artery's: the line is open, zeroed or off.</summary>
    LineOpen,

    /// <summary>A pressure above any artery's: the line is flushed.</summary>
    Flushed,

    /// <summary>What moves agrees with no beat: noise.</summary>
    NoPulse,
}

/// <summary>
/// Finds R peaks, or pulses with their onsets and peaks, in a signal that arrives piece by piece. Whole recordings go the same way
/// (<see cref="BeatSeries"/>), so that both find the same beats. Nothing is allocated after construction. For research: a detector, not a
/// diagnosis.
/// </summary>
/// <remarks>
/// <para>Candidates are the maxima of a wavelet's response (ECG: envelope of the second and third derivative of a Gaussian, about 16 Hz;
/// pulse: smoothed slope of the upstroke). Each has log-odds of being a beat: its strength beside that of the beats, and its correlation
/// with templates of their shapes. Intervals have log-odds too: those of the rhythm, as far as it is regular and the signal noisy, and
/// against a weaker, broader wave shortly after a beat (T wave, dicrotic wave). The path of the largest sum within the last seconds is what
/// is found; the search is that of dynamic programming, so that a refractory period and a search back are not rules of their own. Strength,
/// noise, templates and rhythm follow the beats.</para>
/// <para>Without a rhythm (at the start, and after some seconds without a beat) one is learned from 8 s, whose beats must agree with each
/// other: noise, an open line and asystole give no beat. Floors in mV and mmHg apply where the unit is known. Narrow spikes (pacing) go by
/// a running median before. A beat comes out about 3.5 s after its time. Rates of 20 to 300 a minute.</para>
/// </remarks>
public sealed class BeatDetector
{
    // An artery's systolic pressure is above this (mmHg).
    private const double MinSystolic = 20;

    // Above this a line is flushed or its transducer saturated (mmHg).
    private const double MaxPressure = 280;
    private readonly BeatSettings _settings;
    private readonly CandidateFinder _finder;
    private readonly BeatTracker _tracker;
    private readonly BeatSink _sink;
    private readonly float[] _ring;
    private readonly Beat[] _found = new Beat[256];
    private readonly int _mask, _hop;
    private readonly float _minValue, _maxValue;
    private int _firstFound, _foundCount, _sinceHop;
    private long _lastPeak = -1;
    private bool _completed;

    /// <summary>Creates a detector.</summary>
    /// <param name="kind">What the signal is: <see cref="ChannelKind.Ecg"/>, <see cref="ChannelKind.Ppg"/> or
    /// <see cref="ChannelKind.BloodPressure"/>.</param>
    /// <param name="sampleRate">Samples a second, at least <see cref="MinRate"/>.</param>
    /// <param name="unit">Its unit, for the absolute floors; "" where it is unknown or the signal is normalised.</param>
    /// <param name="assumesRhythm">Whether beats are known to be there: for windows of some seconds, too short to prove it.</param>
    /// <exception cref="ArgumentOutOfRangeException">The kind has no beats, or the rate is too low or not finite.</exception>
    public BeatDetector(ChannelKind kind, double sampleRate, string unit = "", bool assumesRhythm = false)
        : this(kind, sampleRate, unit, assumesRhythm, kind == ChannelKind.Ecg ? BeatSettings.Ecg : BeatSettings.Pulse)
    {
    }

    internal BeatDetector(ChannelKind kind, double sampleRate, string unit, bool assumesRhythm, BeatSettings settings)
    {
        if (kind is not (ChannelKind.Ecg or ChannelKind.Ppg or ChannelKind.BloodPressure))
            throw new ArgumentOutOfRangeException(nameof(kind), kind, "Beats are those of an ECG, a PPG or an arterial pressure.");
        if (!double.IsFinite(sampleRate) || sampleRate < MinRate(kind) || sampleRate > MaxRate)
            throw new ArgumentOutOfRangeException(nameof(sampleRate), sampleRate, $"Beats need {MinRate(kind)} to {MaxRate} Hz.");
        ArgumentNullException.ThrowIfNull(unit);
        Kind = kind;
        SampleRate = sampleRate;
        _settings = settings;
        _finder = new CandidateFinder(_settings, sampleRate, BeatTracker.Slots);
        bool known = SignalUnit.TryGetFactor(unit, kind == ChannelKind.Ecg ? SignalUnit.Millivolts : SignalUnit.MillimetresOfMercury,
            out double factor);
        _tracker = new BeatTracker(_settings, _finder, known ? _settings.Floor / factor : 0, kind == ChannelKind.Ppg, assumesRhythm);
        _minValue = known && kind == ChannelKind.BloodPressure ? (float)(MinSystolic / factor) : float.NegativeInfinity;
        _maxValue = known && kind == ChannelKind.BloodPressure ? (float)(MaxPressure / factor) : float.PositiveInfinity;
        _hop = Math.Max(1, (int)(_finder.Rate / 2));
        int kept = (int)((3 * _settings.Learning + _settings.Lag + 4) * sampleRate) + (_finder.Delay + 2 * _hop) * _finder.Decimation;
        _ring = new float[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)kept)];
        _mask = _ring.Length - 1;
        _sink = Report;
    }

    /// <summary>Highest sample rate (Hz).</summary>
    public const double MaxRate = 20000;

    /// <summary>What the signal is.</summary>
    public ChannelKind Kind { get; }

    /// <summary>Samples a second.</summary>
    public double SampleRate { get; }

    /// <summary>Samples taken.</summary>
    public long Received { get; private set; }

    /// <summary>Of them, those measured.</summary>
    public long Measured { get; private set; }

    /// <summary>Whether the beats point down: an inverted lead or a PPG of absorption rather than reflection.</summary>
    public bool IsInverted => _tracker.IsInverted;

    /// <summary>Whether there is a rhythm at present; without one <see cref="Absence"/> says why.</summary>
    public bool HasRhythm => _tracker.IsTracking;

    /// <summary>Why there is no beat at present, as far as the last seconds tell.</summary>
    public NoBeatReason Absence { get; private set; } = NoBeatReason.TooShort;

    /// <summary>Lowest sample rate for a kind of signal (Hz).</summary>
    /// <param name="kind">The kind.</param>
    public static double MinRate(ChannelKind kind) => (kind == ChannelKind.Ecg ? BeatSettings.Ecg : BeatSettings.Pulse).MinRate;

    /// <summary>Takes samples. Beats that have become certain are then to be had from <see cref="TryRead"/>; at most 256 wait.</summary>
    /// <param name="samples">The next samples in the detector's unit, NaN where missing.</param>
    /// <exception cref="InvalidOperationException">The signal was completed.</exception>
    public void Push(ReadOnlySpan<float> samples)
    {
        if (_completed)
            throw new InvalidOperationException("The signal was completed; a new one needs a new detector.");
        foreach (float x in samples)
        {
            _ring[Received & _mask] = x;
            Received++;
            Measured += float.IsNaN(x) ? 0 : 1;
            if (_finder.Push(x > _maxValue ? float.NaN : x))
                Step();
        }
    }

    /// <summary>Ends the signal: what waits for later samples is decided without them.</summary>
    public void Complete()
    {
        if (_completed)
            return;
        _completed = true;
        for (int i = 0; i < _finder.Delay; i++)
        {
            _finder.Pad();
            Step();
        }
        Decide(true);
    }

    /// <summary>Takes the next beat that has become certain, in order of time.</summary>
    /// <param name="beat">The beat.</param>
    /// <returns>Whether there was one.</returns>
    public bool TryRead(out Beat beat)
    {
        beat = default;
        if (_foundCount == 0)
            return false;
        beat = _found[_firstFound];
        _firstFound = (_firstFound + 1) % _found.Length;
        _foundCount--;
        return true;
    }

    internal BeatTracker Tracker => _tracker;

    private void Step()
    {
        if (_finder.TryTake(out Candidate c))
        {
            if (_tracker.IsEmpty)
                _sinceHop = 0;
            _tracker.Add(c);
        }
        if (++_sinceHop < _hop)
            return;
        _sinceHop = 0;
        Decide(false);
    }

    private void Decide(bool final)
    {
        long now = _finder.Count - 1 - _finder.Delay;
        _tracker.Decide(now, final, _sink);
        Absence = Reason(now);
    }

    private NoBeatReason Reason(long now)
    {
        if (Measured == 0)
            return Received == 0 ? NoBeatReason.TooShort : NoBeatReason.Missing;
        if (_finder.MissingShare() > 0.5)
            return At(Received - 1) > _maxValue ? NoBeatReason.Flushed : NoBeatReason.Missing;
        if (_minValue > float.NegativeInfinity && Highest(now) < _minValue)
            return NoBeatReason.LineOpen;
        if (_tracker.IsTracking)
            return NoBeatReason.None;
        double window = _settings.Learning * _finder.Rate;
        if (now - _tracker.LastLarge < window)
            return now < window && !_completed ? NoBeatReason.TooShort : NoBeatReason.NoPulse;
        return now - _tracker.LastSmall < window ? NoBeatReason.TooSmall : now < _finder.Rate ? NoBeatReason.TooShort : NoBeatReason.Flat;
    }

    // Highest measured value of the last two seconds.
    private float Highest(long now)
    {
        float highest = float.NegativeInfinity;
        for (long i = Math.Max(0, Received - (long)(2 * SampleRate)); i < Received; i++)
            highest = At(i) > highest ? At(i) : highest;
        return highest;
    }

    private void Report(in Candidate c, bool hasNext, in Candidate next)
    {
        Beat beat = _settings.IsPulse ? Pulse(c, hasNext, next) : Peak(c);
        if (beat.Sample < 0 || beat.Sample <= _lastPeak || beat.Value < _minValue)
            return;
        _lastPeak = beat.Sample;
        if (_foundCount == _found.Length)
        {
            _firstFound = (_firstFound + 1) % _found.Length;
            _foundCount--;
        }
        _found[(_firstFound + _foundCount++) % _found.Length] = beat;
    }

    private float At(long sample) => _ring[sample & _mask];

    private static Beat None => new(-1, -1, 0, 0, 0);

    private Beat Peak(in Candidate c)
    {
        (double offset, int sign) = _tracker.Deflection(c.Template);
        long centre = (long)Math.Round(_finder.Position(c.At) + offset * SampleRate);
        int reach = Math.Max(1, (int)Math.Round(0.03 * SampleRate));
        long best = Extreme(Math.Max(0, centre - reach), Math.Min(Received - 1, centre + reach), sign, false);
        return best < 0 ? None : new Beat(best, best, At(best), At(best), _tracker.QualityOf(c));
    }

    private Beat Pulse(in Candidate c, bool hasNext, in Candidate next)
    {
        int sign = _tracker.IsInverted ? -1 : 1;
        long up = (long)Math.Round(_finder.Position(c.At));
        long until = Math.Min(Received - 1, up + (long)(0.5 * SampleRate));
        if (hasNext)
            until = Math.Min(until, (long)(_finder.Position(next.At) - 0.06 * SampleRate));
        long peak = Extreme(up, until, sign, false);
        long from = Math.Max(Math.Max(0, _lastPeak), up - (long)(0.35 * SampleRate));
        if (peak < 0)
            return None;
        long onset = Foot(from, up, Math.Min(up + (long)(0.03 * SampleRate), peak), sign);
        // A peak at the last sample was cut off by the end.
        return onset < 0 || onset >= peak || peak == Received - 1 ? None
            : new Beat(peak, onset, At(peak), At(onset), _tracker.QualityOf(c));
    }

    // The foot: the lowest sample, the last of equal ones. On a rising baseline that is no foot: there it is looked for near where the wave
    // lies furthest below the line from the stretch's start to the middle of the upstroke.
    private long Foot(long from, long up, long to, int sign)
    {
        while (from < up && float.IsNaN(At(from)))
            from++;
        float first = At(from), middle = At(up);
        if (!((middle - first) * sign > 0) || up <= from)
            return Extreme(from, to, -sign, true);
        double slope = ((double)middle - first) / (up - from);
        long foot = from;
        double lowest = double.PositiveInfinity;
        for (long i = from; i <= up; i++)
        {
            double below = sign * (At(i) - first - slope * (i - from));
            if (below <= lowest)
                (lowest, foot) = (below, i);
        }
        long near = (long)(0.04 * SampleRate);
        return Extreme(Math.Max(from, foot - near), Math.Min(to, foot + near), -sign, true);
    }

    // The largest (sign 1) or smallest sample; of equal ones the first or the last. A spike far above what stays for more than a sample is
    // no extreme.
    private long Extreme(long from, long to, int sign, bool last)
    {
        int step = _finder.Decimation;
        float high = float.NegativeInfinity, low = float.PositiveInfinity;
        for (long i = from; i <= to; i++)
        {
            float x = Middle(At(Math.Max(0, i - step)), At(i), At(Math.Min(Received - 1, i + step))) * sign;
            (high, low) = (x > high ? x : high, x < low ? x : low);
        }
        float limit = high + (_settings.IsPulse ? 0.5f : 1) * (high - low);
        long best = -1;
        float value = 0;
        for (long i = from; i <= to; i++)
        {
            float x = At(i) * sign;
            if (x <= limit && (best < 0 || x > value || (last && x == value)))
                (best, value) = (i, x);
        }
        return best;
    }

    private static float Middle(float a, float b, float c) => Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));
}
