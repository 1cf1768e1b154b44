using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Reference;

/// <summary>Executes a row of a sampler's table on values: the predicted clean signal and the new state.</summary>
public static class ReferenceSamplerUpdate
{
    /// <summary>
    /// Computes x0 = clamp(CleanFromState x + CleanFromPrediction p) and x &lt;- State x + Clean0 x0 + Clean1 x0' + Clean2 x0'' + Noise z.
    /// </summary>
    /// <param name="step">The row.</param>
    /// <param name="prediction">[n] the network's output p at x and <see cref="SamplerStep.T"/>.</param>
    /// <param name="state">[n] x, replaced.</param>
    /// <param name="clean">[n] takes x0.</param>
    /// <param name="clean1">[n] x0 of one row before.</param>
    /// <param name="clean2">[n] x0 of two rows before.</param>
    /// <param name="noise">[n] z; may be empty where <see cref="SamplerStep.Noise"/> is 0.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void Forward(
        in SamplerStep step,
        ReadOnlySpan<double> prediction,
        Span<double> state,
        Span<double> clean,
        ReadOnlySpan<double> clean1,
        ReadOnlySpan<double> clean2,
        ReadOnlySpan<double> noise)
    {
        int n = state.Length;
        ReferenceShape.Expect(prediction.Length, n, "[n]", nameof(prediction));
        ReferenceShape.Expect(clean.Length, n, "[n]", nameof(clean));
        ReferenceShape.Expect(clean1.Length, n, "[n]", nameof(clean1));
        ReferenceShape.Expect(clean2.Length, n, "[n]", nameof(clean2));
        if (step.Noise != 0)
            ReferenceShape.Expect(noise.Length, n, "[n]", nameof(noise));
        for (int i = 0; i < n; i++)
        {
            double x0 = Math.Clamp((step.CleanFromState * state[i]) + (step.CleanFromPrediction * prediction[i]), step.ClampLow, step.ClampHigh);
            clean[i] = x0;
            state[i] = (step.State * state[i]) + (step.Clean0 * x0) + (step.Clean1 * clean1[i]) + (step.Clean2 * clean2[i])
                + (step.Noise == 0 ? 0 : step.Noise * noise[i]);
        }
    }
}
