using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Backends.Cpu.Kernels;

/// <summary>
/// A sampler's row on a run of samples:
/// <code>
/// x0 = clamp(f x + g p, low, high)
/// x &lt;- a x + b0 x0 + b1 x0' + b2 x0'' + s z
/// </code>
/// </summary>
/// <remarks>Flat over [count] samples; 14 FLOPs and up to 28 bytes a sample. Error 6 ulp of the largest term.</remarks>
internal static unsafe class SamplerUpdate
{
    /// <summary>Applies it.</summary>
    /// <param name="step">The row.</param>
    /// <param name="x">[count] state, in place.</param>
    /// <param name="prediction">[count] the network's output.</param>
    /// <param name="clean">[count] receives x0.</param>
    /// <param name="clean1">[count] x0 one row before.</param>
    /// <param name="clean2">[count] x0 two rows before.</param>
    /// <param name="noise">[count] z; not read where the row's noise weight is 0.</param>
    /// <param name="count">Samples; any number, the tail runs lane by lane.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<S, V>(in SamplerStep step, float* x, float* prediction, float* clean, float* clean1, float* clean2,
        float* noise, int count)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int whole = count / S.Width * S.Width;
        Part<S, V>(step, x, prediction, clean, clean1, clean2, noise, whole);
        Part<ScalarSimd, float>(step, x + whole, prediction + whole, clean + whole, clean1 + whole, clean2 + whole, noise + whole,
            count - whole);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Part<S, V>(in SamplerStep step, float* x, float* prediction, float* clean, float* clean1, float* clean2,
        float* noise, int count)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V f = S.Set((float)step.CleanFromState), g = S.Set((float)step.CleanFromPrediction);
        V low = S.Set((float)step.ClampLow), high = S.Set((float)step.ClampHigh);
        V a = S.Set((float)step.State), b0 = S.Set((float)step.Clean0), b1 = S.Set((float)step.Clean1), b2 = S.Set((float)step.Clean2),
            s = S.Set((float)step.Noise);
        bool noisy = step.Noise != 0, second = step.Clean1 != 0, third = step.Clean2 != 0;
        for (int i = 0; i < count; i += S.Width)
        {
            V state = S.Load(x + i);
            V x0 = S.MultiplyAdd(g, S.Load(prediction + i), S.Multiply(f, state));
            x0 = S.Min(high, S.Max(low, x0));
            V next = S.MultiplyAdd(b0, x0, S.Multiply(a, state));
            if (second)
                next = S.MultiplyAdd(b1, S.Load(clean1 + i), next);
            if (third)
                next = S.MultiplyAdd(b2, S.Load(clean2 + i), next);
            if (noisy)
                next = S.MultiplyAdd(s, S.Load(noise + i), next);
            S.Store(clean + i, x0);
            S.Store(x + i, next);
        }
    }
}
