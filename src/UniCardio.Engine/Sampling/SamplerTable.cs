using UniCardio.Engine.Model;

namespace UniCardio.Engine.Sampling;

/// <summary>
/// One row of a sampler's table, executed alike on every backend:
/// <code>
/// p   = network(x, T)
/// x0  = clamp(CleanFromState x + CleanFromPrediction p, ClampLow, ClampHigh)
/// x  &lt;- State x + Clean0 x0 + Clean1 x0' + Clean2 x0'' + Noise z
/// </code>
/// with x0' and x0'' the clean signals of the one and two rows before (zero before the first), z standard normal.
/// </summary>
/// <remarks>
/// DDPM, DDIM, multistep DPM-Solver++ and the official-compatible quirks are all rows of this form, for every prediction type:
/// the coefficients are computed once in double, and the executor rounds them to its own precision. The clamp keeps NaN: it
/// must not turn a broken prediction into a plausible one.
/// </remarks>
public readonly record struct SamplerStep
{
    /// <summary>A row that adds no noise and clamps nothing.</summary>
    public SamplerStep()
    {
    }

    /// <summary>Diffusion step that the network is evaluated at, 0 to T-1.</summary>
    public required int T { get; init; }

    /// <summary>Weight of x in the predicted clean signal.</summary>
    public required double CleanFromState { get; init; }

    /// <summary>Weight of the network's output in the predicted clean signal.</summary>
    public required double CleanFromPrediction { get; init; }

    /// <summary>Weight of x in the new x.</summary>
    public required double State { get; init; }

    /// <summary>Weight of this row's clean signal.</summary>
    public required double Clean0 { get; init; }

    /// <summary>Weight of the clean signal one row before.</summary>
    public double Clean1 { get; init; }

    /// <summary>Weight of the clean signal two rows before.</summary>
    public double Clean2 { get; init; }

    /// <summary>Weight of z; 0 draws none.</summary>
    public double Noise { get; init; }

    /// <summary>Which of the run's noise draws z is; 0 is the initial x_T. Ignored where <see cref="Noise"/> is 0.</summary>
    public int NoiseIndex { get; init; }

    /// <summary>Lower bound of the clean signal; negative infinity for none.</summary>
    public double ClampLow { get; init; } = double.NegativeInfinity;

    /// <summary>Upper bound of the clean signal; positive infinity for none.</summary>
    public double ClampHigh { get; init; } = double.PositiveInfinity;
}

/// <summary>
/// A sampler made into rows for one network and task. Every backend executes the rows alike (<see cref="SamplerStep"/>), so
/// nothing after this table knows which sampler it runs.
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
    /// <param name="options">The sampler; where it is <see cref="SamplerOptions.Default"/> and the network has one of its own,
    /// that.</param>
    /// <param name="configuration">The network: its schedule and what it predicts.</param>
    /// <param name="task">The task.</param>
    /// <exception cref="ConfigurationException">The options do not hold together or do not fit this network or task.</exception>
    public static SamplerTable Create(SamplerOptions options, ModelConfiguration configuration, CardioTask task)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        options = options.For(configuration);
        if (!task.IsValid)
            throw new ConfigurationException("task", "no task given; use CardioTask.Parse or its factory methods");
        var schedule = new NoiseSchedule(configuration);
        if (options.Steps > schedule.Steps)
            throw new ConfigurationException("steps", $"{options.Steps} is more than the model's {schedule.Steps} diffusion steps");
        if (options.OfficialCompatible)
            CheckOfficial(options, configuration, task);
        if (configuration.Prediction == PredictionKind.Correction)
            CheckCorrection(options, task);

        var rows = new RowFactory(schedule, configuration.Prediction, options.Thresholds ? PlausibleRange.Of(task.Output) : null);
        (SamplerStep[] steps, int draws) = options.Kind switch
        {
            SamplerKind.Ddpm => Ddpm.Rows(rows),
            SamplerKind.Ddim when options.OfficialCompatible =>
                OfficialDdim.Rows(rows, options.Steps ?? schedule.Steps, options.Ratio, task),
            SamplerKind.Ddim when configuration.Prediction == PredictionKind.Correction =>
                Ddim.Rows(rows, [schedule.CorrectionStep], options.Eta),
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

    // Anything else would take a correction for a signal.
    private static void CheckCorrection(SamplerOptions options, CardioTask task)
    {
        if (task.Kind != TaskKind.Impute)
            throw new ConfigurationException("task", $"these weights correct proposals in gaps and know imputation only, not '{task}'");
        if (options != SamplerOptions.Correction)
            throw new ConfigurationException(
                "sampler",
                $"these weights correct a proposal in one call ('{SamplerOptions.Correction}') and draw nothing by themselves: "
                + $"'{options}' would take the correction for a signal");
    }

    private static void CheckOfficial(SamplerOptions options, ModelConfiguration configuration, CardioTask task)
    {
        if (options.Kind is SamplerKind.Ddim or SamplerKind.Improved && task.Conditions.Count() != 1)
            throw new ConfigurationException("official", $"the official {options} knows one-condition tasks only, not '{task}'");
        if (configuration.Prediction != PredictionKind.Epsilon)
            throw new ConfigurationException(
                "official", $"the official samplers are for a network that predicts epsilon, not {configuration.Prediction}");
    }

    // A coefficient beyond float32 would reach the executor as infinity and come out as NaN.
    private static void CheckRows(SamplerStep[] steps, SamplerOptions options)
    {
        for (int i = 0; i < steps.Length; i++)
        {
            SamplerStep s = steps[i];
            foreach (double c in (ReadOnlySpan<double>)[s.CleanFromState, s.CleanFromPrediction, s.State, s.Clean0, s.Clean1,
                s.Clean2, s.Noise])
            {
                if (!float.IsFinite((float)c))
                    throw new ConfigurationException("sampler",
                        $"row {i} (t = {s.T}) of {options} has a coefficient of {c}; the model's noise schedule is too extreme for it");
            }
        }
    }
}

/// <summary>Makes rows that share a schedule, a prediction type and a clamp.</summary>
internal sealed class RowFactory(NoiseSchedule schedule, PredictionKind prediction, (double Low, double High)? clamp, double ratio = 1)
{
    /// <summary>The noise schedule.</summary>
    public NoiseSchedule Schedule { get; } = schedule;

    /// <summary>The same with the network's output divided by a ratio.</summary>
    public RowFactory WithRatio(double divisor) => new(Schedule, prediction, clamp, divisor);

    /// <summary>A row at t; x' = state x + clean0 x0 + clean1 x0' + clean2 x0'' + noise z.</summary>
    public SamplerStep Row(int t, double state, double clean0, double clean1 = 0, double clean2 = 0, double noise = 0, int noiseIndex = 0)
    {
        (double fromState, double fromPrediction) = Clean(t);
        return new SamplerStep
        {
            T = t, CleanFromState = fromState, CleanFromPrediction = fromPrediction, State = state, Clean0 = clean0, Clean1 = clean1,
            Clean2 = clean2, Noise = noise, NoiseIndex = noiseIndex, ClampLow = clamp?.Low ?? double.NegativeInfinity,
            ClampHigh = clamp?.High ?? double.PositiveInfinity,
        };
    }

    /// <summary>
    /// The weights of x and of the network's output p in x0, from x = alpha x0 + sigma eps:
    /// eps: x0 = (x - sigma p) / alpha; v = alpha eps - sigma x0: x0 = alpha x - sigma p; sample: x0 = p.
    /// </summary>
    /// <remarks>
    /// With eps/ratio in place of eps, x0 becomes (x - sigma eps / ratio) / alpha = (1 - 1/ratio) x / alpha + x0 / ratio.
    /// </remarks>
    private (double FromState, double FromPrediction) Clean(int t)
    {
        double alpha = Schedule.Alpha[t], sigma = Schedule.Sigma[t];
        (double state, double output) = prediction switch
        {
            PredictionKind.Epsilon => (1 / alpha, -sigma / alpha),
            PredictionKind.V => (alpha, -sigma),
            PredictionKind.Sample or PredictionKind.Correction => (0.0, 1.0),
            _ => throw new ConfigurationException("prediction", $"{prediction} is not a prediction type"),
        };
        return ratio == 1 ? (state, output) : (((1 - (1 / ratio)) / alpha) + (state / ratio), output / ratio);
    }
}

/// <summary>Chooses the diffusion steps that a shortened sampler evaluates.</summary>
internal static class StepNodes
{
    /// <summary>Places N distinct nodes, falling, the first at T-1.</summary>
    /// <remarks>
    /// <see cref="StepPlacement.LogSnr"/> cuts [lambda_{T-1}, lambda_0] into N equal parts and takes the discrete step nearest
    /// to the beginning of each; the last part is crossed by the final jump to the clean signal. <see cref="StepPlacement.Uniform"/>
    /// takes t_i = round(T - i T/N) - 1 ("trailing" in Lin et al., arXiv 2305.08891). <see cref="StepPlacement.LogSnrToEnd"/> takes the
    /// steps nearest to N values of lambda equally far apart, the last of them lambda_0 (with N = 1 only the first). Where rounding would
    /// let two nodes fall together, the later is moved to the next free step.
    /// </remarks>
    /// <param name="schedule">The schedule, T steps.</param>
    /// <param name="count">N, 1 to T; with T, every step is taken.</param>
    /// <param name="placement">What is uniform.</param>
    public static int[] Place(NoiseSchedule schedule, int count, StepPlacement placement)
    {
        int steps = schedule.Steps;
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, steps);
        int[] nodes = new int[count];
        double noisy = schedule.LogSnr[steps - 1], clean = schedule.LogSnr[0];
        nodes[0] = steps - 1;
        for (int i = 1; i < count; i++)
        {
            int parts = placement == StepPlacement.LogSnrToEnd ? count - 1 : count;
            int wanted = placement == StepPlacement.Uniform
                ? (int)Math.Round(steps - ((double)i * steps / count), MidpointRounding.AwayFromZero) - 1
                : Nearest(schedule, noisy + ((clean - noisy) * i / parts));

            // Below the node before it, and high enough that the count - 1 - i nodes after it still fit.
            nodes[i] = Math.Clamp(wanted, count - 1 - i, nodes[i - 1] - 1);
        }

        return nodes;
    }

    private static int Nearest(NoiseSchedule schedule, double lambda)
    {
        int low = schedule.FirstNotAbove(lambda);
        return low > 0 && schedule.LogSnr[low - 1] - lambda < lambda - schedule.LogSnr[low] ? low - 1 : low;
    }
}

/// <summary>The range in scaled units that a clean signal can plausibly have; what thresholding clamps to.</summary>
/// <remarks>
/// At the first step 1/alpha amplifies an error of the predicted noise 170 times (official schedule), so the predicted clean
/// signal may leave any physiological range. Clamping it there is the static thresholding of Saharia et al. (arXiv 2205.11487).
/// The ranges are wide on purpose: they stop runaways and leave real extremes alone.
/// </remarks>
internal static class PlausibleRange
{
    /// <summary>Range of a modality's clean signal, in the network's scaled units.</summary>
    /// <param name="modality">BP: [-2, 4], that is 0 to 300 mmHg. PPG and ECG: [-2, 2], twice the span of the window's measured
    /// samples.</param>
    /// <returns>Lower and upper bound.</returns>
    public static (double Low, double High) Of(Modality modality) => modality switch
    {
        Modality.Bp => (-2, 4),
        Modality.Ppg or Modality.Ecg => (-2, 2),
        _ => throw new ArgumentOutOfRangeException(nameof(modality), modality, "not a modality"),
    };
}
