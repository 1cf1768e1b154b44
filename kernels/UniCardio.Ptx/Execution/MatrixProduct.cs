using System.Runtime.Intrinsics;

namespace UniCardio.Ptx.Execution;

/// <summary>mma.sync: D [16, 8] = A [16, K] B [K, 8] + C, by one warp; fragments as the PTX ISA lays them out (9.7.14.5).</summary>
/// <remarks>
/// Products are exact. The ISA leaves order and rounding of the sum open; here as tensor cores were measured to do it (Fasi, Higham,
/// Mikaitis, Pranesh, 2021): blocks of 4 products (tf32) or 8 (bf16) and the sum so far are added without rounding, then cut
/// towards zero to float32. Of tf32 operands the low 13 bits are ignored.
/// </remarks>
internal static unsafe class MatrixProduct
{
    private const int Rows = 16;
    private const int Columns = 8;

    public static void Tf32(Warp w, Op* op)
    {
        const int K = 8;
        RequireAll(w, op);
        double* a = stackalloc double[Rows * K], b = stackalloc double[K * Columns];
        for (int lane = 0; lane < Warp.Lanes; lane++)
        {
            int g = lane >> 2, t = lane & 3;
            for (int i = 0; i < 4; i++)
                a[((g + (8 * (i & 1))) * K) + t + (4 * (i >> 1))] = Tf32Of(Lane(w, op->R[4 + i], lane));
            for (int i = 0; i < 2; i++)
                b[((t + (4 * i)) * Columns) + g] = Tf32Of(Lane(w, op->R[8 + i], lane));
        }

        Accumulate(w, op, a, b, K, 4);
    }

    public static void BFloat16(Warp w, Op* op)
    {
        const int K = 16;
        RequireAll(w, op);
        double* a = stackalloc double[Rows * K], b = stackalloc double[K * Columns];
        for (int lane = 0; lane < Warp.Lanes; lane++)
        {
            int g = lane >> 2, t = lane & 3;
            for (int i = 0; i < 4; i++)
            {
                uint pair = Lane(w, op->R[4 + i], lane);
                double* to = a + ((g + (8 * (i & 1))) * K) + (2 * t) + (8 * (i >> 1));
                to[0] = Single(pair << 16);
                to[1] = Single(pair & 0xffff0000);
            }

            for (int i = 0; i < 2; i++)
            {
                uint pair = Lane(w, op->R[8 + i], lane);
                double* to = b + (((2 * t) + (8 * i)) * Columns) + g;
                to[0] = Single(pair << 16);
                to[Columns] = Single(pair & 0xffff0000);
            }
        }

        Accumulate(w, op, a, b, K, 8);
    }

    private static void Accumulate(Warp w, Op* op, double* a, double* b, int inner, int block)
    {
        double* row = stackalloc double[Columns];
        Span<uint> result = stackalloc uint[4 * Warp.Lanes];
        for (int i = 0; i < Rows; i++)
        {
            int first = (i & 7) * 4, register = (i >> 3) * 2;
            for (int n = 0; n < Columns; n++)
                row[n] = Single(Lane(w, op->R[10 + register + (n & 1)], first + (n >> 1)));
            for (int k = 0; k < inner; k += block)
            {
                Vector512<double> sum = Vector512.Load(row);
                for (int j = k; j < k + block; j++)
                    sum = Vector512.FusedMultiplyAdd(Vector512.Create(a[(i * inner) + j]), Vector512.Load(b + (j * Columns)), sum);
                for (int n = 0; n < Columns; n++)
                    row[n] = Cut(sum[n]);
            }

            for (int n = 0; n < Columns; n++)
                result[((register + (n & 1)) * Warp.Lanes) + first + (n >> 1)] = double.IsNaN(row[n]) ? 0x7fffffff
                    : BitConverter.SingleToUInt32Bits((float)row[n]);
        }

        for (int r = 0; r < 4; r++)
            result.Slice(r * Warp.Lanes, Warp.Lanes).CopyTo(new Span<uint>(w.Registers + op->R[r], Warp.Lanes));
    }

    // Towards zero; what is too large is infinite.
    private static float Cut(double value)
    {
        float near = (float)value;
        return float.IsFinite(near) && Math.Abs((double)near) > Math.Abs(value)
            ? BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(near) - 1) : near;
    }

    private static double Tf32Of(uint bits) => Single(bits & 0xffffe000);

    private static float Single(uint bits) => BitConverter.UInt32BitsToSingle(bits);

    private static uint Lane(Warp w, int row, int lane) => ((uint*)(w.Registers + row))[lane];

    private static void RequireAll(Warp w, Op* op)
    {
        if (w.Mask != uint.MaxValue)
            throw w.Group.Fault(w, op, PtxFaultKind.Divergence, System.Numerics.BitOperations.TrailingZeroCount(~w.Mask),
                "does not take part in an instruction of the whole warp");
    }
}

// ldmatrix: matrices of 8 rows of 16 bytes; lane i gets elements 2 (i % 4) and the next of row i / 4, or transposed, of column i / 4.
internal static unsafe class MatrixLoad
{
    public static void Straight(Warp w, Op* op) => Run(w, op, isTransposed: false);

    public static void Transposed(Warp w, Op* op) => Run(w, op, isTransposed: true);

    private static void Run(Warp w, Op* op, bool isTransposed)
    {
        MemoryForm form = w.Group.Form(op);
        if (w.Mask != uint.MaxValue)
            throw w.Group.Fault(w, op, PtxFaultKind.Divergence, System.Numerics.BitOperations.TrailingZeroCount(~w.Mask),
                "does not take part in an instruction of the whole warp");
        MemoryAccess.Observe(w, op);
        ulong* addresses = MemoryAccess.Addresses(w, op);
        byte** rows = stackalloc byte*[Warp.Lanes];
        int count = System.Numerics.BitOperations.PopCount(form.Lanes) / 8;
        for (int i = 0; i < 8 * count; i++)
            rows[i] = MemoryAccess.Aligned<SharedSpace>(w, op, i, addresses[i] + (ulong)op->Immediate, 16, 16);
        for (int m = 0; m < count; m++)
        {
            uint* to = (uint*)(w.Registers + op->R[1 + m]);
            for (int lane = 0; lane < Warp.Lanes; lane++)
            {
                int g = lane >> 2, t = 2 * (lane & 3);
                to[lane] = isTransposed
                    ? ((ushort*)rows[(8 * m) + t])[g] | ((uint)((ushort*)rows[(8 * m) + t + 1])[g] << 16)
                    : ((uint*)rows[(8 * m) + g])[t / 2];
            }
        }
    }
}
