using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Training.Kernels;

/// <summary>
/// Gradient of a linear map Y = X W^T + b: <c>dW[n, k] += sum over rows of dY[r, n] X[r, k]</c>, <c>db[n] += sum dY[r, n]</c>
/// </summary>
/// <remarks>
/// <para>dY: [rows, stride] read by column; X: packed into panels [rows, 2W]; dW: [N, padded K]. FLOPs 2 rows N K; bytes: dY once a
/// panel of X (from L2), X twice (packing), dW read and written once a call.</para>
/// <para>Error: (rows + 1) u sum |dY X| an element, u = 2^-24; one chain in ascending row, so the split into calls fixes the bits.</para>
/// </remarks>
internal static unsafe class WeightGradient
{
    /// <summary>Accumulates the weight's gradient.</summary>
    /// <param name="dy">[rows, <paramref name="dyStride"/>].</param>
    /// <param name="dyStride">Floats between rows of dY.</param>
    /// <param name="outputs">N.</param>
    /// <param name="panels">X as <see cref="Pack"/> leaves it.</param>
    /// <param name="inputs">K.</param>
    /// <param name="dw">[N, <paramref name="dwStride"/>].</param>
    /// <param name="dwStride">K rounded up to whole panels.</param>
    /// <param name="rows">Tokens.</param>
    public static void Accumulate<S, V>(float* dy, nint dyStride, int outputs, float* panels, int inputs, float* dw,
        nint dwStride, int rows)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width;
        for (int k = 0; k < inputs; k += width)
            MatrixProduct.OnePanel<S, V, ByColumn>(dy, dyStride, panels + ((nint)k * rows), rows, dw + k, dwStride, dw + k,
                dwStride, outputs);
    }

    /// <summary>Packs X [rows, K] into panels of 2W columns, the last one filled up with zeros.</summary>
    /// <param name="x">[rows, <paramref name="stride"/>].</param>
    /// <param name="stride">Floats between rows.</param>
    /// <param name="rows">Tokens.</param>
    /// <param name="columns">K.</param>
    /// <param name="panels">[ceil(K / 2W), rows, 2W].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack<S, V>(float* x, nint stride, int rows, int columns, float* panels)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width;
        for (int k = 0; k < columns; k += width, panels += (nint)rows * width)
        {
            if (columns - k >= width)
            {
                for (nint r = 0; r < rows; r++)
                {
                    S.Store(panels + (r * width), S.Load(x + (r * stride) + k));
                    S.Store(panels + (r * width) + S.Width, S.Load(x + (r * stride) + k + S.Width));
                }

                continue;
            }

            int rest = columns - k;
            for (nint r = 0; r < rows; r++)
            {
                new Span<float>(x + (r * stride) + k, rest).CopyTo(new Span<float>(panels + (r * width), width));
                new Span<float>(panels + (r * width) + rest, width - rest).Clear();
            }
        }
    }

    /// <summary>Adds the rows of dY to a bias gradient.</summary>
    /// <param name="dy">[rows, <paramref name="stride"/>].</param>
    /// <param name="stride">Floats between rows.</param>
    /// <param name="rows">Tokens.</param>
    /// <param name="padded">Columns, a multiple of W.</param>
    /// <param name="db">[padded].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ColumnSums<S, V>(float* dy, nint stride, int rows, int padded, float* db)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (nint c = 0; c < padded; c += S.Width)
        {
            V s0 = S.Load(db + c), s1 = S.Zero;
            float* p = dy + c;
            int r = 0;
            for (; r + 1 < rows; r += 2, p += 2 * stride)
            {
                s0 = S.Add(s0, S.Load(p));
                s1 = S.Add(s1, S.Load(p + stride));
            }

            if (r < rows)
                s0 = S.Add(s0, S.Load(p));
            S.Store(db + c, S.Add(s0, s1));
        }
    }
}
