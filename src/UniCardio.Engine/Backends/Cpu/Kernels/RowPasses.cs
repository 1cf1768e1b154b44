using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Backends.Cpu.Kernels;

/// <summary>GELU by erf, in place: <c>x[i] &lt;- x[i]/2 (1 + erf(x[i] / sqrt 2))</c></summary>
/// <remarks>Flat over [count], whole vectors. Some 30 operations and 8 bytes an element; error: see
/// <see cref="Elementary.Gelu"/>.</remarks>
internal static unsafe class GeluRows
{
    /// <summary>Applies it.</summary>
    /// <param name="x">[count].</param>
    /// <param name="count">A multiple of W.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<S, V>(float* x, nint count)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (nint i = 0; i < count; i += S.Width)
            S.Store(x + i, Elementary.Gelu<S, V>(S.Load(x + i)));
    }
}

/// <summary>The gate: <c>g[r, c] = sigmoid(m[r, c]) tanh(m[r, C + c])</c></summary>
/// <remarks>m: [rows, stride]; g: [rows, stride]. Two exponentials and one division, 12 bytes an element; error 6 ulp.</remarks>
internal static unsafe class GateRows
{
    /// <summary>Applies it.</summary>
    /// <param name="m">[rows, 2C and padding].</param>
    /// <param name="mStride">Floats between rows of m.</param>
    /// <param name="g">[rows, padded C].</param>
    /// <param name="gStride">Floats between rows of g.</param>
    /// <param name="rows">Tokens.</param>
    /// <param name="channels">C.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<S, V>(float* m, nint mStride, float* g, nint gStride, int rows, int channels)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (int row = 0; row < rows; row++, m += mStride, g += gStride)
        {
            for (int c = 0; c < channels; c += S.Width)
                S.Store(g + c, Elementary.SigmoidTanh<S, V>(S.Load(m + c), S.Load(m + channels + c)));
        }
    }
}

/// <summary>
/// Residual and skip of a block: <c>x &lt;- x / sqrt 2 + m[:C]; skip &lt;- skip + m[C:]</c> (1/sqrt 2 of m is folded into its weights).
/// </summary>
/// <remarks>4 FLOPs and 24 bytes an element; error 1 ulp of each sum.</remarks>
internal static unsafe class ResidualRows
{
    private const float InverseSqrt2 = 0.70710678f;

    /// <summary>Applies it.</summary>
    /// <param name="m">[rows, 2C and padding].</param>
    /// <param name="mStride">Floats between rows of m.</param>
    /// <param name="x">[rows, stride], updated.</param>
    /// <param name="skip">[rows, stride], updated; null for rows whose skips nobody reads.</param>
    /// <param name="stride">Floats between rows of x and skip.</param>
    /// <param name="rows">Tokens.</param>
    /// <param name="channels">C.</param>
    /// <param name="isFirst">The skip is set, not added to.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<S, V>(float* m, nint mStride, float* x, float* skip, nint stride, int rows, int channels, bool isFirst)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V k = S.Set(InverseSqrt2);
        for (int row = 0; row < rows; row++, m += mStride, x += stride)
        {
            for (int c = 0; c < channels; c += S.Width)
                S.Store(x + c, S.MultiplyAdd(S.Load(x + c), k, S.Load(m + c)));
            if (skip == null)
                continue;
            if (isFirst)
            {
                for (int c = 0; c < channels; c += S.Width)
                    S.Store(skip + c, S.Load(m + channels + c));
            }
            else
            {
                for (int c = 0; c < channels; c += S.Width)
                    S.Store(skip + c, S.Add(S.Load(skip + c), S.Load(m + channels + c)));
            }

            skip += stride;
        }
    }
}

/// <summary>ReLU in place over [count], whole vectors: the decoder's.</summary>
internal static unsafe class ReluRows
{
    /// <summary>Applies it.</summary>
    /// <param name="x">[count].</param>
    /// <param name="count">A multiple of W.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<S, V>(float* x, nint count)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (nint i = 0; i < count; i += S.Width)
            S.Store(x + i, S.Max(S.Zero, S.Load(x + i)));
    }
}

/// <summary>Affine part of the encoder's plane LayerNorm: <c>x[r, c] &lt;- (x[r, c] - mean) scale gamma[r, c] + beta[r, c]</c></summary>
/// <remarks>All [rows, stride]. 4 FLOPs and 16 bytes an element; error 3 ulp of the largest term.</remarks>
internal static unsafe class PlaneRows
{
    /// <summary>Applies it.</summary>
    /// <param name="x">[rows, stride], in place.</param>
    /// <param name="gamma">[rows, stride].</param>
    /// <param name="beta">[rows, stride].</param>
    /// <param name="count">rows times stride, a multiple of W.</param>
    /// <param name="mean">Mean of the plane.</param>
    /// <param name="scale">1 / sqrt(variance + eps) of the plane.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<S, V>(float* x, float* gamma, float* beta, nint count, float mean, float scale)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V m = S.Set(mean), r = S.Set(scale);
        for (nint i = 0; i < count; i += S.Width)
            S.Store(x + i, S.MultiplyAdd(S.Multiply(S.Subtract(S.Load(x + i), m), r), S.Load(gamma + i), S.Load(beta + i)));
    }
}
