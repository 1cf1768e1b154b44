using System.Diagnostics;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Weights;

namespace UniCardio.Cli.Bench;

/// <summary>Measures one configuration: warm-up, calls, peaks before and after in the same process.</summary>
internal sealed class BenchRun(BenchCase options, WeightLoadOptions loading, CancellationToken cancellation)
{
    private const int MaxCalls = 500, MinCalls = 3, ProfiledCalls = 4;
    private static readonly TimeSpan PeakTime = TimeSpan.FromMilliseconds(150), WarmUpTime = TimeSpan.FromMilliseconds(700);

    public BenchResult Measure()
    {
        using LoadedWeights loaded = WeightFile.Load(options.Weights, loading);
        using var backend =
            new CpuBackend(loaded.Weights, new CpuBackendOptions { Threads = options.Threads, InstructionSet = options.Isa });
        var plan = new InferencePlan(backend.Configuration, options.Task, options.Windows, options.Draws);
        SamplerTable sampler = SamplerTable.Create(options.Sampler, backend.Configuration, options.Task);
        CallDriver.Prepare(backend, options.Task, sampler);
        double peak = Peak(backend), bandwidth = MachinePeak.BandwidthGBs(backend.Options.Threads, PeakTime);
        using IExecutor executor = backend.CreateExecutor(plan);
        (double[] times, double bytes) = Time(new CallDriver(executor, sampler, options.TargetOnly));
        peak = Math.Max(peak, Peak(backend));
        var ms = CallTimes.Of(times);
        double gflop = WorkCount.CallGflop(plan, !options.TargetOnly), gflops = gflop / ms.P50 * 1e3;
        var result = new BenchResult
        {
            Name = options.Name,
            Weights = options.Weights,
            Task = options.Task.ToString(),
            Sampler = options.Sampler.ToString(),
            Windows = options.Windows,
            Draws = options.Draws,
            Threads = backend.Options.Threads,
            Isa = CpuInstructionSets.Name(backend.Options.InstructionSet),
            Rows = options.TargetOnly ? "target" : "target+condition",
            Calls = times.Length,
            Ms = ms,
            MsPerDraw = ms.P50 / plan.BatchDraws,
            GflopPerCall = gflop,
            Gflops = gflops,
            FmaPeakGflops = peak,
            FractionOfPeak = gflops / peak,
            Avx2PeakGflops = Peak(CpuInstructionSet.Avx2, backend.Options.Threads),
            Avx512PeakGflops = Peak(CpuInstructionSet.Avx512, backend.Options.Threads),
            BandwidthGbs = bandwidth,
            BytesPerCall = bytes,
            ArenaBytes = executor.ArenaBytes,
            PackedBytes = backend.PackedBytes,
        };
        if (options.Profiled)
            result = WithKernels(result, backend, plan, sampler);
        return options.Loaded ? WithLoading(result, loaded, sampler) : result;
    }

    private static double Peak(CpuBackend backend) =>
        MachinePeak.FmaGflops(backend.Options.InstructionSet, backend.Options.Threads, PeakTime);

    private static double? Peak(CpuInstructionSet set, int threads) => CpuInstructionSets.IsSupported(set)
        ? MachinePeak.FmaGflops(set, threads, PeakTime / 3) : null;

    private (double[] Milliseconds, double BytesPerCall) Time(CallDriver driver)
    {
        WarmUp(driver);
        double[] times = new double[options.Calls ?? MaxCalls];
        int calls = 0;
        long before = GC.GetTotalAllocatedBytes(precise: true), start = Stopwatch.GetTimestamp();
        while (calls < times.Length
            && (options.Calls is not null || calls < MinCalls || Stopwatch.GetElapsedTime(start) < options.Budget))
        {
            cancellation.ThrowIfCancellationRequested();
            times[calls++] = driver.Call();
        }

        double bytes = (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)calls;
        return (times[..calls], bytes);
    }

    private void WarmUp(CallDriver driver)
    {
        long start = Stopwatch.GetTimestamp();
        do
        {
            cancellation.ThrowIfCancellationRequested();
            driver.Call();
        }
        while (Stopwatch.GetElapsedTime(start) < WarmUpTime);
    }

    private BenchResult WithKernels(BenchResult result, CpuBackend backend, InferencePlan plan, SamplerTable sampler)
    {
        KernelProfile profile =
            KernelProfile.Measure(backend, plan, sampler, options.TargetOnly, ProfiledCalls, result.FmaPeakGflops, cancellation);
        return result with
        {
            LinearFractionOfPeak = profile.FractionOfPeak(KernelProfile.IsLinear),
            AttentionFractionOfPeak = profile.FractionOfPeak(k => k == CpuKernel.Attention),
            SoftmaxRepeats = profile.SoftmaxRepeats,
            BeyondKernels = 1 - profile.ShareOfStep(k => k is not (CpuKernel.Noise or CpuKernel.SamplerUpdate or CpuKernel.Barrier)),
        };
    }

    // From a file of the same weights, best of three: the first one may find the file's pages on the disk.
    private BenchResult WithLoading(BenchResult result, LoadedWeights weights, SamplerTable sampler)
    {
        string path = Path.Combine(Path.GetTempPath(), $"unicardio-bench-{Guid.NewGuid():N}.safetensors");
        try
        {
            UniCardio.Weights.Safetensors.SafetensorsWriter.Write(path, weights.Weights.Tensors,
                new Dictionary<string, string>(weights.Configuration.ToMetadata()), cancellation: cancellation);
            double best = double.PositiveInfinity;
            for (int i = 0; i < 3; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                best = Math.Min(best, LoadAndCall(path, sampler));
            }

            return result with { LoadMs = best, LoadCalls = best / result.Ms.P50 };
        }
        finally
        {
            File.Delete(path);
        }
    }

    private double LoadAndCall(string path, SamplerTable sampler)
    {
        long start = Stopwatch.GetTimestamp();
        using LoadedWeights loaded = WeightFile.Load(path);
        using var backend =
            new CpuBackend(loaded.Weights, new CpuBackendOptions { Threads = options.Threads, InstructionSet = options.Isa });
        using IExecutor executor =
            backend.CreateExecutor(new InferencePlan(backend.Configuration, options.Task, options.Windows, options.Draws));
        new CallDriver(executor, sampler, targetOnly: false).Call();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
