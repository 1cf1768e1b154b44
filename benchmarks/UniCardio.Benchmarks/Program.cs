using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace UniCardio.Benchmarks;

/// <summary>
/// Kernel benchmarks at the network's real shapes. In-process, so that the multiply-add peak of the last column is measured in the process
/// that the kernels ran in.
/// </summary>
public static class Program
{
    public static async Task<int> Main(string[] args)
    {
        switch (args)
        {
            case ["streaming", .. string[] rest]:
                StreamingLoad.Run(rest);
                return 0;
            case ["quality"]:
                return QualityLoad.Run();
            case ["native", .. string[] rest]:
                return NativeTwin.Run(rest);
            case ["sparse"]:
                return SparseAttention.Run();
            case ["beats", .. string[] rest]:
                return BeatBench.Run(rest);
            case ["twins"]:
                return CTwins.Run();
            case ["peers", .. string[] rest]:
                return Peers.PeerRun.Run(rest);
            case ["serving", .. string[] rest]:
                await ServingLoad.RunAsync(rest);
                return 0;
            case ["limits", .. string[] rest]:
                await LimitLoad.RunAsync(rest);
                return 0;
            case ["soak", .. string[] rest]:
                return await Soak.SoakRun.RunAsync(rest);
        }
        ManualConfig config = ManualConfig.Create(DefaultConfig.Instance)
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
            .AddColumn(new PeakColumn())
            .HideColumns(Column.Error, Column.StdDev, Column.Gen0, Column.Gen1, Column.Gen2);
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);
        return 0;
    }
}
