using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;

namespace UniCardio.Training.Network;

/// <summary>Gradients of one residual block in a lane, in the padded form that the products write.</summary>
internal sealed unsafe class BlockGradients
{
    public float* Qkv, QkvBias, Out, OutBias, Hidden, HiddenBias, FeedForwardOut, FeedForwardOutBias;
    public float* Mid, Residual, ResidualBias, Skip;
    public float* Gamma1, Beta1, Gamma2, Beta2;

    /// <summary>[positions, MidStride] sums of dm by position: cond and mid biases, cond's weights.</summary>
    public float* Constant;
}

/// <summary>
/// One of a fixed number of gradient accumulators. Windows belong to lanes and lanes are added in order, so the sum's bits do not
/// depend on which thread took which lane.
/// </summary>
internal sealed unsafe class GradientLane : IDisposable
{
    private readonly AlignedBuffer _all;

    public GradientLane(ModelConfiguration m, TrainingShape s)
    {
        int c = m.Channels;
        Blocks = new BlockGradients[m.Blocks];
        _all = new AlignedBuffer(Arrange(m, s, null));
        Arrange(m, s, _all.Pointer);
    }

    public BlockGradients[] Blocks { get; }

    /// <summary>[slot] [C, PatchStride].</summary>
    public float*[] Patch { get; } = new float*[ModelConfiguration.SlotCount];

    /// <summary>[slot] [stride].</summary>
    public float*[] PatchBias { get; } = new float*[ModelConfiguration.SlotCount];

    /// <summary>[slot] [S/p, stride].</summary>
    public float*[] PlaneGamma { get; } = new float*[ModelConfiguration.SlotCount];

    /// <summary>[slot] [S/p, stride].</summary>
    public float*[] PlaneBeta { get; } = new float*[ModelConfiguration.SlotCount];

    /// <summary>[decoder] [C, stride].</summary>
    public float*[] DecoderHidden { get; } = new float*[3];

    /// <summary>[decoder] [stride].</summary>
    public float*[] DecoderHiddenBias { get; } = new float*[3];

    /// <summary>[decoder] [p, stride].</summary>
    public float*[] DecoderOut { get; } = new float*[3];

    /// <summary>[decoder] [OutStride].</summary>
    public float*[] DecoderOutBias { get; } = new float*[3];

    /// <summary>[stride] the same for every block.</summary>
    public float* SkipBias { get; private set; }

    public void Clear() => _all.Span.Clear();

    public void Dispose() => _all.Dispose();

    // With a null start only counts.
    private long Arrange(ModelConfiguration m, TrainingShape s, float* start)
    {
        int c = m.Channels, f = m.FeedForward, stride = s.Stride;
        long used = 0;
        float* Take(long floats)
        {
            float* taken = start == null ? null : start + used;
            used += (floats + 15) / 16 * 16;
            return taken;
        }

        for (int i = 0; i < Blocks.Length; i++)
        {
            Blocks[i] = new BlockGradients
            {
                Qkv = Take(3L * c * stride),
                QkvBias = Take(s.QkvStride),
                Out = Take((long)c * stride),
                OutBias = Take(stride),
                Hidden = Take((long)f * stride),
                HiddenBias = Take(s.HiddenStride),
                FeedForwardOut = Take((long)c * s.HiddenStride),
                FeedForwardOutBias = Take(stride),
                Mid = Take(2L * c * stride),
                Residual = Take((long)c * stride),
                ResidualBias = Take(stride),
                Skip = Take((long)c * stride),
                Gamma1 = Take(stride),
                Beta1 = Take(stride),
                Gamma2 = Take(stride),
                Beta2 = Take(stride),
                Constant = Take((long)s.Positions * s.MidStride),
            };
        }

        for (int slot = 0; slot < ModelConfiguration.SlotCount; slot++)
        {
            Patch[slot] = Take((long)c * s.PatchStride);
            PatchBias[slot] = Take(stride);
            PlaneGamma[slot] = Take((long)m.SlotTokens * stride);
            PlaneBeta[slot] = Take((long)m.SlotTokens * stride);
        }

        for (int decoder = 0; decoder < 3; decoder++)
        {
            DecoderHidden[decoder] = Take((long)c * stride);
            DecoderHiddenBias[decoder] = Take(stride);
            DecoderOut[decoder] = Take((long)m.SamplesPerToken * stride);
            DecoderOutBias[decoder] = Take(s.OutStride);
        }

        SkipBias = Take(stride);
        return used;
    }
}
