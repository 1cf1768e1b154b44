using System.Collections.Concurrent;
using BenchmarkDotNet.Attributes;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Diagnostics;

namespace UniCardio.Benchmarks;

/// <summary>A kernel at one shape on one instruction set, beside the plain loop that it replaces.</summary>
[MemoryDiagnoser]
public abstract class KernelBenchmark
{
    // Outlives the instances: the benchmark measures, the table is made afterwards.
    private static readonly ConcurrentDictionary<(string Case, CpuInstructionSet Isa), double> Peaks = new();

    private Action _kernel = () => { };
    private Action _naive = () => { };

    [ParamsSource(nameof(Sets))]
    public CpuInstructionSet Isa { get; set; } = CpuInstructionSet.Auto;

    public static IEnumerable<CpuInstructionSet> Sets => CpuInstructionSets.Supported.Where(s => s != CpuInstructionSet.Scalar);

    /// <summary>2 x multiply-adds of one call; 0 for kernels that are not multiply-adds.</summary>
    public abstract double Flop { get; }

    /// <summary>Names the kernel and its shape.</summary>
    public abstract string Case { get; }

    /// <summary>GFLOP/s of one thread around the measurement of this case.</summary>
    public double? MeasuredPeak => Peaks.TryGetValue((Case, Isa), out double peak) ? peak : null;

    [GlobalCleanup]
    public void MeasurePeak() => Peaks.AddOrUpdate((Case, Isa), _ => Peak(), (_, before) => (before + Peak()) / 2);

    [GlobalSetup]
    public void Setup()
    {
        MeasurePeak();
        (_kernel, _naive) = CpuInstructionSets.Run<Maker, (Action, Action)>(CpuInstructionSets.Resolve(Isa), new Maker(this));
    }

    [Benchmark]
    public void Kernel() => _kernel();

    [Benchmark(Baseline = true)]
    public void Naive() => _naive();

    /// <summary>The kernel's call and the plain loop's, on buffers of their own.</summary>
    internal abstract (Action Kernel, Action Naive) Make<S, V>()
        where S : struct, ISimd<S, V>
        where V : struct;

    /// <summary>Reproducible values in [-1, 1].</summary>
    internal static AlignedBuffer Random(long count, int seed)
    {
        var buffer = new AlignedBuffer(count);
        var random = new Random(seed);
        foreach (ref float v in buffer.Span)
            v = (float)((2 * random.NextDouble()) - 1);
        return buffer;
    }

    private double Peak() => MachinePeak.FmaGflops(Isa, 1, TimeSpan.FromMilliseconds(50));

    internal static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;

    private readonly struct Maker(KernelBenchmark benchmark) : ISimdCode<(Action, Action)>
    {
        public (Action, Action) Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct => benchmark.Make<S, V>();
    }
}
