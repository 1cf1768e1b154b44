using ILGPU;
using ILGPU.Algorithms;

namespace UniCardio.Gpu.Kernels;

/// <summary>LayerNorm of every row of a strip, in place: two passes, mean first.</summary>
internal static class LayerNormStage
{
    /// <summary>Normalises the rows; starts after a barrier and ends with one.</summary>
    /// <param name="strip">The strip.</param>
    /// <param name="sums">2 x <see cref="Strip.Sums"/> floats.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="gamma">[C]; read if <paramref name="affine"/> is 1.</param>
    /// <param name="beta">[C]; read if <paramref name="affine"/> is 1.</param>
    /// <param name="affine">1: gamma and beta are applied; 0: the next map has them in its weights.</param>
    public static void Run(ArrayView<Float4> strip, ArrayView<float> sums, StripShape shape, ArrayView<Float4> gamma,
        ArrayView<Float4> beta, int affine)
    {
        ArrayView<float> values = strip.Cast<float>();
        int row = (Group.IdxY * Strip.RowsPerThread) + (Group.IdxX % Strip.RowsPerThread), lane = Group.IdxX / Strip.RowsPerThread;
        int lanes = XMath.Min(Group.DimX / Strip.RowsPerThread, Strip.Lanes), at = row * shape.StripQuads * 4;
        if (lane < lanes)
        {
            float sum = 0;
            for (int c = lane; c < shape.Channels; c += lanes)
                sum += values[at + c];
            sums[(row * Strip.Lanes) + lane] = sum;
        }

        Group.Barrier();
        float scale = 1f / shape.Channels;
        if (lane < lanes)
        {
            float mean = RowSum(sums, row, lanes) * scale, sum = 0;
            for (int c = lane; c < shape.Channels; c += lanes)
                sum += (values[at + c] - mean) * (values[at + c] - mean);
            sums[Strip.Sums + (row * Strip.Lanes) + lane] = sum;
        }

        Group.Barrier();
        if (Group.IdxX < shape.Quads)
        {
            for (int i = 0; i < Strip.RowsPerThread; i++)
            {
                int own = (Group.IdxY * Strip.RowsPerThread) + i, quad = (own * shape.StripQuads) + Group.IdxX;
                float mean = RowSum(sums, own, lanes) * scale;
                float rate = 1f / XMath.Sqrt((RowSum(sums, Strip.MaxRows + own, lanes) * scale) + 1e-5f);
                Float4 v = strip[quad];
                v = new Float4((v.X - mean) * rate, (v.Y - mean) * rate, (v.Z - mean) * rate, (v.W - mean) * rate);
                if (affine != 0)
                    v = Float4.MultiplyAdd(v, gamma[Group.IdxX], beta[Group.IdxX]);
                strip[quad] = v;
            }
        }

        Group.Barrier();
    }

    /// <summary>Sum of the lanes of a row.</summary>
    public static float RowSum(ArrayView<float> sums, int row, int lanes)
    {
        float sum = 0;
        for (int i = 0; i < lanes; i++)
            sum += sums[(row * Strip.Lanes) + i];
        return sum;
    }
}
