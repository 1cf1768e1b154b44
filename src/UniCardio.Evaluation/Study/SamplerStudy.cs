using System.Diagnostics;
using UniCardio.Engine;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Measures;
using UniCardio.Evaluation.Model;
using UniCardio.Evaluation.Reports;
using UniCardio.Pipeline;

namespace UniCardio.Evaluation.Study;

/// <summary>The mean of some draws of one sampler on one case.</summary>
/// <param name="Sampler">The sampler.</param>
/// <param name="Steps">Network calls a draw.</param>
/// <param name="Draws">Draws that the result is the mean of.</param>
/// <param name="Task">The task.</param>
/// <param name="Corruption">What was done to its target.</param>
/// <param name="Scores">The measures of their mean.</param>
/// <param name="Spread">How their spread fits the truth.</param>
internal sealed record SamplerPoint(string Sampler, int Steps, int Draws, string Task, string Corruption, ScoreSummary Scores,
    DrawSpread Spread)
{
    /// <summary>Time in the network of a window with all these draws, on this machine.</summary>
    public double Milliseconds { get; init; }

    /// <summary>Network calls a window.</summary>
    public int NetworkCalls => Steps * Draws;
}

/// <summary>What a study found.</summary>
/// <param name="Options">What was compared.</param>
/// <param name="Windows">The windows of each recording.</param>
/// <param name="Points">Every sampler and number of draws on every case.</param>
/// <param name="NetworkCalls">Network calls in all.</param>
/// <param name="TotalTime">Time in all.</param>
internal sealed record SamplerStudyResult(
    SamplerStudyOptions Options, IReadOnlyList<(EvaluationRecording Recording, WindowSelection Selection)> Windows,
        IReadOnlyList<SamplerPoint> Points, long NetworkCalls, TimeSpan TotalTime);

/// <summary>Quality against network calls: every sampler at several numbers of steps, and means of few and many draws.</summary>
/// <remarks>Draws of one sampler are shared: the mean of two is that of the first two of eight. Corruption is the same for all.</remarks>
internal sealed class SamplerStudy
{
    private readonly InferenceEngine _engine;
    private readonly SamplerStudyOptions _options;

    /// <summary>Creates a study.</summary>
    /// <param name="engine">The network; must outlive the run.</param>
    /// <param name="options">What to compare.</param>
    /// <exception cref="ConfigurationException">An option is out of range; it is named.</exception>
    public SamplerStudy(InferenceEngine engine, SamplerStudyOptions options)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(options);
        _engine = engine;
        _options = options.Validate(engine.Configuration);
    }

    /// <summary>Compares.</summary>
    /// <param name="recordings">The recordings.</param>
    /// <param name="progress">Told after every step of a sampler.</param>
    /// <param name="cancellation">Looked at before every step.</param>
    public SamplerStudyResult Run(IReadOnlyList<EvaluationRecording> recordings, IProgress<EvaluationProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recordings);
        long start = Stopwatch.GetTimestamp(), calls = 0;
        CasePlan plan = CasePlan.Of(recordings, _options.Evaluation, _engine.Configuration.SlotSamples);
        (SamplerOptions Sampler, IReadOnlyList<int> Draws)[] runs = Runs();
        double total = plan.Cases.Sum(c => c.Windows.Count * runs.Sum(r => (double)Steps(r.Sampler, c) * r.Draws.Max())), done = 0;
        var points = new List<SamplerPoint>();
        int finished = 0;
        using var network = new NetworkRuns(_engine);
        foreach (PlannedCase one in plan.Cases)
        {
            EvaluationWindow[] windows = one.Cut(_options.Evaluation.Seed);
            WindowScorer[] scorers = [.. windows.Select(w => new WindowScorer(w))];
            foreach ((SamplerOptions sampler, IReadOnlyList<int> counts) in runs)
            {
                double cost = (double)Steps(sampler, one) * counts.Max();
                void Report(double here) =>
                    progress?.Report(new EvaluationProgress((done + (here * cost)) / total, one.ToString(), finished, plan.Cases.Count));
                float[][] draws =
                    network.Run(windows, new WindowShape(one.Task, counts.Max(), sampler), _options.Evaluation.Seed, Report, cancellation);
                points.AddRange(counts.Select(d => Point(one, windows, scorers, (sampler, d), draws)
                    with { Milliseconds = Time(network, windows[0], new WindowShape(one.Task, d, sampler), cancellation) }));
                done += cost * windows.Length;
                calls += (long)cost * windows.Length;
            }

            finished++;
        }

        return new SamplerStudyResult(_options, plan.Windows, points, calls, Stopwatch.GetElapsedTime(start));
    }

    // The chosen sampler runs once, with all its draws.
    private (SamplerOptions Sampler, IReadOnlyList<int> Draws)[] Runs() =>
    [
        .. _options.Samplers.Where(s => s != _options.Chosen).Select(s => (s, _options.Draws)),
        (_options.Chosen, [.. _options.Draws.Union(_options.ManyDraws).Order()]),
    ];

    private int Steps(SamplerOptions sampler, PlannedCase one) => new WindowShape(one.Task, 1, sampler).Steps(_engine.Configuration);

    // The shorter of two runs of one window: the first may build the session and warm its code. Calls of it do not count as the study's.
    private double Time(NetworkRuns network, EvaluationWindow window, WindowShape shape, CancellationToken cancellation)
    {
        double least = double.PositiveInfinity;
        for (int run = 0; run < 2; run++)
        {
            TimeSpan before = network.ComputeTime;
            network.Run([window], shape, _options.Evaluation.Seed, null, cancellation);
            least = Math.Min(least, (network.ComputeTime - before).TotalMilliseconds);
        }

        return least;
    }

    private SamplerPoint Point(PlannedCase one, EvaluationWindow[] windows, WindowScorer[] scorers,
        (SamplerOptions Sampler, int Count) drawnWith, float[][] draws)
    {
        (SamplerOptions sampler, int count) = drawnWith;
        int samples = _engine.Configuration.SlotSamples;
        var scores = new List<WindowScore>(scorers.Length);
        DrawSpread? spread = null;
        for (int w = 0; w < scorers.Length; w++)
        {
            WindowDraws first = new WindowDraws(draws[w], samples, windows[w].ResultScale).First(count);
            DrawSummaries drawn = DrawSummaries.Of(first);
            scores.Add(scorers[w].Score(drawn.Mean, drawn.Low, drawn.High));
            var unscaled = new float[first.Scaled.Length];
            first.Unscale(unscaled);
            DrawSpread here = scorers[w].Spread(unscaled);
            spread = spread is null ? here : spread + here;
        }

        return new SamplerPoint(sampler.ToString(), Steps(sampler, one), count, one.Task.ToString(), one.Corruption.ToString(),
            ScoreSummary.Of(one.Task.Output, scores), spread!);
    }
}
