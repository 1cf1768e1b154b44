using UniCardio.Engine.Model;

namespace UniCardio.Engine.Sampling;

/// <summary>Makes rows that share a schedule, a prediction type and a clamp.</summary>
internal sealed class RowFactory(NoiseSchedule schedule, PredictionKind prediction, (double Low, double High)? clamp)
{
    /// <summary>The noise schedule.</summary>
    public NoiseSchedule Schedule { get; } = schedule;

    /// <summary>A row at t; x' = state x + clean0 x0 + clean1 x0' + clean2 x0'' + noise z.</summary>
    public SamplerStep Row(int t, double state, double clean0, double clean1 = 0, double clean2 = 0, double noise = 0, int noiseIndex = 0, double ratio = 1)
    {
        (double fromState, double fromPrediction) = Clean(t, ratio);
        return new SamplerStep(
            t, fromState, fromPrediction, state, clean0, clean1, clean2, noise, noiseIndex,
            clamp?.Low ?? double.NegativeInfinity, clamp?.High ?? double.PositiveInfinity);
    }

    /// <summary>
    /// The weights of x and of the network's output p in x0, from x = alpha x0 + sigma eps:
    /// eps: x0 = (x - sigma p) / alpha; v = alpha eps - sigma x0: x0 = alpha x - sigma p; sample: x0 = p.
    /// </summary>
    /// <remarks>
    /// With eps/ratio in place of eps, x0 becomes (x - sigma eps / ratio) / alpha = (1 - 1/ratio) x / alpha + x0 / ratio.
    /// </remarks>
    private (double FromState, double FromPrediction) Clean(int t, double ratio)
    {
        double alpha = Schedule.Alpha[t], sigma = Schedule.Sigma[t];
        (double state, double output) = prediction switch
        {
            PredictionKind.Epsilon => (1 / alpha, -sigma / alpha),
            PredictionKind.V => (alpha, -sigma),
            PredictionKind.Sample => (0.0, 1.0),
            _ => throw new ConfigurationException("prediction", $"{prediction} is not a prediction type"),
        };
        return ratio == 1 ? (state, output) : (((1 - (1 / ratio)) / alpha) + (state / ratio), output / ratio);
    }
}
