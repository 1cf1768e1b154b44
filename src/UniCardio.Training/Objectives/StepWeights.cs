using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;

namespace UniCardio.Training.Objectives;

/// <summary>Weight of a diffusion step on the squared error of what the network predicts.</summary>
/// <remarks>
/// With SNR = abar / (1 - abar), an error e of x0 is an error of eps of square SNR e^2, and of v of square (SNR + 1) e^2. A weight W on the
/// error of x0 is thus W / SNR for eps and W / (SNR + 1) for v.
/// </remarks>
internal static class StepWeights
{
    /// <summary>[T] weights.</summary>
    public static double[] Of(ModelConfiguration configuration, NoiseSchedule schedule, ObjectiveOptions options)
    {
        double[] weights = new double[schedule.Steps];
        for (int t = 0; t < weights.Length; t++)
        {
            double snr = schedule.AlphaBar[t] / schedule.Variance[t];
            double own = configuration.Prediction switch
            {
                PredictionKind.Epsilon => snr,
                PredictionKind.V => snr + 1,
                _ => 1,
            };
            weights[t] = options.Weighting switch
            {
                StepWeighting.MinSnr => Math.Min(snr, options.WeightingGamma) / own,
                StepWeighting.P2 => snr / Math.Pow(options.WeightingOffset + snr, options.WeightingGamma) / own,
                _ => 1,
            };
        }

        return weights;
    }
}
