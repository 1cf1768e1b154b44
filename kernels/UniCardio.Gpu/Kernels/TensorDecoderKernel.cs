using ILGPU;
using ILGPU.Runtime.Cuda;

namespace UniCardio.Gpu.Kernels;

/// <summary>The decoder and the sampler's row of <see cref="DecoderStepKernel{TStrip}"/>, the hidden layer on tensor cores in
/// float32's precision
/// (three products of tf32 parts).</summary>
/// <remarks>
/// Grid (16 rows). Group of 256 threads: 16 columns of the hidden layer a warp at a time, then 16 threads a row. The rows, the hidden layer
/// and what follows it lie in shared memory, rows as in <see cref="TensorFeedForwardKernel"/>, whose text this takes; the hidden layer's
/// weights are padded with zeros to whole steps of 32 inputs and outputs and fetched a step ahead. FLOP: 2 C (C + p) a row; a group reads
/// all weights.
/// </remarks>
internal static class TensorDecoderKernel
{
    /// <summary>Rows of a group.</summary>
    public const int Rows = 16;

    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Quads of the widest row, padded to steps.</summary>
    public const int MaxQuads = 80;

    /// <summary>Most quads of the hidden layer's bias and the output's weights and bias.</summary>
    public const int MaxVectors = 384;

    private const int HiddenAt = Rows * (MaxQuads + 4);
    private const int VectorsAt = 2 * HiddenAt;
    private const int Lanes = Threads / Rows;
    private const int Warps = Threads / 32;

    /// <summary>Quads of bias, output weights and output bias.</summary>
    public static int Vectors(int quads, int samples) =>
        ((samples + 1) * TensorFeedForwardKernel.Padded(quads)) + ((samples + 3) / 4);

    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes; rows are those of the skip, so <see cref="StripShape.ConditionRows"/> is 0.</param>
    /// <param name="step">What to do with the prediction.</param>
    /// <param name="weights">Address of [C padded, C padded], then [C padded], p rows of C padded and p floats padded to quads.</param>
    /// <param name="skip">Address of [target rows, C].</param>
    /// <param name="keys">[W, 3] identity, low and high half of the seed of each window, for keyed noise.</param>
    /// <param name="noise">[W N, S] given noise, if <see cref="StepValues.NoiseKind"/> is 1.</param>
    /// <param name="prediction">[W N, S], written where the state is not updated.</param>
    /// <param name="state">[W N, S] x.</param>
    /// <param name="clean">[W N, S] takes this row's clean signal.</param>
    /// <param name="clean1">[W N, S] clean signal one row before.</param>
    /// <param name="clean2">[W N, S] clean signal two rows before.</param>
    public static void TensorDecoder(
        StripShape shape,
        StepValues step,
        long weights,
        long skip,
        ArrayView<int> keys,
        ArrayView<float> noise,
        ArrayView<float> prediction,
        ArrayView<float> state,
        ArrayView<float> clean,
        ArrayView<float> clean1,
        ArrayView<float> clean2)
    {
        ArrayView<Float4> tile = SharedMemory.Allocate<Float4>(VectorsAt + MaxVectors);
        CudaAsm.Emit(TensorFeedForwardText.Declare);
        int padded = (shape.Quads + 7) >> 3 << 3, stride = padded + 4, own = Group.IdxX >> 4, first = Group.IdxX & 15;
        int lane = Group.IdxX & 31, warp = Group.IdxX >> 5, g = lane >> 2, t = lane & 3;
        int row = shape.FirstRow + (Grid.IdxX * Rows) + own, vectors = Vectors(shape.Quads, step.SamplesPerToken);
        long address = skip + ((long)row * shape.Quads * 16), after = weights + (64L * padded * padded);
        for (int q = first; q < padded; q += Lanes)
        {
            bool isThere = row < shape.EndRow && q < shape.Quads;
            // Nothing is read where nothing is there; the address is one that no group writes.
            TensorFeedForwardKernel.Copy((own * stride) + q, isThere ? address + (16 * q) : weights, isThere ? 16 : 0);
        }

        for (int q = Group.IdxX; q < vectors; q += Threads)
            TensorFeedForwardKernel.Copy(VectorsAt + q, after + (16 * q), 16);
        // A warp without columns fetches the first ones, unused.
        long rest = 128L * padded, column = weights + (16L * ((((4 * warp < padded ? 16 * warp : 0) + g) * padded) + t));
        CudaAsm.Emit(TensorFeedForwardText.Fetch, column, column + rest);
        CudaAsm.Emit("cp.async.wait_all;");
        Group.Barrier();
        int low = 16 * ((g * stride) + t), high = low + (8 * 16 * stride);
        for (int pair = warp; 4 * pair < padded; pair += Warps)
        {
            // Then the next 16 columns of this warp, or these again, unused, after the last.
            long following = column + (4 * (pair + Warps) < padded ? 16L * 16 * Warps * padded : 0);
            for (int at = 0; at < padded; at += 8)
            {
                long next = at + 8 < padded ? column + (16 * (at + 8)) : following;
                CudaAsm.Emit(TensorFeedForwardText.Step, low + (16 * at), high + (16 * at), next, next + rest);
            }

            column = following;
            int target = (16 * (HiddenAt + (g * stride))) + (64 * pair) + (8 * t);
            CudaAsm.Emit(TensorFeedForwardText.Store, target, target + (8 * 16 * stride));
        }

        Group.Barrier();
        int hidden = HiddenAt + (own * stride);
        for (int q = first; q < padded; q += Lanes)
            tile[hidden + q] = DecoderStepKernel<Strip32>.Relu(Float4.Add(tile[hidden + q], tile[VectorsAt + q]));
        // All threads of a row have an output's sum; each then does the sampler's row of one, side by side.
        float value = 0;
        for (int j = 0; j < step.SamplesPerToken; j++)
        {
            float sum = 0;
            int output = VectorsAt + ((j + 1) * padded);
            for (int q = first; q < padded; q += Lanes)
                sum = Float4.Dot(tile[hidden + q], tile[output + q], sum);
            sum = TensorFeedForwardKernel.RowSum(sum);
            int place = j & (Lanes - 1);
            if (place == first)
                value = sum + tile.Cast<float>()[(4 * (VectorsAt + ((step.SamplesPerToken + 1) * padded))) + j];
            if ((place < Lanes - 1 && j + 1 < step.SamplesPerToken) || first > place || row >= shape.EndRow)
                continue;
            int i = (row * step.SamplesPerToken) + j - place + first;
            if (step.Update == 0)
                prediction[i] = value;
            else
                DecoderStepKernel<Strip32>.Update(
                    step, shape.SlotTokens * step.SamplesPerToken, i, value, keys, noise, state, clean, clean1, clean2);
        }
    }
}
