using System.Diagnostics;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;

namespace UniCardio.Cli.Bench;

/// <summary>A roofline row: one kernel on one kind of rows, a step.</summary>
internal sealed record KernelRow
{
    public required CpuKernel Kernel { get; init; }

    /// <summary><c>target</c> or <c>condition</c>.</summary>
    public required string Rows { get; init; }

    /// <summary>Times the kernel ran a step, on all threads together.</summary>
    public required double CallsPerStep { get; init; }

    /// <summary>Multiply-adds a step, live ones only.</summary>
    public required double MacPerStep { get; init; }

    /// <summary>Bytes a step: each input once, each output once.</summary>
    public required double BytesPerStep { get; init; }

    /// <summary>Milliseconds a step, the mean over the threads.</summary>
    public required double Ms { get; init; }

    /// <summary>GFLOP/s of all threads while in the kernel.</summary>
    public double? Gflops { get; init; }

    public double? FractionOfPeak { get; init; }

    public double? Gbs { get; init; }

    /// <summary>Share of the step's wall time.</summary>
    public required double ShareOfStep { get; init; }
}

/// <summary>Where the time of some steps went.</summary>
internal sealed class KernelProfile
{
    private static readonly CpuKernel[] LinearKernels =
    [
        CpuKernel.AttentionIn, CpuKernel.AttentionOut, CpuKernel.FeedForwardIn, CpuKernel.FeedForwardOut, CpuKernel.Mid, CpuKernel.Output,
        CpuKernel.DecoderHidden,
    ];

    private readonly double _peak;

    private KernelProfile(IReadOnlyList<KernelRow> rows, IReadOnlyList<CpuSpan> spans, double stepMs, int steps, int threads, double peak)
    {
        Rows = rows;
        Spans = spans;
        StepMs = stepMs;
        Steps = steps;
        Threads = threads;
        _peak = peak;
    }

    /// <summary>Rows that took time, the longest first.</summary>
    public IReadOnlyList<KernelRow> Rows { get; }

    /// <summary>Every span of every step.</summary>
    public IReadOnlyList<CpuSpan> Spans { get; }

    /// <summary>Blocks of keys that attention repeated in the online form, a block of queries.</summary>
    public double SoftmaxRepeats { get; private init; }

    /// <summary>Wall time of a step.</summary>
    public double StepMs { get; }

    public int Steps { get; }

    public int Threads { get; }

    /// <summary>Share of the step that the rows explain.</summary>
    public double Explained => Rows.Sum(r => r.ShareOfStep);

    public static bool IsLinear(CpuKernel kernel) => LinearKernels.Contains(kernel);

    /// <summary>Profiles some steps after a warm-up.</summary>
    public static KernelProfile Measure(CpuBackend backend, InferencePlan plan, SamplerTable sampler, bool targetOnly, int steps,
        double peak, CancellationToken cancellation)
    {
        var profile = new CpuProfile(backend.Options.Threads, SpansNeeded(plan, backend.Options.Threads, steps));
        using IExecutor executor = backend.CreateExecutor(plan, profile);
        var driver = new CallDriver(executor, sampler, targetOnly);
        long warm = Stopwatch.GetTimestamp();
        for (int i = 0; i < 3 || Stopwatch.GetElapsedTime(warm).TotalMilliseconds < 500; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            profile.Clear();
            driver.Call();
        }

        profile.Clear();
        double wall = 0;
        for (int i = 0; i < steps; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            wall += driver.Call();
        }

        if (profile.Dropped > 0)
            throw new InvalidOperationException($"{profile.Dropped} spans did not fit into the profile");
        CpuSpan[] spans = [.. profile.Spans];
        return new KernelProfile(RowsOf(spans, plan, wall, steps, backend.Options.Threads, peak), spans, wall / steps, steps,
            backend.Options.Threads, peak)
        {
            SoftmaxRepeats = profile.SoftmaxRepeats / (double)Math.Max(profile.QueryBlocks, 1),
        };
    }

    /// <summary>Share of the peak that the chosen kernels reached while they ran.</summary>
    public double FractionOfPeak(Func<CpuKernel, bool> chosen) =>
        2e-6 * Rows.Where(r => chosen(r.Kernel)).Sum(r => r.MacPerStep) / Rows.Where(r => chosen(r.Kernel)).Sum(r => r.Ms) / _peak;

    /// <summary>Share of the step's wall time that the chosen kernels took.</summary>
    public double ShareOfStep(Func<CpuKernel, bool> chosen) => Rows.Where(r => chosen(r.Kernel)).Sum(r => r.ShareOfStep);

    // Strips of a few dozen tokens leave a span a kernel and block each; twice what that makes.
    private static int SpansNeeded(InferencePlan plan, int threads, int steps)
    {
        long tokens = ((long)plan.BatchDraws * plan.TargetTokens) + ((long)plan.Windows * plan.ConditionTokens);
        long strips = (tokens / 16) + (4L * threads * (plan.BatchDraws + plan.Windows));
        long needed = strips * (plan.Configuration.Blocks + 1) * Enum.GetValues<CpuKernel>().Length * Math.Max(steps, 1);
        return needed <= 1 << 24 ? (int)Math.Max(needed, 1 << 12)
            : throw new UsageException(
                $"{steps} steps of {plan.BatchDraws} draws are too many to profile; ask for fewer draws, windows or calls");
    }

    private static KernelRow[] RowsOf(CpuSpan[] spans, InferencePlan plan, double wallMs, int steps, int threads, double peak)
    {
        KernelRow Row(IGrouping<(CpuKernel Kernel, bool IsCondition), CpuSpan> group)
        {
            (CpuKernel kernel, bool isCondition) = group.Key;
            double ms = group.Sum(s => Stopwatch.GetElapsedTime(s.Start, s.End).TotalMilliseconds) / steps / threads;
            int sets = isCondition ? plan.Windows : plan.BatchDraws;
            double macs = sets * WorkCount.Macs(plan, kernel, isCondition),
                bytes = sets * KernelTraffic.Bytes(plan, kernel, isCondition);
            return new KernelRow
            {
                Kernel = kernel,
                Rows = isCondition ? "condition" : "target",
                CallsPerStep = group.Count() / (double)steps,
                MacPerStep = macs,
                BytesPerStep = bytes,
                Ms = ms,
                Gflops = macs > 0 ? 2e-6 * macs / ms : null,
                FractionOfPeak = macs > 0 ? 2e-6 * macs / ms / peak : null,
                Gbs = bytes > 0 ? 1e-6 * bytes / ms : null,
                ShareOfStep = ms * steps / wallMs,
            };
        }

        return [.. spans.GroupBy(s => (s.Kernel, s.IsCondition)).Select(Row).OrderByDescending(r => r.Ms)];
    }
}
