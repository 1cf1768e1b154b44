using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;

namespace UniCardio.Training.Network;

/// <summary>What the backward pass reads of one block's forward pass; all [rows, stride].</summary>
internal sealed unsafe class BlockActivations
{
    /// <summary>Input plus the diffusion step.</summary>
    public float* Y;

    /// <summary>Q, K, V.</summary>
    public float* Qkv;

    /// <summary>[rows, heads] log-sum-exp of each softmax.</summary>
    public float* Logs;

    /// <summary>Attention's output before its projection.</summary>
    public float* Attended;

    /// <summary>Normalised rows of the two LayerNorms.</summary>
    public float* Normal1, Normal2;

    /// <summary>[rows] their scales.</summary>
    public float* Scale1, Scale2;

    /// <summary>Feed-forward layer before GELU.</summary>
    public float* Hidden;

    /// <summary>The gate's two factors.</summary>
    public float* Sigmoid, Tanh;
}

/// <summary>One thread's activations and scratch for a group of windows.</summary>
/// <remarks>
/// Kept, not recomputed: 9 C + heads + feed-forward + 2 floats a token and block, 7.2 KB for the compact network, so that a group of
/// four windows takes some 35 MB of which a strip at a time is in cache. Recomputed: the LayerNorms' affine part, GELU, the gate's
/// product and the attention weights, all of which cost less than reading them would.
/// </remarks>
internal sealed unsafe class Activations : IDisposable
{
    /// <summary>Rows of a strip: between two products its rows stay in L2.</summary>
    public const int StripRows = 240;

    private readonly AlignedBuffer _all;

    /// <summary>Allocates for groups of up to <paramref name="rows"/> live tokens.</summary>
    public Activations(ModelConfiguration m, TrainingShape s, int rows)
    {
        Rows = rows;
        Blocks = new BlockActivations[m.Blocks];
        _all = new AlignedBuffer(Arrange(m, s, null));
        Arrange(m, s, _all.Pointer);
        Attention = new Kernels.AttentionScratch(ModelConfiguration.SlotCount * m.SlotTokens, m.HeadDim, s.PanelWidth);
        for (int c = 0; c < m.Channels; c++)
            Mask[c] = 1;
    }

    /// <summary>Live tokens that fit.</summary>
    public int Rows { get; }

    /// <summary>Bytes held.</summary>
    public long Bytes => _all.Bytes;

    public BlockActivations[] Blocks { get; }

    public Kernels.AttentionScratch Attention { get; }

    /// <summary>[rows, stride] the residual.</summary>
    public float* X { get; private set; }

    /// <summary>[rows, stride] the encoders' normalised planes.</summary>
    public float* Plane { get; private set; }

    /// <summary>[rows / (S/p)] scale of each live slot's plane.</summary>
    public float* PlaneScale { get; private set; }

    /// <summary>[rows, stride] sum of skips, then the decoder's input; target rows from 0.</summary>
    public float* Skips { get; private set; }

    /// <summary>[rows, stride] decoder's hidden layer after ReLU; target rows from 0.</summary>
    public float* Decoded { get; private set; }

    /// <summary>[rows, OutStride] prediction by token, then its gradient; target rows from 0.</summary>
    public float* Prediction { get; private set; }

    /// <summary>[rows, stride] gradient of the skips; target rows from 0.</summary>
    public float* DSkips { get; private set; }

    /// <summary>[rows, stride] gradient of the residual.</summary>
    public float* DX { get; private set; }

    /// <summary>[rows, stride] gradient of the block's input plus step.</summary>
    public float* DY { get; private set; }

    /// <summary>[rows, stride] gradient of attention's output.</summary>
    public float* DAttended { get; private set; }

    /// <summary>[rows, QkvStride] gradient of Q, K, V.</summary>
    public float* DQkv { get; private set; }

    /// <summary>[strip, stride] scratch rows.</summary>
    public float* Row1 { get; private set; }

    /// <summary>[strip, stride] scratch rows.</summary>
    public float* Row2 { get; private set; }

    /// <summary>[strip, stride] scratch rows.</summary>
    public float* Row3 { get; private set; }

    /// <summary>[strip, HiddenStride] scratch rows.</summary>
    public float* Hidden1 { get; private set; }

    /// <summary>[strip, HiddenStride] scratch rows.</summary>
    public float* Hidden2 { get; private set; }

    /// <summary>[strip, MidStride] scratch rows.</summary>
    public float* Mid { get; private set; }

    /// <summary>[columns / 2W, strip, 2W] a product's right side.</summary>
    public float* Panels { get; private set; }

    /// <summary>[MidStride or more] zeros.</summary>
    public float* Zeros { get; private set; }

    /// <summary>[stride] 1 for a channel, 0 for padding.</summary>
    public float* Mask { get; private set; }

    /// <summary>[S + 10] one slot's samples with 5 zeros on either side.</summary>
    public float* Samples { get; private set; }

    /// <summary>[S/p, 2] moments of a plane's rows.</summary>
    public float* Moments { get; private set; }

    public void Dispose()
    {
        _all.Dispose();
        Attention.Dispose();
    }

    // With a null start only counts.
    private long Arrange(ModelConfiguration m, TrainingShape s, float* start)
    {
        long used = 0, rows = Rows, strip = Math.Max(StripRows, m.SlotTokens);
        float* Take(long floats)
        {
            float* taken = start == null ? null : start + used;
            used += (floats + 15) / 16 * 16;
            return taken;
        }

        float* Wide(long count) => Take(count * s.Stride);
        for (int i = 0; i < Blocks.Length; i++)
        {
            Blocks[i] = new BlockActivations
            {
                Y = Wide(rows),
                Qkv = Take(rows * s.QkvStride),
                Logs = Take(rows * m.Heads),
                Attended = Wide(rows),
                Normal1 = Wide(rows),
                Scale1 = Take(rows),
                Hidden = Take(rows * s.HiddenStride),
                Normal2 = Wide(rows),
                Scale2 = Take(rows),
                Sigmoid = Wide(rows),
                Tanh = Wide(rows),
            };
        }

        X = Wide(rows);
        Plane = Wide(rows);
        Skips = Wide(rows);
        Decoded = Wide(rows);
        DSkips = Wide(rows);
        PlaneScale = Take((rows / m.SlotTokens) + 1);
        Prediction = Take(rows * s.OutStride);
        DX = Wide(rows);
        DY = Wide(rows);
        DAttended = Wide(rows);
        DQkv = Take(rows * s.QkvStride);
        Row1 = Wide(strip);
        Row2 = Wide(strip);
        Row3 = Wide(strip);
        Hidden1 = Take(strip * s.HiddenStride);
        Hidden2 = Take(strip * s.HiddenStride);
        Mid = Take(strip * s.MidStride);
        Panels = Take(strip * Math.Max(Math.Max(s.Stride, s.HiddenStride), s.PatchStride));
        Zeros = Take(Math.Max(Math.Max(s.QkvStride, s.MidStride), s.HiddenStride));
        Mask = Take(s.Stride);
        Samples = Take(m.SlotSamples + (2 * EncoderPatch.Reach) + 16);
        Moments = Take(2L * m.SlotTokens);
        return used;
    }
}
