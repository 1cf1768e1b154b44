using UniCardio.Engine.Model;

namespace UniCardio.Engine.Sampling;

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
