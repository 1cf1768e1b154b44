using UniCardio.Engine.Model;

namespace UniCardio.Engine.Sampling;

/// <summary>
/// A sampler made into rows for one network and task. Every backend executes the rows alike (<see cref="SamplerStep"/>), so
/// nothing behind this table knows which sampler it runs.
/// </summary>
/// <remarks>
/// Official-compatible forms repeat the public code (thu-ml/UniCardio, commit 980e63b), quirks included:
/// <list type="bullet">
/// <item><c>ddpm,official</c>: the standard sampler without thresholding; one z is drawn a step, at t = 0 too, where it is not used.</item>
/// <item><c>ddim:N,official</c>: t descends by T / N (integer division) to 0, one update a pair of neighbours, so it ends at
/// abar_0 and not at the clean signal; the noise is divided by <see cref="SamplerOptions.Ratio"/>; ECG to BP keeps x0 in
/// place of the next x. One-condition tasks only.</item>
/// <item><c>improved</c>: two evaluations and two mean updates a step, no noise where BP is the condition. One-condition tasks only.</item>
/// </list>
/// Immutable and safe to share.
/// </remarks>
public sealed class SamplerTable
{
    private SamplerTable(SamplerOptions options, ModelConfiguration configuration, CardioTask task, SamplerStep[] steps, int noiseDraws)
    {
        Options = options;
        Configuration = configuration;
        Task = task;
        Steps = steps;
        NoiseDraws = noiseDraws;
    }

    /// <summary>What the table was made from.</summary>
    public SamplerOptions Options { get; }

    /// <summary>The network.</summary>
    public ModelConfiguration Configuration { get; }

    /// <summary>The task; it matters to thresholding and to the official quirks.</summary>
    public CardioTask Task { get; }

    /// <summary>The rows in order; never empty.</summary>
    public IReadOnlyList<SamplerStep> Steps { get; }

    /// <summary>
    /// Noise draws of a run, the initial x_T and any that are drawn but not used included: explicit noise is
    /// [NoiseDraws, W N, S], and every <see cref="SamplerStep.NoiseIndex"/> is below it.
    /// </summary>
    public int NoiseDraws { get; }

    /// <summary>Network evaluations a draw; one a row.</summary>
    public int NetworkCalls => Steps.Count;

    /// <summary>Computes the rows of a sampler.</summary>
    /// <param name="options">The sampler.</param>
    /// <param name="configuration">The network: its schedule and what it predicts.</param>
    /// <param name="task">The task.</param>
    /// <exception cref="ConfigurationException">The options do not hold together or do not fit this network or task.</exception>
    public static SamplerTable Create(SamplerOptions options, ModelConfiguration configuration, CardioTask task)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (!task.IsValid)
            throw new ConfigurationException("task", "no task given; use CardioTask.Parse or its factory methods");
        var schedule = new NoiseSchedule(configuration);
        if (options.Steps > schedule.Steps)
            throw new ConfigurationException("steps", $"{options.Steps} is more than the model's {schedule.Steps} diffusion steps");
        if (options.OfficialCompatible)
            CheckOfficial(options, configuration, task);

        var rows = new RowFactory(schedule, configuration.Prediction, options.Thresholds ? PlausibleRange.Of(task.Output) : null);
        (SamplerStep[] steps, int draws) = options.Kind switch
        {
            SamplerKind.Ddpm => Ddpm.Rows(rows),
            SamplerKind.Ddim when options.OfficialCompatible => OfficialDdim.Rows(rows, options.Steps ?? schedule.Steps, options.Ratio, task),
            SamplerKind.Ddim => Ddim.Rows(rows, Nodes(options, schedule), options.Eta),
            SamplerKind.DpmSolver2M => DpmSolver.Rows(rows, Nodes(options, schedule), 2),
            SamplerKind.DpmSolver3M => DpmSolver.Rows(rows, Nodes(options, schedule), 3),
            SamplerKind.Improved => OfficialImproved.Rows(rows, task),
            _ => throw new ConfigurationException("sampler", $"{options.Kind} is not a sampler"),
        };
        CheckRows(steps, options);
        return new SamplerTable(options, configuration, task, steps, draws);
    }

    private static int[] Nodes(SamplerOptions options, NoiseSchedule schedule)
    {
        bool ddim = options.Kind == SamplerKind.Ddim;
        int steps = options.Steps ?? (ddim ? schedule.Steps : Math.Min(SamplerOptions.DefaultSolverSteps, schedule.Steps));
        return StepNodes.Place(schedule, steps, options.Placement ?? (ddim ? StepPlacement.Uniform : StepPlacement.LogSnr));
    }

    private static void CheckOfficial(SamplerOptions options, ModelConfiguration configuration, CardioTask task)
    {
        if (options.Kind is SamplerKind.Ddim or SamplerKind.Improved && task.Conditions.Count() != 1)
            throw new ConfigurationException("official", $"the official {options} knows one-condition tasks only, not '{task}'");
        if (configuration.Prediction != PredictionKind.Epsilon)
            throw new ConfigurationException("official", $"the official samplers are for a network that predicts epsilon, not {configuration.Prediction}");
    }

    // A coefficient beyond float32 would reach the executor as infinity and come out as NaN.
    private static void CheckRows(SamplerStep[] steps, SamplerOptions options)
    {
        for (int i = 0; i < steps.Length; i++)
        {
            SamplerStep s = steps[i];
            foreach (double c in (ReadOnlySpan<double>)[s.CleanFromState, s.CleanFromPrediction, s.State, s.Clean0, s.Clean1, s.Clean2, s.Noise])
            {
                if (!float.IsFinite((float)c))
                    throw new ConfigurationException("sampler", $"row {i} (t = {s.T}) of {options} has a coefficient of {c}; the model's noise schedule is too extreme for it");
            }
        }
    }
}
