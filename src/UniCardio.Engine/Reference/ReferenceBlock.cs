using UniCardio.Engine.Model;

namespace UniCardio.Engine.Reference;

/// <summary>The encoder of one slot: six convolutions at full rate, folding of p samples into a token, LayerNorm over the whole
/// plane.</summary>
internal static class ReferenceEncoder
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
        ModelConfiguration configuration, EncoderWeights<LinearMap> weights, int slot, ReadOnlySpan<double> samples, Span<double> plane,
        Span<double> tokens)
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

/// <summary>What one residual block makes of some tokens.</summary>
/// <param name="X">[tokens, C] the next block's input, (x + residual) / sqrt 2.</param>
/// <param name="Skip">[tokens, C].</param>
/// <param name="TimeLayer">[tokens, C] output of the transformer layer.</param>
internal sealed record ReferenceBlockOutput(double[] X, double[] Skip, double[] TimeLayer);

/// <summary>Keys and values of some tokens in one block.</summary>
/// <param name="Keys">[tokens, C].</param>
/// <param name="Values">[tokens, C].</param>
internal sealed record ReferenceKeyValues(double[] Keys, double[] Values)
{
    /// <summary>[queries, tokens] of 0 and negative infinity, added to the scores; empty where every query reads every token.</summary>
    public double[] Mask { get; init; } = [];

    /// <summary>No tokens.</summary>
    public static ReferenceKeyValues None { get; } = new([], []);

    /// <summary>The rows of this, then the rows of <paramref name="next"/>.</summary>
    public ReferenceKeyValues Append(ReferenceKeyValues next)
    {
        ArgumentNullException.ThrowIfNull(next);
        return new ReferenceKeyValues([.. Keys, .. next.Keys], [.. Values, .. next.Values]);
    }
}

/// <summary>
/// A residual block: diffusion step added, one post-norm transformer layer, gate with the position code, then residual and skip.
/// </summary>
/// <remarks>After the keys and values nothing mixes tokens, so the block works on any subset of them.</remarks>
internal static class ReferenceBlock
{
    /// <summary>y = x + diffusion_projection(embedding), the same vector for every token.</summary>
    /// <param name="weights">The block.</param>
    /// <param name="embedding">[E] of the diffusion step.</param>
    /// <param name="x">[tokens, C].</param>
    /// <returns>[tokens, C].</returns>
    public static double[] AddStep(BlockWeights<LinearMap> weights, ReadOnlySpan<double> embedding, ReadOnlySpan<double> x)
    {
        ArgumentNullException.ThrowIfNull(weights);
        int channels = weights.DiffusionProjection.Outputs;
        double[] d = new double[channels], y = x.ToArray();
        weights.DiffusionProjection.Forward(embedding, d);
        for (int i = 0; i < y.Length; i++)
            y[i] += d[i % channels];
        return y;
    }

    /// <summary>Keys and values of tokens: the second and third part of in_proj.</summary>
    /// <param name="weights">The block.</param>
    /// <param name="y">[tokens, C] as <see cref="AddStep"/> makes it.</param>
    /// <param name="threads">Most threads at a time; 0 for as many as the machine has.</param>
    public static ReferenceKeyValues KeysAndValues(BlockWeights<LinearMap> weights, double[] y, int threads)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(y);
        int channels = weights.AttentionOut.Outputs;
        var result = new ReferenceKeyValues(new double[y.Length], new double[y.Length]);
        ReferenceRows.For(y.Length / channels, threads, (first, rows) =>
        {
            int at = first * channels, length = rows * channels;
            weights.AttentionIn.Forward(channels, channels, y.AsSpan(at, length), result.Keys.AsSpan(at, length));
            weights.AttentionIn.Forward(2 * channels, channels, y.AsSpan(at, length), result.Values.AsSpan(at, length));
        });
        return result;
    }

    /// <summary>The block from the residual and the keys and values on.</summary>
    /// <param name="weights">The block.</param>
    /// <param name="heads">Attention heads.</param>
    /// <param name="x">[tokens, C] input of the block.</param>
    /// <param name="y">[tokens, C] the input with the diffusion step added, as <see cref="AddStep"/> makes it.</param>
    /// <param name="read">Keys and values that these tokens may read, with the mask.</param>
    /// <param name="positions">[tokens, C] position codes.</param>
    /// <param name="threads">Most threads at a time; 0 for as many as the machine has.</param>
    public static ReferenceBlockOutput Forward(
        BlockWeights<LinearMap> weights,
        int heads,
        double[] x,
        double[] y,
        ReferenceKeyValues read,
        double[] positions,
        int threads)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(positions);
        int channels = weights.AttentionOut.Outputs, keys = read.Keys.Length / channels;
        var result = new ReferenceBlockOutput(new double[x.Length], new double[x.Length], new double[x.Length]);
        ReferenceRows.For(x.Length / channels, threads, (first, rows) =>
        {
            int at = first * channels, length = rows * channels;
            Span<double> layer = result.TimeLayer.AsSpan(at, length);
            ReadOnlySpan<double> mask = read.Mask.Length == 0 ? default : read.Mask.AsSpan(first * keys, rows * keys);
            TransformerLayer(weights, heads, y.AsSpan(at, length), read, mask, layer);
            Gate(weights, x.AsSpan(at, length), layer, positions.AsSpan(at, length), result.X.AsSpan(at, length),
                result.Skip.AsSpan(at, length));
        });
        return result;
    }

    // y, layer [rows, C]: LN1(y + attention), then LN2(that + W2 gelu(W1 that)).
    private static void TransformerLayer(BlockWeights<LinearMap> weights, int heads, ReadOnlySpan<double> y, ReferenceKeyValues read,
        ReadOnlySpan<double> mask, Span<double> layer)
    {
        int channels = weights.AttentionOut.Outputs, rows = y.Length / channels;
        double[] queries = new double[y.Length], attended = new double[y.Length];
        weights.AttentionIn.Forward(0, channels, y, queries);
        ReferenceAttention.Forward(queries, read.Keys, read.Values, mask, heads, channels, attended);
        weights.AttentionOut.Forward(attended, layer);
        Add(y, layer);
        weights.Norm1.Normalize(layer);

        double[] hidden = new double[rows * weights.FeedForwardIn.Outputs], fed = new double[y.Length];
        weights.FeedForwardIn.Forward(layer, hidden);
        ReferenceGelu.Forward(hidden, hidden);
        weights.FeedForwardOut.Forward(hidden, fed);
        Add(fed, layer);
        weights.Norm2.Normalize(layer);
    }

    // All [rows, C]: mid(layer) + cond(positions), gate, output projection, residual and skip.
    private static void Gate(BlockWeights<LinearMap> weights, ReadOnlySpan<double> x, ReadOnlySpan<double> layer,
        ReadOnlySpan<double> positions, Span<double> next, Span<double> skip)
    {
        int channels = weights.AttentionOut.Outputs, rows = x.Length / channels;
        double[] mid = new double[2 * x.Length], condition = new double[2 * x.Length], gated = new double[x.Length];
        weights.MidProjection.Forward(layer, mid);
        weights.ConditionProjection.Forward(positions, condition);
        Add(condition, mid);
        ReferenceGate.Forward(mid, channels, gated);
        double[] output = new double[2 * x.Length];
        weights.OutputProjection.Forward(gated, output);
        for (int r = 0; r < rows; r++)
        {
            for (int c = 0; c < channels; c++)
            {
                int i = (r * channels) + c;
                next[i] = (x[i] + output[(r * 2 * channels) + c]) / Math.Sqrt(2);
                skip[i] = output[(r * 2 * channels) + channels + c];
            }
        }
    }

    private static void Add(ReadOnlySpan<double> x, Span<double> y) => ReferenceVector.AddScaled(1, x, y);
}

/// <summary>The dense attention mask of the four-slot form.</summary>
/// <remarks>The official code builds seven such matrices; all of them follow the one rule that stands here.</remarks>
internal static class ReferenceMask
{
    /// <summary>Query slot q may read key slot k when k is q or k is a condition.</summary>
    public static bool MayRead(int querySlot, int keySlot, ModalitySet conditions) =>
        keySlot == querySlot || (keySlot < (int)Slot.Restoration && conditions.Contains((Modality)keySlot));

    /// <summary>The mask over all four slots.</summary>
    /// <param name="conditions">The condition slots.</param>
    /// <param name="slotTokens">Tokens S/p of a slot.</param>
    /// <param name="pattern">Which tokens of a readable slot are seen; the official network's is all of them.</param>
    /// <returns>[4 S/p, 4 S/p] of 0 and negative infinity, rows are queries.</returns>
    public static double[] Dense(ModalitySet conditions, int slotTokens, AttentionPattern pattern = default)
    {
        int tokens = ModelConfiguration.SlotCount * slotTokens;
        double[] mask = new double[checked(tokens * tokens)];
        for (int q = 0; q < tokens; q++)
        {
            for (int k = 0; k < tokens; k++)
                mask[(q * tokens) + k] = MayRead(q / slotTokens, k / slotTokens, conditions) && pattern.Sees(q % slotTokens, k % slotTokens)
                    ? 0 : double.NegativeInfinity;
        }

        return mask;
    }

    /// <summary>The mask between live slots that may all be read.</summary>
    /// <param name="querySlots">Slots that the queries fill.</param>
    /// <param name="keySlots">Slots that the keys fill.</param>
    /// <param name="slotTokens">Tokens S/p of a slot.</param>
    /// <param name="pattern">Which tokens of a slot are seen.</param>
    /// <returns>[queries S/p, keys S/p] of 0 and negative infinity; empty where every query sees every key.</returns>
    public static double[] Live(int querySlots, int keySlots, int slotTokens, AttentionPattern pattern)
    {
        if (pattern.IsDense)
            return [];
        int queries = querySlots * slotTokens, keys = keySlots * slotTokens;
        double[] mask = new double[checked(queries * keys)];
        for (int q = 0; q < queries; q++)
        {
            for (int k = 0; k < keys; k++)
                mask[(q * keys) + k] = pattern.Sees(q % slotTokens, k % slotTokens) ? 0 : double.NegativeInfinity;
        }

        return mask;
    }
}

/// <summary>The decoder of one modality: C -&gt; C, ReLU, C -&gt; p, unfolded to samples.</summary>
internal static class ReferenceDecoder
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
