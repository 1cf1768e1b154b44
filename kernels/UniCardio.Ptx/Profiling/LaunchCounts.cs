namespace UniCardio.Ptx;

/// <summary>What a launch executed.</summary>
public sealed class LaunchCounts
{
    internal LaunchCounts(LaunchRun launch, GroupRun[] runs, AccessCounter?[] counters, long groups)
    {
        _ = (runs, counters, groups);
        Kernel = launch.Kernel;
    }

    /// <summary>The kernel.</summary>
    public PtxKernel Kernel { get; }
}
