using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Patient;

/// <summary>Settings of the own beat; the defaults are those that erred least on five recordings and eight synthetic subjects, within a few
/// percent of each other.</summary>
internal sealed record OwnBeatOptions
{
    /// <summary>How like another beat's interval, and the one before it, must be to this one's: standard deviation of their logarithms'
    /// difference, above 0.</summary>
    public double RhythmWidth { get; init; } = 0.05;

    /// <summary>How like the source's wave must be, in typical squared differences between neighbours; 0 to look at rhythm alone.</summary>
    public double ShapeWidth { get; init; } = 0.5;

    /// <summary>Weight that every beat has, however unlike.</summary>
    public double Floor { get; init; } = 1e-3;

    /// <summary>Most beats on either side of which the target is measured.</summary>
    public int MaxBeats { get; init; } = 80;

    /// <summary>How far away a beat may be, in seconds; positive infinity for any.</summary>
    public double ContextSeconds { get; init; } = 60;
}

/// <summary>The patient's own beat: what the target does about a beat, told by what it did about other beats of the same patient like
/// it.</summary>
/// <remarks>
/// <para>Every beat has an instant: that of another signal's beat plus the delay between the two, or the target's own where no other signal
/// places it. A sample between two instants is the weighted mean of the samples that lie alike to other beats' instants: as long after the
/// one before for the first half of the interval, as long before the next one for its end, crossfaded between, so that systole and P wave
/// keep their length and diastole takes up the difference.</para>
/// <para>Weights are those of kernel regression (Nadaraya 1964; Watson 1964) on what tells beats apart: this interval and the one before
/// (filling of the heart), and the source's wave (a premature beat is like other premature beats). A beat never sees itself, so that what
/// it says about measured samples errs as it would in a gap.</para>
/// <para>Where beats are placed by rhythm alone, an instant is the less certain the more intervals lie between it and a seen beat; the wave
/// is averaged over where it may be, and far from both edges is the signal's mean.</para>
/// </remarks>
internal sealed class OwnBeat
{
    private const int ShapePoints = 24, MinBeats = 6, Nodes = 12;
    private readonly OwnBeatOptions _options;
    private readonly float[] _signal;
    private readonly double _rate, _margin;
    private readonly double[] _events;
    private readonly double[] _logInterval;
    private readonly float[]? _shape;
    private readonly double _shapeScale;
    private readonly double[] _doubt, _weights;
    private readonly int[] _known;

    private OwnBeat(ChannelKind target, ChannelKind? source, float[] signal, double rate,
        (double[] Events, double[] Doubt) rhythm, float[]? shape, OwnBeatOptions options)
    {
        (double[] events, double[] doubt) = rhythm;
        _doubt = doubt;
        Source = source;
        _options = options;
        _signal = signal;
        _rate = rate;
        _events = events;
        _shape = shape;
        // Where one beat's wave ends and the next one's begins, before its event: the foot of a pulse, the end of the P wave.
        _margin = (target == ChannelKind.Ecg ? 0.06 : 0.10) * rate;
        double[] sorted = [.. Enumerable.Range(0, events.Length - 1).Select(k => events[k + 1] - events[k]).Order()];
        Interval = sorted[sorted.Length / 2];
        _logInterval = [.. Enumerable.Range(0, events.Length - 1).Select(k => Math.Log((events[k + 1] - events[k]) / Interval))];
        _known = [.. Enumerable.Range(0, events.Length - 1).Where(k => doubt[k] == 0 && doubt[k + 1] == 0 && IsKnown(k))];
        _weights = new double[(2 * options.MaxBeats) + 1];
        _shapeScale = shape is null ? 1 : TypicalDistance(shape, events.Length);
    }

    /// <summary>The signal that beats are placed by; null if by rhythm.</summary>
    public ChannelKind? Source { get; }

    /// <summary>Median interval of the beats, in samples.</summary>
    public double Interval { get; }

    /// <summary>When the target's beats are, in samples.</summary>
    public ReadOnlySpan<double> Events => _events;

    /// <summary>Gathers what a beat is made of; null where fewer than six beats are seen, or the delay between the two signals cannot be
    /// found.</summary>
    /// <param name="signals">The signals; samples of the target that are missing take no part.</param>
    /// <param name="target">The signal to make.</param>
    /// <param name="source">The signal that places its beats; null for the target's own rhythm.</param>
    /// <param name="context">Where to look for beats.</param>
    /// <param name="options">Settings.</param>
    public static OwnBeat? Create(PatientSignals signals, ChannelKind target, ChannelKind? source, SampleRange context,
        OwnBeatOptions options)
    {
        ArgumentNullException.ThrowIfNull(signals);
        ArgumentNullException.ThrowIfNull(options);
        BeatTrain own = signals.BeatsOf(target), placing = source is { } by ? signals.BeatsOf(by) : own;
        float[] placed = signals[source ?? target].ToArray();
        double[] seen = placing.Instants[placing.FirstFrom(context.Start)..placing.FirstFrom(context.End)].ToArray();
        if (seen.Length < MinBeats)
            return null;
        double[] instants = [.. seen];
        if (source is { } other)
        {
            if (BeatDelay.Between(BeatTrain.From(seen), own, BeatDelay.Usual(other, target, signals.SampleRate)) is not { } delay)
                return null;
            for (int k = 0; k < seen.Length; k++)
                instants[k] = Math.Max(seen[k] + delay.At(seen[k]), k == 0 ? double.NegativeInfinity : instants[k - 1] + 1);
        }

        double shift = instants[0] - seen[0];
        (double[] events, double[] doubt) = Rhythm.Continue(instants, context, (from, to) => Missing(placed, from - shift, to - shift));
        if (events.Length < MinBeats)
            return null;
        float[]? shape = source is { } shown ? Shapes(placed, events, doubt, seen, shown, signals.SampleRate) : null;
        return new OwnBeat(target, source, signals[target].ToArray(), signals.SampleRate, (events, doubt), shape, options);
    }

    private static bool Missing(float[] signal, double from, double to)
    {
        int start = Math.Clamp((int)from, 0, signal.Length), end = Math.Clamp((int)to, start, signal.Length);
        return GapFinder.CountMeasured(signal.AsSpan(start, end - start)) < end - start;
    }

    /// <summary>Draws the beat over a stretch.</summary>
    /// <param name="stretch">Where.</param>
    /// <param name="wave">[stretch] the wave; NaN where nothing is known.</param>
    /// <param name="spread">[stretch] or empty: the spread of the beats that it is made of.</param>
    public void Render(SampleRange stretch, Span<double> wave, Span<double> spread)
    {
        for (int k = 0; k + 1 < _events.Length; k++)
        {
            int from = (int)Math.Ceiling(_events[k] - _margin), to = (int)Math.Ceiling(_events[k + 1] - _margin);
            from = Math.Max(from, stretch.Start);
            to = Math.Min(to, stretch.End);
            if (from < to)
                Beat(k, from, to, stretch.Start, wave, spread);
        }

        Blur(stretch, wave, spread);
    }

    // The wave averaged over where it may be: normal, of the standard deviation that its instants have there.
    private void Blur(SampleRange stretch, Span<double> wave, Span<double> spread)
    {
        double[] sharp = wave[..stretch.Length].ToArray();
        for (int k = 0; k + 1 < _events.Length; k++)
        {
            if (_doubt[k] == 0 && _doubt[k + 1] == 0)
                continue;
            int from = Math.Max(stretch.Start, (int)Math.Ceiling(_events[k])),
                to = Math.Min(stretch.End, (int)Math.Ceiling(_events[k + 1]));
            for (int t = from; t < to; t++)
            {
                double share = (t - _events[k]) / (_events[k + 1] - _events[k]);
                double deviation = _doubt[k] + (share * (_doubt[k + 1] - _doubt[k]));
                double sum = 0, sum2 = 0, total = 0;
                for (int node = -Nodes; node <= Nodes; node++)
                {
                    double z = 2.5 * node / Nodes, at = t - stretch.Start + (z * deviation);
                    int below = (int)Math.Floor(at);
                    if (below < 0 || below + 1 >= sharp.Length || double.IsNaN(sharp[below]) || double.IsNaN(sharp[below + 1]))
                        continue;
                    double value = sharp[below] + ((at - below) * (sharp[below + 1] - sharp[below])), w = Math.Exp(-0.5 * z * z);
                    sum += w * value;
                    sum2 += w * value * value;
                    total += w;
                }

                if (!(total > 0))
                    continue;
                double mean = sum / total;
                wave[t - stretch.Start] = mean;
                if (spread.Length > 0)
                    spread[t - stretch.Start] =
                        Math.Sqrt(Math.Max(0, (sum2 / total) - (mean * mean)) + (spread[t - stretch.Start] * spread[t - stretch.Start]));
            }
        }
    }

    private void Beat(int k, int from, int to, int origin, Span<double> wave, Span<double> spread)
    {
        // The beats of which the target is seen, those nearest to this one.
        int at = Array.BinarySearch(_known, k);
        at = at >= 0 ? at : ~at;
        int first = Math.Max(0, at - _options.MaxBeats), last = Math.Min(_known.Length - 1, at + _options.MaxBeats);
        Span<double> weights = _weights.AsSpan(0, Math.Max(0, last - first + 1));
        for (int i = first; i <= last; i++)
        {
            int j = _known[i];
            weights[i - first] = j == k || Math.Abs(_events[j] - _events[k]) > _options.ContextSeconds * _rate ? 0 : Weight(k, j);
        }

        double length = _events[k + 1] - _events[k];
        for (int t = from; t < to; t++)
        {
            double place = (t - (_events[k] - _margin)) / length;
            double ahead = Fade((place - 0.5) / 0.35);
            double sum = 0, sum2 = 0, total = 0;
            for (int i = first; i <= last; i++)
            {
                double w = weights[i - first];
                if (w <= 0)
                    continue;
                int j = _known[i];
                if (ahead < 1)
                    Add(_events[j] + (t - _events[k]), w * (1 - ahead), ref sum, ref sum2, ref total);
                if (ahead > 0)
                    Add(_events[j + 1] + (t - _events[k + 1]), w * ahead, ref sum, ref sum2, ref total);
            }

            wave[t - origin] = total > 0 ? sum / total : double.NaN;
            if (spread.Length > 0)
                spread[t - origin] = total > 0 ? Math.Sqrt(Math.Max(0, (sum2 / total) - (wave[t - origin] * wave[t - origin])))
                    : double.NaN;
        }
    }

    private void Add(double at, double weight, ref double sum, ref double sum2, ref double total)
    {
        double value = At(_signal, at);
        if (double.IsNaN(value))
            return;
        sum += weight * value;
        sum2 += weight * value * value;
        total += weight;
    }

    private double Weight(int k, int j)
    {
        double now = _logInterval[j] - _logInterval[k];
        double before = j > 0 && k > 0 ? _logInterval[j - 1] - _logInterval[k - 1] : 0;
        double h = _options.RhythmWidth;
        double distance = ((now * now) + (before * before)) / (2 * h * h);
        if (_shape is not null && _options.ShapeWidth > 0)
            distance += Distance(_shape, k, j) / (_shapeScale * _options.ShapeWidth);
        return Math.Exp(-distance) + _options.Floor;
    }

    private static double Fade(double x) => x <= 0 ? 0 : x >= 1 ? 1 : x * x * (3 - (2 * x));

    // A beat of which at least half is measured.
    private bool IsKnown(int k)
    {
        int from = Math.Clamp((int)(_events[k] - _margin), 0, _signal.Length),
            to = Math.Clamp((int)(_events[k + 1] - _margin), from, _signal.Length);
        return to > from && GapFinder.CountMeasured(_signal.AsSpan(from, to - from)) >= 0.5 * (to - from);
    }

    // Catmull-Rom between samples; NaN next to a missing one.
    internal static double At(float[] signal, double place)
    {
        int i = (int)Math.Floor(place);
        if (i < 1 || i >= signal.Length - 2)
            return double.NaN;
        double f = place - i, a = signal[i - 1], b = signal[i], c = signal[i + 1], d = signal[i + 2];
        return b + (0.5 * f * (c - a + (f * ((2 * a) - (5 * b) + (4 * c) - d + (f * ((3 * (b - c)) + d - a))))));
    }

    // [events, ShapePoints] the source from 0.2 s before to 0.4 s after its beat, less its mean; NaN where no beat is seen.
    private static float[] Shapes(float[] source, double[] events, double[] doubt, double[] seen, ChannelKind kind, double rate)
    {
        var shapes = new float[events.Length * ShapePoints];
        Array.Fill(shapes, float.NaN);
        double from = (kind == ChannelKind.Ecg ? -0.2 : -0.15) * rate, length = (kind == ChannelKind.Ecg ? 0.45 : 0.5) * rate;
        int next = 0;
        for (int k = 0; k < events.Length; k++)
        {
            if (doubt[k] > 0)
                continue;
            double beat = seen[next++], mean = 0;
            Span<float> shape = shapes.AsSpan(k * ShapePoints, ShapePoints);
            for (int p = 0; p < ShapePoints; p++)
            {
                shape[p] = (float)At(source, beat + from + (length * p / (ShapePoints - 1)));
                mean += shape[p] / ShapePoints;
            }

            for (int p = 0; p < ShapePoints; p++)
                shape[p] -= (float)mean;
        }

        return shapes;
    }

    private static double Distance(float[] shapes, int k, int j)
    {
        double sum = 0;
        for (int p = 0; p < ShapePoints; p++)
        {
            double d = (double)shapes[(k * ShapePoints) + p] - shapes[(j * ShapePoints) + p];
            sum += d * d;
        }

        return double.IsNaN(sum) ? double.PositiveInfinity : sum;
    }

    private static double TypicalDistance(float[] shapes, int beats)
    {
        var all = new List<double>();
        for (int k = 0; k < beats; k++)
        {
            for (int j = k + 1; j < Math.Min(beats, k + 12); j++)
            {
                double d = Distance(shapes, k, j);
                if (double.IsFinite(d))
                    all.Add(d);
            }
        }

        all.Sort();
        return all.Count == 0 ? 1 : Math.Max(1e-12, all[all.Count / 2]);
    }
}
