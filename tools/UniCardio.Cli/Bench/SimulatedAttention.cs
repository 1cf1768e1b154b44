using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Quality;
using UniCardio.Gpu.Devices;
using UniCardio.Gpu.Kernels;
using UniCardio.Gpu.Types;
using UniCardio.Ptx.Cuda;
using UniCardio.Ptx.Execution;
using UniCardio.Ptx.Profiling;

namespace UniCardio.Cli.Bench;

/// <summary>Windowed attention of a quality network beside dense, by the simulator's counts and the time model.</summary>
internal sealed record SimulatedAttention
{
    /// <summary>Tokens of the window.</summary>
    public required int Tokens { get; init; }

    /// <summary>Key tiles that a head's queries read, dense.</summary>
    public required int Tiles { get; init; }

    /// <summary>Of these the ones that the pattern leaves out.</summary>
    public required int TilesSkipped { get; init; }

    /// <summary>Microseconds of the dense launch.</summary>
    public required double DenseUs { get; init; }

    /// <summary>Microseconds of the windowed one.</summary>
    public required double WindowedUs { get; init; }

    /// <summary>What the dense launch waits for.</summary>
    public required string DenseBound { get; init; }

    /// <summary>What the windowed one waits for.</summary>
    public required string WindowedBound { get; init; }

    /// <summary>Dense / windowed.</summary>
    public double Ratio => DenseUs / WindowedUs;

    /// <summary>One layer's attention of so many windows, each of <paramref name="tokens"/> tokens.</summary>
    /// <param name="m">The network: heads, their width, its pattern.</param>
    /// <param name="tokens">Tokens of a window, a row each.</param>
    /// <param name="windows">Windows.</param>
    /// <param name="device">Whose time is modelled.</param>
    /// <param name="groups">Groups of a launch that are executed; 0 for all.</param>
    /// <param name="cancellation">Looked at before each launch.</param>
    public static IReadOnlyList<SimulatedAttention> Measure(QualityConfiguration m, IReadOnlyList<int> tokens, int windows,
        PtxDeviceModel device, int groups, CancellationToken cancellation = default)
    {
        var options = new PtxDeviceOptions { Profile = true, ProfiledGroups = groups, MemoryBytes = device.MemoryBytes };
        SimulatedDriver driver = SimulatedDevice.Start(SimulatedDevice.Of(device, options), cancellation);
        using GpuDevice opened = GpuDevices.Open(new DeviceSelector("cuda"));
        return [.. tokens.Select(t => Measure(m, t, windows, device, opened, driver))];
    }

    private static SimulatedAttention Measure(QualityConfiguration m, int tokens, int windows, PtxDeviceModel device, GpuDevice opened,
        SimulatedDriver driver)
    {
        const int Tile = AttentionKernel<HeadWidth16>.TileTokens, Threads = AttentionKernel<HeadWidth16>.Threads;
        int quads = (m.HeadDim + 3) / 4, tiles = (tokens + Tile - 1) / Tile;
        var windowed = new AttentionShape
        {
            Draws = 1, Blocks = 1, SlotTokens = tokens, HeadQuads = m.Heads * quads, HeadDimQuads = quads, Window = m.Window / 2,
            GlobalTokens = 1,
        };
        using MemoryBuffer1D<Float4, Stride1D.Dense> qkv =
            opened.Accelerator.Allocate1D<Float4>((long)windows * tokens * 3 * windowed.HeadQuads);
        using MemoryBuffer1D<float, Stride1D.Dense> output =
            opened.Accelerator.Allocate1D<float>((long)windows * tokens * 4 * windowed.HeadQuads);
        ((ArrayView<Float4>)qkv.View).MemSetToZero(opened.Stream);
        LaunchTime Time(AttentionShape shape)
        {
            driver.ClearLaunches();
            opened.Kernels.Attention(quads)(opened.Stream,
                new KernelConfig(new Index3D(windows * tiles, m.Heads, 1), new Index3D(Threads, Threads, 1)), shape, qkv.View, output.View);
            opened.Stream.Synchronize();
            driver.Cancellation.ThrowIfCancellationRequested();
            return LaunchTime.Of(driver.Launches.Single().Counts!, device);
        }

        LaunchTime some = Time(windowed), all = Time(windowed with { Window = -1, GlobalTokens = 0 });
        int skipped = Enumerable.Range(0, tiles * tiles)
            .Count(i => AttentionTile.IsHidden(windowed, i / tiles * Tile, i % tiles * Tile, Tile));
        return new SimulatedAttention
        {
            Tokens = tokens, Tiles = tiles * tiles, TilesSkipped = skipped, DenseUs = all.Microseconds, WindowedUs = some.Microseconds,
            DenseBound = all.Bound, WindowedBound = some.Bound,
        };
    }
}
