using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Training.Kernels;

/// <summary>Sums and scaled sums of whole rows; all buffers [rows, stride], whole vectors, error 1 to 2 u.</summary>
internal static unsafe class ElementRows
{
    /// <summary>y = x + d, d [padded] the same for every row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddVector<S, V>(float* x, float* d, float* y, nint stride, int rows, int padded)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (int row = 0; row < rows; row++, x += stride, y += stride)
        {
            for (int c = 0; c < padded; c += S.Width)
                S.Store(y + c, S.Add(S.Load(x + c), S.Load(d + c)));
        }
    }

    /// <summary>y += x over [count].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add<S, V>(float* x, float* y, nint count)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (nint i = 0; i < count; i += S.Width)
            S.Store(y + i, S.Add(S.Load(y + i), S.Load(x + i)));
    }

    /// <summary>y = (x + d) a, d [padded].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddVectorScale<S, V>(float* x, float* d, float a, float* y, nint stride, int rows, int padded)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V k = S.Set(a);
        for (int row = 0; row < rows; row++, x += stride, y += stride)
        {
            for (int c = 0; c < padded; c += S.Width)
                S.Store(y + c, S.Multiply(S.Add(S.Load(x + c), S.Load(d + c)), k));
        }
    }

    /// <summary>y = a x over [count]; in place is fine.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale<S, V>(float* x, float a, float* y, nint count)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V k = S.Set(a);
        for (nint i = 0; i < count; i += S.Width)
            S.Store(y + i, S.Multiply(S.Load(x + i), k));
    }

    /// <summary>y += a x over [count].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled<S, V>(float* x, float a, float* y, nint count)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V k = S.Set(a);
        for (nint i = 0; i < count; i += S.Width)
            S.Store(y + i, S.MultiplyAdd(S.Load(x + i), k, S.Load(y + i)));
    }

    /// <summary>dx = dy where y is above 0, else 0: ReLU backward over [count], <paramref name="dy"/> replaced.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ReluBackward<S, V>(float* y, float* dy, nint count)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (nint i = 0; i < count; i += S.Width)
            S.Store(dy + i, S.SelectLess(S.Zero, S.Load(y + i), S.Load(dy + i), S.Zero));
    }
}
