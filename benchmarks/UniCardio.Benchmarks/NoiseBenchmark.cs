using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Sampling;

namespace UniCardio.Benchmarks;

/// <summary>A window's normals by counter, beside Box and Muller's on the library's generator.</summary>
public class NoiseBenchmark : KernelBenchmark
{
    private const int Samples = 500;

    public override string Case => "Noise";

    public override double Flop => 0;

    internal override (Action Kernel, Action Naive) Make<S, V>()
    {
        AlignedBuffer x = Random(Samples, 2);
        return (() => PhiloxNormal.Fill(1, 2, 3, 4, x.Span), () => Naive(x.Span));
    }

    private static void Naive(Span<float> x)
    {
        var random = new Random(1);
        foreach (ref float v in x)
            v = MathF.Sqrt(-2 * MathF.Log(1 - random.NextSingle())) * MathF.Cos(2 * MathF.PI * random.NextSingle());
    }
}
