using UniCardio.Engine.Sampling;

namespace UniCardio.Gpu.Types;

/// <summary>
/// Sizes that the row kernels share. Rows are tokens: first the condition slots of every window, then the target slot of every
/// stream. Widths are counted in quads, groups of 4 floats, with zeros up to the next quad.
/// </summary>
internal struct StripShape
{
    /// <summary>First row of the launch.</summary>
    public int FirstRow;

    /// <summary>Row after the last one of the launch.</summary>
    public int EndRow;

    /// <summary>Rows of condition slots, which come first.</summary>
    public int ConditionRows;

    /// <summary>Tokens T of a slot.</summary>
    public int SlotTokens;

    /// <summary>Channels C.</summary>
    public int Channels;

    /// <summary>Quads of a row of C channels.</summary>
    public int Quads;

    /// <summary>Quads of a row of all heads, each padded to whole quads.</summary>
    public int HeadQuads;

    /// <summary>Quads of the feed-forward layer.</summary>
    public int FeedForwardQuads;

    /// <summary>Distance of two rows of a strip in quads: 2 more than a multiple of 4.</summary>
    public int StripQuads;

    /// <summary>Residual blocks.</summary>
    public int Blocks;

    /// <summary>In tiles: products of tf32 parts a product, 3 (float32's precision) or 1; 0: one of bf16; -1: float32.</summary>
    public int Products;

    /// <summary>In tiles: <see cref="WeightKind"/> of the four large maps.</summary>
    public int Weights;

    /// <summary>What products of queries are multiplied by: 1 where it is in the weights.</summary>
    public float QueryScale;
}

/// <summary>Where a block's weights stand in its buffer, in quads. Matrices are [inputs, outputs], input-major.</summary>
internal struct BlockLayout
{
    /// <summary>[C, 3 heads] of Q, K, V; Q carries log2(e) / sqrt(head dim).</summary>
    public int AttentionIn;

    /// <summary>[heads, C].</summary>
    public int AttentionOut;

    /// <summary>[C].</summary>
    public int Norm1Gamma;

    /// <summary>[C].</summary>
    public int Norm1Beta;

    /// <summary>[C, F].</summary>
    public int FeedForwardIn;

    /// <summary>[F].</summary>
    public int FeedForwardInBias;

    /// <summary>[F, C].</summary>
    public int FeedForwardOut;

    /// <summary>[C].</summary>
    public int FeedForwardOutBias;

    /// <summary>[C, 2C], with the second LayerNorm's gamma in it.</summary>
    public int MidProjection;

    /// <summary>[C, 2C] of residual and skip, with 1 / sqrt 2 in the residual's half.</summary>
    public int OutputProjection;

    /// <summary>[2C].</summary>
    public int OutputProjectionBias;
}

/// <summary>Where a block's weights for few rows stand in their buffer, in quads.</summary>
/// <remarks>
/// Matrices are cut into tiles of 16 outputs, padded with zeros, and these into steps of 32 inputs: [tiles, steps, 4, lanes, 4]. Of a step
/// lane 4g + t has inputs 4t to 4t + 3 of outputs g and g + 8, then 16 inputs further on.
/// </remarks>
internal struct RowsShape
{
    /// <summary>Tiles of C outputs.</summary>
    public int Tiles;

    /// <summary>Tiles of Q, K and V.</summary>
    public int AttentionTiles;

    /// <summary>Steps of C inputs.</summary>
    public int Steps;

    /// <summary>Steps of all heads.</summary>
    public int HeadSteps;

    /// <summary>[tiles] of Q, K, V, [3, heads].</summary>
    public int AttentionIn;

    /// <summary>[tiles] of the heads.</summary>
    public int AttentionOut;

    /// <summary>[4 tiles].</summary>
    public int FeedForwardIn;

    /// <summary>[tiles] of 64 inputs.</summary>
    public int FeedForwardOut;

    /// <summary>[2, tiles].</summary>
    public int MidProjection;

    /// <summary>[2, tiles] of residual and skip.</summary>
    public int OutputProjection;

    /// <summary>LN1's gamma and beta, the feed-forward layer's outer bias, the output map's of residual and skip, [C] each, and the inner
    /// bias, [64].</summary>
    public int Vectors;

    /// <summary>All of them.</summary>
    public int Quads;
}

/// <summary>What the attention kernel is told.</summary>
internal struct AttentionShape
{
    /// <summary>First slot of the launch; slots are numbered as the rows are.</summary>
    public int FirstSlot;

    /// <summary>Condition slots of all windows.</summary>
    public int ConditionSlots;

    /// <summary>Condition slots of one window.</summary>
    public int Conditions;

    /// <summary>Draws of a window.</summary>
    public int Draws;

    /// <summary>Number of the block, which says where the conditions' keys and values are.</summary>
    public int Block;

    /// <summary>Residual blocks.</summary>
    public int Blocks;

    /// <summary>Tokens T of a slot.</summary>
    public int SlotTokens;

    /// <summary>Quads of all heads.</summary>
    public int HeadQuads;

    /// <summary>Quads of one head.</summary>
    public int HeadDimQuads;

    /// <summary>A query sees keys at most this many tokens away in each readable slot; negative: all of them.</summary>
    public int Window;

    /// <summary>The first tokens of each slot that see, and are seen by, all tokens of the slots that the slot rule allows.</summary>
    public int GlobalTokens;
}

/// <summary>What the encoder kernels are told.</summary>
internal struct EncoderShape
{
    /// <summary>First slot of the launch.</summary>
    public int FirstSlot;

    /// <summary>Condition slots of all windows.</summary>
    public int ConditionSlots;

    /// <summary>Tokens T of a slot.</summary>
    public int SlotTokens;

    /// <summary>Samples p of a token.</summary>
    public int SamplesPerToken;

    /// <summary>Channels C.</summary>
    public int Channels;

    /// <summary>Quads of a row of C channels.</summary>
    public int Quads;

    /// <summary>Chunks that a slot's tokens are cut into.</summary>
    public int Chunks;
}

/// <summary>One row of a sampler's table, or a bare prediction.</summary>
internal struct StepValues
{
    /// <summary>0: only the prediction is written; 1: the state is updated.</summary>
    public int Update;

    /// <summary>Weight of x in the clean signal.</summary>
    public float CleanFromState;

    /// <summary>Weight of the prediction in the clean signal.</summary>
    public float CleanFromPrediction;

    /// <summary>Weight of x.</summary>
    public float State;

    /// <summary>Weight of this row's clean signal.</summary>
    public float Clean0;

    /// <summary>Weight of the clean signal one row before.</summary>
    public float Clean1;

    /// <summary>Weight of the clean signal two rows before.</summary>
    public float Clean2;

    /// <summary>Weight of the noise.</summary>
    public float Noise;

    /// <summary>Lower bound of the clean signal.</summary>
    public float ClampLow;

    /// <summary>Upper bound of the clean signal.</summary>
    public float ClampHigh;

    /// <summary>0: no noise; 1: given values; 2: keyed.</summary>
    public int NoiseKind;

    /// <summary>Index of the noise draw within the run.</summary>
    public int NoiseIndex;

    /// <summary>Identity of the batch's draw 0, which keys its noise.</summary>
    public int FirstDraw;

    /// <summary>Draws of a window.</summary>
    public int Draws;

    /// <summary>Samples p of a token.</summary>
    public int SamplesPerToken;

    /// <summary>A sampler's row, rounded; its noise is still to be said.</summary>
    public static StepValues Of(in SamplerStep step) => new()
    {
        Update = 1,
        CleanFromState = (float)step.CleanFromState,
        CleanFromPrediction = (float)step.CleanFromPrediction,
        State = (float)step.State,
        Clean0 = (float)step.Clean0,
        Clean1 = (float)step.Clean1,
        Clean2 = (float)step.Clean2,
        ClampLow = (float)step.ClampLow,
        ClampHigh = (float)step.ClampHigh,
    };
}
