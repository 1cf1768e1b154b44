using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Signals.Synthesis;
using UniCardio.Training.Data;

namespace UniCardio.Training.Distillation;

/// <summary>A teacher's samples as examples: conditions of the source that they were drawn from, and for each call of the student the state
/// that it sees, the step that it sees it at and the clean signal that it should predict there.</summary>
/// <remarks>
/// With one call: noise z at T - 1, the sample. With two, half of the examples are the second call's: the trajectory's state x_m at step
/// m, the sample; and half the first one's: z at T - 1, and that clean signal from which DDIM's step lands on x_m,
/// <code>x* = (x_m - r z) / (alpha_m - r alpha_{T-1}), r = sigma_m / sigma_{T-1}.</code>
/// The first of two calls counts what lies outside of a gap too, a fifth as much: the second call sees it.
/// Every sixteenth window of a task is kept apart, with all its draws, for held-out figures.
/// </remarks>
internal sealed class DistilledExamples : IExampleSource
{
    private const int HeldOutOf = 16;
    private const float Outside = 0.2f;
    private readonly TeacherPairs _pairs;
    private readonly IExampleSource _source;
    private readonly Dictionary<CardioTask, int[]> _ofTask = [];
    private readonly ulong _seed;
    private readonly int[] _steps;
    private readonly float _ofState;
    private readonly float _ofNoise;

    /// <summary>Creates the source.</summary>
    /// <param name="pairs">The samples.</param>
    /// <param name="source">The examples that they were drawn from.</param>
    /// <param name="student">The student's network, whose schedule counts, and how many calls it is to need, 1 or 2.</param>
    /// <param name="isHeldOut">Whether these are the pairs kept apart.</param>
    /// <param name="seed">In which order pairs come.</param>
    /// <exception cref="ConfigurationException">The samples are of other examples, or too few to keep any apart.</exception>
    public DistilledExamples(TeacherPairs pairs, IExampleSource source, (ModelConfiguration Network, int Calls) student,
        bool isHeldOut, ulong seed = 1)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(source);
        if (pairs.Source != source.Identity || pairs.SlotSamples != source.SlotSamples)
            throw new ConfigurationException(
                "distil", $"the samples were drawn from '{pairs.Source}', these examples are '{source.Identity}'");
        (_pairs, _source, _seed) = (pairs, source, seed);
        _steps = [.. TeacherPairs.StudentSteps(student.Calls, student.Network)];
        if (_steps.Length == 2)
        {
            var schedule = new NoiseSchedule(student.Network);
            double ratio = schedule.Sigma[_steps[1]] / schedule.Sigma[_steps[0]];
            double scale = 1 / (schedule.Alpha[_steps[1]] - (ratio * schedule.Alpha[_steps[0]]));
            (_ofState, _ofNoise) = ((float)scale, (float)(-ratio * scale));
        }

        for (int k = 0; k < pairs.Tasks.Count; k++)
        {
            int[] own = [.. Enumerable.Range(0, pairs.Count)
                .Where(i => i % pairs.Tasks.Count == k && i / pairs.Tasks.Count / pairs.Draws % HeldOutOf == HeldOutOf - 1 == isHeldOut)];
            _ofTask[pairs.Tasks[k]] = own.Length > 0 ? own
                : throw new ConfigurationException(
                    "distil", TooFew(pairs.Count, pairs.Tasks.Count, pairs.Draws));
        }

        Identity = FormattableString.Invariant(
            $"{(isHeldOut ? "held-out " : "")}samples {pairs.Identity} of [{pairs.Source}] order={seed} calls={student.Calls}");
    }

    /// <inheritdoc/>
    public string Identity { get; }

    /// <summary>Refuses what <see cref="DistilledExamples"/> would refuse once it is drawn, which may take hours.</summary>
    /// <exception cref="ConfigurationException">So few samples do not give every task a window to hold out.</exception>
    public static void CheckCount(int samples, int tasks, int draws)
    {
        if (samples < Least(tasks, draws))
            throw new ConfigurationException("distil", TooFew(samples, tasks, draws));
    }

    private static int Least(int tasks, int draws) => HeldOutOf * tasks * draws;

    private static string TooFew(int samples, int tasks, int draws) =>
        $"{samples} samples of {tasks} tasks are too few: every task needs {HeldOutOf} windows of {draws}, {Least(tasks, draws)} samples "
        + "in all";

    /// <inheritdoc/>
    public int SlotSamples => _pairs.SlotSamples;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">There is no sample of the task.</exception>
    public void Fill(long index, CardioTask task, TrainingBatch batch, int place)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (!_ofTask.TryGetValue(task, out int[]? pairs))
            throw new ArgumentException($"the teacher drew no '{task}'", nameof(task));
        int pair = pairs[(int)(CounterRandom.Derive(_seed, (ulong)index) % (ulong)pairs.Length)];
        _source.Fill(_pairs.WindowOf(pair), task, batch, place);
        Span<float> state = batch.WindowNoise(place), clean = batch.CleanTarget(place);
        ReadOnlySpan<float> sample = _pairs.Sample(pair), middle = _pairs.Middle(pair);
        int call = _steps.Length == 1 ? 0 : (int)(CounterRandom.Derive(_seed + 1, (ulong)index) >> 40 & 1);
        batch.Steps[place] = _steps[call];
        if (call == 0)
            _pairs.Noise(pair, state);
        else
            middle.CopyTo(state);
        if (call == _steps.Length - 1)
        {
            sample.CopyTo(clean);
            return;
        }

        Span<float> counts = batch.Weight(place);
        for (int s = 0; s < clean.Length; s++)
        {
            clean[s] = (_ofState * middle[s]) + (_ofNoise * state[s]);
            counts[s] = Math.Max(counts[s], Outside);
        }
    }
}
