using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Backends.Cpu.Kernels;

/// <summary>
/// Bias, then LayerNorm over a token's channels: <c>z = x + bias; y = (z - mean z) / sqrt(var z + eps) gamma + beta</c>
/// </summary>
/// <remarks>
/// <para>Rows are [padded C]; lanes past C hold anything finite and are masked out of mean and variance. Three passes over a row
/// in L1: sum, squared deviations (two-pass variance, no cancellation), scale. FLOPs 8 C, bytes 8 C a row.</para>
/// <para>Error: relative (C/W + 6) u of the largest |y|, u = 2^-24. Four partial sums in a fixed order.</para>
/// </remarks>
internal static unsafe class LayerNorm
{
    /// <summary>Normalises rows in place.</summary>
    /// <param name="x">[rows, stride]; result in place.</param>
    /// <param name="stride">Floats between rows, at least <paramref name="padded"/>.</param>
    /// <param name="rows">Tokens.</param>
    /// <param name="channels">C.</param>
    /// <param name="padded">C rounded up to whole vectors.</param>
    /// <param name="bias">[padded] added first.</param>
    /// <param name="mask">[padded] 1 for a channel, 0 for padding.</param>
    /// <param name="gamma">[padded], or null for none (folded into the next map).</param>
    /// <param name="beta">[padded], or null with <paramref name="gamma"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<S, V>(float* x, nint stride, int rows, int channels, int padded, float* bias, float* mask, float* gamma,
        float* beta)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (int row = 0; row < rows; row++, x += stride)
        {
            float mean = BiasAndSum<S, V>(x, padded, bias, mask) / channels;
            float variance = SquaredDeviations<S, V>(x, padded, mean, mask) / channels;
            float scale = 1f / MathF.Sqrt(variance + 1e-5f);
            V m = S.Set(mean), r = S.Set(scale);
            if (gamma == null)
            {
                for (int c = 0; c < padded; c += S.Width)
                    S.Store(x + c, S.Multiply(S.Subtract(S.Load(x + c), m), r));
            }
            else
            {
                for (int c = 0; c < padded; c += S.Width)
                {
                    V y = S.Multiply(S.Subtract(S.Load(x + c), m), r);
                    S.Store(x + c, S.MultiplyAdd(y, S.Load(gamma + c), S.Load(beta + c)));
                }
            }
        }
    }

    /// <summary>Mean and sum of squared deviations of each row, for a LayerNorm over more than one row (the encoder's plane).</summary>
    /// <param name="x">[rows, stride].</param>
    /// <param name="stride">Floats between rows.</param>
    /// <param name="rows">Tokens.</param>
    /// <param name="channels">C.</param>
    /// <param name="padded">C rounded up to whole vectors.</param>
    /// <param name="zero">[padded] zeros.</param>
    /// <param name="mask">[padded] 1 for a channel, 0 for padding.</param>
    /// <param name="moments">[rows, 2] mean and sum of squared deviations.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Moments<S, V>(float* x, nint stride, int rows, int channels, int padded, float* zero, float* mask, float* moments)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (int row = 0; row < rows; row++, x += stride, moments += 2)
        {
            moments[0] = BiasAndSum<S, V>(x, padded, zero, mask) / channels;
            moments[1] = SquaredDeviations<S, V>(x, padded, moments[0], mask);
        }
    }

    /// <summary>Mean and scale of a plane from its rows' moments, in double and in row order (Chan, Golub and LeVeque 1979).</summary>
    /// <param name="moments">[rows, 2] of <see cref="Moments"/>.</param>
    /// <param name="rows">Tokens of the plane.</param>
    /// <param name="channels">C.</param>
    /// <returns>Mean and 1 / sqrt(variance + eps).</returns>
    public static (float Mean, float Scale) Combine(float* moments, int rows, int channels)
    {
        double sum = 0, squares = 0;
        for (int row = 0; row < rows; row++)
            sum += moments[2 * row];
        double mean = sum / rows;
        for (int row = 0; row < rows; row++)
        {
            double d = moments[2 * row] - mean;
            squares += moments[(2 * row) + 1] + (channels * d * d);
        }

        return ((float)mean, (float)(1 / Math.Sqrt((squares / ((double)rows * channels)) + 1e-5)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float BiasAndSum<S, V>(float* x, int padded, float* bias, float* mask)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V s0 = S.Zero, s1 = S.Zero, s2 = S.Zero, s3 = S.Zero;
        int c = 0, last = padded - S.Width;
        for (; c + (3 * S.Width) < last; c += 4 * S.Width)
        {
            V z0 = S.Add(S.Load(x + c), S.Load(bias + c));
            V z1 = S.Add(S.Load(x + c + S.Width), S.Load(bias + c + S.Width));
            V z2 = S.Add(S.Load(x + c + (2 * S.Width)), S.Load(bias + c + (2 * S.Width)));
            V z3 = S.Add(S.Load(x + c + (3 * S.Width)), S.Load(bias + c + (3 * S.Width)));
            S.Store(x + c, z0);
            S.Store(x + c + S.Width, z1);
            S.Store(x + c + (2 * S.Width), z2);
            S.Store(x + c + (3 * S.Width), z3);
            s0 = S.Add(s0, z0);
            s1 = S.Add(s1, z1);
            s2 = S.Add(s2, z2);
            s3 = S.Add(s3, z3);
        }

        for (; c <= last; c += S.Width)
        {
            V z = S.Add(S.Load(x + c), S.Load(bias + c));
            S.Store(x + c, z);
            s0 = S.MultiplyAdd(z, S.Load(mask + c), s0);
        }

        return S.Sum(S.Add(S.Add(s0, s1), S.Add(s2, s3)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float SquaredDeviations<S, V>(float* x, int padded, float mean, float* mask)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V m = S.Set(mean), s0 = S.Zero, s1 = S.Zero, s2 = S.Zero, s3 = S.Zero;
        int c = 0, last = padded - S.Width;
        for (; c + (3 * S.Width) < last; c += 4 * S.Width)
        {
            V d0 = S.Subtract(S.Load(x + c), m);
            V d1 = S.Subtract(S.Load(x + c + S.Width), m);
            V d2 = S.Subtract(S.Load(x + c + (2 * S.Width)), m);
            V d3 = S.Subtract(S.Load(x + c + (3 * S.Width)), m);
            s0 = S.MultiplyAdd(d0, d0, s0);
            s1 = S.MultiplyAdd(d1, d1, s1);
            s2 = S.MultiplyAdd(d2, d2, s2);
            s3 = S.MultiplyAdd(d3, d3, s3);
        }

        for (; c <= last; c += S.Width)
        {
            V d = S.Multiply(S.Subtract(S.Load(x + c), m), S.Load(mask + c));
            s0 = S.MultiplyAdd(d, d, s0);
        }

        return S.Sum(S.Add(S.Add(s0, s1), S.Add(s2, s3)));
    }
}
