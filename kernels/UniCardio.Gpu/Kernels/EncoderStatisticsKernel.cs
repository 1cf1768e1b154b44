using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>
/// First pass of the encoder: number, mean and sum of squared deviations of each chunk of a slot's plane [C, T]; the convolutions
/// are computed twice rather than kept.
/// </summary>
/// <remarks>Grid: chunks of all slots. Group (quads of channels, rows); a thread owns a quad of channels and every DimY-th token.</remarks>
internal static class EncoderStatisticsKernel
{
    /// <summary>Most threads of a group.</summary>
    public const int MaxThreads = Convolution.MaxThreads;

    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="tokens">Tokens of a chunk.</param>
    /// <param name="conditions">[condition slots, S].</param>
    /// <param name="state">[batch draws, S].</param>
    /// <param name="slots">Encoder of each slot instance.</param>
    /// <param name="weights">[4 encoders, 12, C].</param>
    /// <param name="statistics">[slots, chunks] of (count, mean, squares, 0).</param>
    public static void EncoderStatistics(
        EncoderShape shape, int tokens, ArrayView<float> conditions, ArrayView<float> state, ArrayView<int> slots,
        ArrayView<Float4> weights, ArrayView<Float4> statistics)
    {
        ArrayView<float> chunk = SharedMemory.Allocate<float>(Convolution.Samples);
        ArrayView<float> sums = SharedMemory.Allocate<float>(MaxThreads);
        int slot = shape.FirstSlot + (Grid.IdxX / shape.Chunks), part = Grid.IdxX % shape.Chunks, first = part * tokens,
            thread = (Group.IdxY * Group.DimX) + Group.IdxX;
        int count = tokens < shape.SlotTokens - first ? tokens : shape.SlotTokens - first;
        ArrayView<Float4> encoder = weights.SubView(slots[slot] * Convolution.WeightQuads(shape.Quads));
        Convolution.Load(chunk, shape, conditions, state, slot, first, tokens);
        Group.Barrier();
        float sum = 0;
        for (int quad = Group.IdxX; quad < shape.Quads; quad += Group.DimX)
        {
            Offsets starts = Convolution.Starts(shape, quad);
            TapWeights taps = Convolution.Weights(encoder, shape, quad);
            for (int token = Group.IdxY; token < count; token += Group.DimY)
                sum += Total(Convolution.Apply(chunk, shape, taps, starts, token));
        }

        sums[thread] = sum;
        GroupSumStage.Run(sums);
        float mean = sums[0] / (count * shape.Channels);
        Group.Barrier();
        sum = 0;
        for (int quad = Group.IdxX; quad < shape.Quads; quad += Group.DimX)
        {
            Offsets starts = Convolution.Starts(shape, quad);
            TapWeights taps = Convolution.Weights(encoder, shape, quad);
            for (int token = Group.IdxY; token < count; token += Group.DimY)
                sum += Squares(Convolution.Apply(chunk, shape, taps, starts, token), mean, shape.Channels - (4 * quad));
        }

        sums[thread] = sum;
        GroupSumStage.Run(sums);
        if (thread == 0)
            statistics[(slot * shape.Chunks) + part] = new Float4(count * shape.Channels, mean, sums[0], 0);
    }

    // Channels after the last are 0 and do not change the sum.
    private static float Total(Float4 v) => v.X + v.Y + (v.Z + v.W);

    private static float Squares(Float4 v, float mean, int channels)
    {
        float sum = (v.X - mean) * (v.X - mean);
        if (channels > 1)
            sum += (v.Y - mean) * (v.Y - mean);
        if (channels > 2)
            sum += (v.Z - mean) * (v.Z - mean);
        if (channels > 3)
            sum += (v.W - mean) * (v.W - mean);
        return sum;
    }
}
