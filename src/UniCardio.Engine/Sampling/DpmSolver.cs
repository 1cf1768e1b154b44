namespace UniCardio.Engine.Sampling;

/// <summary>Multistep DPM-Solver++ with data prediction (Lu et al., arXiv 2211.01095) on the model's own discrete schedule.</summary>
/// <remarks>
/// With lambda = ln(alpha/sigma) as time the probability-flow ODE is, from s to t with h = lambda_t - lambda_s,
/// x_t = sigma_t / sigma_s x_s + alpha_t * integral over u in [0, h] of e^{u - h} x0(lambda_s + u).
/// Order k replaces x0 by the polynomial through its last k values. The first rows, which have no history, are of order 1 and
/// 2; the last goes to the clean signal (lambda = infinity), where only order 1 has a limit: x = x0.
/// </remarks>
internal static class DpmSolver
{
    /// <summary>One row a node.</summary>
    /// <param name="rows">Schedule, prediction type and clamp.</param>
    /// <param name="nodes">Diffusion steps, falling.</param>
    /// <param name="order">2 or 3.</param>
    public static (SamplerStep[] Steps, int NoiseDraws) Rows(RowFactory rows, ReadOnlySpan<int> nodes, int order)
    {
        NoiseSchedule schedule = rows.Schedule;
        var table = new SamplerStep[nodes.Length];
        for (int i = 0; i < nodes.Length - 1; i++)
        {
            int t = nodes[i], next = nodes[i + 1];
            double h = schedule.LogSnr[next] - schedule.LogSnr[t];
            double h0 = i > 0 ? schedule.LogSnr[t] - schedule.LogSnr[nodes[i - 1]] : 0;
            double h1 = i > 1 ? schedule.LogSnr[nodes[i - 1]] - schedule.LogSnr[nodes[i - 2]] : 0;
            (double c0, double c1, double c2) = Math.Min(order, i + 1) switch
            {
                1 => (-double.ExpM1(-h), 0, 0),
                2 => Second(h, h0),
                _ => Third(h, h0, h1),
            };
            double alpha = schedule.Alpha[next];
            table[i] = rows.Row(t, schedule.Sigma[next] / schedule.Sigma[t], alpha * c0, alpha * c1, alpha * c2);
        }

        table[^1] = rows.Row(nodes[^1], 0, 1);
        return (table, 1);
    }

    /// <summary>Algorithm 2: (1 - e^-h) times the line through the last two values, taken at its middle, h/2 ahead.</summary>
    private static (double C0, double C1, double C2) Second(double h, double h0)
    {
        double weight = -double.ExpM1(-h), ahead = h / (2 * h0);
        return (weight * (1 + ahead), -weight * ahead, 0);
    }

    /// <summary>
    /// The integral of the parabola through the last three values. With psi_k = integral of e^{u-h} u^k / k!:
    /// psi_0 = 1 - e^-h, psi_1 = h - psi_0, psi_2 = h^2/2 - psi_1, and by Newton's divided differences
    /// x0(u) = m0 + d01 u + d012 u (u + h0), whose integral is psi_0 m0 + (psi_1) d01 + (2 psi_2 + h0 psi_1) d012.
    /// </summary>
    /// <remarks>
    /// The second difference enters with its full weight, as the Taylor expansion of the paper's equation asks, so that the
    /// method is of order 3 on any nodes; a test measures it.
    /// </remarks>
    private static (double C0, double C1, double C2) Third(double h, double h0, double h1)
    {
        double psi0 = -double.ExpM1(-h), psi1 = Psi1(h), psi2 = Psi2(h);

        // d01 = (m0 - m1) / h0, d12 = (m1 - m2) / h1, d012 = (d01 - d12) / (h0 + h1).
        double second = ((2 * psi2) + (h0 * psi1)) / (h0 + h1);
        double first = psi1 + second;
        return (psi0 + (first / h0), -(first / h0) - (second / h1), second / h1);
    }

    // h - 1 + e^-h and h^2/2 - h + 1 - e^-h cancel for small h: there their series, cut below 1e-17 of the first term.
    private static double Psi1(double h) => h > 0.5 ? h + double.ExpM1(-h) : Series(h, 2);

    private static double Psi2(double h) => h > 0.5 ? (h * h / 2) - Psi1(h) : Series(h, 3);

    /// <summary>h^k/k! - h^(k+1)/(k+1)! + ...</summary>
    private static double Series(double h, int k)
    {
        double term = 1, sum = 0;
        for (int i = 1; i <= k; i++)
            term *= h / i;
        for (int i = k + 1; i < k + 18; i++)
        {
            sum += term;
            term *= -h / i;
        }

        return sum;
    }
}
