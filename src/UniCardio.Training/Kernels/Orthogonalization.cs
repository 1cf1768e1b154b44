using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Training.Network;

namespace UniCardio.Training.Kernels;

/// <summary>
/// Nearly orthogonal matrix of the same singular vectors: <c>X = M / |M|_F</c>, then five times <c>A = X X^T; X = a X + (b A + c A^2)
/// X</c>, which takes singular values above about 0.01 to 0.7 to 1.2 (Newton-Schulz of odd degree 5; coefficients of Jordan et al., "Muon",
/// 2024).
/// </summary>
/// <remarks>
/// <para>M: [R, C] row-major dense with R no larger than C. FLOPs: 5 (4 R^2 C + 2 R^3); 0.17 GFLOP at 180 x 180. Bytes: the room's,
/// 2 MB at 180 x 180, in L2 for the packed operands of each product.</para>
/// <para>Error: each product as <see cref="RegisterTile"/>; the iteration does not heal rounding but its map is contracting around 1, so
/// the result is within 2e-4 (R = 180) of the same iteration in double.</para>
/// </remarks>
internal static unsafe class Orthogonalization
{
    private const int Iterations = 5;

    // Below it lie the roundings of float32 numbers around its smallest normal one, and no direction; 1 / norm stays finite above it.
    private const double MinNorm = 1e-30;
    private const float A = 3.4445f, B = -4.7750f, C = 2.0315f;

    /// <summary>Replaces M by its nearly orthogonal factor; by zeros where it is as good as zero, as the momentum of a map that nothing
    /// reads is.</summary>
    /// <param name="m">[R, C] dense.</param>
    /// <param name="room">Buffers of this shape.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<S, V>(Span<float> m, OrthogonalizationRoom room)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int rows = room.Rows, columns = room.Columns;
        double norm = Math.Sqrt(Optimization.VectorSum.OfSquares(m));
        if (!(norm >= MinNorm))
        {
            m.Clear();
            return;
        }

        float scale = (float)(1 / norm);
        for (int i = 0; i < m.Length; i++)
            m[i] *= scale;
        for (int turn = 0; turn < Iterations; turn++)
        {
            room.Map.Pack(m, default);
            fixed (float* x = m)
            {
                // A, then b A and c A as start values and left factor of b A + (c A) A.
                MatrixProduct.ByRows<S, V>(x, columns, room.Map.Forward, 0, room.Map.Forward.Panels, room.Map.Forward.Bias, 0, room.Square,
                    room.SquareStride, rows);
                room.PackSquare();
                Scale(room.Square, room.Start, B, room.SquareFloats);
                Scale(room.Square, room.Left, C, room.SquareFloats);
                MatrixProduct.ByRows<S, V>(room.Left, room.SquareStride, room.Packed, 0, room.Packed.Panels, room.Start, room.SquareStride,
                    room.Square, room.SquareStride, rows);
                for (int r = 0; r < rows; r++)
                    Scale(x + ((nint)r * columns), room.Wide + ((nint)r * room.WideStride), A, columns);
                PackedMatrix back = room.Map.Backward;
                MatrixProduct.ByRows<S, V>(room.Square, room.SquareStride, back, 0, back.Panels, room.Wide, room.WideStride, room.Wide,
                    room.WideStride, rows);
                for (int r = 0; r < rows; r++)
                    new ReadOnlySpan<float>(room.Wide + ((nint)r * room.WideStride), columns).CopyTo(m[(r * columns)..]);
            }
        }
    }

    private static void Scale(float* from, float* to, float factor, int count)
    {
        for (int i = 0; i < count; i++)
            to[i] = from[i] * factor;
    }
}

/// <summary>Buffers of <see cref="Orthogonalization"/> for one shape and one thread.</summary>
internal sealed unsafe class OrthogonalizationRoom : IDisposable
{
    private readonly AlignedBuffer _square, _start, _left, _wide;

    /// <summary>Allocates for [rows, columns], rows no larger than columns.</summary>
    /// <param name="rows">R.</param>
    /// <param name="columns">C.</param>
    /// <param name="width">Columns of a panel, 2W.</param>
    public OrthogonalizationRoom(int rows, int columns, int width)
    {
        (Rows, Columns) = (rows, columns);
        Map = new TrainedMatrix(rows, columns, width);
        Packed = new PackedMatrix(rows, rows, width);
        (SquareStride, WideStride) = (Packed.PaddedOutputs, Map.Backward.PaddedOutputs);
        SquareFloats = rows * SquareStride;
        (_square, _start, _left) = (new AlignedBuffer(SquareFloats), new AlignedBuffer(SquareFloats), new AlignedBuffer(SquareFloats));
        _wide = new AlignedBuffer((long)rows * WideStride);
    }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>X packed by rows and by columns.</summary>
    public TrainedMatrix Map { get; }

    /// <summary>A packed.</summary>
    public PackedMatrix Packed { get; }

    public int SquareStride { get; }

    public int SquareFloats { get; }

    public int WideStride { get; }

    /// <summary>[R, <see cref="SquareStride"/>] A, then b A + c A^2.</summary>
    public float* Square => _square.Pointer;

    public float* Start => _start.Pointer;

    public float* Left => _left.Pointer;

    /// <summary>[R, <see cref="WideStride"/>].</summary>
    public float* Wide => _wide.Pointer;

    /// <summary>Packs A, which is symmetric: a row is a column.</summary>
    public void PackSquare()
    {
        for (int panel = 0; panel < Packed.Panels; panel++)
        {
            int first = panel * Packed.PanelWidth;
            float* target = Packed.Panel(panel);
            for (int k = 0; k < Rows; k++, target += Packed.PanelWidth)
                new ReadOnlySpan<float>(Square + ((nint)k * SquareStride) + first, Packed.PanelWidth)
                    .CopyTo(new Span<float>(target, Packed.PanelWidth));
        }
    }

    public void Dispose()
    {
        Map.Dispose();
        Packed.Dispose();
        foreach (AlignedBuffer buffer in (AlignedBuffer[])[_square, _start, _left, _wide])
            buffer.Dispose();
    }
}
