using ILGPU;
using ILGPU.Algorithms;

namespace UniCardio.Gpu.Kernels;

/// <summary>
/// Second pass of the encoder: the six convolutions, normalised with the merged statistics of the plane, token-major. With
/// positions counted per slot the position code is in beta.
/// </summary>
/// <remarks>Grid: chunks of all slots. Group (quads of channels, rows).</remarks>
internal static class EncoderKernel
{
    // Chunks whose statistics go through shared memory.
    private const int MaxParts = 64;

    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="tokens">Tokens of a chunk.</param>
    /// <param name="conditions">[condition slots, S].</param>
    /// <param name="state">[batch draws, S].</param>
    /// <param name="slots">Encoder of each slot instance.</param>
    /// <param name="weights">[4 encoders, 12, C].</param>
    /// <param name="affine">[4 encoders, T, gamma and beta, C].</param>
    /// <param name="statistics">[slots, chunks] as <see cref="EncoderStatisticsKernel"/> left them.</param>
    /// <param name="x">[rows, C].</param>
    public static void Encoder(
        EncoderShape shape,
        int tokens,
        ArrayView<float> conditions,
        ArrayView<float> state,
        ArrayView<int> slots,
        ArrayView<Float4> weights,
        ArrayView<Float4> affine,
        ArrayView<Float4> statistics,
        ArrayView<Float4> x)
    {
        ArrayView<float> chunk = SharedMemory.Allocate<float>(Convolution.Samples);
        ArrayView<Float4> parts = SharedMemory.Allocate<Float4>(MaxParts);
        int slot = shape.FirstSlot + (Grid.IdxX / shape.Chunks), first = (Grid.IdxX % shape.Chunks) * tokens, encoder = slots[slot];
        Convolution.Load(chunk, shape, conditions, state, slot, first, tokens);
        // Fetched together: one after the other each would wait for the cache.
        for (int i = (Group.IdxY * Group.DimX) + Group.IdxX; i < shape.Chunks && i < MaxParts; i += Group.DimX * Group.DimY)
            parts[i] = statistics[(slot * shape.Chunks) + i];
        Group.Barrier();

        // Pairwise merge of (count, mean, squares) in chunk order (Chan, Golub and LeVeque, 1983).
        Float4 all = parts[0];
        for (int i = 1; i < shape.Chunks; i++)
        {
            Float4 part = i < MaxParts ? parts[i] : statistics[(slot * shape.Chunks) + i];
            float count = all.X + part.X, difference = part.Y - all.Y, share = part.X / count;
            all = new Float4(count, all.Y + (difference * share), all.Z + part.Z + (difference * difference * all.X * share), 0);
        }

        float rate = 1f / XMath.Sqrt((all.Z / all.X) + 1e-5f), mean = all.Y;
        ArrayView<Float4> convolution = weights.SubView(encoder * Convolution.WeightQuads(shape.Quads));
        int last = tokens < shape.SlotTokens - first ? tokens : shape.SlotTokens - first;
        for (int quad = Group.IdxX; quad < shape.Quads; quad += Group.DimX)
        {
            Offsets starts = Convolution.Starts(shape, quad);
            TapWeights taps = Convolution.Weights(convolution, shape, quad);
            // Gamma and beta of a thread's next token are on their way while this one is computed.
            int at = (((encoder * shape.SlotTokens) + first + Group.IdxY) * 2 * shape.Quads) + quad;
            Float4 gamma = default, beta = default;
            if (Group.IdxY < last)
            {
                gamma = affine[at];
                beta = affine[at + shape.Quads];
            }

            for (int token = Group.IdxY; token < last; token += Group.DimY)
            {
                Float4 hereGamma = gamma, hereBeta = beta;
                at += Group.DimY * 2 * shape.Quads;
                if (token + Group.DimY < last)
                {
                    gamma = affine[at];
                    beta = affine[at + shape.Quads];
                }

                Float4 v = Convolution.Apply(chunk, shape, taps, starts, token);
                v = new Float4((v.X - mean) * rate, (v.Y - mean) * rate, (v.Z - mean) * rate, (v.W - mean) * rate);
                x[(((slot * shape.SlotTokens) + first + token) * shape.Quads) + quad] = Float4.MultiplyAdd(v, hereGamma, hereBeta);
            }
        }
    }
}
