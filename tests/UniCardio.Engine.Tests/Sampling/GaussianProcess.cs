using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Tests.Sampling;

/// <summary>
/// A toy whose perfect network is known: clean signals are normal with mean m and deviation s. Then
/// E[x0 | x_t] = m + alpha s^2 (x - alpha m) / v, v = alpha^2 s^2 + sigma^2, and along the probability-flow ODE
/// (x - alpha m) / sqrt(v) stays constant.
/// </summary>
internal sealed record GaussianProcess(double Mean, double Deviation)
{
    public double Variance(NoiseSchedule schedule, int t) =>
        (schedule.AlphaBar[t] * Deviation * Deviation) + schedule.Variance[t];

    /// <summary>The perfect prediction of the clean signal.</summary>
    public double Clean(NoiseSchedule schedule, int t, double x) =>
        Mean + (schedule.Alpha[t] * Deviation * Deviation * (x - (schedule.Alpha[t] * Mean)) / Variance(schedule, t));

    /// <summary>The state at t of the ODE's solution through <paramref name="x"/> at <paramref name="from"/>.</summary>
    public double Exact(NoiseSchedule schedule, int from, double x, int t) =>
        (schedule.Alpha[t] * Mean) + ((x - (schedule.Alpha[from] * Mean)) * Math.Sqrt(Variance(schedule, t) / Variance(schedule, from)));

    /// <summary>The clean end of the solution through <paramref name="x"/> at <paramref name="from"/>.</summary>
    public double ExactClean(NoiseSchedule schedule, int from, double x) =>
        Mean + ((x - (schedule.Alpha[from] * Mean)) * Deviation / Math.Sqrt(Variance(schedule, from)));
}
