using ILGPU;
using ILGPU.Runtime.Cuda;

namespace UniCardio.Gpu.Kernels;

/// <summary>
/// 64 x 64 outputs of C = A B^T on tensor cores, A [rows, K] and B [columns, K] both with K innermost, in float32's precision (three
/// products of tf32 parts), in that of one, or of bf16.
/// </summary>
/// <remarks>
/// Group of 128 threads; each of the 4 warps owns 32 x 32 outputs, 32 sums a thread. K goes through shared memory 32 at a time, three
/// stages in flight (cp.async, 16 KB each: rows of 128 bytes, quad q of row r at q xor (r mod 8), so that the 8 rows of a matrix that
/// ldmatrix reads meet every bank once). A step of 8 inputs is 24 matrix instructions, 4 ldmatrix and 48 to split 16 values: bound by the
/// tensor cores. B of 16 bits takes half of its place (<see cref="Backend.TensorLayout"/> has its order): 16 matrix
/// instructions, 3 ldmatrix, 24 to split 8 values and 8 to widen as many (12 from f16). Afterwards the sums lie in the same shared
/// array, rows of 18 quads, for the kernel's own end of the work.
/// </remarks>
internal static class TensorTile
{
    /// <summary>Rows and columns of a tile.</summary>
    public const int Size = 64;

    /// <summary>Threads of a group.</summary>
    public const int Threads = 128;

    /// <summary>Quads of shared memory: three stages of A and B; the outputs use the first 64 rows of 18.</summary>
    public const int SharedQuads = 3 * 2 * Size * 8;

    /// <summary>Distance of two rows of outputs in quads.</summary>
    public const int OutputStride = 18;

    private const int StageBytes = 2 * Size * 128;
    private const int Stages = 3;

    // Powers of 2 are written as shifts and masks: the language's division is one of signed numbers, which the compiler hands on as it is.

    /// <summary>Where this thread's part of A's and B's rows begins: 4 rows, 16 apart, of one quad in 8.</summary>
    public static int OwnRow => Group.IdxX >> 3;

    /// <summary>This thread's quad of each row.</summary>
    public static int OwnQuad => Group.IdxX & 7;

    // This thread's part of 16-bit rows: 2 rows, 32 apart, of one quad in 4.
    private static int HalfRow => Group.IdxX >> 2;

    private static int HalfQuad => Group.IdxX & 3;

    // In float32 a thread has rows 8 apart from this one on, and columns 16 apart.
    private static int SingleRow => Group.IdxX >> 4;

    /// <summary>Once a kernel, before everything else here; the group's shared array must be its only one.</summary>
    public static void Declare() => CudaAsm.Emit(TensorTileText.Declare);

    /// <summary>Says where row i of A is; beyond the end it counts as zeros.</summary>
    /// <param name="pointer">A's address.</param>
    /// <param name="first">First row of the tile.</param>
    /// <param name="end">Row after the last.</param>
    /// <param name="quads">K in quads.</param>
    public static void SetA(long pointer, int first, int end, int quads) => SetA(pointer, first, end, quads, quads);

    /// <summary>The same where rows are another distance apart than they are long.</summary>
    /// <param name="pointer">A's address.</param>
    /// <param name="first">First row of the tile.</param>
    /// <param name="end">Row after the last.</param>
    /// <param name="quads">K in quads.</param>
    /// <param name="stride">From one row to the next in quads.</param>
    public static void SetA(long pointer, int first, int end, int quads, int stride)
    {
        CudaAsm.Emit("mov.b64 %%pa0, %0;", Address(pointer, first, 0, end, quads, stride));
        CudaAsm.Emit("mov.b64 %%pa1, %0;", Address(pointer, first, 16, end, quads, stride));
        CudaAsm.Emit("mov.b64 %%pa2, %0;", Address(pointer, first, 32, end, quads, stride));
        CudaAsm.Emit("mov.b64 %%pa3, %0;", Address(pointer, first, 48, end, quads, stride));
        CudaAsm.Emit("mov.b32 %%za0, %0;", Bytes(first, 0, end));
        CudaAsm.Emit("mov.b32 %%za1, %0;", Bytes(first, 16, end));
        CudaAsm.Emit("mov.b32 %%za2, %0;", Bytes(first, 32, end));
        CudaAsm.Emit("mov.b32 %%za3, %0;", Bytes(first, 48, end));
    }

    /// <summary>Says where B's rows are: the first 32 from one place, the last 32 from another.</summary>
    /// <param name="pointer">B's address.</param>
    /// <param name="low">First of the rows 0 to 31 of the tile.</param>
    /// <param name="lowEnd">Row after the last of these.</param>
    /// <param name="high">First of the rows 32 to 63.</param>
    /// <param name="highEnd">Row after the last of these.</param>
    /// <param name="quads">K in quads.</param>
    public static void SetB(long pointer, int low, int lowEnd, int high, int highEnd, int quads) =>
        SetB(pointer, low, lowEnd, high, highEnd, quads, quads);

    /// <summary>The same where rows are another distance apart than they are long.</summary>
    /// <param name="pointer">B's address.</param>
    /// <param name="low">First of the rows 0 to 31 of the tile.</param>
    /// <param name="lowEnd">Row after the last of these.</param>
    /// <param name="high">First of the rows 32 to 63.</param>
    /// <param name="highEnd">Row after the last of these.</param>
    /// <param name="quads">K in quads.</param>
    /// <param name="stride">From one row to the next in quads.</param>
    public static void SetB(long pointer, int low, int lowEnd, int high, int highEnd, int quads, int stride)
    {
        CudaAsm.Emit("mov.b64 %%pb0, %0;", Address(pointer, low, 0, lowEnd, quads, stride));
        CudaAsm.Emit("mov.b64 %%pb1, %0;", Address(pointer, low, 16, lowEnd, quads, stride));
        CudaAsm.Emit("mov.b64 %%pb2, %0;", Address(pointer, high, 0, highEnd, quads, stride));
        CudaAsm.Emit("mov.b64 %%pb3, %0;", Address(pointer, high, 16, highEnd, quads, stride));
        CudaAsm.Emit("mov.b32 %%zb0, %0;", Bytes(low, 0, lowEnd));
        CudaAsm.Emit("mov.b32 %%zb1, %0;", Bytes(low, 16, lowEnd));
        CudaAsm.Emit("mov.b32 %%zb2, %0;", Bytes(high, 0, highEnd));
        CudaAsm.Emit("mov.b32 %%zb3, %0;", Bytes(high, 16, highEnd));
    }

    /// <summary>The same of weights in any form: rows of 16-bit ones hold 8 inputs a quad.</summary>
    /// <param name="pointer">B's address.</param>
    /// <param name="low">First of the rows 0 to 31 of the tile.</param>
    /// <param name="lowEnd">Row after the last of these.</param>
    /// <param name="high">First of the rows 32 to 63.</param>
    /// <param name="highEnd">Row after the last of these.</param>
    /// <param name="quads">K in quads.</param>
    /// <param name="weights"><see cref="WeightKind"/>.</param>
    public static void SetWeights(long pointer, int low, int lowEnd, int high, int highEnd, int quads, int weights)
    {
        if (weights == (int)WeightKind.Single)
        {
            SetB(pointer, low, lowEnd, high, highEnd, quads);
            return;
        }

        int eights = (quads + 1) >> 1, row = low + HalfRow < lowEnd ? low + HalfRow : lowEnd - 1, second = high + HalfRow;
        second = second < highEnd ? second : highEnd - 1;
        int own = HalfQuad < eights ? HalfQuad : eights - 1;
        CudaAsm.Emit("mov.b64 %%pb0, %0;", pointer + ((((long)row * eights) + own) * 16));
        CudaAsm.Emit("mov.b64 %%pb1, %0;", pointer + ((((long)second * eights) + own) * 16));
        CudaAsm.Emit("mov.b32 %%zb0, %0;", low + HalfRow < lowEnd ? 16 : 0);
        CudaAsm.Emit("mov.b32 %%zb1, %0;", high + HalfRow < highEnd ? 16 : 0);
        CudaAsm.Emit("mov.b32 %%tb, %0;", (HalfPlace(HalfRow) ^ (16 * HalfQuad)) - Swizzled(OwnRow, OwnQuad));
    }

    /// <summary>All products; ends with a barrier, the outputs in the shared array.</summary>
    /// <param name="quads">K in quads.</param>
    /// <param name="products">3, 1: values rounded to tf32, or 0: to bf16; negative: float32 multiply-adds.</param>
    /// <param name="weights"><see cref="WeightKind"/> of B. In 16 bits it has no rest: two products of three, or one of bf16.</param>
    public static void Run(int quads, int products, int weights)
    {
        int steps = (quads + 7) >> 3, lane = Group.IdxX & 31, warp = Group.IdxX >> 5, right = warp >> 1, down = warp & 1;
        int target = Swizzled(OwnRow, OwnQuad);
        // The 8 x 8 matrices of ldmatrix: of A rows 0, 8 of inputs 0 to 3, then of 4 to 7; of B inputs 0 to 3 and 4 to 7 of rows 0, then 8.
        int a = Swizzled((32 * down) + (lane & 15), lane >> 4);
        int b = (Size * 128) + Swizzled((32 * right) + (lane & 7) + (8 * (lane >> 4)), (lane >> 3) & 1);
        if (products < 0)
        {
            a = Swizzled(SingleRow, 0);
            b = Swizzled(Group.IdxX & 15, 0);
        }

        // Of 16-bit B the same 8 inputs of rows 0, 8, 16 and 24: a row a lane.
        if (weights != (int)WeightKind.Single)
            b = HalfPlace((32 * right) + lane);
        StageNext(target, 0, steps, quads, weights);
        StageNext(target + StageBytes, 1, steps, quads, weights);
        int write = 2 * StageBytes, read = 0;
        for (int step = 0; step < steps; step++)
        {
            // All but the newest group are there; and whoever read the stage that is written next has done so.
            CudaAsm.Emit("cp.async.wait_group 1;");
            Group.Barrier();
            StageNext(target + write, step + 2, steps, quads, weights);
            if (weights == (int)WeightKind.Half)
                CudaAsm.Emit(TensorTileText.TwoProductsHalf, a, b, read);
            else if (weights == (int)WeightKind.BFloat && products == 3)
                CudaAsm.Emit(TensorTileText.TwoProductsBFloat, a, b, read);
            else if (weights == (int)WeightKind.BFloat)
                CudaAsm.Emit(TensorTileText.BFloatWeights, a, b, read);
            else if (products < 0)
                CudaAsm.Emit(TensorTileText.Single, a, b, read);
            else if (products == 3)
                CudaAsm.Emit(TensorTileText.ThreeProducts, a, b, read);
            else if (products == 1)
                CudaAsm.Emit(TensorTileText.OneProduct, a, b, read);
            else
                CudaAsm.Emit(TensorTileText.BFloatProduct, a, b, read);
            if (products >= 0)
                CudaAsm.Emit(TensorTileText.Flush);
            read = read + StageBytes == Stages * StageBytes ? 0 : read + StageBytes;
            write = write + StageBytes == Stages * StageBytes ? 0 : write + StageBytes;
        }

        Group.Barrier();
        if (products < 0)
            CudaAsm.Emit(TensorTileText.StoreSingle, (SingleRow * 288) + (4 * (Group.IdxX & 15)));
        else
            CudaAsm.Emit(TensorTileText.Store, (((32 * down) + (lane >> 2)) * 288) + (128 * right) + (8 * (lane & 3)));
        Group.Barrier();
    }

    // Every step commits a group, an empty one after the last, so that one number of groups is waited for throughout.
    private static void StageNext(int target, int step, int steps, int quads, int weights)
    {
        int own = (step * 8) + OwnQuad;
        if (step >= steps)
            CudaAsm.Emit("cp.async.commit_group;");
        else if (weights == (int)WeightKind.Single)
            CudaAsm.Emit(TensorTileText.Stage, target, own < quads ? -1 : 0, own + 8 < quads ? 128L : 0L);
        else
        {
            int half = 2 * ((step * 4) + HalfQuad);
            CudaAsm.Emit(TensorTileText.StageHalf, target, own < quads ? -1 : 0, own + 8 < quads ? 128L : 0L, half < quads ? -1 : 0,
                half + 8 < quads ? 64L : 0L);
        }
    }

    // In bytes, of a row of 8 quads.
    private static int Swizzled(int row, int quad) => (row * 128) + ((quad ^ (row & 7)) * 16);

    // In bytes, the first quad of a row of 4, rows after those of A: two rows share 8 places, so that a matrix of 8 rows meets every bank
    // once.
    private static int HalfPlace(int row) => (Size * 128) + (row * 64) + (((row >> 1) & 3) * 16);

    private static long Address(long pointer, int first, int offset, int end, int quads, int stride)
    {
        int row = first + offset + OwnRow;
        row = row < end ? row : end - 1;
        // Where this thread has no input the address stays at one that there is: nothing is read there.
        return pointer + ((((long)row * stride) + (OwnQuad < quads ? OwnQuad : quads - 1)) * 16);
    }

    private static int Bytes(int first, int offset, int end) => first + offset + OwnRow < end ? 16 : 0;
}
