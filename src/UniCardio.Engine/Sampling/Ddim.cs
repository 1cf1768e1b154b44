using UniCardio.Engine.Model;

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

/// <summary>DDIM (Song et al., arXiv 2010.02502, equations 12 and 16).</summary>
internal static class Ddim
{
    /// <summary>One row a node; the last goes to the clean signal (abar = 1).</summary>
    /// <param name="rows">Schedule, prediction type and clamp.</param>
    /// <param name="nodes">Diffusion steps, falling.</param>
    /// <param name="eta">0 (deterministic) to 1 (the DDPM posterior between nodes). With 0 only x_T is drawn.</param>
    public static (SamplerStep[] Steps, int NoiseDraws) Rows(RowFactory rows, ReadOnlySpan<int> nodes, double eta)
    {
        NoiseSchedule schedule = rows.Schedule;
        var table = new SamplerStep[nodes.Length];
        for (int i = 0; i < nodes.Length - 1; i++)
        {
            int t = nodes[i], next = nodes[i + 1];
            double keep = 0, noise = 0;
            if (eta > 0)
            {
                // Variance of x_next given x_t and x0 at eta = 1, over sigma_next^2.
                double share = schedule.VarianceBetween(next, t) / schedule.Variance[t];
                keep = Math.Min(1, eta * eta * share);
                noise = schedule.Sigma[next] * Math.Sqrt(keep);
            }

            // x_next = alpha_next x0 + sqrt(sigma_next^2 - noise^2) eps + noise z, with eps = (x - alpha_t x0) / sigma_t.
            double state = schedule.Sigma[next] * Math.Sqrt(1 - keep) / schedule.Sigma[t];
            table[i] = rows.Row(t, state, schedule.Alpha[next] - (schedule.Alpha[t] * state), noise: noise, noiseIndex: eta > 0
                ? i + 1 : 0);
        }

        table[^1] = rows.Row(nodes[^1], 0, 1);
        return (table, eta > 0 ? nodes.Length : 1);
    }
}

/// <summary>DDIM as the official code computes it; see <see cref="SamplerTable"/> for its quirks.</summary>
internal static class OfficialDdim
{
    /// <summary>ceil(T / stride) - 1 rows, stride = T / N.</summary>
    /// <exception cref="ConfigurationException">N leaves a single t, so that the official code would return its noise.</exception>
    public static (SamplerStep[] Steps, int NoiseDraws) Rows(RowFactory rows, int steps, double ratio, CardioTask task)
    {
        NoiseSchedule schedule = rows.Schedule;
        int stride = schedule.Steps / steps;
        int count = ((schedule.Steps + stride - 1) / stride) - 1;
        if (count == 0)
            throw new ConfigurationException(
                "steps",
                $"official DDIM makes no update with {steps} of {schedule.Steps} steps and would return noise; use 2 or more, or the "
                + $"standard form");
        rows = rows.WithRatio(ratio);
        bool keepsClean = task.Kind == TaskKind.Translate && task.Conditions == ModalitySet.Ecg && task.Output == Modality.Bp;
        var table = new SamplerStep[count];
        for (int i = 0; i < count; i++)
        {
            int t = (count - i) * stride, next = t - stride;

            // Both x0 and the noise term use eps / ratio, and eps / ratio = (x - alpha_t x0) / sigma_t for that x0, so only the
            // prediction of x0 knows the ratio.
            double state = schedule.Sigma[next] / schedule.Sigma[t];
            table[i] = keepsClean
                ? rows.Row(t, 0, 1)
                : rows.Row(t, state, schedule.Alpha[next] - (schedule.Alpha[t] * state));
        }

        return (table, 1);
    }
}

/// <summary>The official code's "improved" sampler as rows.</summary>
/// <remarks>
/// For t = T-1 .. 1, with k = beta_t / sigma_t, a = sqrt(1 - beta_t):
/// <code>
/// e1 = eps(x, t);          x1 = (x - k e1) / a
/// e2 = eps(x1, t - 1);     x2 = (x1 - k (0.95 e1 + 0.05 e2)) / a,   x = x2 + posterior noise, unless BP is the condition
/// </code>
/// and one plain update at t = 0. The first line is the DDPM row of t without noise. In the second, e1 is no longer at hand,
/// but it is a linear function of what a row sees, x1 and the clean signal c1 of the row before: x = alpha_t c1 + sigma_t e1,
/// so a x1 = alpha_t c1 + (sigma_t - k) e1, and as sigma_t - k = (sigma_t^2 - beta_t) / sigma_t = a^2 sigma_{t-1}^2 / sigma_t,
/// <code>
/// e1 = g (a x1 - alpha_t c1),                     g = sigma_t / (a^2 sigma_{t-1}^2)
/// e2 = (x1 - alpha_{t-1} c2) / sigma_{t-1},       c2 the row's own clean signal
/// </code>
/// </remarks>
internal static class OfficialImproved
{
    private const double FirstShare = 0.95;
    private const double SecondShare = 0.05;

    /// <summary>2 (T - 1) + 1 rows; T noise draws (x_T and one for every t above 0, used or not).</summary>
    public static (SamplerStep[] Steps, int NoiseDraws) Rows(RowFactory rows, CardioTask task)
    {
        NoiseSchedule schedule = rows.Schedule;
        int steps = schedule.Steps;
        bool noisy = task.Conditions != ModalitySet.Bp;
        var table = new List<SamplerStep>((2 * steps) - 1);
        for (int t = steps - 1; t > 0; t--)
        {
            (double state, double clean) = Ddpm.Mean(schedule, t);
            table.Add(rows.Row(t, state, clean));

            double a = Math.Sqrt(1 - schedule.Beta[t]), k = schedule.Beta[t] / schedule.Sigma[t];
            double g = schedule.Sigma[t] / (a * a * schedule.Variance[t - 1]);
            double first = k * FirstShare * g, second = k * SecondShare / schedule.Sigma[t - 1];
            table.Add(rows.Row(
                t - 1,
                state: (1 - (first * a) - second) / a,
                clean0: second * schedule.Alpha[t - 1] / a,
                clean1: first * schedule.Alpha[t] / a,
                noise: noisy ? Ddpm.Deviation(schedule, t) : 0,
                noiseIndex: noisy ? steps - t : 0));
        }

        table.Add(rows.Row(0, 0, 1));
        return ([.. table], steps);
    }
}
