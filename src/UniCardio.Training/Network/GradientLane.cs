using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;

namespace UniCardio.Training.Network;

/// <summary>Gradient of one map in a lane, in the padded form that the products write; null where it is kept in another form.</summary>
internal sealed unsafe class PaddedGradient
{
    /// <summary>[outputs, <see cref="Stride"/>]; of a LayerNorm [stride] gamma.</summary>
    public float* Weight;

    /// <summary>[outputs padded].</summary>
    public float* Bias;

    /// <summary>Floats between rows of <see cref="Weight"/>.</summary>
    public int Stride;
}

/// <summary>Gradients of one residual block in a lane.</summary>
internal sealed unsafe class BlockGradients
{
    /// <summary>
    /// The maps. Without weight: the diffusion projection, whose gradients are per window, and the condition projection; without bias also
    /// mid and output projection.
    /// </summary>
    public required BlockWeights<PaddedGradient> Maps { get; init; }

    /// <summary>[stride] bias of the output projection's residual half; the skip half's is the lane's.</summary>
    public float* ResidualBias;

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

    public GradientLane(ParameterLayout layout, TrainingShape s)
    {
        Blocks = new BlockGradients[layout.Network.Blocks.Count];
        Decoders = new DecoderWeights<PaddedGradient>[layout.Network.Decoders.Count];
        _all = new AlignedBuffer(Arrange(layout, s, null));
        Arrange(layout, s, _all.Pointer);
    }

    public BlockGradients[] Blocks { get; }

    /// <summary>[slot] the map from a patch, weight [C, PatchStride].</summary>
    public PaddedGradient[] Patches { get; } = new PaddedGradient[ModelConfiguration.SlotCount];

    /// <summary>[slot] gamma and beta of the encoder's plane, [S/p, stride] each.</summary>
    public PaddedGradient[] Planes { get; } = new PaddedGradient[ModelConfiguration.SlotCount];

    public DecoderWeights<PaddedGradient>[] Decoders { get; }

    /// <summary>[stride] the same for every block.</summary>
    public float* SkipBias { get; private set; }

    public void Clear() => _all.Span.Clear();

    public void Dispose() => _all.Dispose();

    // With a null start only counts.
    private long Arrange(ParameterLayout layout, TrainingShape s, float* start)
    {
        ModelConfiguration m = layout.Configuration;
        int c = m.Channels, stride = s.Stride;
        long used = 0;
        float* Take(long floats)
        {
            float* taken = start == null ? null : start + used;
            used += (floats + 15) / 16 * 16;
            return taken;
        }

        // A LayerNorm's gamma is one row.
        PaddedGradient Weight(WeightAndBias<ParameterSlice> place)
        {
            bool norm = place.Weight.Shape.Count == 1;
            int columns = s.Round(norm ? place.Weight.Rows : place.Weight.Columns);
            return new PaddedGradient { Stride = columns, Weight = Take(norm ? columns : (long)place.Weight.Rows * columns) };
        }

        PaddedGradient Both(WeightAndBias<ParameterSlice> place)
        {
            PaddedGradient gradient = Weight(place);
            gradient.Bias = Take(s.Round(place.Bias.Rows));
            return gradient;
        }

        for (int i = 0; i < Blocks.Length; i++)
        {
            BlockWeights<WeightAndBias<ParameterSlice>> places = layout.Network.Blocks[i];
            Blocks[i] = new BlockGradients
            {
                Maps = new(
                    DiffusionProjection: new PaddedGradient(),
                    ConditionProjection: new PaddedGradient(),
                    MidProjection: Weight(places.MidProjection),
                    OutputProjection: Weight(places.OutputProjection),
                    AttentionIn: Both(places.AttentionIn),
                    AttentionOut: Both(places.AttentionOut),
                    FeedForwardIn: Both(places.FeedForwardIn),
                    FeedForwardOut: Both(places.FeedForwardOut),
                    Norm1: Both(places.Norm1),
                    Norm2: Both(places.Norm2)),
                ResidualBias = Take(stride),
                Constant = Take((long)s.Positions * s.MidStride),
            };
        }

        for (int slot = 0; slot < ModelConfiguration.SlotCount; slot++)
        {
            Patches[slot] = new PaddedGradient { Stride = s.PatchStride, Weight = Take((long)c * s.PatchStride), Bias = Take(stride) };
            Planes[slot] = new PaddedGradient { Stride = stride, Weight = Take((long)m.SlotTokens * stride),
                Bias = Take((long)m.SlotTokens * stride) };
        }

        for (int decoder = 0; decoder < Decoders.Length; decoder++)
            Decoders[decoder] = layout.Network.Decoders[decoder].Select(Both);
        SkipBias = Take(stride);
        return used;
    }
}
