using BenchmarkDotNet.Attributes;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Model;

namespace UniCardio.Benchmarks;

/// <summary>A linear map of one strip (192 tokens) at the shapes of the full and compact networks.</summary>
public unsafe class MatrixProductBenchmark : KernelBenchmark
{
    public static IEnumerable<string> Shapes { get; } =
        ["qkv 288x864", "mid/out 288x576", "heads 288x288", "ff 288x64", "ff 64x288", "encoder 11x288", "c qkv 180x540", "c mid/out 180x360", "c encoder 15x180"];

    [ParamsSource(nameof(Shapes))]
    public string Shape { get; set; } = "qkv 288x864";

    public override string Case => "MatrixProduct " + Shape;

    public override double Flop => 2.0 * StripScratch.Rows * Inputs * Outputs;

    private int Inputs => int.Parse(Shape.Split(' ')[^1].Split('x')[0]);

    private int Outputs => int.Parse(Shape.Split(' ')[^1].Split('x')[1]);

    internal override (Action Kernel, Action Naive) Make<S, V>()
    {
        int rows = StripScratch.Rows, k = Inputs, n = Outputs;
        AlignedBuffer a = Random((long)rows * k, 1), w = Random((long)n * k, 2), bias = Random(n + 64, 3);
        var packed = new PackedMatrix(new LinearMap([.. w.Span.ToArray().Select(v => (double)v)], [.. bias.Span.ToArray().Select(v => (double)v)]), 2 * S.Width);
        var c = new AlignedBuffer((long)rows * packed.PaddedOutputs);
        return (
            () => MatrixProduct.ByRows<S, V>(a.Pointer, k, packed, 0, packed.Panels, packed.Bias, 0, c.Pointer, packed.PaddedOutputs, rows),
            () =>
            {
                for (int r = 0; r < rows; r++)
                {
                    for (int o = 0; o < n; o++)
                    {
                        float sum = bias.Pointer[o];
                        for (int i = 0; i < k; i++)
                            sum += a.Pointer[(r * k) + i] * w.Pointer[(o * k) + i];
                        c.Pointer[((nint)r * packed.PaddedOutputs) + o] = sum;
                    }
                }
            });
    }
}
