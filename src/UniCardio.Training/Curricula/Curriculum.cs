using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Training.Randomness;

namespace UniCardio.Training.Curricula;

/// <summary>Which tasks are learned when.</summary>
public enum CurriculumKind
{
    /// <summary>The published phases by number of conditions, one task a batch.</summary>
    Published,

    /// <summary>The published phases and shares, tasks drawn window by window.</summary>
    Phased,

    /// <summary>All 33 tasks alike from the start, drawn window by window.</summary>
    Mixed,
}

/// <summary>What a curriculum is made from.</summary>
public sealed record CurriculumOptions
{
    /// <summary>Which tasks are learned when.</summary>
    public CurriculumKind Kind { get; init; } = CurriculumKind.Phased;

    /// <summary>Only these tasks, as texts of <see cref="CardioTask"/>; all if empty. Phases without one of them are skipped over by the
    /// others.</summary>
    public IReadOnlyList<string> Tasks { get; init; } = [];

    /// <summary>Chance that a window's task loses some of its further conditions (Fang et al., arXiv 2410.16424), 0 to 1. The conditions
    /// left are any proper subset, alike, of those that the task has beside the restored signal itself.</summary>
    public double ConditionDrop { get; init; }

    /// <summary>How often tasks come in the mixed curriculum, relative to those not named, as texts of <see cref="TaskWeight"/>; where
    /// several name a task the last counts.</summary>
    public IReadOnlyList<string> Weights { get; init; } = [];

    /// <summary>Checks the numbers.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ConfigurationException">One is out of range; it is named.</exception>
    /// <exception cref="FormatException">A text is not a task, or not a weight.</exception>
    public CurriculumOptions Validate()
    {
        if (Weights.Count > 0 && Kind != CurriculumKind.Mixed)
            throw new ConfigurationException("weights", "are for the mixed curriculum; the others have the published shares");
        foreach (string weight in Weights)
            _ = TaskWeight.Parse(weight);
        if (!(ConditionDrop >= 0 && ConditionDrop <= 1))
            throw new ConfigurationException("condition_drop", $"{ConditionDrop} is not between 0 and 1");
        foreach (string task in Tasks)
            _ = CardioTask.Parse(task);
        return this;
    }
}

/// <summary>Continual learning by number of conditions (arXiv 2505.22306): the tasks of every batch of a run, as a function of seed and
/// step.</summary>
/// <remarks>
/// The published run has four phases of equal length with shares 1, 0, 0; 1/2, 1/2, 0; 1/4, 1/4, 1/2; 1/3, 1/3, 1/3 for one, two and three
/// conditions. Within one and two conditions half translates and half restores; restoration is half imputation and half denoising.
/// </remarks>
public sealed class Curriculum
{
    private static readonly double[][] PhaseShares = [[1, 0, 0], [0.5, 0.5, 0], [0.25, 0.25, 0.5], [1 / 3.0, 1 / 3.0, 1 / 3.0]];

    private readonly CurriculumOptions _options;
    private readonly ulong _seed;
    private readonly long _steps;

    // [phase][task] and the running sums of their chances.
    private readonly CardioTask[] _tasks;
    private readonly double[][] _cumulative;

    /// <summary>Prepares a curriculum.</summary>
    /// <param name="options">What to learn.</param>
    /// <param name="steps">Steps of the run, over which the phases are spread.</param>
    /// <param name="seed">The run's seed.</param>
    /// <exception cref="ConfigurationException">An option is out of range, or the first phase has no task.</exception>
    public Curriculum(CurriculumOptions options, long steps, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        _options = options.Validate();
        _steps = steps;
        _seed = seed;
        _tasks = options.Tasks.Count == 0 ? [.. CardioTask.All] : [.. options.Tasks.Select(t => CardioTask.Parse(t)).Distinct()];
        _cumulative = options.Kind == CurriculumKind.Mixed
            ? [Cumulate(MixedShares(_tasks, [.. options.Weights.Select(w => TaskWeight.Parse(w))]))]
            : [.. PhaseShares.Select(shares => Cumulate(_tasks.Select(t => PublishedShare(t, shares))))];
    }

    /// <summary>Phases.</summary>
    public int Phases => _cumulative.Length;

    /// <summary>The tasks that are learned.</summary>
    public IReadOnlyList<CardioTask> Tasks => _tasks;

    /// <summary>The phase of a step, 0 and up.</summary>
    /// <param name="step">0 to steps - 1; later ones count to the last phase.</param>
    public int Phase(long step) => (int)Int128.Min(Phases - 1, (Int128)step * Phases / _steps);

    /// <summary>Chance of each of <see cref="Tasks"/> in a phase, before conditions are dropped.</summary>
    public IReadOnlyList<double> Shares(int phase) => [.. _cumulative[phase].Select((c, i) => i == 0 ? c : c - _cumulative[phase][i - 1])];

    /// <summary>Draws the tasks of a batch.</summary>
    /// <param name="step">The batch's step.</param>
    /// <param name="tasks">Receives a task a window.</param>
    /// <remarks>Window by window, the draws are spread evenly over the chances (systematic sampling), so that a batch holds each task
    /// nearly as often as it should.</remarks>
    public void Draw(long step, Span<CardioTask> tasks)
    {
        double[] cumulative = _cumulative[Phase(step)];
        var random = new KeyedRandom(_seed, RandomUse.Tasks, 0, step);
        double offset = random.NextDouble();
        for (int i = 0; i < tasks.Length; i++)
        {
            double at = _options.Kind == CurriculumKind.Published ? offset : (i + offset) / tasks.Length;
            tasks[i] = _tasks[Find(cumulative, at)];
        }

        for (int i = 0; i < tasks.Length; i++)
        {
            if (_options.ConditionDrop > 0 && random.NextDouble() < _options.ConditionDrop)
                tasks[i] = Drop(tasks[i], ref random);
        }
    }

    private static CardioTask Drop(CardioTask task, ref KeyedRandom random)
    {
        Modality[] others = [.. task.Others.Members()];
        // A bit an other condition; translation keeps at least one.
        int min = task.Kind == TaskKind.Translate ? 1 : 0, choices = (1 << others.Length) - 1 - min;
        if (choices < 1)
            return task;
        int kept = min + random.Next(choices);
        ModalitySet left = ModalitySet.None;
        for (int i = 0; i < others.Length; i++)
        {
            if ((kept & (1 << i)) != 0)
                left |= others[i].ToSet();
        }

        return task.WithOthers(left);
    }

    private static IEnumerable<double> MixedShares(CardioTask[] tasks, TaskWeight[] weights) =>
        tasks.Select(task => weights.LastOrDefault(w => w.Names(task))?.Weight ?? 1);

    // Shares as published, among all tasks of the same number of conditions and the same kind alike.
    private static double PublishedShare(CardioTask task, double[] shares)
    {
        int count = task.Conditions.Count();
        double kind = count == 3 ? 0.5 : task.Kind == TaskKind.Translate ? 0.5 : 0.25;
        int alike = CardioTask.All.Count(t => t.Conditions.Count() == count && t.Kind == task.Kind);
        return shares[count - 1] * kind / alike;
    }

    private static double[] Cumulate(IEnumerable<double> chances)
    {
        double[] sums = [.. chances];
        for (int i = 1; i < sums.Length; i++)
            sums[i] += sums[i - 1];
        if (!(sums[^1] > 0))
            throw new ConfigurationException("tasks", "no task of a phase is among them; use the mixed curriculum");
        for (int i = 0; i < sums.Length; i++)
            sums[i] /= sums[^1];
        return sums;
    }

    private static int Find(double[] cumulative, double at)
    {
        int i = 0;
        while (i < cumulative.Length - 1 && at >= cumulative[i])
            i++;
        return i;
    }
}
