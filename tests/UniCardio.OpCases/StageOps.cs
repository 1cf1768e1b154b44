using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;
using UniCardio.Weights;

namespace UniCardio.OpCases;

/// <summary>
/// What one GPU kernel fuses: a chain of ops, its twin the chain of theirs. The CPU runs the ops one by one and has a row for each. One
/// window, condition PPG, target ECG: T condition rows, then T target rows. Size: tokens T, samples of a token, channels C, heads,
/// feed-forward width, and for weights of 16 bits -1 (bf16) or -2 (f16). The weights are a recipe's.
/// </summary>
internal abstract class Stage : OpRow
{
    /// <summary>The diffusion step that stages with a bias of t take.</summary>
    public const int Step = 3;

    private static readonly Dictionary<string, NetworkWeights<LinearMap>> s_maps = [];

    // Odd numbers of tokens and the network's, p 1 and 5, head dims 12, 30, 36, 64 and 6, rows of which some are no multiple of 4 wide.
    public override IReadOnlyList<int[]> Sizes { get; } =
    [
        [1, 1, 36, 3, 67], [17, 1, 30, 1, 67], [33, 1, 36, 1, 67], [100, 1, 192, 3, 67], [500, 1, 18, 3, 67],
        [1, 5, 60, 5, 24], [17, 5, 90, 3, 24], [33, 5, 180, 5, 24], [100, 5, 90, 3, 24], [500, 5, 60, 5, 24],
    ];

    /// <summary>Sizes of stages with a large map, whose weights may be of 16 bits: rows of quads in pairs and not.</summary>
    protected static int[][] HalfSizes =>
        [[17, 1, 36, 1, 64, -1], [33, 1, 192, 3, 64, -2], [17, 5, 90, 3, 23, -1], [33, 5, 60, 5, 23, -2], [100, 1, 36, 3, 23, -2]];

    // A chain of at most four sums of at most 192 products in float32, LayerNorms between: 2e-6 is more than twice what such a chain is off
    // by when roundings add up as a random walk (sqrt(192) x 6e-8 each).
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => 2e-6 * Largest(y[output]);

    public static ModelConfiguration Network(int[] n) => new()
    {
        Channels = n[2], Heads = n[3], Blocks = 2, FeedForward = n[4], Embedding = 8, SlotSamples = n[0] * n[1], SamplesPerToken = n[1],
    };

    public static InferencePlan Plan(int[] n) => new(Network(n), CardioTask.Parse("ppg->ecg", null));

    public static ModelWeights Weights(int[] n)
    {
        ModelWeights weights = new WeightRecipe(9, Network(n)).Create();
        return n.Length > 5 && n[5] < 0 ? Rounded(weights, n[5]) : weights;
    }

    /// <summary>Weights that 16 bits hold: cut to bf16's (-1) or rounded to f16's (-2).</summary>
    public static ModelWeights Rounded(ModelWeights weights, int kind) => ModelWeights.Create(
        weights.Configuration,
        weights.Tensors.Select(t => new ParameterTensor(t.Name, t.Shape, Array.ConvertAll(t.Data.ToArray(), v => kind == -1
            ? BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(v) & 0xffff0000) : (float)(Half)v))));

    /// <summary>LN2's gain, [C].</summary>
    public static float[] Gain(int[] n) => [.. Maps(n).Blocks[0].Norm2.Weight.Select(v => (float)v)];

    /// <summary>Rows of tokens: the condition's, then the target's.</summary>
    protected static int Rows(int[] n) => 2 * n[0];

    protected static NetworkWeights<LinearMap> Maps(int[] n)
    {
        lock (s_maps)
        {
            if (!s_maps.TryGetValue(Text(n), out NetworkWeights<LinearMap>? maps))
            {
                using ModelWeights weights = Weights(n);
                s_maps[Text(n)] = maps = weights.Network.Select(LinearMap.Of);
            }

            return maps;
        }
    }

    protected static OpInput TokenRows(string name, int[] n) => new(name, Rows(n) * n[2], 2);

    /// <summary>y = W x + b of all rows.</summary>
    protected static double[] Map(LinearMap map, double[] x) =>
        new Linear().Twin([x.Length / map.Inputs, map.Outputs, map.Inputs], [x, map.Weight, map.Bias])[0];

    /// <summary>LayerNorm(x + b) of all rows, with gain and offset of a norm.</summary>
    protected static double[] Norm(LinearMap norm, double[] x, double[] b) =>
        new LayerNormRows().Twin([x.Length / b.Length, b.Length], [x, b, norm.Weight, norm.Bias])[0];

    /// <summary>d(t) of a block.</summary>
    protected static double[] StepOf(int[] n, int block)
    {
        NetworkWeights<LinearMap> maps = Maps(n);
        double[] embedding = new double[maps.Embedding1.Outputs];
        ReferenceDiffusionEmbedding.Forward(maps.Embedding1, maps.Embedding2, Step, embedding);
        return Map(maps.Blocks[block].DiffusionProjection, embedding);
    }

    /// <summary>Queries (scaled by log2(e) / sqrt(head dim)), keys and values of x + d(t): [rows, 3C].</summary>
    protected static double[] Qkv(int[] n, int block, double[] x)
    {
        int c = n[2];
        double[] y = new RowSums().Twin([x.Length / c, c], [x, StepOf(n, block)])[0], all = Map(Maps(n).Blocks[block].AttentionIn, y);
        double scale = 1 / (Math.Sqrt(c / n[3]) * Math.Log(2));
        for (int i = 0; i < all.Length; i++)
            all[i] *= i % (3 * c) < c ? scale : 1;
        return all;
    }

    /// <summary>x + d(t) + Wo a + bo.</summary>
    protected static double[] AttentionSum(int[] n, double[] x, double[] attention) =>
        new RowSums().Twin([Rows(n), n[2]], [Add(Map(Maps(n).Blocks[0].AttentionOut, attention), x), StepOf(n, 0)])[0];

    /// <summary>LN2(y + W2 gelu(W1 y + b1) + b2), without gain and offset.</summary>
    protected static double[] FeedForward(int[] n, double[] y)
    {
        BlockWeights<LinearMap> block = Maps(n).Blocks[0];
        double[] hidden = Map(block.FeedForwardIn, y), none = new double[n[2]];
        hidden = new Gelu().Twin([hidden.Length], [hidden])[0];
        return Norm(new LinearMap([.. none.Select(_ => 1.0)], none), Add(Map(block.FeedForwardOut, hidden), y), none);
    }

    /// <summary>sigmoid(a) tanh(b) with [a, b] = mid LN2's output + cond(pe); y has neither gain nor offset of LN2 yet.</summary>
    protected static double[] Gated(int[] n, double[] y)
    {
        (int tokens, int c) = (n[0], n[2]);
        BlockWeights<LinearMap> block = Maps(n).Blocks[0];
        double[] codes = new double[y.Length], layer = [.. y.Select((v, i) => (v * block.Norm2.Weight[i % c]) + block.Norm2.Bias[i % c])];
        ReferencePositionCode.Slot(Network(n), (int)Modality.Ppg, codes.AsSpan(0, tokens * c));
        ReferencePositionCode.Slot(Network(n), (int)Modality.Ecg, codes.AsSpan(tokens * c));
        return new Gate().Twin([Rows(n), c, 0], [Add(Map(block.MidProjection, layer), Map(block.ConditionProjection, codes))])[0];
    }

    /// <summary>Next input (x + residual) / sqrt 2 of all rows, and the skip of the target's.</summary>
    protected static double[][] Output(int[] n, double[] x, double[] gated)
    {
        int c = n[2];
        double[] m = Map(Maps(n).Blocks[0].OutputProjection, gated);
        for (int i = 0; i < m.Length; i++)
            m[i] /= i % (2 * c) < c ? Math.Sqrt(2) : 1;
        double[][] y = new Residual().Twin([Rows(n), c, 1], [m, x, new double[x.Length]]);
        return [y[0], y[1][(n[0] * c)..]];
    }

    private static double[] Add(double[] x, double[] y) => [.. x.Select((v, i) => v + y[i])];

}

/// <summary>Six convolutions, folding of samples into tokens, LayerNorm over the plane: samples [S] to [T, C].</summary>
internal sealed class EncoderStage : Stage
{
    public override OpInput[] Inputs(int[] n) => [new("samples", n[0] * n[1])];

    public override double[][] Twin(int[] n, double[][] x)
    {
        double[] plane = new double[n[0] * n[2]], tokens = new double[plane.Length];
        ReferenceEncoder.Tokens(Network(n), Maps(n).Encoders[(int)Modality.Ppg], (int)Modality.Ppg, x[0], plane, tokens);
        return [tokens];
    }
}

/// <summary>[Q, K, V] = W (x + d(t)) + b, queries scaled.</summary>
internal sealed class QkvStage : Stage
{
    public override IReadOnlyList<int[]> Sizes => [.. base.Sizes, .. HalfSizes];

    public override OpInput[] Inputs(int[] n) => [TokenRows("x", n)];

    public override double[][] Twin(int[] n, double[][] x) => [Qkv(n, 0, x[0])];
}

/// <summary>y = x + d(t) + Wo a + bo.</summary>
internal sealed class AttentionSumStage : Stage
{
    public override IReadOnlyList<int[]> Sizes => [.. base.Sizes, .. HalfSizes];

    public override OpInput[] Inputs(int[] n) => [TokenRows("x", n), TokenRows("a", n)];

    public override double[][] Twin(int[] n, double[][] x) => [AttentionSum(n, x[0], x[1])];
}

/// <summary>y = LN1(x + d(t) + Wo a + bo).</summary>
internal sealed class AttentionOutStage : Stage
{
    public override OpInput[] Inputs(int[] n) => [TokenRows("x", n), TokenRows("a", n)];

    public override double[][] Twin(int[] n, double[][] x) =>
        [Norm(Maps(n).Blocks[0].Norm1, AttentionSum(n, x[0], x[1]), new double[n[2]])];
}

/// <summary>y = LN2(y + W2 gelu(W1 y + b1) + b2), without LN2's gain and offset.</summary>
internal sealed class FeedForwardStage : Stage
{
    public override OpInput[] Inputs(int[] n) => [TokenRows("y", n)];

    public override double[][] Twin(int[] n, double[][] x) => [FeedForward(n, x[0])];
}

/// <summary>The same of LN1(y). Feed-forward widths that fit the tensor cores' kernel.</summary>
internal sealed class NormFeedForwardStage : Stage
{
    public override IReadOnlyList<int[]> Sizes =>
        [.. base.Sizes.Select(n => (int[])[.. n[..4], n[4] == 67 ? 64 : 23]), .. HalfSizes];

    public override OpInput[] Inputs(int[] n) => [TokenRows("y", n)];

    public override double[][] Twin(int[] n, double[][] x) => [FeedForward(n, Norm(Maps(n).Blocks[0].Norm1, x[0], new double[n[2]]))];
}

/// <summary>g = sigmoid(a) tanh(b), [a, b] = mid(y) + cond(pe).</summary>
internal sealed class GatedStage : Stage
{
    public override IReadOnlyList<int[]> Sizes => [.. base.Sizes, .. HalfSizes];

    public override OpInput[] Inputs(int[] n) => [TokenRows("y", n)];

    public override double[][] Twin(int[] n, double[][] x) => [Gated(n, x[0])];
}

/// <summary>x' = x / sqrt 2 + residual, skip = s, [residual, s] = output(g).</summary>
internal sealed class OutputStage : Stage
{
    public override IReadOnlyList<int[]> Sizes => [.. base.Sizes, .. HalfSizes];

    public override OpInput[] Inputs(int[] n) => [TokenRows("x", n), TokenRows("g", n)];

    public override double[][] Twin(int[] n, double[][] x) => Output(n, x[0], x[1]);
}

/// <summary>The gate and the output map after it.</summary>
internal sealed class GateStage : Stage
{
    public override OpInput[] Inputs(int[] n) => [TokenRows("x", n), TokenRows("y", n)];

    public override double[][] Twin(int[] n, double[][] x) => Output(n, x[0], Gated(n, x[1]));
}

/// <summary>All of a block from attention to the gates. Feed-forward widths that fit the kernel.</summary>
internal sealed class GateRowsStage : Stage
{
    public override IReadOnlyList<int[]> Sizes => [.. base.Sizes.Select(n => (int[])[.. n[..4], n[4] == 67 ? 64 : 23])];

    // Four sums, two LayerNorms and a gate in a chain.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => 1.5 * base.Bound(n, x, y, output, i);

    public override OpInput[] Inputs(int[] n) => [TokenRows("x", n), TokenRows("a", n)];

    public override double[][] Twin(int[] n, double[][] x) =>
        [Gated(n, FeedForward(n, Norm(Maps(n).Blocks[0].Norm1, AttentionSum(n, x[0], x[1]), new double[n[2]])))];
}

/// <summary>The output map and the next block's queries, keys and values.</summary>
internal sealed class OutputRowsStage : Stage
{
    public override IReadOnlyList<int[]> Sizes => [.. base.Sizes.Select(n => (int[])[.. n[..4], n[4] == 67 ? 64 : 23])];

    public override OpInput[] Inputs(int[] n) => [TokenRows("x", n), TokenRows("g", n)];

    public override double[][] Twin(int[] n, double[][] x)
    {
        double[][] y = Output(n, x[0], x[1]);
        return [y[0], y[1], .. BlockTailStage.OfLast(n, Qkv(n, 1, y[0]))];
    }
}

/// <summary>All of a block after attention, and the next block's queries, keys and values.</summary>
internal sealed class BlockTailStage : Stage
{
    // Its parts run at all sizes.
    public override IReadOnlyList<int[]> Sizes => [.. base.Sizes.Where(n => n[0] == 33)];

    // Six sums in a chain in place of four.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => 1.5 * base.Bound(n, x, y, output, i);

    public override OpInput[] Inputs(int[] n) => [TokenRows("x", n), TokenRows("a", n)];

    public override double[][] Twin(int[] n, double[][] x)
    {
        double[] z = Norm(Maps(n).Blocks[0].Norm1, AttentionSum(n, x[0], x[1]), new double[n[2]]);
        double[][] y = Output(n, x[0], Gated(n, FeedForward(n, z)));
        return [y[0], y[1], .. OfLast(n, Qkv(n, 1, y[0]))];
    }

    /// <summary>What is read in the last block, of [rows, 3C]: queries of the target's rows, keys and values of all rows.</summary>
    public static T[][] OfLast<T>(int[] n, T[] qkv)
    {
        int c = n[2];
        return [[.. qkv.Where((_, i) => i % (3 * c) < c && i / (3 * c) >= n[0])], [.. qkv.Where((_, i) => i % (3 * c) >= c)]];
    }
}

/// <summary>prediction = W2 relu(W1 skip / sqrt(blocks) + b1) + b2: [T, C] to [S].</summary>
internal class DecoderStage : Stage
{
    public override OpInput[] Inputs(int[] n) => [new("skip", n[0] * n[2], 2)];

    public override double[][] Twin(int[] n, double[][] x)
    {
        DecoderWeights<LinearMap> decoder = Maps(n).Decoders[(int)Modality.Ecg];
        double[] hidden = Map(decoder.Hidden, [.. x[0].Select(v => v / Math.Sqrt(Network(n).Blocks))]);
        return [Map(decoder.Output, new Relu().Twin([hidden.Length], [hidden])[0])];
    }
}

/// <summary>The decoder and a sampler's row on its prediction. Size: as the others', and which of three rows.</summary>
internal sealed class DecoderStepStage : DecoderStage
{
    public override IReadOnlyList<int[]> Sizes =>
        [.. Enumerable.Range(0, SamplerRow.Steps.Length).SelectMany(s => base.Sizes.Where(n => n[0] == 33)
            .Select(n => (int[])[.. n, s]))];

    public static SamplerStep Row(int[] n) => SamplerRow.Steps[n[5]];

    public override OpInput[] Inputs(int[] n) =>
        [.. base.Inputs(n), .. new[] { "x", "x0'", "x0''", "z" }.Select(name => new OpInput(name, n[0] * n[1]))];

    public override double[][] Twin(int[] n, double[][] x) =>
        new SamplerRow().Twin([n[0] * n[1], n[5]], [x[1], base.Twin(n, x)[0], x[2], x[3], x[4]]);

    // The prediction's error times its weight, below 0.7, and the row's own roundings.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) =>
        (0.7 * 2e-6 * Largest(x[0], skip => base.Twin(n, [skip])[0])) + new SamplerRow().Bound(n, x, y, output, i);
}

/// <summary>Standard normals keyed by (seed, window, draw, step), Box and Muller in double on Philox' words. Size: samples, draws,
/// which seed.</summary>
internal sealed class KeyedNoise : OpRow
{
    public static (ulong Seed, uint Window, uint Step)[] Keys { get; } = [(0, 0, 0), (0xFEDCBA9876543210, 4_000_000_000, 50)];

    public override IReadOnlyList<int[]> Sizes { get; } = [[77, 3, 0], [77, 3, 1], [1, 1, 1], [500, 2, 0]];

    public override OpInput[] Inputs(int[] n) => [];

    // Two windows: the second has the complement of the seed and number 3. Draws count from 4.
    public override double[][] Twin(int[] n, double[][] x)
    {
        (ulong seed, uint window, uint step) = Keys[n[2]];
        double[] y = new double[2 * n[1] * n[0]];
        for (int i = 0; i < y.Length; i++)
        {
            (int draw, int sample) = (i / n[0], i % n[0]);
            bool first = draw < n[1];
            (uint w0, uint w1, uint w2, uint w3) = Philox4x32.Block(
                ((uint)(sample / 4), (uint)(4 + (draw % n[1])), first ? window : 3, step), first ? seed : ~seed);
            (uint radius, uint angle) = sample % 4 < 2 ? (w0, w1) : (w2, w3);

            // The word's conversion to float is part of the definition.
            double u = MathF.FusedMultiplyAdd((int)(radius >> 1), 1 / 2147483648f, 1 / 4294967296f), a = angle * (2 * Math.PI / 4294967296);
            y[i] = Math.Sqrt(-2 * Math.Log(u)) * (sample % 2 == 0 ? Math.Cos(a) : Math.Sin(a));
        }

        return [y];
    }

    // Kernels need not fuse multiplication and addition: a few roundings of values up to 6.7.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => 2e-6;
}

/// <summary>
/// Attention of slots of tokens, each over the conditions of its window and, a target, over itself; within a window of tokens and with
/// global tokens. Size: tokens, head dim, window (-1: all), global tokens.
/// </summary>
internal sealed class SlotAttention : OpRow
{
    // Every size under every window, with global tokens of which some lie in other tiles than the queries.
    public override IReadOnlyList<int[]> Sizes { get; } =
        [.. from tokens in (int[])[1, 17, 33, 100, 500]
         from headDim in (int[])[12, 30, 36, 64]
         from seen in (int[][])[[-1, 0], [0, 0], [0, 40], [8, 0], [8, 3]]
         select (int[])[tokens, headDim, .. seen],
         // QualityFM's widest head, its window, its global token; and a head of no whole quads.
         [1, 128, 4, 1], [18, 128, 4, 1], [60, 128, 4, 1], [33, 121, -1, 0], [100, 70, 8, 3]];

    public static AttentionPattern Pattern(int[] n) => new() { Window = n[2] < 0 ? null : n[2], GlobalTokens = n[3] };

    // Two windows of two conditions and two draws and two heads where it is cheap; at 500 tokens the target of one condition alone.
    public static (int Windows, int Conditions, int Heads, int FirstSlot) Batch(int[] n) =>
        (n[0] <= 33 ? 2 : 1, n[0] < 500 ? 2 : 1, n[0] <= 33 ? 2 : 1, n[0] < 500 ? 0 : 1);

    /// <summary>Condition slots, then as many draws of each window as there are windows.</summary>
    public static int Slots(int[] n) => (Batch(n).Windows * Batch(n).Conditions) + (Batch(n).Windows * Batch(n).Windows);

    public override OpInput[] Inputs(int[] n)
    {
        int count = Slots(n) * n[0] * Batch(n).Heads * n[1];
        return [new("Q", count, 2), new("K", count, 2), new("V", count, 2)];
    }

    // [launched slots, T, heads].
    public override double[][] Twin(int[] n, double[][] x)
    {
        (int windows, int conditions, int heads, int firstSlot) = Batch(n);
        int channels = heads * n[1], length = n[0] * channels;
        double[] y = new double[(Slots(n) - firstSlot) * length];
        for (int slot = firstSlot; slot < Slots(n); slot++)
        {
            bool isTarget = slot >= windows * conditions;
            int window = isTarget ? (slot - (windows * conditions)) / windows : slot / conditions;
            int[] read = [.. Enumerable.Range(window * conditions, conditions), .. isTarget ? new[] { slot } : []];
            double[] Read(double[] all) => [.. read.SelectMany(s => all[(s * length)..((s + 1) * length)])];
            ReferenceAttention.Forward(
                x[0].AsSpan(slot * length, length), Read(x[1]), Read(x[2]), ReferenceMask.Live(1, read.Length, n[0], Pattern(n)), heads,
                channels, y.AsSpan((slot - firstSlot) * length, length));
        }

        return [y];
    }

    // Softmax weights sum to 1, so the error is a few float32 roundings of scores up to ~6 (2^-24 x 6 x 2) and of one sum of at most 1000
    // terms taken 32 at a time: 2e-6 of the largest value holds a few times over.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => 2e-6 * Largest(y[output]);
}
