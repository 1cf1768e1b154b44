using System.Diagnostics;
using System.Globalization;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Model;
using UniCardio.Engine.Quality;

namespace UniCardio.Benchmarks;

/// <summary><c>sparse</c>: windowed attention against dense at the base network's sizes, the kernel alone and whole encoder calls, turn by
/// turn in one process; one thread.</summary>
internal static unsafe class SparseAttention
{
    private const int Turns = 9, LongTurns = 5;
    private static readonly int[] s_tokens = [18, 60, 300, 2160];

    public static int Run()
    {
        QualityConfiguration m = QualityConfiguration.Base;
        Console.WriteLine(
            $"Base network: d {m.Width}, {m.Heads} heads, w {m.Window}; "
            + $"{CpuInstructionSets.Name(CpuInstructionSets.Resolve(CpuInstructionSet.Auto))}, "
            + "one thread, fastest of 9 turns");
        Console.WriteLine(
            "| tokens | attention, dense ms | windowed ms | ratio | keys computed | encoder, dense ms | windowed ms | ratio |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (int tokens in s_tokens)
        {
            (double dense, double windowed, long denseKeys, long keys) = CpuInstructionSets.Run<Kernel, (double, double, long, long)>(
                CpuInstructionSets.Resolve(CpuInstructionSet.Auto), new Kernel(m, tokens));
            (double whole, double part) = Encoder(m, tokens);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {tokens} | {dense:0.000} | {windowed:0.000} | {dense / windowed:0.0} | {100.0 * keys / denseKeys:0.0}% | {whole:0.0} | "
                + $"{part:0.0} | {whole / part:0.00} |"));
        }

        Long();
        return 0;
    }

    // One pass of our own network, a token a second, over hours; and the same hours window by window, a third of a window apart.
    private static void Long()
    {
        QualityConfiguration m = QualityConfiguration.Small;
        Console.WriteLine();
        Console.WriteLine($"Our network of a token a second, d {m.Width}, w {m.Window}, one thread, fastest of {LongTurns}");
        Console.WriteLine("| hours | tokens | encoder, dense ms | windowed ms | ratio | windows of 30 s, a third apart, ms |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (double hours in (double[])[1.0 / 12, 0.5, 1, 3])
        {
            int tokens = (int)Math.Round(3600 * hours);
            (double dense, double windowed) = Encoder(m, tokens, LongTurns);
            using QualityWeights weights = Weights(m);
            using IQualityNetwork network = QualityNetwork.Cpu(weights, new CpuBackendOptions { Threads = 1 });
            float[] window = new float[2 * m.Samples], features = new float[m.Tokens * m.Width];
            double parts = double.MaxValue;
            for (int turn = 0; turn < LongTurns; turn++)
            {
                parts = Math.Min(parts, Time(() =>
                {
                    for (int from = 0; from + m.Tokens <= tokens; from += m.Tokens / 3)
                        network.Encode(window, 1, features);
                }));
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {hours:0.##} | {tokens} | {dense:0.0} | {windowed:0.0} | {dense / windowed:0.00} | {parts:0} |"));
        }
    }

    private static double Time(Action run)
    {
        long start = Stopwatch.GetTimestamp();
        run();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    // Finer tokens of the same second would do as well; here the samples grow with the tokens, as in a long record.
    private static (double Dense, double Windowed) Encoder(QualityConfiguration m, int tokens, int turns = Turns)
    {
        QualityConfiguration open = m with { Window = 2 * tokens };
        using QualityWeights sparse = Weights(m), dense = Weights(open);
        var options = new CpuBackendOptions { Threads = 1 };
        using IQualityNetwork one = QualityNetwork.Cpu(dense, options), other = QualityNetwork.Cpu(sparse, options);
        float[] x = new float[2 * tokens * m.Strides.Aggregate(1, (a, b) => a * b)], y = new float[tokens * m.Width];
        for (int i = 0; i < x.Length; i++)
            x[i] = MathF.Sin(0.01f * i);
        (double best, double second) = (double.MaxValue, double.MaxValue);
        for (int turn = 0; turn < turns; turn++)
        {
            best = Math.Min(best, Time(() => one.Encode(x, 1, y)));
            second = Math.Min(second, Time(() => other.Encode(x, 1, y)));
        }

        return (best, second);
    }

    private static QualityWeights Weights(QualityConfiguration m) =>
        QualityWeights.Create(m, QualityCatalog.For(m).Select(p => new ParameterTensor(p.Name, p.Shape,
            (float[])[.. Enumerable.Range(0, (int)p.Count).Select(i => 0.02f * MathF.Sin(0.7f * i))])));

    private readonly struct Kernel(QualityConfiguration m, int tokens) : ISimdCode<(double, double, long, long)>
    {
        public (double, double, long, long) Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            nint stride = (3 * m.Width) + 16;
            using var qkv = new AlignedBuffer(tokens * stride);
            using var output = new AlignedBuffer(tokens * stride);
            for (int i = 0; i < qkv.Span.Length; i++)
                qkv.Span[i] = MathF.Sin(0.37f * i);
            (double Best, long Keys)[] results = [(double.MaxValue, 0), (double.MaxValue, 0)];
            int[] reach = [tokens, m.Window / 2];
            for (int turn = 0; turn < Turns; turn++)
            {
                for (int k = 0; k < 2; k++)
                {
                    using var scratch = new AlignedBuffer(WindowedAttention.ScratchLength(tokens, m.HeadDim, reach[k], S.Width));
                    var rows = new WindowedAttentionRows
                    {
                        Qkv = qkv.Pointer, QkvStride = stride, Output = output.Pointer, OutputStride = stride, Tokens = tokens,
                        Channels = m.Width, HeadDim = m.HeadDim, Reach = reach[k],
                    };
                    long keys = 0, start = Stopwatch.GetTimestamp();
                    for (int head = 0; head < m.Heads; head++)
                        keys += WindowedAttention.Run<S, V>(rows, head, scratch.Pointer);
                    results[k] = (Math.Min(results[k].Best, Stopwatch.GetElapsedTime(start).TotalMilliseconds), keys);
                }
            }

            return (results[0].Best, results[1].Best, results[0].Keys, results[1].Keys);
        }
    }
}
