using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Training.Kernels;

/// <summary>
/// Softmax over keys by row, in base 2 with the scale folded in: <c>p = 2^(c s - m), m = max c s</c>; kept for the backward pass is
/// l = m + log2(sum p), from which the weights come back as 2^(c s - l).
/// </summary>
/// <remarks>
/// s: [rows, stride]; keys past the last are set to 0. Error of a weight: 3 ulp of 2^x plus |c s - l| u from the rounding of its
/// argument; backward: <c>ds = p (dp - sum p dp)</c>, (keys/W + 4) u of the largest term.
/// </remarks>
internal static unsafe class SoftmaxRows
{
    /// <summary>Scores to weights before division by their sum.</summary>
    /// <param name="s">[rows, stride], in place.</param>
    /// <param name="stride">Floats between rows.</param>
    /// <param name="rows">Queries.</param>
    /// <param name="keys">Keys; at least 1.</param>
    /// <param name="c">log2(e) / sqrt(head dim).</param>
    /// <param name="inverse">[rows] receives 1 / sum.</param>
    /// <param name="logs">Receives l of each row.</param>
    /// <param name="logStride">Floats between the rows' l.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward<S, V>(float* s, nint stride, int rows, int keys, float c, float* inverse, float* logs, nint logStride)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int whole = (keys + S.Width - 1) / S.Width * S.Width;
        V k = S.Set(c);
        float* lanes = stackalloc float[16];
        for (int row = 0; row < rows; row++, s += stride)
        {
            // A copy of a real score changes no maximum.
            for (int j = keys; j < whole; j++)
                s[j] = s[0];
            V max = S.Load(s);
            for (int j = S.Width; j < whole; j += S.Width)
                max = S.Max(max, S.Load(s + j));
            float m = s[0];
            S.Store(lanes, max);
            for (int j = 0; j < S.Width; j++)
                m = MathF.Max(m, lanes[j]);
            m *= c;
            V shift = S.Set(-m);
            for (int j = 0; j < whole; j += S.Width)
                S.Store(s + j, Elementary.Exp2OfNegative<S, V>(S.MultiplyAdd(S.Load(s + j), k, shift)));
            Clear(s, keys, (int)stride);
            V s0 = S.Zero;
            for (int j = 0; j < whole; j += S.Width)
                s0 = S.Add(s0, S.Load(s + j));
            float sum = S.Sum(s0);
            inverse[row] = 1f / sum;
            logs[row * logStride] = m + MathF.Log2(sum);
        }
    }

    /// <summary>Scores to weights, with l of the forward pass.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Again<S, V>(float* s, nint stride, int rows, int keys, float c, float* logs, nint logStride)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V k = S.Set(c);
        for (int row = 0; row < rows; row++, s += stride)
        {
            V shift = S.Set(-logs[row * logStride]);
            for (int j = 0; j < keys; j += S.Width)
                S.Store(s + j, Elementary.Exp2<S, V>(S.MultiplyAdd(S.Load(s + j), k, shift)));
            Clear(s, keys, (int)stride);
        }
    }

    /// <summary>dp to ds, in place.</summary>
    /// <param name="p">[rows, stride] weights, 0 past the last key.</param>
    /// <param name="dp">[rows, stride].</param>
    /// <param name="stride">Floats between rows.</param>
    /// <param name="rows">Queries.</param>
    /// <param name="keys">Keys.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward<S, V>(float* p, float* dp, nint stride, int rows, int keys)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (int row = 0; row < rows; row++, p += stride, dp += stride)
        {
            V s0 = S.Zero;
            for (int j = 0; j < keys; j += S.Width)
                s0 = S.MultiplyAdd(S.Load(p + j), S.Load(dp + j), s0);
            V mean = S.Set(S.Sum(s0));
            for (int j = 0; j < keys; j += S.Width)
                S.Store(dp + j, S.Multiply(S.Load(p + j), S.Subtract(S.Load(dp + j), mean)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Clear(float* s, int from, int to) => new Span<float>(s + from, to - from).Clear();
}
