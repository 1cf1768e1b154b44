using UniCardio.Engine.Model;

namespace UniCardio.Engine.Sampling;

/// <summary>
/// The forward process x_t = alpha_t x0 + sigma_t eps of a network, in double: alpha_t^2 = abar_t, sigma_t^2 = 1 - abar_t.
/// </summary>
/// <remarks>
/// beta is as the official code computes it (NumPy's <c>linspace</c>, squared for <see cref="ScheduleKind.Quad"/>), abar its
/// cumulative product. 1 - abar is accumulated by 1 - abar_t = (1 - abar_{t-1}) + beta_t abar_{t-1}, which only adds
/// positive numbers and so keeps its relative precision however small the first betas are. Immutable.
/// </remarks>
internal sealed class NoiseSchedule
{
    /// <summary>Smallest abar_{T-1} accepted: its 1/alpha of 1e15 is far beyond any useful schedule and far inside float32.</summary>
    public const double MinAlphaBar = 1e-30;

    private readonly double[] _beta;
    private readonly double[] _alphaBar;
    private readonly double[] _variance;
    private readonly double[] _alpha;
    private readonly double[] _sigma;
    private readonly double[] _logSnr;

    /// <summary>Computes the schedule of a network.</summary>
    /// <param name="configuration">Gives T, the betas' ends and their shape.</param>
    /// <exception cref="ConfigurationException">The configuration does not hold together, or nothing of the signal is left at
    /// T-1.</exception>
    public NoiseSchedule(ModelConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        configuration.Validate();
        int steps = configuration.DiffusionSteps;
        _beta = Betas(configuration);
        _alphaBar = new double[steps];
        _variance = new double[steps];
        _alpha = new double[steps];
        _sigma = new double[steps];
        _logSnr = new double[steps];
        double alphaBar = 1, variance = 0;
        for (int t = 0; t < steps; t++)
        {
            variance += _beta[t] * alphaBar;
            alphaBar *= 1 - _beta[t];
            if (!(alphaBar >= MinAlphaBar))
                throw new ConfigurationException(
                    "steps",
                    $"abar falls to {alphaBar:g3} at t = {t} of {steps}, below {MinAlphaBar:g1}: no signal is left; use fewer steps or a "
                    + $"smaller beta_end than {configuration.BetaEnd:g3}");
            _alphaBar[t] = alphaBar;
            _variance[t] = variance;
            _alpha[t] = Math.Sqrt(alphaBar);
            _sigma[t] = Math.Sqrt(variance);
            _logSnr[t] = 0.5 * (Math.Log(alphaBar) - Math.Log(variance));
        }
    }

    /// <summary>The step at which proposals are corrected (<see cref="PredictionKind.Correction"/>): the one whose noise is nearest to
    /// 0.2, about as far as a patient's own beat is off in scaled units, so that features learned for noise of that size find what is
    /// wrong with a proposal.</summary>
    public int CorrectionStep => Enumerable.Range(0, Steps).MinBy(t => Math.Abs(_sigma[t] - 0.2));

    /// <summary>Diffusion steps T.</summary>
    public int Steps => _beta.Length;

    /// <summary>[T] beta_t, rising, in (0, 1).</summary>
    public IReadOnlyList<double> Beta => _beta;

    /// <summary>[T] abar_t = product of 1 - beta up to t, falling, in (0, 1).</summary>
    public IReadOnlyList<double> AlphaBar => _alphaBar;

    /// <summary>[T] 1 - abar_t, rising, in (0, 1).</summary>
    public IReadOnlyList<double> Variance => _variance;

    /// <summary>[T] sqrt(abar_t), the weight of the clean signal. (The official code's <c>alpha</c> is abar.)</summary>
    public IReadOnlyList<double> Alpha => _alpha;

    /// <summary>[T] sqrt(1 - abar_t), the weight of the noise.</summary>
    public IReadOnlyList<double> Sigma => _sigma;

    /// <summary>[T] lambda_t = ln(alpha_t / sigma_t), half the log signal-to-noise ratio, falling. The time of DPM-Solver++ (arXiv
    /// 2211.01095).</summary>
    public IReadOnlyList<double> LogSnr => _logSnr;

    /// <summary>
    /// 1 - abar_t / abar_s, the variance that the forward process adds from s to t, accumulated like <see cref="Variance"/>: it
    /// keeps its relative precision where both abar are nearly equal or nearly zero.
    /// </summary>
    /// <param name="s">Where it starts, 0 to t.</param>
    /// <param name="t">Where it ends, up to T-1.</param>
    public double VarianceBetween(int s, int t)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(s);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(s, t);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(t, Steps);
        double left = 1, variance = 0;
        for (int k = s + 1; k <= t; k++)
        {
            variance += _beta[k] * left;
            left *= 1 - _beta[k];
        }

        return variance;
    }

    /// <summary>The first t whose lambda is not above a wanted one (<see cref="LogSnr"/> falls with t); T-1 where all are.</summary>
    internal int FirstNotAbove(double lambda)
    {
        int low = 0, high = Steps - 1;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_logSnr[middle] > lambda)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    private static double[] Betas(ModelConfiguration configuration)
    {
        int steps = configuration.DiffusionSteps;
        bool quad = configuration.Schedule == ScheduleKind.Quad;
        double start = quad ? Math.Sqrt(configuration.BetaStart) : configuration.BetaStart;
        double end = quad ? Math.Sqrt(configuration.BetaEnd) : configuration.BetaEnd;
        double stride = steps > 1 ? (end - start) / (steps - 1) : 0;
        double[] beta = new double[steps];
        for (int t = 0; t < steps; t++)
        {
            double value = t == steps - 1 && t > 0 ? end : start + (t * stride);
            beta[t] = quad ? value * value : value;
        }

        return beta;
    }
}

/// <summary>
/// Where a measurement y = x0 + s z stands in the forward process: alpha_t y has the distribution of x_t at the t with
/// sigma_t / alpha_t = s, so that the network can be asked for the clean signal there.
/// </summary>
/// <remarks>
/// Between two discrete t the estimates of both are mixed, linearly in lambda = ln(alpha / sigma) = -ln s. Below the schedule's
/// least noise s_0 the step from y is that of t = 0 shrunk by (s / s_0)^2: x0 = y + s^2 grad ln p(y) (Tweedie's formula; Robbins
/// 1956, Efron 2011), with the score of s_0. Above its largest noise the last t is taken.
/// </remarks>
/// <param name="Low">Diffusion step with less noise than s, or <paramref name="High"/>.</param>
/// <param name="High">Diffusion step with more noise than s.</param>
/// <param name="Share">Weight of the estimate at <paramref name="High"/>, 0 to 1.</param>
/// <param name="Pull">Weight of the estimate against y itself, 0 to 1; 1 within the schedule.</param>
internal readonly record struct MeasurementNode(int Low, int High, double Share, double Pull)
{
    /// <summary>Finds the place of a noise level.</summary>
    /// <param name="schedule">The network's schedule.</param>
    /// <param name="noiseLevel">s, standard deviation of the noise in scaled units; finite, 0 or more.</param>
    public static MeasurementNode Of(NoiseSchedule schedule, double noiseLevel)
    {
        IReadOnlyList<double> lambda = schedule.LogSnr;
        double wanted = -Math.Log(noiseLevel);
        if (wanted >= lambda[0])
            return new MeasurementNode(0, 0, 1, Math.Exp(2 * (lambda[0] - wanted)));
        int high = schedule.FirstNotAbove(wanted);
        return lambda[high] > wanted
            ? new MeasurementNode(high, high, 1, 1)
            : new MeasurementNode(high - 1, high, (lambda[high - 1] - wanted) / (lambda[high - 1] - lambda[high]), 1);
    }
}
