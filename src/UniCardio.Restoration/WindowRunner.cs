using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;
using UniCardio.Pipeline.Patient;
using UniCardio.Signals;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;

namespace UniCardio.Restoration;

/// <summary>Runs the windows of a schedule and crossfades what comes out, at 125 Hz in the network's physical units.</summary>
internal sealed class WindowRunner
{
    // Each run has sessions of its own; of several shapes the latest ones are kept.
    private const long MaxSessionBytes = 256L << 20;

    // On each of two dozen hidden stretches: two draws tell nearly as much of the network's error as eight.
    private const int HiddenDraws = 2;
    private const double HiddenWork = 24 * HiddenDraws;

    private readonly RestorationOptions _options;
    private readonly PreparedRecording _prepared;
    private readonly WindowSchedule _schedule;
    private readonly InferenceEngine _engine;
    private readonly float[] _ones, _center, _edge, _correction;
    private readonly ResidualFilter? _residual;
    private readonly double? _noiseLevel;
    private readonly double _noiseFactor = 1;
    private readonly bool _bands;

    public WindowRunner(InferenceEngine engine, RestorationOptions options, PreparedRecording prepared, WindowSchedule schedule)
    {
        (_engine, _options, _prepared, _schedule) = (engine, options, prepared, schedule);
        bool any = schedule.Computed > 0 || options.UsesPatient, band = any && options.HasBand;
        _bands = band && options.Draws > 1;
        Center = new float[any ? prepared.Length : 0];
        Low = new float[band ? prepared.Length : 0];
        High = new float[band ? prepared.Length : 0];
        Weight = new float[Center.Length];
        int samples = schedule.Cover.WindowLength;
        (_ones, _center, _edge, _correction) = (new float[samples], new float[samples], new float[samples], new float[samples]);
        Array.Fill(_ones, 1f);
        if (any && options.Task.Kind == TaskKind.Denoise && options.Residual == ResidualRule.Wiener)
            _residual = new ResidualFilter(samples);
        if (any && options.Estimates)
            (_noiseLevel, _noiseFactor) = Noise();
    }

    /// <summary>What was made.</summary>
    public RestoredSignal Result =>
        new(Center, Low, High, Weight) { NetworkCalls = NetworkCalls, ComputeTime = ComputeTime, Fills = Fills };

    /// <summary>The signal, [n], complete where <see cref="Weight"/> is 1; empty if no window was computed.</summary>
    public float[] Center { get; }

    /// <summary>Lower edge of the band, [n], or empty.</summary>
    public float[] Low { get; }

    /// <summary>Upper edge of the band, [n], or empty.</summary>
    public float[] High { get; }

    /// <summary>Sum of the weights of the computed windows, [n], 0 to 1.</summary>
    public float[] Weight { get; }

    /// <summary>Evaluations of the network.</summary>
    public long NetworkCalls { get; private set; }

    /// <summary>The gaps that the patient's own signals had a part in.</summary>
    public IReadOnlyList<GapFill> Fills { get; private set; } = [];

    /// <summary>Time in the network.</summary>
    public TimeSpan ComputeTime { get; private set; }

    public void Run(IProgress<RestorationProgress>? progress, CancellationToken cancellation)
    {
        using var pool = new SessionPool(_engine, MaxSessionBytes);
        var series = new WindowSeries(pool) { WindowsPerBatch = _options.WindowsPerBatch };
        // What hidden stretches cost beside the windows, about: their number and lengths are not known yet.
        double windows = _schedule.Computed * (double)_options.Draws, share = !_options.UsesPatient ? 1 : windows / (windows + HiddenWork);
        int before = 0;
        foreach (TaskWindows group in _schedule.Groups)
        {
            WindowProgress? report = progress is null ? null
                : (done, work) => progress.Report(
                    new RestorationProgress(before + done, _schedule.Computed, share * (before + work) / _schedule.Computed));
            try
            {
                series.Run(_options.ShapeOf(group.Task), group.Windows.Count, i => Observe(group.Windows[i]), (i, draws) =>
                    Blend(group.Windows[i], draws), report, cancellation);
            }
            catch (NonFiniteResultException problem)
            {
                throw OutOfRange(_schedule.Cover[group.Windows[problem.Window]], problem);
            }
            catch (ConditionValueException problem)
            {
                throw OutOfRange(_schedule.Cover[group.Windows[problem.Window]], problem);
            }

            before += group.Windows.Count;
        }

        (NetworkCalls, ComputeTime) = (series.NetworkCalls, series.ComputeTime);
        if (_options.UsesPatient)
        {
            FillGaps(pool, filled => progress?.Report(
                new RestorationProgress(_schedule.Computed, _schedule.Computed, share + ((1 - share) * filled))), cancellation);
        }
    }

    // Every gap of the target by the patient's own signals and what the network made of it; measured samples stand around for the way back
    // to the channel's rate.
    private void FillGaps(SessionPool pool, Action<double> progress, CancellationToken cancellation)
    {
        Modality target = _options.Task.Output;
        float[]?[] signals = [.. Modalities.All.Select(m => _options.Task.Conditions.Contains(m) ? _prepared.Signal(m).ToArray() : null)];
        var patient = new PatientSignals(NetworkSignal.Rate, signals[0], signals[1], signals[2]);
        GapNetwork? network = _schedule.Computed > 0
            ? new GapNetwork(pool, Math.Min(_options.Draws, HiddenDraws), _options.Sampler, _options.Summary, _options.Seed) : null;
        IReadOnlyList<SampleRange> gaps = GapFinder.Find(_prepared.Signal(target));
        using GapCorrection? correction = _options.Correction is { } engine ? new GapCorrection(engine) : null;
        var filler = new GapFiller(patient, target, _options.Task.Conditions & ~target.ToSet(), _options.Estimator, network)
            { Correction = correction };
        Fills = filler.Fill(gaps, i => Made(gaps[i]), progress, cancellation);
        ReadOnlySpan<float> measured = _prepared.Signal(target);
        foreach (float[] all in (float[][])[Center, Low, High])
            measured.CopyTo(all);
        Array.Fill(Weight, 1f);
        foreach (GapFill fill in Fills)
        {
            for (int t = 0; t < fill.Gap.Length; t++)
            {
                int at = fill.Gap.Start + t;
                (Center[at], Low[at], High[at]) = ((float)fill.Value[t], (float)fill.Low[t], (float)fill.High[t]);
            }
        }

        NetworkCalls += (network?.NetworkCalls ?? 0) + (correction?.NetworkCalls ?? 0);
        ComputeTime += network?.ComputeTime ?? TimeSpan.Zero;
    }

    private double[]? Made(SampleRange gap)
    {
        var made = new double[gap.Length];
        for (int t = 0; t < made.Length; t++)
        {
            if (!(Weight[gap.Start + t] > 0))
                return null;
            made[t] = Center[gap.Start + t] / Weight[gap.Start + t];
        }

        return made;
    }

    // A window without a measured sample of its target is translated, but takes the scale of the nearest ones.
    private WindowObservation Observe(int window)
    {
        WindowObservation observation = _prepared.Observe(_schedule.Cover[window])
            with { Seed = _options.Seed, Identity = (uint)window, NoiseLevel = _noiseLevel, NoiseFactor = _noiseFactor };
        return observation with { ResultScale = WindowScale.OfResult(_options.Task, observation) };
    }

    // The level that was given, in the network's unit at 125 Hz, or null and what a measured one is multiplied by.
    private (double? Level, double Factor) Noise()
    {
        Channel channel = _prepared.Reference;
        if (_options.NoiseLevel is { } level)
            return (level * _prepared.UnitFactor * Math.Sqrt(NetworkSignal.Rate / channel.SampleRate), 1);
        double factor = WhiteNoise.ResamplingFactor(NetworkSignal.ResamplerOf(channel.SampleRate, NetworkSignal.Rate, channel.Name));
        if (factor == 0)
        {
            _prepared.Warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                $"channel '{channel.Name}': at {channel.SampleRate} Hz its noise cannot be measured and stays; give a noise level, or "
                + $"denoise by draws"), channel.Name));
        }

        return (null, factor);
    }

    private static RestorationException OutOfRange(SampleRange range, Exception cause) => new(string.Create(CultureInfo.InvariantCulture,
        $"the network went out of range from {range.Start / NetworkSignal.Rate:0.###} s to {range.End / NetworkSignal.Rate:0.###} s: "
        + $"{cause.Message}"), cause);

    private void Blend(int window, WindowDraws draws)
    {
        draws.Summarize(_options.Summary, _center);
        if (_residual is not null)
        {
            SampleRange range = _schedule.Cover[window];
            _residual.Correction(_prepared.Signal(_options.Task.Output).Slice(range.Start, range.Length), _center, _correction);
            Shift(_center);
        }

        _schedule.Cover.Accumulate(window, _center, Center);
        _schedule.Cover.Accumulate(window, _ones, Weight);
        BlendEdge(window, draws, _options.LowQuantile, Low);
        BlendEdge(window, draws, _options.HighQuantile, High);
    }

    // An edge of the band moves with what the residual gave back.
    private void BlendEdge(int window, WindowDraws draws, double quantile, float[] sums)
    {
        if (!_bands)
            return;
        draws.Quantile(quantile, _edge);
        if (_residual is not null)
            Shift(_edge);
        _schedule.Cover.Accumulate(window, _edge, sums);
    }

    private void Shift(float[] x)
    {
        for (int i = 0; i < x.Length; i++)
            x[i] += _correction[i];
    }
}
