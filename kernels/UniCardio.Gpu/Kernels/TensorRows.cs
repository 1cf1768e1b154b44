using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Runtime.Cuda;

namespace UniCardio.Gpu.Kernels;

/// <summary>
/// What the kernels of few rows share: matrix products of 8 rows on tensor cores in float32's precision (three products of tf32 parts), the
/// rows split once when they are written, weights from the cache to registers.
/// </summary>
/// <remarks>
/// Group of 512 threads, 8 rows. A warp has 16 columns of a map, its weights A of mma.sync, so that 8 rows fill an instruction; a step is
/// 32 inputs: 12 matrix instructions, 32 to split 16 weights, 4 loads of each memory, 12 sums. Weights lie in the order in which lanes read
/// them (<see cref="RowsShape"/>), a step 2 KB, and are fetched a step ahead, the next map's first ones too. Rows of at most 256 inputs,
/// of leads and of rests, 68 quads apart (8 lanes read two rows of 4 quads: every bank once); sums 65 quads apart (rows 2t of 8
/// columns each: likewise).
/// </remarks>
internal static class TensorRows
{
    /// <summary>Rows of a group.</summary>
    public const int Rows = 8;

    /// <summary>Threads of a group.</summary>
    public const int Threads = 512;

    /// <summary>Groups that share the columns of the same rows; a third has the skip.</summary>
    public const int Parts = 2;

    /// <summary>Warps of a group: columns / 16 of which it computes.</summary>
    public const int Warps = Threads / 32;

    /// <summary>Quads of the widest row.</summary>
    public const int MaxQuads = 64;

    /// <summary>Most hidden channels, and what their weights are padded to.</summary>
    public const int Hidden = 64;

    /// <summary>Bytes of a step's weights.</summary>
    public const int StepBytes = 2048;

    /// <summary>Quads of shared memory.</summary>
    public const int SharedQuads = VectorsAt + (3 * MaxQuads);

    /// <summary>Where rests begin: as far after the leads for every row.</summary>
    internal const int RestAt = HiddenAt + (Rows * HiddenStride);

    internal const int HiddenAt = Rows * Stride;
    internal const int SumAt = 2 * RestAt;
    internal const int PartialAt = SumAt + (Rows * SumStride);
    internal const int VectorsAt = PartialAt + (4 * Rows * HiddenSumStride);
    internal const int Stride = MaxQuads + 4;
    internal const int HiddenStride = (Hidden / 4) + 4;
    internal const int SumStride = MaxQuads + 1;
    internal const int HiddenSumStride = (Hidden / 4) + 1;
    internal const int GateSumStride = MaxQuads + 1;
    internal const int AttentionSumStride = (3 * MaxQuads / 2) + 1;

    /// <summary>Products of this warp's 16 columns with the 8 rows, over <paramref name="steps"/> steps of 32 inputs.</summary>
    /// <param name="rows">Quad of the first row's first input, of leads.</param>
    /// <param name="stride">From one row to the next.</param>
    /// <param name="weights">Address of this lane's weights of the first step, which are fetched already.</param>
    /// <param name="steps">Steps.</param>
    /// <param name="following">Address of what is fetched during the last step.</param>
    public static void Multiply(int rows, int stride, long weights, int steps, long following)
    {
        int lane = Group.IdxX & 31, at = 16 * (rows + ((lane >> 2) * stride) + (lane & 3));
        for (int left = steps; left > 0; left--)
        {
            weights += StepBytes;
            CudaAsm.Emit(TensorRowsText.Step, at, left > 1 ? weights : following);
            at += 128;
        }
    }

    /// <summary>The same without weights to fetch afterwards.</summary>
    public static void MultiplyLast(int rows, long weights, int steps)
    {
        int lane = Group.IdxX & 31, at = 16 * (rows + ((lane >> 2) * Stride) + (lane & 3));
        for (int left = steps; left > 1; left--)
        {
            weights += StepBytes;
            CudaAsm.Emit(TensorRowsText.Step, at, weights);
            at += 128;
        }

        CudaAsm.Emit(TensorRowsText.Last, at);
    }

    /// <summary>Sums of this warp to shared memory.</summary>
    /// <param name="target">Quad of the first of the 16 columns in the first row.</param>
    /// <param name="stride">From one row to the next.</param>
    public static void Store(int target, int stride) => CudaAsm.Emit(TensorRowsText.Store, Place(target, stride),
        Place(target, stride) + (16 * stride));

    /// <summary>The same, added to what is there.</summary>
    public static void AddTo(int target, int stride) => CudaAsm.Emit(TensorRowsText.AddTo, Place(target, stride),
        Place(target, stride) + (16 * stride));

    /// <summary>Writes a quad as its leads and rests.</summary>
    public static void Split(ArrayView<Float4> tile, int at, Float4 v)
    {
        var lead = new Float4(Lead(v.X), Lead(v.Y), Lead(v.Z), Lead(v.W));
        tile[at] = lead;
        tile[at + RestAt] = new Float4(v.X - lead.X, v.Y - lead.Y, v.Z - lead.Z, v.W - lead.W);
    }

    /// <summary>The 11 leading bits, rounded.</summary>
    public static float Lead(float v) => Interop.IntAsFloat((Interop.FloatAsInt(v) + 0x1000u) & 0xffffe000u);

    /// <summary>A warp's row of up to 64 quads, two a lane.</summary>
    /// <remarks>Quads after the last take the last's place, without a branch, which would wait for the load; they become zeros.</remarks>
    /// <param name="source">The matrix.</param>
    /// <param name="row">The row.</param>
    /// <param name="quads">Its length.</param>
    public static Pair Read(ArrayView<Float4> source, int row, int quads) => ReadAt(source, row * quads, quads);

    /// <summary>The same of quads that begin anywhere.</summary>
    /// <param name="source">The matrix.</param>
    /// <param name="at">First quad.</param>
    /// <param name="quads">Their number.</param>
    public static Pair ReadAt(ArrayView<Float4> source, int at, int quads)
    {
        int first = Group.IdxX & 31, second = first + 32;
        Float4 a = source[at + XMath.Min(first, quads - 1)], b = source[at + XMath.Min(second, quads - 1)];
        return new Pair { A = Keep(a, first < quads), B = Keep(b, second < quads) };
    }

    /// <summary>The same of a row of sums, which the warp may overwrite afterwards.</summary>
    public static Pair Sums(ArrayView<Float4> tile, int row, int quads)
    {
        Pair sums = ReadAt(tile, SumAt + (row * SumStride), quads);
        // Lanes after the last quad have read another's.
        Warp.Barrier();
        return sums;
    }

    /// <summary>Writes a row of sums.</summary>
    public static void PutSums(ArrayView<Float4> tile, int row, int quads, Pair v) =>
        Write(tile, SumAt + (row * SumStride), quads, v);

    /// <summary>Writes a warp's row.</summary>
    public static void Write(ArrayView<Float4> target, int at, int quads, Pair v)
    {
        int first = Group.IdxX & 31;
        if (first < quads)
            target[at + first] = v.A;
        if (first + 32 < quads)
            target[at + first + 32] = v.B;
    }

    /// <summary>Splits a row, with zeros up to a whole step.</summary>
    public static void PutParts(ArrayView<Float4> tile, int row, int steps, Pair v)
    {
        int first = Group.IdxX & 31, at = (row * Stride) + first;
        if (first < 8 * steps)
            Split(tile, at, v.A);
        if (first + 32 < 8 * steps)
            Split(tile, at + 32, v.B);
    }

    /// <summary>(v - mean) / sd over a warp's row; channels beyond C are zeros before, and whatever after.</summary>
    public static Pair Normalise(Pair v, StripShape shape)
    {
        float scale = 1f / shape.Channels, mean = WarpSum(Sum(v.A) + Sum(v.B)) * scale;
        Float4 a = Shift(v.A, mean), b = Shift(v.B, mean);
        // The 64 quads' zeros beyond C have become -mean.
        float squares = WarpSum(Sum(Float4.Multiply(a, a)) + Sum(Float4.Multiply(b, b)))
            - (((4 * MaxQuads) - shape.Channels) * mean * mean);
        float rate = 1f / XMath.Sqrt((XMath.Max(squares, 0f) * scale) + 1e-5f);
        return new Pair { A = Float4.Scale(rate, a), B = Float4.Scale(rate, b) };
    }

    private static Float4 Keep(Float4 v, bool isThere) => new(isThere ? v.X : 0f, isThere ? v.Y : 0f, isThere ? v.Z : 0f,
        isThere ? v.W : 0f);

    private static Float4 Shift(Float4 v, float mean) => new(v.X - mean, v.Y - mean, v.Z - mean, v.W - mean);

    private static float Sum(Float4 v) => v.X + v.Y + (v.Z + v.W);

    private static float WarpSum(float sum)
    {
        sum += Warp.ShuffleXor(sum, 16);
        return TensorFeedForwardKernel.RowSum(sum);
    }

    // In bytes; column g of row 2t.
    private static int Place(int target, int stride)
    {
        int lane = Group.IdxX & 31;
        return (16 * (target + (2 * (lane & 3) * stride))) + (4 * (lane >> 2));
    }
}

/// <summary>A lane's two quads of a row.</summary>
internal struct Pair
{
    /// <summary>Quad of the lane's number.</summary>
    public Float4 A;

    /// <summary>Quad 32 after it.</summary>
    public Float4 B;

    /// <summary>a + b.</summary>
    public static Pair Add(Pair a, Pair b) => new() { A = Float4.Add(a.A, b.A), B = Float4.Add(a.B, b.B) };

    /// <summary>a b + c, element by element.</summary>
    public static Pair MultiplyAdd(Pair a, Pair b, Pair c) =>
        new() { A = Float4.MultiplyAdd(a.A, b.A, c.A), B = Float4.MultiplyAdd(a.B, b.B, c.B) };

    /// <summary>a b + c.</summary>
    public static Pair MultiplyAdd(float a, Pair b, Pair c) =>
        new() { A = Float4.MultiplyAdd(a, b.A, c.A), B = Float4.MultiplyAdd(a, b.B, c.B) };
}
