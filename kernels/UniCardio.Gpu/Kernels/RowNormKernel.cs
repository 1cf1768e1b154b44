using ILGPU;
using ILGPU.Algorithms;

namespace UniCardio.Gpu.Kernels;

/// <summary>
/// y = f((x - mean) / sqrt(variance + 1e-5) gamma + beta) + addend, mean and variance over a unit: a row (LayerNorm), or all rows of a
/// window (GroupNorm with one group). x may come in parts, which are added with a bias first.
/// </summary>
/// <remarks>
/// Grid (units). Group of n = 128 threads for rows, 512 for windows, each with every n-th quad of the unit, which it alone reads and
/// writes; sums of a thread in order, then pairwise over the group: errors of a mean are (quads / n + 9) 2^-24 of the mean magnitude. Two
/// passes, the mean first; bytes: x read three times (from the second-level cache), result written once.
/// </remarks>
internal static class RowNormKernel
{
    /// <summary>Threads of a group where a unit is a row.</summary>
    public const int Threads = 128;

    /// <summary>Threads of a group where it is a window; the most.</summary>
    public const int WindowThreads = 512;

    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="x">[parts, units, rows, C]; where there are several parts, the first is replaced by their sum.</param>
    /// <param name="bias">[C], read where there are several parts.</param>
    /// <param name="gamma">[C], zeros beyond.</param>
    /// <param name="beta">[C], zeros beyond.</param>
    /// <param name="addend">[rows, C].</param>
    /// <param name="target">Takes [units, rows, C]; may be x where there is one part.</param>
    public static void RowNorm(NormShape shape, ArrayView<Float4> x, ArrayView<Float4> bias, ArrayView<Float4> gamma,
        ArrayView<Float4> beta, ArrayView<Float4> addend, ArrayView<Float4> target)
    {
        ArrayView<float> sums = SharedMemory.Allocate<float>(WindowThreads);
        int count = shape.Rows * shape.Quads, first = Grid.IdxX * count, thread = Group.IdxX;
        // The quad's place in its row, from one of this thread's to the next without a division.
        int start = thread % shape.Quads, next = Group.DimX % shape.Quads;
        float sum = 0, scale = 1f / (shape.Rows * (float)shape.Channels);
        for (int i = thread, quad = start; i < count; i += Group.DimX)
        {
            Float4 v = x[first + i];
            if (shape.Parts > 1)
            {
                for (int part = 1; part < shape.Parts; part++)
                    v = Float4.Add(v, x[(part * shape.PartQuads) + first + i]);
                v = Float4.Add(v, bias[quad]);
                x[first + i] = v;
            }

            sum += v.X + v.Y + (v.Z + v.W);
            quad = quad + next < shape.Quads ? quad + next : quad + next - shape.Quads;
        }

        float mean = Total(sums, sum) * scale;
        sum = 0;
        for (int i = thread, quad = start; i < count; i += Group.DimX)
        {
            Float4 v = Less(x[first + i], mean, shape.Channels - (4 * quad));
            sum = Float4.Dot(v, v, sum);
            quad = quad + next < shape.Quads ? quad + next : quad + next - shape.Quads;
        }

        float rate = 1f / XMath.Sqrt((Total(sums, sum) * scale) + 1e-5f);
        int to = shape.TargetFirst + (Grid.IdxX * shape.TargetQuads);
        for (int i = thread, quad = start; i < count; i += Group.DimX)
        {
            Float4 v = Float4.MultiplyAdd(Float4.Scale(rate, Less(x[first + i], mean, shape.Channels - (4 * quad))), gamma[quad],
                beta[quad]);
            if (shape.HasGelu != 0)
                v = Activation.Gelu(v);
            if (shape.HasAddend != 0)
                v = Float4.Add(v, addend[i]);
            target[to + i] = v;
            quad = quad + next < shape.Quads ? quad + next : quad + next - shape.Quads;
        }
    }

    // v - mean where there is a channel, else 0.
    private static Float4 Less(Float4 v, float mean, int channels) =>
        new(v.X - mean, channels > 1 ? v.Y - mean : 0f, channels > 2 ? v.Z - mean : 0f, channels > 3 ? v.W - mean : 0f);

    private static float Total(ArrayView<float> sums, float own)
    {
        // Whoever reads the sum before has done so.
        Group.Barrier();
        sums[Group.IdxX] = own;
        GroupSumStage.Run(sums);
        return sums[0];
    }
}
