using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Training.Kernels;

/// <summary>GELU by erf, out of place, and backward: <c>dx = dy (Phi(x) + x phi(x))</c>, Phi and phi of the standard normal.</summary>
/// <remarks>Flat over [count], whole vectors. Error: 3 ulp of erf and 2 of the exponential, so 6 u of 1 + |x| phi(x).</remarks>
internal static unsafe class GeluBackward
{
    private const float InverseSqrt2 = 0.70710678f, InverseSqrt2Pi = 0.39894228f;

    /// <summary>y = x Phi(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward<S, V>(float* x, float* y, nint count)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (nint i = 0; i < count; i += S.Width)
            S.Store(y + i, Elementary.Gelu<S, V>(S.Load(x + i)));
    }

    /// <summary>Backward; <paramref name="dy"/> is replaced by dx.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward<S, V>(float* x, float* dy, nint count)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V half = S.Set(0.5f);
        for (nint i = 0; i < count; i += S.Width)
        {
            V v = S.Load(x + i);
            V cdf = S.MultiplyAdd(half, Elementary.Erf<S, V>(S.Multiply(v, S.Set(InverseSqrt2))), half);
            V density = S.Multiply(S.Set(InverseSqrt2Pi), Elementary.Exp<S, V>(S.Multiply(S.Multiply(v, v), S.Set(-0.5f))));
            S.Store(dy + i, S.Multiply(S.Load(dy + i), S.MultiplyAdd(v, density, cdf)));
        }
    }
}
