using BenchmarkDotNet.Attributes;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;

namespace UniCardio.Benchmarks;

/// <summary>One head's attention for one block of 2W queries over condition and own keys.</summary>
public unsafe class AttentionBenchmark : KernelBenchmark
{
    public static IEnumerable<string> Shapes { get; } = ["36 over 1000", "36 over 2000", "30 over 200"];

    [ParamsSource(nameof(Shapes))]
    public string Shape { get; set; } = "36 over 1000";

    public override string Case => "Attention " + Shape;

    public override double Flop => 4.0 * 2 * Width * HeadDim * Keys;

    private int HeadDim => int.Parse(Shape.Split(' ')[0]);

    private int Keys => int.Parse(Shape.Split(' ')[2]);

    private int Width => CpuInstructionSets.Lanes(CpuInstructionSets.Resolve(Isa));

    internal override (Action Kernel, Action Naive) Make<S, V>()
    {
        int d = HeadDim, keys = Keys, width = 2 * S.Width;
        AlignedBuffer q = Random((long)d * width, 1), k = Random((long)(keys + Attention.KeyPadding) * d, 2), v = Random((long)(keys + Attention.KeyPadding) * d, 3);
        var scratch = new AlignedBuffer(Attention.ScratchLength(d, S.Width));
        var output = new AlignedBuffer((long)d * width);
        float[] scores = new float[keys];
        return (
            () =>
            {
                var own = new KeySegment { Keys = k.Pointer, Values = v.Pointer, Count = keys };
                Attention.Run<S, V>(q.Pointer, d, own, default, scratch.Pointer, output.Pointer);
            },
            () =>
            {
                for (int lane = 0; lane < width; lane++)
                    NaiveQuery(q.Pointer + lane, k.Pointer, v.Pointer, output.Pointer + lane, scores, d, width);
            });
    }

    private static void NaiveQuery(float* q, float* k, float* v, float* output, float[] scores, int d, int width)
    {
        float largest = float.MinValue, sum = 0;
        for (int j = 0; j < scores.Length; j++)
        {
            float score = 0;
            for (int i = 0; i < d; i++)
                score += q[i * width] * k[(j * d) + i];
            scores[j] = score;
            largest = Math.Max(largest, score);
        }

        for (int i = 0; i < d; i++)
            output[i * width] = 0;
        for (int j = 0; j < scores.Length; j++)
        {
            float weight = MathF.Pow(2, scores[j] - largest);
            sum += weight;
            for (int i = 0; i < d; i++)
                output[i * width] += weight * v[(j * d) + i];
        }

        for (int i = 0; i < d; i++)
            output[i * width] /= sum;
    }
}
