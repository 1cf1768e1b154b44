using UniCardio.Engine.Model;

namespace UniCardio.Engine.Reference;

/// <summary>The encoder of one slot: six convolutions at full rate, folding of p samples into a token, LayerNorm over the whole plane.</summary>
public static class ReferenceEncoder
{
    /// <summary>Encodes a slot.</summary>
    /// <param name="weights">The slot's encoder.</param>
    /// <param name="samples">[S] scaled samples.</param>
    /// <param name="samplesPerToken">p; divides S.</param>
    /// <param name="plane">[C, S/p]: channel c p + offset of token k is convolution channel c at sample k p + offset.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void Forward(EncoderWeights<LinearMap> weights, ReadOnlySpan<double> samples, int samplesPerToken, Span<double> plane)
    {
        ArgumentNullException.ThrowIfNull(weights);
        int count = samples.Length, p = samplesPerToken, tokens = ReferenceShape.Rows(samples.Length, p);
        int channels = weights.Convolutions.Sum(c => c.Outputs);
        ReferenceShape.Expect(plane.Length, (long)channels * count, "[C, S/p]", nameof(plane));
        double[] full = new double[channels * count];
        int first = 0;
        foreach (LinearMap convolution in weights.Convolutions)
        {
            int outputs = convolution.Outputs;
            ReferenceConvolution.Forward(samples, convolution.Weight, convolution.Bias, full.AsSpan(first * count, outputs * count));
            first += outputs;
        }

        for (int c = 0; c < channels; c++)
        {
            for (int s = 0; s < count; s++)
                plane[(((c * p) + (s % p)) * tokens) + (s / p)] = full[(c * count) + s];
        }

        weights.Norm.Normalize(plane);
    }

    /// <summary>Encodes a slot into the token rows that the residual blocks read.</summary>
    /// <remarks>With positions counted per slot, the position code is added once here.</remarks>
    /// <param name="configuration">The network's sizes.</param>
    /// <param name="weights">The slot's encoder.</param>
    /// <param name="slot">0 to 3.</param>
    /// <param name="samples">[S] scaled samples.</param>
    /// <param name="plane">[C, S/p] what the encoder itself puts out, before any position code.</param>
    /// <param name="tokens">[S/p, C].</param>
    public static void Tokens(
        ModelConfiguration configuration, EncoderWeights<LinearMap> weights, int slot, ReadOnlySpan<double> samples, Span<double> plane, Span<double> tokens)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ModelConfiguration m = configuration;
        ReferenceShape.Expect(samples.Length, m.SlotSamples, "[S]", nameof(samples));
        Forward(weights, samples, m.SamplesPerToken, plane);
        ReferenceShape.Expect(tokens.Length, plane.Length, "[S/p, C]", nameof(tokens));
        double[] code = new double[tokens.Length];
        if (m.Positions == PositionKind.Slot)
            ReferencePositionCode.Slot(m, slot, code);
        for (int k = 0; k < m.SlotTokens; k++)
        {
            for (int c = 0; c < m.Channels; c++)
                tokens[(k * m.Channels) + c] = plane[(c * m.SlotTokens) + k] + code[(k * m.Channels) + c];
        }
    }
}
