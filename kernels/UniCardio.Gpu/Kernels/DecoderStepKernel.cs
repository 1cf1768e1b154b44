using ILGPU;
using ILGPU.Algorithms;

namespace UniCardio.Gpu.Kernels;

/// <summary>
/// The decoder, prediction = W2 relu(W1 skip + b1) + b2 with 1/sqrt(blocks) in W1, and on the spot the sampler's row: clean
/// signal, threshold, update and noise.
/// </summary>
/// <remarks>Grid: strips of target rows. Group (quads of channels, rows / 4). The two ends of a token's samples lie side by side: row r
/// holds samples r p to r p + p - 1 of the whole batch.</remarks>
/// <typeparam name="TStrip">How many rows a strip may have.</typeparam>
internal static class DecoderStepKernel<TStrip>
    where TStrip : struct, IStripSize
{
    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes; rows are those of the skip, so <see cref="StripShape.ConditionRows"/> is 0.</param>
    /// <param name="step">What to do with the prediction.</param>
    /// <param name="weights">[C, C], [C], then p rows of C and p floats padded to quads.</param>
    /// <param name="skip">[target rows, C].</param>
    /// <param name="keys">[W, 3] identity, low and high half of the seed of each window, for keyed noise.</param>
    /// <param name="noise">[W N, S] given noise, if <see cref="StepValues.NoiseKind"/> is 1.</param>
    /// <param name="prediction">[W N, S], written where the state is not updated.</param>
    /// <param name="state">[W N, S] x.</param>
    /// <param name="clean">[W N, S] takes this row's clean signal.</param>
    /// <param name="clean1">[W N, S] clean signal one row before.</param>
    /// <param name="clean2">[W N, S] clean signal two rows before.</param>
    public static void DecoderStep(
        StripShape shape,
        StepValues step,
        ArrayView<Float4> weights,
        ArrayView<Float4> skip,
        ArrayView<int> keys,
        ArrayView<float> noise,
        ArrayView<float> prediction,
        ArrayView<float> state,
        ArrayView<float> clean,
        ArrayView<float> clean1,
        ArrayView<float> clean2)
    {
        ArrayView<Float4> strip = SharedMemory.Allocate<Float4>(TStrip.Quads);
        ArrayView<float> sums = SharedMemory.Allocate<float>(Strip.Sums);
        int q = Group.IdxX, row = Group.IdxY * Strip.RowsPerThread, bias = 4 * shape.Quads * shape.Quads;
        Strip.Load(strip, shape, skip, shape.Quads);
        Group.Barrier();
        Tile hidden = default;
        if (q < shape.Quads)
            hidden = Strip.Multiply(strip, shape.StripQuads, row, shape.Quads, weights, shape.Quads, q, Strip.Splat(weights[bias + q]));
        Group.Barrier();
        if (q < shape.Quads)
        {
            hidden.R0 = Relu(hidden.R0);
            hidden.R1 = Relu(hidden.R1);
            hidden.R2 = Relu(hidden.R2);
            hidden.R3 = Relu(hidden.R3);
            Strip.Write(strip, shape.StripQuads, row, q, hidden);
        }

        Group.Barrier();
        int own = row + (q % Strip.RowsPerThread), lane = q / Strip.RowsPerThread,
            lanes = XMath.Min(Group.DimX / Strip.RowsPerThread, Strip.Lanes);
        int token = Strip.FirstRow(shape) + own, last = bias + shape.Quads + (step.SamplesPerToken * shape.Quads);
        for (int j = 0; j < step.SamplesPerToken; j++)
        {
            if (lane < lanes)
            {
                float sum = 0;
                for (int k = lane; k < shape.Quads; k += lanes)
                    sum = Float4.Dot(strip[(own * shape.StripQuads) + k], weights[bias + shape.Quads + (j * shape.Quads) + k], sum);
                sums[(own * Strip.Lanes) + lane] = sum;
            }

            Group.Barrier();
            if (lane == 0 && token < shape.EndRow)
            {
                float value = LayerNormStage.RowSum(sums, own, lanes) + weights.Cast<float>()[(4 * last) + j];
                int i = (token * step.SamplesPerToken) + j;
                if (step.Update == 0)
                    prediction[i] = value;
                else
                    Update(step, shape.SlotTokens * step.SamplesPerToken, i, value, keys, noise, state, clean, clean1, clean2);
            }

            Group.Barrier();
        }
    }

    internal static Float4 Relu(Float4 v) => new(XMath.Max(v.X, 0f), XMath.Max(v.Y, 0f), XMath.Max(v.Z, 0f), XMath.Max(v.W, 0f));

    // History that has no weight is not read: it may be older than the run.
    internal static void Update(
        StepValues step,
        int samples,
        int i,
        float prediction,
        ArrayView<int> keys,
        ArrayView<float> noise,
        ArrayView<float> state,
        ArrayView<float> clean,
        ArrayView<float> clean1,
        ArrayView<float> clean2)
    {
        float x = state[i];
        float x0 = XMath.Min(XMath.Max((step.CleanFromState * x) + (step.CleanFromPrediction * prediction), step.ClampLow), step.ClampHigh);
        float next = (step.State * x) + (step.Clean0 * x0);
        if (step.Clean1 != 0f)
            next += step.Clean1 * clean1[i];
        if (step.Clean2 != 0f)
            next += step.Clean2 * clean2[i];
        if (step.NoiseKind == 1)
            next += step.Noise * noise[i];
        if (step.NoiseKind == 2)
        {
            int batchDraw = i / samples;
            next += step.Noise * PhiloxNoise.OfDraw(step, keys, batchDraw, i - (batchDraw * samples));
        }

        clean[i] = x0;
        state[i] = next;
    }
}
