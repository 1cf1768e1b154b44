using UniCardio.Engine.Backends.Cpu;

namespace UniCardio.Training.Kernels;

/// <summary>Buffers of one thread's attention, forward and backward, for one head at a time.</summary>
internal sealed unsafe class AttentionScratch : IDisposable
{
    /// <summary>Queries a block: scores of 120 x 400 keys are 190 KB, twice that in the backward pass, and stay in L2.</summary>
    public const int QueryBlock = 120;

    private readonly AlignedBuffer _all;

    /// <summary>Allocates.</summary>
    /// <param name="keys">Most keys a query reads.</param>
    /// <param name="headDim">Channels of a head.</param>
    /// <param name="width">Columns of a panel, 2W.</param>
    public AttentionScratch(int keys, int headDim, int width)
    {
        KeyStride = Round(keys, width);
        HeadStride = Round(headDim, width);
        long panels = (long)KeyStride * headDim, tokens = (long)KeyStride * HeadStride;
        long scores = (long)QueryBlock * KeyStride, block = (long)QueryBlock * HeadStride;
        _all = new AlignedBuffer((2 * panels) + (3 * tokens) + (2 * scores) + (3 * block) + (3 * Round(QueryBlock, 16)) + width);
        float* p = _all.Pointer;
        float* Take(long floats)
        {
            float* taken = p;
            p += (floats + 15) / 16 * 16;
            return taken;
        }

        KeysByDim = Take(panels);
        ValuesByDim = Take(panels);
        Tokens = Take(tokens);
        DKeys = Take(tokens);
        DValues = Take(tokens);
        Scores = Take(scores);
        DScores = Take(scores);
        Block = Take(block);
        Packed = Take(block);
        PackedGradient = Take(block);
        Inverse = Take(Round(QueryBlock, 16));
        Zeros = Take(width);
    }

    /// <summary>Keys rounded up to whole panels: floats between rows of scores.</summary>
    public int KeyStride { get; }

    /// <summary>Head dim rounded up to whole panels.</summary>
    public int HeadStride { get; }

    /// <summary>K^T in panels of keys: [KeyStride / 2W, head dim, 2W].</summary>
    public float* KeysByDim { get; }

    /// <summary>V^T likewise.</summary>
    public float* ValuesByDim { get; }

    /// <summary>V (forward) or K (backward) in panels of channels: [HeadStride / 2W, keys, 2W].</summary>
    public float* Tokens { get; }

    /// <summary>[keys, HeadStride] gradient of K.</summary>
    public float* DKeys { get; }

    /// <summary>[keys, HeadStride] gradient of V.</summary>
    public float* DValues { get; }

    /// <summary>[QueryBlock, KeyStride] scores, then weights.</summary>
    public float* Scores { get; }

    /// <summary>[QueryBlock, KeyStride] gradient of the weights, then of the scores.</summary>
    public float* DScores { get; }

    /// <summary>[QueryBlock, HeadStride] a product's result.</summary>
    public float* Block { get; }

    /// <summary>[HeadStride / 2W, QueryBlock, 2W] Q of a block of queries.</summary>
    public float* Packed { get; }

    /// <summary>[HeadStride / 2W, QueryBlock, 2W] dO of a block of queries.</summary>
    public float* PackedGradient { get; }

    /// <summary>[QueryBlock] 1 / sum of each softmax.</summary>
    public float* Inverse { get; }

    /// <summary>[2W] zeros: where products start from.</summary>
    public float* Zeros { get; }

    public void Dispose() => _all.Dispose();

    private static int Round(int n, int multiple) => (n + multiple - 1) / multiple * multiple;
}
