using BenchmarkDotNet.Attributes;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;

namespace UniCardio.Benchmarks;

/// <summary>The passes between linear maps over one strip (192 tokens of 288 channels), and a sampler's row over 500 samples.</summary>
public unsafe class RowKernelBenchmark : KernelBenchmark
{
    private const int Channels = 288, Rows = StripScratch.Rows, Samples = 500;

    public static IEnumerable<string> Kernels { get; } = ["layer norm", "gelu", "gate", "residual", "head scatter", "sampler row", "noise"];

    [ParamsSource(nameof(Kernels))]
    public string Pass { get; set; } = "layer norm";

    public override string Case => "RowKernel " + Pass;

    public override double Flop => 0;

    internal override (Action Kernel, Action Naive) Make<S, V>()
    {
        int wide = RoundUp(3 * Channels, 2 * S.Width);
        AlignedBuffer m = Random((long)Rows * wide, 1), x = Random((long)Rows * Channels, 2), y = Random((long)(Rows + 64) * 3 * Channels, 3), ones = new(Channels);
        ones.Span.Fill(1);
        return Pass switch
        {
            "layer norm" => (
                () => LayerNorm.Rows<S, V>(x.Pointer, Channels, Rows, Channels, Channels, y.Pointer, ones.Pointer, ones.Pointer, y.Pointer),
                () => NaiveNorm(x.Pointer)),
            "gelu" => (
                () => GeluRows.Run<S, V>(x.Pointer, Rows * 64),
                () => Each(x.Span[..(Rows * 64)], v => (float)ReferenceGelu.Value(v))),
            "gate" => (
                () => GateRows.Run<S, V>(m.Pointer, wide, x.Pointer, Channels, Rows, Channels),
                () => NaiveGate(m.Pointer, wide, x.Pointer)),
            "residual" => (
                () => ResidualRows.Run<S, V>(m.Pointer, wide, x.Pointer, y.Pointer, Channels, Rows, Channels, true),
                () => NaiveResidual(m.Pointer, wide, x.Pointer, y.Pointer)),
            "head scatter" => (
                () =>
                {
                    HeadScatter.Queries<S, V>(m.Pointer, wide, y.Pointer, Rows, Channels);
                    HeadScatter.KeysOrValues<S, V>(m.Pointer + Channels, wide, y.Pointer, Rows * 36, Rows, 8, 36);
                    HeadScatter.KeysOrValues<S, V>(m.Pointer + (2 * Channels), wide, y.Pointer, Rows * 36, Rows, 8, 36);
                },
                () => NaiveScatter(m.Pointer, wide, y.Pointer)),
            "sampler row" => (
                () => SamplerUpdate.Run<S, V>(new SamplerStep(1, 1.1, -0.4, 0.6, 0.4, 0.1, 0, 0.2, 1, -2, 4), x.Pointer, m.Pointer, y.Pointer, y.Pointer + 512, y.Pointer + 1024, y.Pointer + 1536, Samples),
                () => NaiveUpdate(x.Pointer, m.Pointer, y.Pointer)),
            _ => (
                () => PhiloxNormal.Fill(1, 2, 3, 4, x.Span[..Samples]),
                () => NaiveNoise(x.Span[..Samples])),
        };
    }

    private static void Each(Span<float> values, Func<float, float> map)
    {
        foreach (ref float v in values)
            v = map(v);
    }

    private static void NaiveNorm(float* x)
    {
        for (int r = 0; r < Rows; r++, x += Channels)
        {
            float mean = 0, variance = 0;
            for (int c = 0; c < Channels; c++)
                mean += x[c] / Channels;
            for (int c = 0; c < Channels; c++)
                variance += (x[c] - mean) * (x[c] - mean) / Channels;
            for (int c = 0; c < Channels; c++)
                x[c] = (x[c] - mean) / MathF.Sqrt(variance + 1e-5f);
        }
    }

    private static void NaiveGate(float* m, int wide, float* g)
    {
        for (int r = 0; r < Rows; r++)
        {
            for (int c = 0; c < Channels; c++)
                g[(r * Channels) + c] = MathF.Tanh(m[(r * wide) + Channels + c]) / (1 + MathF.Exp(-m[(r * wide) + c]));
        }
    }

    private static void NaiveResidual(float* m, int wide, float* x, float* skip)
    {
        for (int r = 0; r < Rows; r++)
        {
            for (int c = 0; c < Channels; c++)
            {
                x[(r * Channels) + c] = (x[(r * Channels) + c] * 0.70710678f) + m[(r * wide) + c];
                skip[(r * Channels) + c] = m[(r * wide) + Channels + c];
            }
        }
    }

    private static void NaiveScatter(float* m, int wide, float* y)
    {
        for (int r = 0; r < Rows; r++)
        {
            for (int c = 0; c < 3 * Channels; c++)
                y[(c * Rows) + r] = m[(r * wide) + c];
        }
    }

    private static void NaiveUpdate(float* x, float* p, float* clean)
    {
        for (int i = 0; i < Samples; i++)
        {
            float x0 = Math.Clamp((1.1f * x[i]) - (0.4f * p[i]), -2, 4);
            x[i] = (0.6f * x[i]) + (0.4f * x0) + (0.1f * clean[512 + i]) + (0.2f * clean[1536 + i]);
            clean[i] = x0;
        }
    }

    private static void NaiveNoise(Span<float> x)
    {
        var random = new Random(1);
        foreach (ref float v in x)
            v = MathF.Sqrt(-2 * MathF.Log(1 - random.NextSingle())) * MathF.Cos(2 * MathF.PI * random.NextSingle());
    }
}
