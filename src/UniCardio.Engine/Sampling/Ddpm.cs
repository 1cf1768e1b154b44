namespace UniCardio.Engine.Sampling;

/// <summary>Ancestral sampling (Ho et al., arXiv 2006.11239, algorithm 2).</summary>
/// <remarks>
/// x' = (x - beta_t / sigma_t eps) / sqrt(1 - beta_t) is the mean of the posterior q(x_{t-1} | x_t, x0), equation 7:
/// x' = sqrt(1 - beta_t) sigma_{t-1}^2 / sigma_t^2 x + alpha_{t-1} beta_t / sigma_t^2 x0, with alpha_{-1} = 1, sigma_{-1} = 0.
/// The noise's variance is sigma_{t-1}^2 / sigma_t^2 beta_t.
/// </remarks>
internal static class Ddpm
{
    /// <summary>T rows. The row of t takes noise T - t; the official code draws one at t = 0 too, so a run has T + 1 draws.</summary>
    public static (SamplerStep[] Steps, int NoiseDraws) Rows(RowFactory rows)
    {
        int steps = rows.Schedule.Steps;
        var table = new SamplerStep[steps];
        for (int t = steps - 1; t >= 0; t--)
        {
            (double state, double clean) = Mean(rows.Schedule, t);
            table[steps - 1 - t] = rows.Row(t, state, clean, noise: Deviation(rows.Schedule, t), noiseIndex: t > 0 ? steps - t : 0);
        }

        return (table, steps + 1);
    }

    /// <summary>Weights of x and x0 in the posterior's mean.</summary>
    public static (double State, double Clean) Mean(NoiseSchedule schedule, int t)
    {
        if (t == 0)
            return (0, 1);
        double beta = schedule.Beta[t], variance = schedule.Variance[t];
        return (Math.Sqrt(1 - beta) * schedule.Variance[t - 1] / variance, schedule.Alpha[t - 1] * beta / variance);
    }

    /// <summary>Standard deviation of the posterior; 0 at t = 0.</summary>
    public static double Deviation(NoiseSchedule schedule, int t) =>
        t == 0 ? 0 : Math.Sqrt(schedule.Variance[t - 1] / schedule.Variance[t] * schedule.Beta[t]);
}
