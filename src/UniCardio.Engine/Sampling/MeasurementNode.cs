namespace UniCardio.Engine.Sampling;

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
