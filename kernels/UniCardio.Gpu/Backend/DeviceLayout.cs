using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Gpu.Kernels;

namespace UniCardio.Gpu.Backend;

/// <summary>Padded sizes of a network on the device, and what the kernels' tiles can hold.</summary>
internal sealed class DeviceLayout
{
    public DeviceLayout(ModelConfiguration m, WeightKind weights = WeightKind.Single)
    {
        Configuration = m;
        Quads = Up(m.Channels);
        HeadDimQuads = Up(m.HeadDim);
        HeadQuads = m.Heads * HeadDimQuads;
        FeedForwardQuads = Up(m.FeedForward);
        // 2 more than a multiple of 4: rows lie 8 banks apart.
        int widest = Math.Max(Quads, HeadQuads);
        StripQuads = widest + ((6 - (widest % 4)) % 4);
        StepQuads = (3 * HeadQuads) + Quads;
        DecoderQuads = (4 * Quads * Quads) + Quads + (m.SamplesPerToken * Quads) + Up(m.SamplesPerToken);
        ChunkTokens = Math.Min(16, (Convolution.Samples - (2 * Convolution.Reach)) / m.SamplesPerToken);
        if (m.HeadDim > MaxHeadDim)
            throw new ConfigurationException("heads", $"a head of {m.HeadDim} channels is more than the GPU kernels' {MaxHeadDim}");
        if (Strip.RowsPerThread * StripQuads > Strip.Capacity)
            throw new ConfigurationException(
                "channels",
                $"rows of {4 * widest} channels (heads padded to 4) are more than the GPU kernels' strips hold, "
                + $"{4 * (Strip.Capacity / Strip.RowsPerThread)}");
        if (ChunkTokens < 1)
            throw new ConfigurationException("samples_per_token",
                $"{m.SamplesPerToken} are more than the GPU encoder's chunk of {Convolution.Samples} samples");
        if (4L * m.DiffusionSteps * m.Blocks * StepQuads > Array.MaxLength)
            throw new ConfigurationException(
                "steps", $"the biases of {m.DiffusionSteps} diffusion steps are more than one buffer of the GPU backend holds");
        Block = new BlockLayout();
        int at = 0;
        Block.AttentionIn = Take(ref at, 4 * Quads * 3 * HeadQuads);
        Block.AttentionOut = Take(ref at, 4 * HeadQuads * Quads);
        Block.Norm1Gamma = Take(ref at, Quads);
        Block.Norm1Beta = Take(ref at, Quads);
        Block.FeedForwardIn = Take(ref at, 4 * Quads * FeedForwardQuads);
        Block.FeedForwardInBias = Take(ref at, FeedForwardQuads);
        Block.FeedForwardOut = Take(ref at, 4 * FeedForwardQuads * Quads);
        Block.FeedForwardOutBias = Take(ref at, Quads);
        Block.MidProjection = Take(ref at, 4 * Quads * 2 * Quads);
        Block.OutputProjection = Take(ref at, 4 * Quads * 2 * Quads);
        Block.OutputProjectionBias = Take(ref at, 2 * Quads);
        BlockQuads = at;
        HasTensorFeedForward = m.FeedForward <= TensorFeedForwardKernel.Hidden
            && TensorFeedForwardKernel.Padded(Quads) <= TensorFeedForwardKernel.MaxQuads;
        // The second norm's gain is in the weights, or else in the kernel before them, of which the strips' has none.
        Weights = HasTensorFeedForward ? weights : WeightKind.Single;
        Tensor = new TensorLayout(Quads, HeadQuads, Weights);
        HasRows = m.FeedForward <= TensorRows.Hidden && Math.Max(Quads, HeadQuads) <= TensorRows.MaxQuads;
        Rows = RowsOf(Quads, HeadQuads);
        int padded = TensorFeedForwardKernel.Padded(Quads), vectors = TensorDecoderKernel.Vectors(Quads, m.SamplesPerToken);
        HasTensorDecoder = padded <= TensorDecoderKernel.MaxQuads && vectors <= TensorDecoderKernel.MaxVectors;
        TensorDecoderQuads = (4 * padded * padded) + vectors;
    }

    /// <summary>Channels of the widest head.</summary>
    public const int MaxHeadDim = 128;

    public ModelConfiguration Configuration { get; }

    /// <summary>Quads of C channels.</summary>
    public int Quads { get; }

    public int HeadDimQuads { get; }

    public int HeadQuads { get; }

    public int FeedForwardQuads { get; }

    public int StripQuads { get; }

    /// <summary>Quads of one block's biases at one t: QKV, then C.</summary>
    public int StepQuads { get; }

    /// <summary>Quads of one decoder.</summary>
    public int DecoderQuads { get; }

    /// <summary>Tokens of a chunk of the encoder.</summary>
    public int ChunkTokens { get; }

    public int Chunks => (Configuration.SlotTokens + ChunkTokens - 1) / ChunkTokens;

    public BlockLayout Block;

    /// <summary>The block's matrices for tensor cores, a buffer of their own.</summary>
    public TensorLayout Tensor { get; }

    /// <summary>How the large maps' weights lie there.</summary>
    public WeightKind Weights { get; }

    /// <summary>The block's weights for few rows, a buffer of their own.</summary>
    public RowsShape Rows { get; }

    /// <summary>Whether a row fits <see cref="TensorRows"/>.</summary>
    public bool HasRows { get; }

    /// <summary>Whether LayerNorms and feed-forward layer fit <see cref="TensorFeedForwardKernel"/>; else they run on strips.</summary>
    public bool HasTensorFeedForward { get; }

    /// <summary>Whether the decoder fits <see cref="TensorDecoderKernel"/>; else it runs on strips.</summary>
    public bool HasTensorDecoder { get; }

    /// <summary>Quads of one decoder for tensor cores.</summary>
    public int TensorDecoderQuads { get; }

    /// <summary>Quads of one block's weights.</summary>
    public int BlockQuads { get; }

    /// <summary>Most rows / 4 of a strip.</summary>
    public int MaxGroupRows => Math.Min(Strip.MaxRows, Strip.Capacity / StripQuads) / Strip.RowsPerThread;

    /// <summary>Where channel c of the attention's row layout stands: each head starts a new quad.</summary>
    public int HeadColumn(int channel) => (channel / Configuration.HeadDim * 4 * HeadDimQuads) + (channel % Configuration.HeadDim);

    /// <summary>Where column n of 2C stands: the two halves each start a new quad.</summary>
    public int HalfColumn(int n) => n < Configuration.Channels ? n : (4 * Quads) + n - Configuration.Channels;

    private static RowsShape RowsOf(int quads, int headQuads)
    {
        // Quads of a tile's step.
        const int Step = TensorRows.StepBytes / 16, HiddenSteps = TensorRows.Hidden / 32, HiddenTiles = TensorRows.Hidden / 16;
        var rows = new RowsShape
        {
            Tiles = Up(quads), AttentionTiles = Up(3 * headQuads), Steps = (quads + 7) / 8, HeadSteps = (headQuads + 7) / 8,
        };
        int at = 0;
        rows.AttentionIn = Take(ref at, rows.AttentionTiles * rows.Steps * Step);
        rows.AttentionOut = Take(ref at, rows.Tiles * rows.HeadSteps * Step);
        rows.FeedForwardIn = Take(ref at, HiddenTiles * rows.Steps * Step);
        rows.FeedForwardOut = Take(ref at, rows.Tiles * HiddenSteps * Step);
        rows.MidProjection = Take(ref at, 2 * rows.Tiles * rows.Steps * Step);
        rows.OutputProjection = Take(ref at, 2 * rows.Tiles * rows.Steps * Step);
        rows.Vectors = Take(ref at, (5 * quads) + (TensorRows.Hidden / 4));
        rows.Quads = at;
        return rows;
    }

    public static int Up(int floats) => (floats + 3) / 4;

    private static int Take(ref int at, int quads)
    {
        int start = at;
        at += quads;
        return start;
    }
}

/// <summary>Where a block's matrices stand for tensor cores, in quads: [outputs, inputs], inputs innermost.</summary>
/// <remarks>
/// In 16 bits the first four hold 8 inputs a quad, in the order 0, 4, 1, 5, 2, 6, 3, 7: a lane of ldmatrix gets two neighbours, and
/// mma.sync wants inputs t and t + 4 of it.
/// </remarks>
internal readonly struct TensorLayout(int quads, int headQuads, WeightKind weights)
{
    /// <summary>Quads of a row of so many quads of inputs.</summary>
    public int Row(int inputs) => weights == WeightKind.Single ? inputs : (inputs + 1) / 2;

    /// <summary>Where an input stands among its row's in 16 bits.</summary>
    public static int Place(int input) => (input & ~7) + ((input & 3) << 1) + ((input >> 2) & 1);

    /// <summary>[3 heads, C].</summary>
    public int AttentionIn { get; } = 0;

    /// <summary>[C, heads].</summary>
    public int AttentionOut => 12 * headQuads * Row(quads);

    /// <summary>[2C, C].</summary>
    public int MidProjection => AttentionOut + (4 * quads * Row(headQuads));

    /// <summary>[2C, C].</summary>
    public int OutputProjection => MidProjection + (8 * quads * Row(quads));

    /// <summary>[64, C padded], where the hidden layer is no wider.</summary>
    public int FeedForwardIn => OutputProjection + (8 * quads * Row(quads));

    /// <summary>[C padded, 64].</summary>
    public int FeedForwardOut => FeedForwardIn + (TensorFeedForwardKernel.Hidden * TensorFeedForwardKernel.Padded(quads));

    /// <summary>LN1's gamma and beta, the feed-forward layer's outer bias, [C padded] each, its inner bias, [64], and LN2's gamma,
    /// [C padded], where it is not in the weights.</summary>
    public int Vectors => FeedForwardOut + (TensorFeedForwardKernel.Hidden * TensorFeedForwardKernel.Padded(quads));

    /// <summary>All of them.</summary>
    public int Quads => Vectors + (4 * TensorFeedForwardKernel.Padded(quads)) + (TensorFeedForwardKernel.Hidden / 4);
}
