using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Runtime.Cuda;

namespace UniCardio.Gpu.Kernels;

/// <summary>
/// y = LN2(z + W2 gelu(W1 z + b1) + b2) with z = LN1(y), without LN2's beta, and without its gamma where that
/// is in mid's weights, on tensor cores in float32's precision (three products of tf32 parts): see <see cref="NormFeedForwardKernel"/>.
/// </summary>
/// <remarks>
/// Grid (16 rows). Group of 256 threads: for the LayerNorms 16 threads a row, for the products 16 columns a warp; into the hidden layer two
/// warps share 16 columns, half of the inputs each. Hidden layers of up to 64, rows of up to 480; z and the hidden layer
/// lie in shared memory, rows 4 quads more than a multiple of 8 apart (8 lanes read two rows of 4
/// quads each: every bank once). Weights are padded with zeros to whole steps of 32 inputs and fetched a step ahead. FLOP: 4 C F a row; a
/// group reads both matrices.
/// </remarks>
internal static class TensorFeedForwardKernel
{
    /// <summary>Rows of a group.</summary>
    public const int Rows = 16;

    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Quads of the widest row, padded to steps.</summary>
    public const int MaxQuads = 120;

    /// <summary>Most hidden channels, and what the weights are padded to.</summary>
    public const int Hidden = 64;

    private const int HiddenStride = (Hidden / 4) + 4;
    private const int HiddenAt = Rows * (MaxQuads + 4);
    private const int HalfQuads = Rows * HiddenStride;
    private const int VectorsAt = HiddenAt + (2 * HalfQuads);
    private const int Lanes = Threads / Rows;
    private const int Warps = Threads / 32;
    private const int RowsPerWarp = 8;

    /// <summary>Quads of a row, padded to steps of 32 inputs.</summary>
    public static int Padded(int quads) => (quads + 7) / 8 * 8;

    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="vectors">Address of LN1's gamma and beta, b2, [C padded] each, b1, [64], and LN2's gamma, [C padded].</param>
    /// <param name="into">Address of W1, [64, C padded].</param>
    /// <param name="back">Address of W2, [C padded, 64].</param>
    /// <param name="y">Address of [rows, C], replaced.</param>
    public static void TensorFeedForward(StripShape shape, long vectors, long into, long back, long y)
    {
        ArrayView<Float4> tile = SharedMemory.Allocate<Float4>(VectorsAt + (3 * MaxQuads) + (Hidden / 4));
        CudaAsm.Emit(TensorFeedForwardText.Declare);
        int padded = (shape.Quads + 7) >> 3 << 3, stride = padded + 4, own = Group.IdxX >> 4, first = Group.IdxX & 15;
        int lane = Group.IdxX & 31, warp = Group.IdxX >> 5, g = lane >> 2, t = lane & 3;
        int row = shape.FirstRow + (Grid.IdxX * Rows) + own, at = own * stride;
        long address = y + ((long)row * shape.Quads * 16);
        for (int q = first; q < padded; q += Lanes)
        {
            bool isThere = row < shape.EndRow && q < shape.Quads;
            // Nothing is read where nothing is there; the address is one that no group writes.
            Copy(at + q, isThere ? address + (16 * q) : vectors, isThere ? 16 : 0);
        }

        for (int q = Group.IdxX; q < (3 * padded) + (Hidden / 4); q += Threads)
            Copy(VectorsAt + q, vectors + (16 * q), 16);
        long column = into + (16L * ((((16 * (warp & 3)) + g) * padded) + t));
        // A warp without columns of W2 fetches the first ones, unused.
        int columns = 4 * warp < shape.Quads ? 16 * warp : 0;
        long output = back + (16L * (((columns + g) * (Hidden / 4)) + t));
        // The first half of the steps, or the second, of which there may be none.
        int half = warp >> 2, middle = ((padded >> 3) + 1) >> 1 << 3, start = half == 0 ? 0 : middle, end = half == 0 ? middle : padded;
        long fetched = start < end ? column + (16 * start) : output;
        CudaAsm.Emit(TensorFeedForwardText.Fetch, fetched, fetched + (start < end ? 128L * padded : 32L * Hidden));
        CudaAsm.Emit("cp.async.wait_all;");
        Group.Barrier();
        (float mean, float rate) = Moments(tile, at, first, shape);
        for (int q = first; q < shape.Quads; q += Lanes)
            tile[at + q] = Float4.MultiplyAdd(Scaled(tile[at + q], mean, rate), tile[VectorsAt + q], tile[VectorsAt + padded + q]);
        Group.Barrier();
        // LN2's gamma takes the place of LN1's.
        for (int q = Group.IdxX; q < padded && shape.Weights != 0; q += Threads)
            Copy(VectorsAt + q, vectors + (16 * ((3 * padded) + (Hidden / 4) + q)), 16);
        int low = 16 * ((g * stride) + t), high = low + (16 * RowsPerWarp * stride);
        for (int step = start; step < end; step += 8)
        {
            long next = step + 8 < end ? column + (16 * (step + 8)) : output;
            CudaAsm.Emit(TensorFeedForwardText.Step, low + (16 * step), high + (16 * step), next,
                next + (step + 8 < end ? 128L * padded : 32L * Hidden));
        }

        int hidden = (16 * (HiddenAt + (half * HalfQuads) + (g * HiddenStride))) + (64 * (warp & 3)) + (8 * t);
        CudaAsm.Emit(TensorFeedForwardText.Store, hidden, hidden + (16 * RowsPerWarp * HiddenStride));
        Group.Barrier();
        for (int i = Group.IdxX; i < Rows * (Hidden / 4); i += Threads)
        {
            // Beyond the hidden layer weights and biases are zeros, and so is GELU there.
            int place = HiddenAt + ((i >> 4) * HiddenStride) + (i & 15);
            Float4 sum = Float4.Add(tile[place], tile[place + HalfQuads]);
            tile[place] = Activation.Gelu(Float4.Add(sum, tile[VectorsAt + (3 * padded) + (i & 15)]));
        }

        Group.Barrier();
        int a = 16 * (HiddenAt + (g * HiddenStride) + t), b = a + (16 * RowsPerWarp * HiddenStride);
        for (int pair = warp; 4 * pair < shape.Quads; pair += Warps)
        {
            CudaAsm.Emit(TensorFeedForwardText.Step, a, b, output + 128, output + (32L * Hidden) + 128);
            // The next 16 columns of this warp, or these again, unused, after the last.
            output += 4 * (pair + Warps) < shape.Quads ? 64L * Warps * Hidden : 0;
            CudaAsm.Emit(TensorFeedForwardText.Step, a + 128, b + 128, output, output + (32L * Hidden));
            int target = (16 * g * stride) + (64 * pair) + (8 * t);
            CudaAsm.Emit(TensorFeedForwardText.AddTo, target, target + (16 * RowsPerWarp * stride));
        }

        CudaAsm.Emit("cp.async.wait_all;");
        Group.Barrier();
        for (int q = first; q < shape.Quads; q += Lanes)
            tile[at + q] = Float4.Add(tile[at + q], tile[VectorsAt + (2 * padded) + q]);
        (mean, rate) = Moments(tile, at, first, shape);
        for (int q = first; q < shape.Quads && row < shape.EndRow; q += Lanes)
        {
            Float4 v = Scaled(tile[at + q], mean, rate);
            if (shape.Weights != 0)
                v = Float4.Multiply(v, tile[VectorsAt + q]);
            CudaAsm.Emit("st.global.v4.f32 [%0], {%1, %2, %3, %4};", address + (16 * q), v.X, v.Y, v.Z, v.W);
        }
    }

    /// <summary>Copies a quad to shared memory, or zeros where there are no bytes.</summary>
    internal static void Copy(int quad, long from, int bytes) =>
        CudaAsm.Emit("{ .reg .b32 %%to; add.u32 %%to, %%sp, %0; cp.async.cg.shared.global [%%to], [%1], 16, %2; }", 16 * quad, from, bytes);

    // Of one row, which 16 neighbouring threads hold: each reads what it wrote itself. Channels beyond C are zeros.
    private static (float Mean, float Rate) Moments(ArrayView<Float4> tile, int at, int first, StripShape shape)
    {
        float sum = 0, scale = 1f / shape.Channels;
        for (int q = first; q < shape.Quads; q += Lanes)
            sum += Sum(tile[at + q]);
        float mean = RowSum(sum) * scale;
        sum = 0;
        for (int q = first; q < shape.Quads; q += Lanes)
        {
            Float4 v = tile[at + q];
            v = new Float4(v.X - mean, v.Y - mean, v.Z - mean, v.W - mean);
            sum += Sum(Float4.Multiply(v, v));
        }

        float squares = RowSum(sum) - (((4 * shape.Quads) - shape.Channels) * mean * mean);
        return (mean, 1f / XMath.Sqrt((XMath.Max(squares, 0f) * scale) + 1e-5f));
    }

    private static float Sum(Float4 v) => v.X + v.Y + (v.Z + v.W);

    private static Float4 Scaled(Float4 v, float mean, float rate) =>
        new((v.X - mean) * rate, (v.Y - mean) * rate, (v.Z - mean) * rate, (v.W - mean) * rate);

    /// <summary>The sum over the 16 neighbouring threads of a row.</summary>
    internal static float RowSum(float sum)
    {
        sum += Warp.ShuffleXor(sum, 1);
        sum += Warp.ShuffleXor(sum, 2);
        sum += Warp.ShuffleXor(sum, 4);
        return sum + Warp.ShuffleXor(sum, 8);
    }
}
