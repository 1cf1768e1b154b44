using UniCardio.Engine.Model;

namespace UniCardio.Engine.Reference;

/// <summary>What one residual block makes of some tokens.</summary>
/// <param name="X">[tokens, C] the next block's input, (x + residual) / sqrt 2.</param>
/// <param name="Skip">[tokens, C].</param>
/// <param name="TimeLayer">[tokens, C] output of the transformer layer.</param>
public sealed record ReferenceBlockOutput(double[] X, double[] Skip, double[] TimeLayer);

/// <summary>Keys and values of some tokens in one block.</summary>
/// <param name="Keys">[tokens, C].</param>
/// <param name="Values">[tokens, C].</param>
public sealed record ReferenceKeyValues(double[] Keys, double[] Values)
{
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
public static class ReferenceBlock
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

    /// <summary>The block from the residual stream and the keys and values on.</summary>
    /// <param name="weights">The block.</param>
    /// <param name="heads">Attention heads.</param>
    /// <param name="x">[tokens, C] input of the block.</param>
    /// <param name="y">[tokens, C] the input with the diffusion step added, as <see cref="AddStep"/> makes it.</param>
    /// <param name="read">Keys and values that these tokens may read.</param>
    /// <param name="mask">[tokens, keys] of 0 and negative infinity; empty where every token reads every key.</param>
    /// <param name="positions">[tokens, C] position codes.</param>
    /// <param name="threads">Most threads at a time; 0 for as many as the machine has.</param>
    public static ReferenceBlockOutput Forward(
        BlockWeights<LinearMap> weights,
        int heads,
        double[] x,
        double[] y,
        ReferenceKeyValues read,
        double[] mask,
        double[] positions,
        int threads)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(mask);
        ArgumentNullException.ThrowIfNull(positions);
        int channels = weights.AttentionOut.Outputs, keys = read.Keys.Length / channels;
        var result = new ReferenceBlockOutput(new double[x.Length], new double[x.Length], new double[x.Length]);
        ReferenceRows.For(x.Length / channels, threads, (first, rows) =>
        {
            int at = first * channels, length = rows * channels;
            Span<double> layer = result.TimeLayer.AsSpan(at, length);
            ReadOnlySpan<double> rowMask = mask.Length == 0 ? default : mask.AsSpan(first * keys, rows * keys);
            TransformerLayer(weights, heads, y.AsSpan(at, length), read, rowMask, layer);
            Gate(weights, x.AsSpan(at, length), layer, positions.AsSpan(at, length), result.X.AsSpan(at, length), result.Skip.AsSpan(at, length));
        });
        return result;
    }

    // y, layer [rows, C]: LN1(y + attention), then LN2(that + W2 gelu(W1 that)).
    private static void TransformerLayer(BlockWeights<LinearMap> weights, int heads, ReadOnlySpan<double> y, ReferenceKeyValues read, ReadOnlySpan<double> mask, Span<double> layer)
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
    private static void Gate(BlockWeights<LinearMap> weights, ReadOnlySpan<double> x, ReadOnlySpan<double> layer, ReadOnlySpan<double> positions, Span<double> next, Span<double> skip)
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
