using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Signals.Synthesis;
using UniCardio.Training.Data;

namespace UniCardio.Training.Distillation;

/// <summary>A teacher's samples as examples: conditions of the source that they were drawn from, the sample for a target, and the noise
/// that it came from.</summary>
/// <remarks>Every sixteenth window of a task is kept apart, with all its draws, for held-out figures.</remarks>
internal sealed class DistilledExamples : IExampleSource
{
    private const int HeldOutOf = 16;
    private readonly TeacherPairs _pairs;
    private readonly IExampleSource _source;
    private readonly Dictionary<CardioTask, int[]> _ofTask = [];
    private readonly ulong _seed;

    /// <summary>Creates the source.</summary>
    /// <param name="pairs">The samples.</param>
    /// <param name="source">The examples that they were drawn from.</param>
    /// <param name="isHeldOut">Whether these are the pairs kept apart.</param>
    /// <param name="seed">In which order pairs come.</param>
    /// <exception cref="ConfigurationException">The samples are of other examples, or too few to keep any apart.</exception>
    public DistilledExamples(TeacherPairs pairs, IExampleSource source, bool isHeldOut, ulong seed = 1)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(source);
        if (pairs.Source != source.Identity || pairs.SlotSamples != source.SlotSamples)
            throw new ConfigurationException(
                "distil", $"the samples were drawn from '{pairs.Source}', these examples are '{source.Identity}'");
        (_pairs, _source, _seed) = (pairs, source, seed);
        for (int k = 0; k < pairs.Tasks.Count; k++)
        {
            int[] own = [.. Enumerable.Range(0, pairs.Count)
                .Where(i => i % pairs.Tasks.Count == k && i / pairs.Tasks.Count / pairs.Draws % HeldOutOf == HeldOutOf - 1 == isHeldOut)];
            _ofTask[pairs.Tasks[k]] = own.Length > 0 ? own
                : throw new ConfigurationException(
                    "distil", $"{pairs.Count} samples of {pairs.Tasks.Count} tasks are too few: every task needs {HeldOutOf} windows of "
                        + $"{pairs.Draws}");
        }

        Identity = FormattableString.Invariant(
            $"{(isHeldOut ? "held-out " : "")}samples {pairs.Identity} of [{pairs.Source}] order={seed}");
    }

    /// <inheritdoc/>
    public string Identity { get; }

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
        _pairs.Sample(pair).CopyTo(batch.CleanTarget(place));
        _pairs.Noise(pair, batch.WindowNoise(place));
    }
}
