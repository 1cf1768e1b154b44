using System.Diagnostics;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Evaluation.Baselines;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Measures;
using UniCardio.Evaluation.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation;

/// <summary>Measures a network on recordings, beside baselines, task by task.</summary>
/// <remarks>
/// Windows come from clean stretches of the recordings (<see cref="WindowSelection"/>), are spoiled by a seed, scaled by restoration's own
/// rule (<see cref="WindowScale"/>) and run through the same batches, so that the numbers are those of a user's run.
/// </remarks>
internal sealed class Evaluator
{
    // Of a case's time that the network takes, about; baselines that fit themselves to a window's surroundings take the rest.
    private const double NetworkShare = 0.5;

    private readonly InferenceEngine _engine;
    private readonly EvaluationOptions _options;
    private readonly int _samples;
    private long _calls;

    /// <summary>Creates an evaluator.</summary>
    /// <param name="engine">The network; must outlive the run.</param>
    /// <param name="options">What to measure.</param>
    /// <exception cref="ConfigurationException">An option is out of range; it is named.</exception>
    public Evaluator(InferenceEngine engine, EvaluationOptions options)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(options);
        _engine = engine;
        _options = options.Validate(engine.Configuration);
        _samples = engine.Configuration.SlotSamples;
        Baselines = new BaselineSet(_samples);
    }

    /// <summary>The baselines, with the filter settings that were chosen so far.</summary>
    internal BaselineSet Baselines { get; }

    /// <summary>Measures.</summary>
    /// <param name="recordings">The recordings; one without a clean window takes no part.</param>
    /// <param name="progress">Told after every step of the sampler and every window of a baseline.</param>
    /// <param name="cancellation">Looked at before every step and every window.</param>
    /// <exception cref="NonFiniteResultException">The network went out of range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public EvaluationResult Run(IReadOnlyList<EvaluationRecording> recordings, IProgress<EvaluationProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recordings);
        long start = Stopwatch.GetTimestamp();
        _calls = 0;
        using var runs = new NetworkRuns(_engine);
        CasePlan plan = CasePlan.Of(recordings, _options, _samples);
        double total = plan.Cases.Sum(p => p.Windows.Count), done = 0;
        var cases = new List<CaseResult>();
        foreach (PlannedCase one in plan.Cases)
        {
            void Report(double here) =>
                progress?.Report(new EvaluationProgress((done + here) / total, one.ToString(), cases.Count, plan.Cases.Count));
            Report(0);
            cases.Add(Measure(one, runs, Report, cancellation));
            done += one.Windows.Count;
        }

        return new EvaluationResult(_options, plan.Windows, cases, _calls, runs.ComputeTime, Stopwatch.GetElapsedTime(start));
    }

    private CaseResult Measure(PlannedCase one, NetworkRuns runs, Action<double> report, CancellationToken cancellation)
    {
        (CardioTask task, Corruption corruption) = (one.Task, one.Corruption);
        EvaluationWindow[] windows = one.Cut(_options.Seed);
        var shape = new WindowShape(task, _options.Draws, _options.Sampler);
        int steps = shape.Steps(_engine.Configuration);
        float[][] draws = runs.Run(windows, shape, _options.Seed, here => report(NetworkShare * here), cancellation);
        _calls += (long)windows.Length * _options.Draws * steps;

        WindowScorer[] scorers = [.. windows.Select(w => new WindowScorer(w))];
        DrawSummaries[] drawn = [.. draws.Select((d, w) => DrawSummaries.Of(new WindowDraws(d, _samples, windows[w].ResultScale)))];
        List<MethodScores> methods = NetworkRows(windows, scorers, drawn, steps, cancellation);
        if (task.Kind == TaskKind.Denoise)
        {
            methods.Add(EstimateRow(windows, scorers, runs, slow: false, cancellation));
            methods.Add(EstimateRow(windows, scorers, runs, slow: true, cancellation));
        }

        IReadOnlyList<WindowScore> shown = MethodScores.MeanOf(methods).Scores;
        IBaseline[] baselines = [.. Baselines.For(task)];
        int fitted = 0;
        double each = (1 - NetworkShare) / baselines.Length;
        MethodScores[] theirs = [.. baselines.Select(b => BaselineRow(b, windows, scorers,
            () => report(Math.Min(windows.Length, (NetworkShare * windows.Length) + (each * ++fitted))), cancellation))];
        methods.AddRange(theirs);
        int best = Enumerable.Range(0, theirs.Length).MinBy(b => theirs[b].Scores.Sum(s => s.MeanSquare));
        WindowPlace[] places = [.. windows.Select(w => new WindowPlace(w.Recording, w.Position.Start / NetworkSignal.Rate))];
        return new CaseResult(task, corruption, places, methods, Examples(windows, shown, drawn, baselines[best], theirs[best]));
    }

    // One draw always stands beside the mean: averaging flatters the squared error.
    private List<MethodScores> NetworkRows(EvaluationWindow[] windows, WindowScorer[] scorers, DrawSummaries[] drawn, int steps,
        CancellationToken cancellation)
    {
        int draws = _options.Draws;
        MethodScores Row(string name, int used, DrawSummaries[] drawn, Func<DrawSummaries, float[]> result, bool band)
        {
            var scores = new List<WindowScore>(scorers.Length);
            for (int w = 0; w < scorers.Length; w++)
            {
                cancellation.ThrowIfCancellationRequested();
                scores.Add(band ? scorers[w].Score(result(drawn[w]), drawn[w].Low, drawn[w].High) : scorers[w].Score(result(drawn[w])));
            }

            return new MethodScores(name, used, used * steps, _options.Sampler.ToString(), false, scores);
        }

        List<MethodScores> rows = [Row("network, one draw", 1, drawn, d => d.First, band: false)];
        if (draws > 1)
        {
            rows.Add(Row($"network, mean of {draws}", draws, drawn, d => d.Mean, band: true));
            rows.Add(Row($"network, median of {draws}", draws, drawn, d => d.Median, band: true));
        }

        if (windows[0].Task.Kind == TaskKind.Denoise)
        {
            var filter = new ResidualFilter(_samples);
            DrawSummaries[] corrected = [.. drawn.Select((d, w) => d.Corrected(filter, windows[w].GivenWindow(windows[w].Task.Output)))];
            rows.Add(Row($"network, mean of {draws}{MethodScores.WithResidual}", draws, corrected, d => d.Mean, band: draws > 1));
        }

        return rows;
    }

    private MethodScores EstimateRow(EvaluationWindow[] windows, WindowScorer[] scorers, NetworkRuns runs, bool slow,
        CancellationToken cancellation)
    {
        WindowShape shape = WindowShape.Estimate(windows[0].Task, slow);
        float[][] results = runs.Run(windows, shape, _options.Seed, null, cancellation);
        _calls += (long)windows.Length * shape.MaxEstimateCalls;
        IEnumerable<WindowScore> scores =
            results.Select((r, w) => scorers[w].Score(DrawSummaries.Of(new WindowDraws(r, _samples, windows[w].ResultScale)).First));
        string name = slow ? MethodScores.SlowEstimate : MethodScores.Estimate;
        return new MethodScores(name, 0, shape.MaxEstimateCalls, "", false, [.. scores]);
    }

    private MethodScores BaselineRow(IBaseline baseline, EvaluationWindow[] windows, WindowScorer[] scorers, Action report,
        CancellationToken cancellation)
    {
        var scores = new List<WindowScore>(windows.Length);
        var result = new float[_samples];
        for (int w = 0; w < windows.Length; w++)
        {
            cancellation.ThrowIfCancellationRequested();
            baseline.Estimate(windows[w], result);
            scores.Add(scorers[w].Score(result));
            report();
        }

        return new MethodScores(baseline.Name, 0, 0, SettingsOf(baseline.Name, windows[0].Task.Output, windows[0].Corruption),
            baseline.SeesBeyondWindow, scores);
    }

    private string SettingsOf(string baseline, Modality modality, Corruption corruption) =>
        Baselines.Tuning.Choices.TryGetValue((baseline, modality, corruption), out INoiseFilter? filter) ? filter.Settings : "";

    private WindowExample[] Examples(EvaluationWindow[] windows, IReadOnlyList<WindowScore> scores, DrawSummaries[] drawn,
        IBaseline baseline, MethodScores theirs)
    {
        int[] order = [.. Enumerable.Range(0, windows.Length).OrderBy(w => scores[w].MeanSquare)];
        WindowExample At(string rank, int place)
        {
            int at = order[place];
            var made = new float[_samples];
            baseline.Estimate(windows[at], made);
            return new WindowExample
            {
                Rank = rank, Window = windows[at], Score = scores[at], Result = drawn[at].Mean, Low = drawn[at].Low,
                High = drawn[at].High, Baseline = baseline.Name, BaselineScore = theirs.Scores[at], BaselineResult = made,
            };
        }

        return [At("best", 0), At("median", order.Length / 2), At("worst", order.Length - 1)];
    }
}
