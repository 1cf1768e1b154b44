using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Training.Kernels;

/// <summary>
/// The encoder's LayerNorm over a whole plane of tokens x channels, affine per element:
/// <code>n = (z - mean) r; x = n gamma + beta
/// dz = r (g - mean g - n mean(g n)), g = dx gamma; dgamma += dx n; dbeta += dx</code>
/// </summary>
/// <remarks>
/// All [tokens, stride] token-major, zeros past C. Row sums in float, the plane's in double and in row order: error (C/W + 8) u of
/// the largest term, u = 2^-24. FLOPs 4 forward and 12 backward an element.
/// </remarks>
internal static unsafe class PlaneNorm
{
    /// <summary>Forward from the plane's mean and scale.</summary>
    /// <param name="z">[count] convolutions' output; receives x.</param>
    /// <param name="normalised">[count] receives n.</param>
    /// <param name="count">tokens times stride.</param>
    /// <param name="stride">Floats between rows, the length of <paramref name="mask"/>.</param>
    /// <param name="mask">[stride] 1 for a channel, 0 for padding.</param>
    /// <param name="gamma">[count].</param>
    /// <param name="beta">[count].</param>
    /// <param name="mean">Mean of the plane.</param>
    /// <param name="scale">r of the plane.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward<S, V>(float* z, float* normalised, nint count, nint stride, float* mask, float* gamma, float* beta,
        float mean, float scale)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V m = S.Set(mean), r = S.Set(scale);
        for (nint row = 0; row < count; row += stride)
        {
            for (nint c = 0; c < stride; c += S.Width)
            {
                nint i = row + c;
                V n = S.Multiply(S.Multiply(S.Subtract(S.Load(z + i), m), r), S.Load(mask + c));
                S.Store(normalised + i, n);
                S.Store(z + i, S.MultiplyAdd(n, S.Load(gamma + i), S.Load(beta + i)));
            }
        }
    }

    /// <summary>Backward; <paramref name="dx"/> is replaced by dz.</summary>
    /// <param name="dx">[count].</param>
    /// <param name="normalised">[count] n of the forward pass.</param>
    /// <param name="count">tokens times stride.</param>
    /// <param name="stride">Floats between rows.</param>
    /// <param name="channels">C.</param>
    /// <param name="mask">[stride] 1 for a channel, 0 for padding.</param>
    /// <param name="gamma">[count], zero past C.</param>
    /// <param name="scale">r of the forward pass.</param>
    /// <param name="dGamma">[count], accumulated.</param>
    /// <param name="dBeta">[count], accumulated.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward<S, V>(float* dx, float* normalised, nint count, nint stride, int channels, float* mask, float* gamma,
        float scale, float* dGamma, float* dBeta)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        double sum = 0, along = 0;
        for (nint row = 0; row < count; row += stride)
        {
            V s0 = S.Zero, s1 = S.Zero;
            for (nint c = 0; c < stride; c += S.Width)
            {
                nint i = row + c;
                V d = S.Load(dx + i), n = S.Load(normalised + i);
                S.Store(dGamma + i, S.MultiplyAdd(d, n, S.Load(dGamma + i)));
                S.Store(dBeta + i, S.Add(d, S.Load(dBeta + i)));
                V g = S.Multiply(d, S.Load(gamma + i));
                S.Store(dx + i, g);
                s0 = S.Add(s0, g);
                s1 = S.MultiplyAdd(g, n, s1);
            }

            sum += S.Sum(s0);
            along += S.Sum(s1);
        }

        double elements = (double)(count / stride) * channels;
        V mean = S.Set((float)(sum / elements)), slope = S.Set((float)(along / elements)), r = S.Set(scale);
        for (nint row = 0; row < count; row += stride)
        {
            for (nint c = 0; c < stride; c += S.Width)
            {
                nint i = row + c;
                V dz = S.NegatedMultiplyAdd(S.Load(normalised + i), slope, S.Subtract(S.Load(dx + i), mean));
                S.Store(dx + i, S.Multiply(S.Multiply(dz, r), S.Load(mask + c)));
            }
        }
    }
}
