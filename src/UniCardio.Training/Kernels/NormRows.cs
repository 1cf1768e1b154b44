using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Training.Kernels;

/// <summary>
/// LayerNorm of a token row, forward with what the backward pass needs, and backward:
/// <code>n = (z - mean z) r, r = 1 / sqrt(var z + eps); y = n gamma + beta
/// dz = r (g - mean g - n mean(g n)), g = dy gamma; dgamma += dy n; dbeta += dy</code>
/// </summary>
/// <remarks>
/// Rows are [padded C] with zeros past C, and stay so. FLOPs 8 C forward, 12 C backward; bytes 12 C and 16 C a row, from L1 or L2.
/// Error: (C/W + 8) u of the largest term, u = 2^-24.
/// </remarks>
internal static unsafe class NormRows
{
    /// <summary>Forward. <paramref name="z"/> holds z and receives y.</summary>
    /// <param name="z">[rows, stride]; without <paramref name="bias"/>.</param>
    /// <param name="bias">[padded] added to z first.</param>
    /// <param name="normalised">[rows, stride] receives n.</param>
    /// <param name="stride">Floats between rows.</param>
    /// <param name="rows">Tokens.</param>
    /// <param name="channels">C.</param>
    /// <param name="padded">C rounded up to whole vectors.</param>
    /// <param name="mask">[padded] 1 for a channel, 0 for padding.</param>
    /// <param name="gamma">[padded], zero past C.</param>
    /// <param name="beta">[padded], zero past C.</param>
    /// <param name="scales">[rows] receives r.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward<S, V>(float* z, float* bias, float* normalised, nint stride, int rows, int channels, int padded, float* mask,
        float* gamma, float* beta, float* scales)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (int row = 0; row < rows; row++, z += stride, normalised += stride)
        {
            V s0 = S.Zero, s1 = S.Zero;
            for (int c = 0; c < padded; c += 2 * S.Width)
            {
                V a = S.Add(S.Load(z + c), S.Load(bias + c)), b = S.Add(S.Load(z + c + S.Width), S.Load(bias + c + S.Width));
                S.Store(normalised + c, a);
                S.Store(normalised + c + S.Width, b);
                s0 = S.Add(s0, a);
                s1 = S.Add(s1, b);
            }

            V mean = S.Set(S.Sum(S.Add(s0, s1)) / channels);
            s0 = s1 = S.Zero;
            for (int c = 0; c < padded; c += 2 * S.Width)
            {
                V a = S.Multiply(S.Subtract(S.Load(normalised + c), mean), S.Load(mask + c));
                V b = S.Multiply(S.Subtract(S.Load(normalised + c + S.Width), mean), S.Load(mask + c + S.Width));
                S.Store(normalised + c, a);
                S.Store(normalised + c + S.Width, b);
                s0 = S.MultiplyAdd(a, a, s0);
                s1 = S.MultiplyAdd(b, b, s1);
            }

            float scale = 1f / MathF.Sqrt((S.Sum(S.Add(s0, s1)) / channels) + 1e-5f);
            scales[row] = scale;
            V r = S.Set(scale);
            for (int c = 0; c < padded; c += S.Width)
            {
                V n = S.Multiply(S.Load(normalised + c), r);
                S.Store(normalised + c, n);
                S.Store(z + c, S.MultiplyAdd(n, S.Load(gamma + c), S.Load(beta + c)));
            }
        }
    }

    /// <summary>Backward. <paramref name="dy"/> holds dy and receives dz.</summary>
    /// <param name="dy">[rows, stride].</param>
    /// <param name="normalised">[rows, stride] n of the forward pass.</param>
    /// <param name="stride">Floats between rows.</param>
    /// <param name="rows">Tokens.</param>
    /// <param name="channels">C.</param>
    /// <param name="padded">C rounded up to whole panels.</param>
    /// <param name="mask">[padded] 1 for a channel, 0 for padding.</param>
    /// <param name="gamma">[padded], zero past C.</param>
    /// <param name="scales">[rows] r of the forward pass.</param>
    /// <param name="dGamma">[padded], accumulated.</param>
    /// <param name="dBeta">[padded], accumulated.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward<S, V>(float* dy, float* normalised, nint stride, int rows, int channels, int padded, float* mask,
        float* gamma, float* scales, float* dGamma, float* dBeta)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (int row = 0; row < rows; row++, dy += stride, normalised += stride)
        {
            V s0 = S.Zero, s1 = S.Zero;
            for (int c = 0; c < padded; c += S.Width)
            {
                V d = S.Load(dy + c), n = S.Load(normalised + c);
                S.Store(dGamma + c, S.MultiplyAdd(d, n, S.Load(dGamma + c)));
                S.Store(dBeta + c, S.Add(d, S.Load(dBeta + c)));
                V g = S.Multiply(d, S.Load(gamma + c));
                S.Store(dy + c, g);
                s0 = S.Add(s0, g);
                s1 = S.MultiplyAdd(g, n, s1);
            }

            V mean = S.Set(S.Sum(s0) / channels), along = S.Set(S.Sum(s1) / channels), r = S.Set(scales[row]);
            for (int c = 0; c < padded; c += S.Width)
            {
                V dz = S.NegatedMultiplyAdd(S.Load(normalised + c), along, S.Subtract(S.Load(dy + c), mean));
                S.Store(dy + c, S.Multiply(S.Multiply(dz, r), S.Load(mask + c)));
            }
        }
    }

    /// <summary>y = n gamma + beta from what the forward pass kept.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Affine<S, V>(float* normalised, float* y, nint stride, int rows, int padded, float* gamma, float* beta)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (int row = 0; row < rows; row++, y += stride, normalised += stride)
        {
            for (int c = 0; c < padded; c += S.Width)
                S.Store(y + c, S.MultiplyAdd(S.Load(normalised + c), S.Load(gamma + c), S.Load(beta + c)));
        }
    }
}
