using System.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Measures;
using UniCardio.Evaluation.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Study.Conditions;

/// <summary>Error of one task in one person's windows, with one further condition good, absent or bad.</summary>
/// <param name="Subject">Whose.</param>
/// <param name="Task">The task with all its conditions.</param>
/// <param name="Corruption">What is done to its target.</param>
/// <param name="Condition">The condition that is absent or bad.</param>
/// <param name="Way"><see cref="ConditionStudy.Good"/>, <see cref="ConditionStudy.Absent"/>, or how it is bad
/// (<see cref="ConditionStudy.NameOf"/>).</param>
/// <param name="Windows">Windows.</param>
/// <param name="Rmse">Root mean square error in scaled units (50 mmHg; half the clean window's range).</param>
internal sealed record ConditionRow(string Subject, CardioTask Task, Corruption Corruption, Modality Condition, string Way, int Windows,
    double Rmse);

/// <summary>What a study of conditions found.</summary>
/// <param name="Options">What was measured.</param>
/// <param name="Recordings">On what.</param>
/// <param name="Rows">Every person, task, condition and way.</param>
/// <param name="Calls">Network calls.</param>
/// <param name="TotalTime">Time in all.</param>
internal sealed record ConditionStudyResult(EvaluationOptions Options, IReadOnlyList<EvaluationRecording> Recordings,
    IReadOnlyList<ConditionRow> Rows, long Calls, TimeSpan TotalTime);

/// <summary>Whether a bad condition hurts more than none: the same windows with each further condition good, absent, and bad in every way
/// (<see cref="BadSignalKind"/>).</summary>
/// <remarks>
/// Nothing gates the bad condition here, as `--ungated` leaves it: the network itself is asked. A condition is spoiled over the whole
/// window; the other person's is a window of the next person. Without the condition, the task without it is run. Noise and gaps of the
/// target are the same in all.
/// </remarks>
internal static class ConditionStudy
{
    /// <summary>Ways of a condition that is not bad.</summary>
    public const string Good = "good", Absent = "absent";

    private const ulong Stream = 91;

    /// <summary>Measures.</summary>
    /// <param name="engine">The network.</param>
    /// <param name="options">Tasks, of which those with a further condition count; windows, draws, sampler, noise and gaps.</param>
    /// <param name="recordings">The recordings; one without a clean window takes no part.</param>
    /// <param name="progress">Told after every step of the sampler.</param>
    /// <param name="cancellation">Looked at before every step.</param>
    public static ConditionStudyResult Run(InferenceEngine engine, EvaluationOptions options,
        IReadOnlyList<EvaluationRecording> recordings, IProgress<EvaluationProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(recordings);
        long start = Stopwatch.GetTimestamp(), calls = 0;
        options = options.Validate(engine.Configuration);
        using var runs = new NetworkRuns(engine);
        PlannedCase[] cases = [.. CasePlan.Of(recordings, options, engine.Configuration.SlotSamples).Cases
            .Where(c => c.Task.Conditions.Count() > 1)];
        var rows = new List<ConditionRow>();
        for (int at = 0; at < cases.Length; at++)
        {
            PlannedCase one = cases[at];
            EvaluationWindow[] windows = one.Cut(options.Seed);
            WindowScorer[] scorers = [.. windows.Select(w => new WindowScorer(w))];
            var shape = new WindowShape(one.Task, options.Draws, options.Sampler);
            int steps = shape.Steps(engine.Configuration);
            Dictionary<string, double> Errors(WindowShape asked, Func<int, WindowObservation> given)
            {
                cancellation.ThrowIfCancellationRequested();
                progress?.Report(new EvaluationProgress(at / (double)cases.Length, one.ToString(), at, cases.Length));
                float[][] draws = runs.Run([.. windows.Select((_, w) => given(w))], asked, options.Seed, null, cancellation);
                calls += (long)windows.Length * options.Draws * steps;
                return Score(windows, scorers, draws);
            }

            Dictionary<string, double> good = Errors(shape, w => windows[w].Observation);
            foreach (Modality condition in one.Task.Others.Members())
            {
                void Add(string way, Dictionary<string, double> errors) =>
                    rows.AddRange(errors.Select(e => new ConditionRow(e.Key, one.Task, one.Corruption, condition, way,
                        windows.Count(w => w.Recording.Subject == e.Key), e.Value)));
                Add(Good, good);
                var without = shape with { Task = one.Task.WithOthers(one.Task.Others & ~condition.ToSet()) };
                Add(Absent, Errors(without, w => windows[w].Observation));
                foreach (BadSignalKind kind in Enum.GetValues<BadSignalKind>())
                {
                    if (kind == BadSignalKind.Foreign && windows.Select(w => w.Recording.Subject).Distinct().Count() < 2)
                        continue;
                    Add(NameOf(kind), Errors(shape, w => Spoil(windows, w, condition, kind, options.Seed)));
                }
            }
        }

        return new ConditionStudyResult(options, recordings, rows, calls, Stopwatch.GetElapsedTime(start));
    }

    /// <summary>A bad way in a word.</summary>
    /// <param name="kind">How it is bad.</param>
    public static string NameOf(BadSignalKind kind) => kind.ToString().ToLowerInvariant();

    // By subject, root of the mean over their windows of the mean of the draws' mean squared error.
    private static Dictionary<string, double> Score(EvaluationWindow[] windows, WindowScorer[] scorers, float[][] draws)
    {
        int samples = windows[0].Window.Length;
        double[] squares = [.. windows.Select((w, i) =>
            scorers[i].Score(DrawSummaries.Of(new WindowDraws(draws[i], samples, w.ResultScale)).Mean).MeanSquare)];
        return windows.Select((w, i) => (w.Recording.Subject, Square: squares[i])).GroupBy(s => s.Subject)
            .ToDictionary(g => g.Key, g => Math.Sqrt(g.Average(s => s.Square)), StringComparer.Ordinal);
    }

    private static WindowObservation Spoil(EvaluationWindow[] windows, int at, Modality condition, BadSignalKind kind, ulong seed)
    {
        EvaluationWindow window = windows[at];
        float[] signal = window.Given(condition).ToArray();
        float[] foreign = [];
        if (kind == BadSignalKind.Foreign)
        {
            int other = Enumerable.Range(1, windows.Length).Select(k => (at + k) % windows.Length)
                .First(k => windows[k].Recording.Subject != window.Recording.Subject);
            foreign = windows[other].GivenWindow(condition).ToArray();
        }

        BadSignal.Apply(kind, signal.AsSpan(window.Window.Start, window.Window.Length), foreign, NetworkSignal.Rate,
            CounterRandom.Derive(CounterRandom.Derive(seed ^ Stream, window.Identity), (ulong)condition));
        return condition switch
        {
            Modality.Ppg => window.Observation with { Ppg = signal },
            Modality.Bp => window.Observation with { Bp = signal },
            _ => window.Observation with { Ecg = signal },
        };
    }
}
