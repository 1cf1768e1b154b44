using UniCardio.Engine.Model;

namespace UniCardio.Engine.Plan;

/// <summary>
/// What a session computes, fixed before anything is allocated: the task, how many windows and draws run as one batch, and
/// which slots are live. Only conditions and the target exist; nothing is computed for the other slots.
/// </summary>
/// <remarks>
/// A draw is one noisy sample x_t of one window: the draws of a batch are numbered window * <see cref="Draws"/> + draw. All draws
/// of a window share its condition rows, which reads conditions only.
/// </remarks>
public sealed record InferencePlan
{
    /// <summary>Most windows or draws of one plan; larger work is cut into several runs.</summary>
    public const int MaxBatch = 65536;

    /// <summary>Creates a plan.</summary>
    /// <param name="configuration">The network.</param>
    /// <param name="task">Conditions, target and decoder.</param>
    /// <param name="windows">Windows W of a batch, 1 to <see cref="MaxBatch"/>.</param>
    /// <param name="draws">Draws N a window, 1 to <see cref="MaxBatch"/>.</param>
    /// <exception cref="ConfigurationException">A number is out of range, or their product is too large; it is named.</exception>
    public InferencePlan(ModelConfiguration configuration, CardioTask task, int windows = 1, int draws = 1)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        Configuration = configuration.Validate();
        if (!task.IsValid)
            throw new ConfigurationException("task", "no task given; use CardioTask.Parse or its factory methods");
        if (windows is < 1 or > MaxBatch)
            throw new ConfigurationException("windows", $"{windows} is not between 1 and {MaxBatch}");
        if (draws is < 1 or > MaxBatch)
            throw new ConfigurationException("draws", $"{draws} is not between 1 and {MaxBatch}");
        if ((long)windows * draws * configuration.SlotSamples > int.MaxValue / 4)
            throw new ConfigurationException(
                "draws",
                $"{windows} windows x {draws} draws x {configuration.SlotSamples} samples are more than one batch can hold; run fewer "
                + $"windows or draws at a time");
        Task = task;
        Windows = windows;
        Draws = draws;
        Conditions = [.. task.Conditions.Members()];
    }

    /// <summary>The network's sizes.</summary>
    public ModelConfiguration Configuration { get; }

    /// <summary>The task.</summary>
    public CardioTask Task { get; }

    /// <summary>Windows W of a batch.</summary>
    public int Windows { get; }

    /// <summary>Draws N a window.</summary>
    public int Draws { get; }

    /// <summary>The condition slots in slot order; condition i of a window is this list's i-th.</summary>
    public IReadOnlyList<Modality> Conditions { get; }

    /// <summary>The target's slot.</summary>
    public Slot Target => Task.Target;

    /// <summary>Draws of a batch, all windows together, W N.</summary>
    public int BatchDraws => Windows * Draws;

    /// <summary>Tokens of a target rows, S/p.</summary>
    public int TargetTokens => Configuration.SlotTokens;

    /// <summary>Tokens of a condition rows, conditions * S/p.</summary>
    public int ConditionTokens => Conditions.Count * Configuration.SlotTokens;

    /// <summary>Length of the condition samples of a batch, [W, conditions, S].</summary>
    public int ConditionSamples => Windows * Conditions.Count * Configuration.SlotSamples;

    /// <summary>Length of the state of a batch, [W N, S].</summary>
    public int StateSamples => BatchDraws * Configuration.SlotSamples;
}
