using System.Diagnostics;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Gpu.Backend;
using UniCardio.Gpu.Devices;
using UniCardio.Weights;

namespace UniCardio.Cli.Bench;

/// <summary>One kernel of a call, by events of the device.</summary>
/// <param name="Kernel">Its name.</param>
/// <param name="Launches">Launches a call.</param>
/// <param name="Us">Microseconds of all launches, with the gaps between them; the smallest of the calls that were timed.</param>
internal sealed record GpuKernelTime(string Kernel, int Launches, double Us);

/// <summary>What was measured of one configuration on a GPU; the fields of <c>bench --backend gpu --json</c>.</summary>
internal sealed record GpuBenchResult
{
    /// <summary>What the configuration shows.</summary>
    public required string Name { get; init; }

    /// <summary>The device's own name; it begins with "simulated" where it is none.</summary>
    public required string Device { get; init; }

    public required string Weights { get; init; }

    public required string Task { get; init; }

    public required int Windows { get; init; }

    public required int Draws { get; init; }

    /// <summary>What matrix products were computed with.</summary>
    public required string Precision { get; init; }

    /// <summary>Bits of a weight of the large maps on the device.</summary>
    public required int WeightBits { get; init; }

    /// <summary>Whether a call computes the condition stream too.</summary>
    public required string Streams { get; init; }

    /// <summary>Calls timed one by one.</summary>
    public required int Calls { get; init; }

    /// <summary>From handing a call over to its end on the device, waited for every time.</summary>
    public required CallTimes Ms { get; init; }

    /// <summary>A call of a whole run that is queued before anybody waits.</summary>
    public required double QueuedMs { get; init; }

    /// <summary>Sum of the kernels, by events.</summary>
    public required double KernelMs { get; init; }

    public required double GflopPerCall { get; init; }

    /// <summary>GFLOP/s of a queued call.</summary>
    public required double Gflops { get; init; }

    public required double BytesPerCall { get; init; }

    /// <summary>Working memory on the device and page-locked memory of the session.</summary>
    public required long ArenaBytes { get; init; }

    /// <summary>Opening the device, compiling the kernels and uploading the weights.</summary>
    public required double StartMs { get; init; }

    /// <summary>Making the session and its first call.</summary>
    public required double FirstCallMs { get; init; }

    public required IReadOnlyList<GpuKernelTime> Kernels { get; init; }
}

/// <summary>Measures network calls on a GPU: one by one, queued, and kernel by kernel.</summary>
internal sealed class GpuBenchRun(BenchCase options, WeightLoadOptions loading, DeviceSelector? device, GpuPrecision precision,
    CancellationToken cancellation)
{
    private const int MaxCalls = 500, FewestCalls = 3, WarmUpCalls = 3, TimedCalls = 5;

    public GpuBenchResult Measure()
    {
        using LoadedWeights loaded = WeightFile.Load(options.Weights, loading);
        long start = Stopwatch.GetTimestamp();
        using GpuBackend backend = GpuBackend.Create(loaded.Weights, device, new GpuOptions { Precision = precision });
        double startMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        SamplerTable sampler = SamplerTable.Create(options.Sampler, backend.Configuration, options.Task);
        start = Stopwatch.GetTimestamp();
        var plan = new InferencePlan(backend.Configuration, options.Task, options.Windows, options.Draws);
        using var executor = (GpuExecutor)backend.CreateExecutor(plan);
        var driver = new CallDriver(executor, sampler, options.TargetOnly);
        Call(driver, executor);
        double firstMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        int fewest = options.Calls is int given ? Math.Min(given, WarmUpCalls) : WarmUpCalls;
        for (int i = 0; i < fewest; i++)
            Call(driver, executor);
        (double[] times, double bytes) = Time(driver, executor);
        double queued = Queued(driver, executor, sampler.Steps.Count);
        GpuKernelTime[] kernels = Kernels(driver, executor);
        double gflop = WorkCount.CallGflop(plan, !options.TargetOnly);
        return new GpuBenchResult
        {
            Name = options.Name,
            Device = backend.Name,
            Weights = options.Weights,
            Task = options.Task.ToString(),
            Windows = options.Windows,
            Draws = options.Draws,
            Precision = backend.Options.Precision.ToString(),
            WeightBits = executor.WeightBits,
            Streams = options.TargetOnly ? "target" : "target+condition",
            Calls = times.Length,
            Ms = CallTimes.Of(times),
            QueuedMs = queued,
            KernelMs = kernels.Sum(k => k.Us) / 1e3,
            GflopPerCall = gflop,
            Gflops = gflop / queued * 1e3,
            BytesPerCall = bytes,
            ArenaBytes = executor.ArenaBytes,
            StartMs = startMs,
            FirstCallMs = firstMs,
            Kernels = kernels,
        };
    }

    private double Call(CallDriver driver, GpuExecutor executor)
    {
        cancellation.ThrowIfCancellationRequested();
        executor.Synchronize();
        long start = Stopwatch.GetTimestamp();
        driver.Call();
        executor.Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private (double[] Milliseconds, double BytesPerCall) Time(CallDriver driver, GpuExecutor executor)
    {
        double[] times = new double[options.Calls ?? MaxCalls];
        int calls = 0;
        long before = GC.GetTotalAllocatedBytes(precise: true), start = Stopwatch.GetTimestamp();
        while (calls < times.Length
            && (options.Calls is not null || calls < FewestCalls || Stopwatch.GetElapsedTime(start) < options.Budget))
            times[calls++] = Call(driver, executor);
        double bytes = (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)calls;
        return (times[..calls], bytes);
    }

    // The best of a few runs, each as many calls as the sampler has rows.
    private double Queued(CallDriver driver, GpuExecutor executor, int calls)
    {
        double best = double.PositiveInfinity;
        for (int run = 0; run < (options.Calls is < FewestCalls ? 1 : FewestCalls); run++)
        {
            cancellation.ThrowIfCancellationRequested();
            executor.Synchronize();
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < calls; i++)
                driver.Call();
            executor.Synchronize();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMilliseconds / calls);
        }

        return best;
    }

    private GpuKernelTime[] Kernels(CallDriver driver, GpuExecutor executor)
    {
        var best = new Dictionary<string, GpuKernelTime>();
        for (int i = 0; i < Math.Min(options.Calls ?? TimedCalls, TimedCalls); i++)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (IGrouping<string, (string Kernel, double Us)> kernel in executor.Timed(() => driver.Call()).GroupBy(t => t.Kernel))
            {
                double us = kernel.Sum(t => t.Us);
                if (!best.TryGetValue(kernel.Key, out GpuKernelTime? known) || us < known.Us)
                    best[kernel.Key] = new GpuKernelTime(kernel.Key, kernel.Count(), us);
            }
        }

        return [.. best.Values];
    }
}
