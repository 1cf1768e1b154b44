using UniCardio.Engine.Model;

namespace UniCardio.Engine.Reference;

/// <summary>The decoder of one modality: C -&gt; C, ReLU, C -&gt; p, unfolded to samples.</summary>
public static class ReferenceDecoder
{
    /// <summary>Decodes the target's tokens.</summary>
    /// <param name="weights">The decoder.</param>
    /// <param name="x">[S/p, C] the sum of the blocks' skips over sqrt(n).</param>
    /// <param name="samples">[S]: sample k p + offset is output channel offset of token k.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void Forward(DecoderWeights<LinearMap> weights, ReadOnlySpan<double> x, Span<double> samples)
    {
        ArgumentNullException.ThrowIfNull(weights);
        double[] hidden = new double[x.Length];
        weights.Hidden.Forward(x, hidden);
        for (int i = 0; i < hidden.Length; i++)
            hidden[i] = Math.Max(0, hidden[i]);
        // [S/p, p] row-major is the sample axis itself.
        weights.Output.Forward(hidden, samples);
    }
}
