using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Backends.Cpu.Kernels;

/// <summary>
/// Moves a strip of QKV rows to where attention reads them: K and V head by head with dense rows, Q transposed into blocks of
/// 2W queries.
/// </summary>
/// <remarks>
/// <para>From [rows, 3C]; to K, V [heads, capacity, head dim] and Q [blocks, heads, head dim, 2W]. No arithmetic; 24 C bytes a
/// token, against 6 C^2 FLOPs of the map before it (under 1% of its time).</para>
/// <para>Dense 144-byte rows of one head are 2.25 cache lines a key and one page for 28 keys; left in place they would be up to 4 lines
/// and a page each.</para>
/// </remarks>
internal static unsafe class HeadScatter
{
    /// <summary>Copies K or V.</summary>
    /// <param name="source">[rows, stride] at the first channel of head 0.</param>
    /// <param name="stride">Floats between rows.</param>
    /// <param name="target">[heads, capacity, head dim] at the strip's first row of head 0.</param>
    /// <param name="headStride">Floats between heads.</param>
    /// <param name="rows">Tokens.</param>
    /// <param name="heads">Heads.</param>
    /// <param name="headDim">Head dim.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void KeysOrValues<S, V>(float* source, nint stride, float* target, nint headStride, int rows, int heads, int headDim)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (int head = 0; head < heads; head++, source += headDim, target += headStride)
        {
            float* from = source, to = target;
            for (int row = 0; row < rows; row++, from += stride, to += headDim)
            {
                int d = 0;
                for (; d + S.Width <= headDim; d += S.Width)
                    S.Store(to + d, S.Load(from + d));
                for (; d + 4 <= headDim; d += 4)
                    Vector128.Load(from + d).Store(to + d);
                for (; d < headDim; d++)
                    to[d] = from[d];
            }
        }
    }

    /// <summary>Transposes Q. Lanes past the last row are zeroed.</summary>
    /// <param name="source">[rows, stride] at channel 0.</param>
    /// <param name="stride">Floats between rows.</param>
    /// <param name="target">[blocks, C, 2W] at the strip's first block.</param>
    /// <param name="rows">Tokens; only the last block may be part-filled.</param>
    /// <param name="channels">C.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Queries<S, V>(float* source, nint stride, float* target, int rows, int channels)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width;
        for (int start = 0; start < rows; start += width, target += (nint)channels * width)
        {
            int count = Math.Min(width, rows - start);
            if (count < width)
                new Span<float>(target, channels * width).Clear();
            int lane = 0;
            float* from = source + (start * stride);
            for (; lane + 4 <= count; lane += 4, from += 4 * stride)
                FourRows(from, stride, target + lane, width, channels);
            for (; lane < count; lane++, from += stride)
            {
                for (int c = 0; c < channels; c++)
                    target[((nint)c * width) + lane] = from[c];
            }
        }
    }

    // 4 x 4 blocks through registers: four loads, eight shuffles, four stores.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourRows(float* from, nint stride, float* to, nint width, int channels)
    {
        int c = 0;
        for (; c + 4 <= channels; c += 4, from += 4, to += 4 * width)
        {
            Vector128<float> r0 = Vector128.Load(from), r1 = Vector128.Load(from + stride), r2 = Vector128.Load(from + (2 * stride)), r3 = Vector128.Load(from + (3 * stride));
            Vector128<float> l01 = Interleave(r0, r1, false), h01 = Interleave(r0, r1, true), l23 = Interleave(r2, r3, false), h23 = Interleave(r2, r3, true);
            Pair(l01, l23, false).Store(to);
            Pair(l01, l23, true).Store(to + width);
            Pair(h01, h23, false).Store(to + (2 * width));
            Pair(h01, h23, true).Store(to + (3 * width));
        }

        for (; c < channels; c++, from++, to += width)
        {
            to[0] = from[0];
            to[1] = from[stride];
            to[2] = from[2 * stride];
            to[3] = from[3 * stride];
        }
    }

    // [a0 b0 a1 b1] or [a2 b2 a3 b3].
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Interleave(Vector128<float> a, Vector128<float> b, bool high)
    {
        if (System.Runtime.Intrinsics.X86.Sse.IsSupported)
            return high ? System.Runtime.Intrinsics.X86.Sse.UnpackHigh(a, b) : System.Runtime.Intrinsics.X86.Sse.UnpackLow(a, b);
        if (System.Runtime.Intrinsics.Arm.AdvSimd.Arm64.IsSupported)
            return high ? System.Runtime.Intrinsics.Arm.AdvSimd.Arm64.ZipHigh(a, b) : System.Runtime.Intrinsics.Arm.AdvSimd.Arm64.ZipLow(a, b);
        return high ? Vector128.Create(a[2], b[2], a[3], b[3]) : Vector128.Create(a[0], b[0], a[1], b[1]);
    }

    // Low halves of both, or high halves of both.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Pair(Vector128<float> a, Vector128<float> b, bool high) =>
        high ? Vector128.Create(a.GetUpper(), b.GetUpper()) : Vector128.Create(a.GetLower(), b.GetLower());
}
