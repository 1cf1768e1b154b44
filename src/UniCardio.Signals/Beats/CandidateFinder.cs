namespace UniCardio.Signals.Beats;

/// <summary>An event that may be a beat.</summary>
/// <param name="At">Sample of the work rate.</param>
/// <param name="Strength">Response of the wavelet, in the signal's unit.</param>
/// <param name="Sign">Of a pulse's upstroke: 1, or -1 where it points down; 1 for an ECG.</param>
/// <param name="Slot">Where its shape is kept.</param>
internal record struct Candidate(long At, double Strength, int Sign, int Slot)
{
    /// <summary>Best agreement with a template, -1 to 1, and which.</summary>
    public double Agreement;

    public int Template;

    /// <summary>How much of its height stays after it: 1 for the step of an electrode that comes off.</summary>
    public double StepShare;

    /// <summary>Response of the wide wavelet.</summary>
    public double Wide;

    /// <summary>Whether what moves within a mains period is so large about it that the filters may have left it: no beat, but
    /// told.</summary>
    public bool IsBlurred;

    /// <summary>Of a pulse: how long it falls over how long it rises, between half and nine tenths of its height, and its width at half
    /// height (s).</summary>
    public float Skew, HalfWidth;

    /// <summary>Of a pulse: how long it stays above 15% of its height after the peak, a second wave included, over the time above
    /// half.</summary>
    public float Tail;

    /// <summary>How quickly an ECG's event changes its slope: 12 for a single sample, 1 for a QRS complex.</summary>
    public float Abruptness;

    /// <summary>Response of the narrow wavelet over that of the wide one; 0 for a pulse.</summary>
    public readonly double Sharpness => Wide > 0 ? Strength / Wide : 0;

    /// <summary>Whether the end of the signal cuts its shape off.</summary>
    public bool IsCut;

    /// <summary>What of its log-odds it has for a shape unlike the templates being no sign against it in a clear signal.</summary>
    public double Forgiven;

    /// <summary>What its shape would add, were it not so much smaller than the beats of that shape.</summary>
    public double Withheld;

    /// <summary>Whether it is much larger than what follows the beats, their T waves.</summary>
    public bool IsUncommon;

    /// <summary>Log-odds of the event itself, of the best path that ends in it, and the path's event before it (-1: the path begins
    /// here).</summary>
    public double Odds, Path;

    public int Before;
}

/// <summary>
/// Turns samples into candidates: averages down to the work rate, takes off pacing spikes by a running median, and finds the maxima of a
/// wavelet's response. Finite filters throughout, without response to an offset or a ramp, so that nothing reaches further than their
/// length.
/// </summary>
internal sealed class CandidateFinder
{
    // Least strength as a share of the range within a mains period.
    private const double LeastShare = 0.12;

    // Below it a QRS complex is as abrupt as a spike.
    private const double MinAbruptRate = 100;
    private readonly BeatSettings _settings;
    private readonly double[] _even, _odd, _wideEven, _wideOdd, _band;
    private readonly double[] _raw, _clean, _band0, _up, _sorted;
    private readonly bool[] _missing;
    private readonly int _half, _medianHalf, _neighbours, _gap, _delay, _mask, _rest;
    private readonly int _period, _rangeReach;
    private readonly float[] _shapes;
    private readonly int _before, _after, _step;
    private double _sum, _last;
    private int _summed;
    private bool _hole, _any;
    private long _count, _end = -1;
    private int _nextSlot, _ranged;
    private long _gapLength;
    private float _low = float.PositiveInfinity, _high = float.NegativeInfinity;
    private double _range = -1;
    private readonly (long At, double Range)[] _ranges = new (long, double)[128];
    private readonly double[] _near = new double[128];
    private int _rangeCount;

    public CandidateFinder(BeatSettings settings, double sampleRate, int slots)
    {
        _settings = settings;
        Decimation = Math.Max(1, (int)Math.Floor(sampleRate / settings.WorkRate));
        Rate = sampleRate / Decimation;
        double sigma = Math.Max(settings.Sigma, 1.2 / Rate) * Rate;
        // An ECG: second and third derivative of a Gaussian, whose responses are a quarter of a cycle apart and together an envelope.
        // A pulse: first derivative, less a wide one so that a ramp gives nothing.
        _even = settings.IsPulse ? Kernels.Slope(sigma) : Kernels.Second(sigma);
        _odd = settings.IsPulse ? [] : Kernels.Third(sigma * Math.Sqrt(1.5));
        double wide = Math.Max(settings.WideSigma * Rate, sigma);
        _wideEven = settings.WideShare > 0 ? Kernels.Second(wide) : [];
        _wideOdd = settings.WideShare > 0 ? Kernels.Third(wide * Math.Sqrt(1.5)) : [];
        _band = Kernels.Band(Math.Max(settings.ShapeBand.Fine * Rate, 0.5), settings.ShapeBand.Coarse * Rate);
        _half = Math.Max(Math.Max(_even.Length, _odd.Length), Math.Max(_wideOdd.Length, _band.Length)) / 2;
        _rest = (int)Math.Round(0.12 * Rate);
        _rangeReach = (int)Math.Round(0.15 * Rate);
        _period = Math.Max(2, (int)Math.Round(0.02 * sampleRate, MidpointRounding.AwayFromZero));
        _medianHalf = Rate < 90 && !settings.IsPulse ? 0
            : Math.Max(settings.MedianHalf > 0 ? 1 : 0, (int)Math.Round(settings.MedianHalf * Rate));
        _neighbours = (int)Math.Round(settings.Neighbourhood * Rate);
        _gap = (int)Math.Ceiling(settings.GapMargin * Rate);
        _step = Math.Max(1, (int)Math.Round(settings.Shape.Step * Rate));
        _before = (int)Math.Round(settings.Shape.Before * Rate / _step);
        _after = (int)Math.Round(settings.Shape.After * Rate / _step);
        // Samples between the newest one and a candidate: the median, the filter, and the longer of neighbourhood and shape.
        _delay = _medianHalf + _half + Math.Max(Math.Max(Math.Max(_neighbours, _rest), _gap), (_after + 2) * _step) + 1;
        int size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(2 * (_half + _delay + (_before + 4) * _step) + 8));
        _mask = size - 1;
        _raw = new double[size];
        _clean = new double[size];
        _band0 = new double[size];
        _up = new double[size];
        _missing = new bool[size];
        _sorted = new double[2 * _medianHalf + 1];
        Array.Fill(_missing, true);
        ShapeLength = _before + _after + 1;
        // A margin of two steps on either side lets a template slide.
        Stride = ShapeLength + 4;
        _shapes = new float[slots * Stride];
        Slots = slots;
    }

    public int Decimation { get; }

    /// <summary>Samples a second of the work rate.</summary>
    public double Rate { get; }

    public int ShapeLength { get; }

    /// <summary>Seconds from one value of a shape to the next.</summary>
    public double ShapeStep => _step / Rate;

    public int Stride { get; }

    public int Slots { get; }

    /// <summary>Work samples that a candidate comes after its own time.</summary>
    public int Delay => _delay;

    /// <summary>Work samples taken.</summary>
    public long Count => _count;

    /// <summary>Time of a work sample in samples of the input.</summary>
    public double Position(long at) => at * (double)Decimation + (Decimation - 1) * 0.5;

    public ReadOnlySpan<float> ShapeOf(int slot) => _shapes.AsSpan(slot * Stride, Stride);

    /// <summary>Share of missing samples among the last ones (of the filters' length).</summary>
    public double MissingShare()
    {
        int missing = 0, n = (int)Math.Min(_count, _missing.Length);
        for (int i = 1; i <= n; i++)
            missing += _missing[(_count - i) & _mask] ? 1 : 0;
        return n == 0 ? 0 : missing / (double)n;
    }

    /// <summary>Takes an input sample.</summary>
    /// <returns>Whether a work sample was completed by it.</returns>
    public bool Push(float sample)
    {
        if (float.IsNaN(sample))
            _hole = true;
        else
            _sum += sample;
        Restless(sample);
        if (++_summed < Decimation)
            return false;
        double value = _hole ? _last : _sum / Decimation;
        bool hole = _hole;
        (_sum, _summed, _hole) = (0, 0, false);
        Advance(value, hole);
        return true;
    }

    // The range within a mains period, about its logarithm's median: it moves by a factor of e a second at most, so that no spike sets it.
    private void Restless(float sample)
    {
        if (float.IsNaN(sample))
            return;
        (_low, _high) = (Math.Min(_low, sample), Math.Max(_high, sample));
        if (++_ranged < _period)
            return;
        double range = (double)_high - _low;
        _range = _range < 0 ? range
            : Math.Max(_range, 1e-30) * Math.Exp(0.02 * Math.Clamp(Math.Log((range + 1e-30) / (_range + 1e-30)), -1, 1));
        _ranges[_rangeCount++ % _ranges.Length] = (_count, range);
        (_ranged, _low, _high) = (0, float.PositiveInfinity, float.NegativeInfinity);
    }

    // The median range about an event: mains that swell are as large where they leave an event as beside it.
    private double RangeAbout(long at)
    {
        int n = 0;
        for (int i = 0; i < Math.Min(_rangeCount, _ranges.Length); i++)
        {
            if (Math.Abs(_ranges[i].At - at) <= _rangeReach)
                _near[n++] = _ranges[i].Range;
        }
        Array.Sort(_near, 0, n);
        return n < 8 ? 0 : _near[n / 2];
    }

    /// <summary>Takes a work sample that continues the last value: the end of the signal.</summary>
    public void Pad()
    {
        if (_end < 0)
            _end = _count;
        Advance(_last, false);
    }

    private void Advance(double value, bool missing)
    {
        if (!_any && !missing)
        {
            _any = true;
            // What was before the first sample was as high as it: no step is there.
            Array.Fill(_raw, value);
            Array.Fill(_clean, value);
        }
        if (_gapLength > 0 && !missing)
            Bridge(value);
        _gapLength = missing && _any ? _gapLength + 1 : 0;
        _last = value;
        long n = _count++;
        _raw[n & _mask] = value;
        _missing[n & _mask] = missing;
        long m = n - _medianHalf;
        _clean[m & _mask] = _medianHalf == 0 ? value : Median(m);
        long c = m - _half;
        _up[c & _mask] = _settings.IsPulse ? Apply(_even, c) : Envelope(_even, _odd, c);
        _band0[c & _mask] = Apply(_band, c);
    }

    // The last value was held over a gap; where it ends, the end of the gap becomes a ramp to what follows, which no filter that is centred
    // after the gap takes for a wave.
    private void Bridge(double value)
    {
        long length = Math.Min(_gapLength, _half + _medianHalf + 1);
        for (long k = 1; k <= length; k++)
            _raw[(_count - k) & _mask] = value + ((_last - value) * k / (length + 1));
        for (long k = length + _medianHalf; k > _medianHalf; k--)
            _clean[(_count - k) & _mask] = _medianHalf == 0 ? _raw[(_count - k) & _mask] : Median(_count - k);
    }

    /// <summary>The candidate whose time has come with the newest work sample, if there is one.</summary>
    public bool TryTake(out Candidate candidate)
    {
        long at = _count - 1 - _delay;
        candidate = default;
        if (at < 0 || (_end >= 0 && at >= _end))
            return false;
        double here = _up[at & _mask];
        int sign = here < 0 ? -1 : 1;
        double size = here * sign;
        if (!(size > 1e-6 * Math.Abs(_clean[at & _mask])) || !(size > 1e-30))
            return false;
        // What filters leave of the mains, or of noise that is quicker than any beat, is no event.
        if (size < LeastShare * _range)
            return false;
        for (int k = 1; k <= _neighbours; k++)
        {
            if (!(_up[(at - k) & _mask] * sign < size) || !(_up[(at + k) & _mask] * sign <= size))
                return false;
        }
        // A tone's envelope has no maximum worth the name.
        if (!_settings.IsPulse && !(Math.Min(Lowest(at - _rest, at), Lowest(at, at + _rest)) < 0.6 * size))
            return false;
        for (int k = -_gap; k <= _gap; k++)
        {
            if (at + k >= 0 && _missing[(at + k) & _mask])
                return false;
        }
        int slot = _nextSlot;
        _nextSlot = (_nextSlot + 1) % Slots;
        Span<float> shape = _shapes.AsSpan(slot * Stride, Stride);
        for (int k = 0; k < Stride; k++)
            shape[k] = (float)_band0[(at + (k - _before - 2) * _step) & _mask];
        candidate = new Candidate(at, size, sign, slot) { Before = -1, Template = -1, StepShare = _settings.IsPulse ? 0 : StepShare(at),
            Wide = _settings.IsPulse ? 0 : Envelope(_wideEven, _wideOdd, at), IsBlurred = size < LeastShare * RangeAbout(at),
            IsCut = _end >= 0 && at + _after * _step >= _end };
        if (_settings.IsPulse)
        {
            (candidate.Skew, candidate.HalfWidth, candidate.Tail) = Form(at, sign);
            candidate.IsBlurred |= TakenOff(at) > size;
        }
        else if (Rate >= MinAbruptRate)
            candidate.Abruptness = Abruptness(at);
        return true;
    }

    // What the running median takes off about an event, by its own median so that spikes do not count: of a tone quicker than a pulse it
    // leaves slow waves that are none of the signal's.
    private double TakenOff(long at)
    {
        int reach = Math.Min((_near.Length - 1) / 2, (int)(0.25 * Rate)), n = 0;
        for (int k = -reach; k <= reach; k++)
            _near[n++] = Math.Abs(_raw[(at + k) & _mask] - _clean[(at + k) & _mask]);
        Array.Sort(_near, 0, n);
        return n == 0 ? 0 : _near[n / 2];
    }

    // A pulse about its upstroke: from the foot before to the half of its height after it.
    private (float Skew, float HalfWidth, float Tail) Form(long at, int sign)
    {
        int reach = (int)(0.3 * Rate), fore = (int)(0.25 * Rate);
        long peak = at;
        double foot = double.PositiveInfinity;
        for (long i = at; i <= at + fore; i++)
            peak = Value(i, sign) > Value(peak, sign) ? i : peak;
        for (long i = at - reach; i <= at; i++)
            foot = Math.Min(foot, Value(i, sign));
        double height = Value(peak, sign) - foot;
        if (!(height > 0))
            return (1, 0, 0);
        double left = Crossing(peak, -1, sign, foot + 0.5 * height), right = Crossing(peak, 1, sign, foot + 0.5 * height),
            top = Crossing(peak, -1, sign, foot + 0.9 * height), end = Crossing(peak, 1, sign, foot + 0.9 * height);
        // What is clipped has lost its form.
        double skew = top + end > 0.6 * (left + right) ? double.PositiveInfinity : (right - end) / Math.Max(left - top, 0.25);
        int last = 0;
        for (int k = 1; k <= (int)(0.45 * Rate); k++)
            last = Value(peak + k, sign) > foot + 0.15 * height ? k : last;
        return ((float)skew, (float)((left + right) / Rate), (float)(last / right));
    }

    private double Value(long at, int sign) => sign * _clean[at & _mask];

    // Work samples from a peak to where it has fallen to a level; as far as is looked where it has not.
    private double Crossing(long peak, int direction, int sign, double level)
    {
        int reach = (int)(0.3 * Rate);
        for (int k = 1; k <= reach; k++)
        {
            double here = Value(peak + direction * k, sign), before = Value(peak + direction * (k - 1), sign);
            if (here < level)
                return k - ((level - here) / Math.Max(before - here, 1e-30));
        }
        return reach;
    }

    // Power of the second difference over that of the slope, less what stands beside the event.
    private float Abruptness(long at)
    {
        int reach = Math.Max(3, (int)(0.05 * Rate));
        (double bend, double slope) = Bending(at - reach, at + reach);
        (double bend0, double slope0) = Bending(at - 3 * reach, at - reach);
        (double bend1, double slope1) = Bending(at + reach, at + 3 * reach);
        return (float)((bend - Math.Min(bend0, bend1)) / Math.Max(slope - Math.Min(slope0, slope1), 1e-30));
    }

    private (double Bend, double Slope) Bending(long from, long to)
    {
        double bend = 0, slope = 0;
        for (long i = from; i <= to; i++)
        {
            double a = _raw[(i - 1) & _mask], b = _raw[i & _mask], c = _raw[(i + 1) & _mask];
            bend += (a - 2 * b + c) * (a - 2 * b + c);
            slope += (c - a) * (c - a) / 4;
        }
        return (bend, slope);
    }

    // How much of a wave's height is a step that stays: 0 to 1.
    private double StepShare(long at)
    {
        int near = (int)(0.06 * Rate), far = Math.Max(near + 1, (int)(0.12 * Rate));
        double before = 0, after = 0, low = double.PositiveInfinity, high = double.NegativeInfinity;
        for (int k = near; k <= far; k++)
        {
            before += _clean[(at - k) & _mask];
            after += _clean[(at + k) & _mask];
        }
        for (int k = -far; k <= far; k++)
        {
            double x = _clean[(at + k) & _mask];
            (low, high) = (Math.Min(low, x), Math.Max(high, x));
        }
        return high > low ? Math.Abs(after - before) / (far - near + 1) / (high - low) : 0;
    }

    private double Lowest(long from, long to)
    {
        double lowest = double.PositiveInfinity;
        for (long i = from; i <= to; i++)
            lowest = Math.Min(lowest, _up[i & _mask]);
        return lowest;
    }

    private double Median(long centre)
    {
        for (int k = -_medianHalf; k <= _medianHalf; k++)
        {
            double x = _raw[(centre + k) & _mask];
            int i = k + _medianHalf - 1;
            for (; i >= 0 && _sorted[i] > x; i--)
                _sorted[i + 1] = _sorted[i];
            _sorted[i + 1] = x;
        }
        return _sorted[_medianHalf];
    }

    private double Envelope(double[] even, double[] odd, long centre)
    {
        double a = Apply(even, centre), b = Apply(odd, centre);
        return Math.Sqrt(a * a + b * b);
    }

    private double Apply(double[] kernel, long centre)
    {
        int half = kernel.Length / 2;
        double middle = _clean[centre & _mask], sum = 0;
        for (int k = 0; k < kernel.Length; k++)
            sum += kernel[k] * (_clean[(centre + k - half) & _mask] - middle);
        return sum;
    }
}
