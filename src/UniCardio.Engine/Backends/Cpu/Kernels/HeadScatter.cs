using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Backends.Cpu.Kernels;

/// <summary>
/// Moves a strip of QKV rows to where attention reads them: K and V head by head with dense rows, Q transposed into blocks of
/// 2W queries; and attention's output back into rows.
/// </summary>
/// <remarks>
/// <para>From panels of QKV's columns (<see cref="QkvEnd"/>); to K, V [heads, capacity, head dim] and Q [blocks, heads, head dim, 2W]. No
/// arithmetic; 24 C bytes a token, against 6 C^2 FLOPs of the map before it.</para>
/// <para>Dense 144-byte rows of one head are 2.25 cache lines a key and one page for 28 keys; left in place they would be up to 4 lines
/// and a page each.</para>
/// </remarks>
internal static unsafe class HeadScatter
{
    /// <summary>Copies some columns of K or V of one head.</summary>
    /// <param name="source">[rows, stride] at the first of them.</param>
    /// <param name="stride">Floats between rows.</param>
    /// <param name="target">[rows, target stride] at the first of them.</param>
    /// <param name="targetStride">Floats between rows of the target.</param>
    /// <param name="rows">Tokens.</param>
    /// <param name="columns">How many.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Columns<S, V>(float* source, nint stride, float* target, nint targetStride, int rows, int columns)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (int row = 0; row < rows; row++, source += stride, target += targetStride)
        {
            int d = 0;
            for (; d + S.Width <= columns; d += S.Width)
                S.Store(target + d, S.Load(source + d));
            for (; d + 4 <= columns; d += 4)
                Vector128.Load(source + d).Store(target + d);

            // The last four overlap what is there already.
            if (d < columns && columns >= 4)
                Vector128.Load(source + columns - 4).Store(target + columns - 4);
            for (; d < columns && columns < 4; d++)
                target[d] = source[d];
        }
    }

    /// <summary>Transposes some channels of Q. Lanes past the last row are zeroed.</summary>
    /// <param name="source">[rows, stride] at the first of them.</param>
    /// <param name="stride">Floats between rows.</param>
    /// <param name="target">[blocks, C, 2W] at the strip's first block.</param>
    /// <param name="half">Row at which a block of W queries begins, [C, W]; null where none does.</param>
    /// <param name="rows">Tokens; only the last block may be part-filled.</param>
    /// <param name="channels">C.</param>
    /// <param name="first">First of the channels.</param>
    /// <param name="count">How many.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Queries<S, V>(float* source, nint stride, float* target, int? half, int rows, int channels, int first, int count)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width;
        for (int start = 0; start < rows; start += width)
        {
            width = start == half ? S.Width : 2 * S.Width;
            float* to = target + ((nint)start * channels) + ((nint)first * width), from = source + (start * stride);
            int filled = Math.Min(width, rows - start), lane = 0;
            if (filled < width)
                new Span<float>(to, count * width).Clear();
            for (; lane + 4 <= filled; lane += 4, from += 4 * stride)
                FourRows(from, stride, to + lane, width, count);
            for (; lane < filled; lane++, from += stride)
            {
                for (int c = 0; c < count; c++)
                    to[((nint)c * width) + lane] = from[c];
            }
        }
    }

    /// <summary>Back to rows: one head's output of a block of queries.</summary>
    /// <param name="source">[head dim, width].</param>
    /// <param name="width">Lanes of the block, 2W or W.</param>
    /// <param name="target">[rows, stride] at the head's first channel.</param>
    /// <param name="stride">Floats between rows.</param>
    /// <param name="rows">Queries of the block; lanes past them are not read.</param>
    /// <param name="headDim">Head dim.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<S, V>(float* source, int width, float* target, nint stride, int rows, int headDim)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int lane = 0;
        for (; lane + 4 <= rows; lane += 4, target += 4 * stride)
        {
            float* from = source + lane;
            int d = 0;
            for (; d + 4 <= headDim; d += 4)
                Transpose(from + (d * width), width, target + d, stride);

            // The last four overlap what is there already.
            if (d < headDim && headDim >= 4)
                Transpose(from + ((headDim - 4) * width), width, target + headDim - 4, stride);
            for (; d < headDim && headDim < 4; d++)
            {
                for (int i = 0; i < 4; i++)
                    target[(i * stride) + d] = from[(d * width) + i];
            }
        }

        for (; lane < rows; lane++, target += stride)
        {
            for (int d = 0; d < headDim; d++)
                target[d] = source[(d * width) + lane];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourRows(float* from, nint stride, float* to, nint width, int channels)
    {
        int c = 0;
        for (; c + 4 <= channels; c += 4, from += 4, to += 4 * width)
            Transpose(from, stride, to, width);

        for (; c < channels; c++, from++, to += width)
        {
            to[0] = from[0];
            to[1] = from[stride];
            to[2] = from[2 * stride];
            to[3] = from[3 * stride];
        }
    }

    // A 4 x 4 block through registers: four loads, eight shuffles, four stores.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(float* from, nint fromStride, float* to, nint toStride)
    {
        Vector128<float> r0 = Vector128.Load(from), r1 = Vector128.Load(from + fromStride), r2 = Vector128.Load(from + (2 * fromStride)),
            r3 = Vector128.Load(from + (3 * fromStride));
        Vector128<float> l01 = Interleave(r0, r1, false), h01 = Interleave(r0, r1, true), l23 = Interleave(r2, r3, false),
            h23 = Interleave(r2, r3, true);
        Pair(l01, l23, false).Store(to);
        Pair(l01, l23, true).Store(to + toStride);
        Pair(h01, h23, false).Store(to + (2 * toStride));
        Pair(h01, h23, true).Store(to + (3 * toStride));
    }

    // [a0 b0 a1 b1] or [a2 b2 a3 b3].
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Interleave(Vector128<float> a, Vector128<float> b, bool high)
    {
        if (System.Runtime.Intrinsics.X86.Sse.IsSupported)
            return high ? System.Runtime.Intrinsics.X86.Sse.UnpackHigh(a, b) : System.Runtime.Intrinsics.X86.Sse.UnpackLow(a, b);
        if (System.Runtime.Intrinsics.Arm.AdvSimd.Arm64.IsSupported)
            return high ? System.Runtime.Intrinsics.Arm.AdvSimd.Arm64.ZipHigh(a, b)
                : System.Runtime.Intrinsics.Arm.AdvSimd.Arm64.ZipLow(a, b);
        return high ? Vector128.Create(a[2], b[2], a[3], b[3]) : Vector128.Create(a[0], b[0], a[1], b[1]);
    }

    // Low halves of both, or high halves of both, by one instruction: Vector128.Create of two halves goes through memory, which stalls (90
    // cycles a block).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Pair(Vector128<float> a, Vector128<float> b, bool high)
    {
        if (System.Runtime.Intrinsics.X86.Sse.IsSupported)
            return high ? System.Runtime.Intrinsics.X86.Sse.MoveHighToLow(b, a) : System.Runtime.Intrinsics.X86.Sse.MoveLowToHigh(a, b);
        if (System.Runtime.Intrinsics.Arm.AdvSimd.Arm64.IsSupported)
        {
            Vector128<double> x = a.AsDouble(), y = b.AsDouble();
            return (high ? System.Runtime.Intrinsics.Arm.AdvSimd.Arm64.ZipHigh(x, y)
                : System.Runtime.Intrinsics.Arm.AdvSimd.Arm64.ZipLow(x, y)).AsSingle();
        }

        return high ? Vector128.Create(a.GetUpper(), b.GetUpper()) : Vector128.Create(a.GetLower(), b.GetLower());
    }
}
