namespace UniCardio.Engine.Sampling;

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
            table[i] = rows.Row(t, state, schedule.Alpha[next] - (schedule.Alpha[t] * state), noise: noise, noiseIndex: eta > 0 ? i + 1 : 0);
        }

        table[^1] = rows.Row(nodes[^1], 0, 1);
        return (table, eta > 0 ? nodes.Length : 1);
    }
}
