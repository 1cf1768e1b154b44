using BenchmarkDotNet.Attributes;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Training.Kernels;

namespace UniCardio.Benchmarks;

/// <summary>Muon's iteration on one map, at every shape that the compact network trains and at the full network's square one.</summary>
/// <remarks>
/// Queries, keys, values, gate, filter and so on are a square map each. Maps that are higher than wide are turned: "step" is the diffusion
/// step's projection, "ff" the feed-forward in either direction.
/// </remarks>
public class OrthogonalizationBenchmark : KernelBenchmark
{
    private const int Turns = 5;

    public static IEnumerable<string> Shapes { get; } = ["c 180x180", "c step 128x180", "c ff 64x180", "288x288"];

    [ParamsSource(nameof(Shapes))]
    public string Shape { get; set; } = "c 180x180";

    public override string Case => "Orthogonalization " + Shape;

    // Five turns of X X^T, A A and A X; packing and scaling are not counted.
    public override double Flop => Turns * ((4.0 * Rows * Rows * Columns) + (2.0 * Rows * Rows * Rows));

    private int Rows => int.Parse(Shape.Split(' ')[^1].Split('x')[0]);

    private int Columns => int.Parse(Shape.Split(' ')[^1].Split('x')[1]);

    internal override (Action Kernel, Action Naive) Make<S, V>()
    {
        int rows = Rows, columns = Columns;
        // The kernel's result is its next input: a matrix that is orthogonal already costs the same.
        AlignedBuffer x = Random((long)rows * columns, 1), y = Random((long)rows * columns, 1);
        var room = new OrthogonalizationRoom(rows, columns, 2 * S.Width);
        float[] square = new float[rows * rows], start = new float[rows * rows], wide = new float[rows * columns];
        return (
            () => Orthogonalization.Run<S, V>(x.Span, room),
            () => Plain(y.Span, rows, columns, square, start, wide));
    }

    private static void Plain(Span<float> x, int rows, int columns, float[] square, float[] start, float[] wide)
    {
        float sum = 0;
        foreach (float v in x)
            sum += v * v;
        foreach (ref float v in x)
            v /= MathF.Sqrt(sum);
        for (int turn = 0; turn < Turns; turn++)
        {
            for (int i = 0; i < rows * rows; i++)
                start[i] = Dot(x[(i / rows * columns)..], x[(i % rows * columns)..], columns);
            // A is symmetric: a row is a column.
            for (int i = 0; i < rows * rows; i++)
                square[i] = (-4.7750f * start[i]) + (2.0315f * Dot(start.AsSpan(i / rows * rows), start.AsSpan(i % rows * rows), rows));
            for (int r = 0; r < rows; r++)
            {
                for (int c = 0; c < columns; c++)
                {
                    float value = 3.4445f * x[(r * columns) + c];
                    for (int k = 0; k < rows; k++)
                        value += square[(r * rows) + k] * x[(k * columns) + c];
                    wide[(r * columns) + c] = value;
                }
            }

            wide.CopyTo(x);
        }
    }

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b, int count)
    {
        float sum = 0;
        for (int i = 0; i < count; i++)
            sum += a[i] * b[i];
        return sum;
    }
}
