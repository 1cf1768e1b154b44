using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Quality;
using UniCardio.Engine.Sampling;
using UniCardio.Gpu.Backend;
using UniCardio.Gpu.Devices;
using UniCardio.Gpu.Emission;
using UniCardio.Gpu.Quality;
using UniCardio.Ptx.Code;
using UniCardio.Ptx.Cuda;
using UniCardio.Ptx.Execution;
using UniCardio.Ptx.Profiling;

namespace UniCardio.Cli.Bench;

/// <summary>What one kernel does in a network call, by the PTX simulator's counts and the time model of a device.</summary>
internal sealed record SimulatedRow
{
    /// <summary>Its name.</summary>
    public required string Kernel { get; init; }

    /// <summary>Launches a call.</summary>
    public required int Launches { get; init; }

    /// <summary>Groups of all of them.</summary>
    public required long Groups { get; init; }

    /// <summary>Threads of a group, of the largest launch.</summary>
    public required long GroupThreads { get; init; }

    /// <summary>Issue slots of all warps, as an assembler would make them.</summary>
    public required double Instructions { get; init; }

    /// <summary>Those that are multiply-adds of floats.</summary>
    public required double FmaShare { get; init; }

    /// <summary>Operations on floats.</summary>
    public required double FloatOperations { get; init; }

    /// <summary>Pieces of 32 bytes a warp's access of global memory.</summary>
    public required double SectorsPerRequest { get; init; }

    /// <summary>Passes over shared memory's banks, in those without conflicts.</summary>
    public required double BankConflictWays { get; init; }

    /// <summary>Lanes of executed warps that took part, 0 to 1.</summary>
    public required double LaneShare { get; init; }

    /// <summary>Bytes from and to the second-level cache.</summary>
    public required double BytesL2 { get; init; }

    /// <summary>Bytes of global memory that were touched, each once a launch.</summary>
    public required double Bytes { get; init; }

    /// <summary>Operations a byte of the second-level cache.</summary>
    public required double Intensity { get; init; }

    /// <summary>Most 32-bit words alive at once.</summary>
    public required int LiveRegisters { get; init; }

    /// <summary>Registers of a thread that the model goes by.</summary>
    public required int Registers { get; init; }

    /// <summary>Warps on a multiprocessor of those that it could hold.</summary>
    public required double Occupancy { get; init; }

    /// <summary>Groups / (multiprocessors times groups on each), of the longest launch.</summary>
    public required double Waves { get; init; }

    /// <summary>What the longest launch waits for.</summary>
    public required string Bound { get; init; }

    /// <summary>Microseconds of all launches.</summary>
    public required double ModelUs { get; init; }
}

/// <summary>One network call of the GPU backend on a simulated device, kernel by kernel.</summary>
internal sealed class SimulatedProfile
{
    private readonly List<(string Name, LaunchCounts Counts, LaunchTime Time)> _launches;

    private SimulatedProfile(PtxDeviceModel device, IEnumerable<DriverLaunch> launches)
    {
        Device = device;
        _launches =
        [
            .. launches.Where(l => l.Counts is not null).Select(l => (Name(l.Kernel), l.Counts!, LaunchTime.Of(l.Counts!, device)))
                // Drawing the first noise is a run's work, not a call's.
                .Where(l => l.Item1 != "NoiseKernel"),
        ];
        Rows = [.. _launches.GroupBy(l => l.Name).Select(Row)];
    }

    public PtxDeviceModel Device { get; }

    /// <summary>Bits of a weight of the large maps.</summary>
    public int WeightBits { get; private init; } = 32;

    /// <summary>A row a kernel, in the order of their first launch.</summary>
    public IReadOnlyList<SimulatedRow> Rows { get; }

    /// <summary>Microseconds of the call.</summary>
    public double CallUs => Rows.Sum(r => r.ModelUs);

    /// <summary>Simulates the second call of a run.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="one">What is called.</param>
    /// <param name="device">The device: how large the backend thinks it is, and whose time is modelled.</param>
    /// <param name="groups">Groups of a launch that are executed; 0 for all.</param>
    /// <param name="how">How the backend launches.</param>
    /// <param name="cancellation">Looked at before each launch.</param>
    public static SimulatedProfile Measure(ModelWeights weights, BenchCase one, PtxDeviceModel device, int groups, GpuOptions? how = null,
        CancellationToken cancellation = default)
    {
        var options = new PtxDeviceOptions { Profile = true, ProfiledGroups = groups, MemoryBytes = device.MemoryBytes };
        SimulatedDriver driver = SimulatedDevice.Start(SimulatedDevice.Of(device, options), cancellation);
        using GpuDevice opened = GpuDevices.Open(new DeviceSelector("cuda"));
        using var backend = new GpuBackend(opened, weights, how);
        SamplerTable sampler = SamplerTable.Create(one.Sampler, backend.Configuration, one.Task);
        using Engine.Backends.IExecutor executor = backend.CreateExecutor(new InferencePlan(backend.Configuration, one.Task, one.Windows,
            one.Draws));
        var calls = new CallDriver(executor, sampler, one.TargetOnly);
        float[] state = new float[executor.Plan.StateSamples];
        calls.Call();
        executor.GetState(state);
        driver.ClearLaunches();
        calls.Call();
        executor.GetState(state);
        cancellation.ThrowIfCancellationRequested();
        return new SimulatedProfile(device, driver.Launches) { WeightBits = ((GpuExecutor)executor).WeightBits };
    }

    /// <summary>Simulates the second encoding of a group of whole windows by a network of the quality family.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="windows">Windows.</param>
    /// <param name="device">As above.</param>
    /// <param name="groups">As above.</param>
    /// <param name="how">Of this the precision.</param>
    /// <param name="cancellation">As above.</param>
    public static SimulatedProfile Measure(QualityWeights weights, int windows, PtxDeviceModel device, int groups, GpuOptions? how = null,
        CancellationToken cancellation = default)
    {
        var options = new PtxDeviceOptions { Profile = true, ProfiledGroups = groups, MemoryBytes = device.MemoryBytes };
        SimulatedDriver driver = SimulatedDevice.Start(SimulatedDevice.Of(device, options), cancellation);
        using GpuDevice opened = GpuDevices.Open(new DeviceSelector("cuda"));
        using var network = new GpuQualityNetwork(opened, weights, how);
        QualityConfiguration m = weights.Configuration;
        float[] x = new float[windows * m.Channels * m.Samples], features = new float[windows * m.Tokens * m.Width];
        network.Encode(x, windows, features);
        driver.ClearLaunches();
        network.Encode(x, windows, features);
        cancellation.ThrowIfCancellationRequested();
        return new SimulatedProfile(device, driver.Launches);
    }

    /// <summary>Every line of a kernel's PTX with its counts, of its longest launch.</summary>
    public IEnumerable<(string Kernel, LaunchCounts Counts)> Longest() =>
        _launches.GroupBy(l => l.Name).Select(g => (g.Key, g.MaxBy(l => l.Time.Microseconds).Counts));

    // ILGPU names an entry after its method, with a number after it.
    private static string Name(PtxKernel kernel) =>
        KernelCatalog.All.Concat(KernelCatalog.Tensor)
            .Where(k => kernel.Name.StartsWith("Kernel_" + k.Method.Name, StringComparison.Ordinal))
            .OrderByDescending(k => k.Method.Name.Length).Select(k => k.Name.Split('-')[0]).FirstOrDefault() ?? kernel.Name;

    private static SimulatedRow Row(IEnumerable<(string Name, LaunchCounts Counts, LaunchTime Time)> launches)
    {
        (string Name, LaunchCounts Counts, LaunchTime Time)[] all = [.. launches];
        (_, LaunchCounts longest, LaunchTime time) = all.MaxBy(l => l.Time.Microseconds);
        double Sum(Func<LaunchCounts, double> of) => all.Sum(l => of(l.Counts));
        double instructions = Sum(c => c.IssueSlots), requests = Sum(c => c.GlobalRequests), ideal = Sum(c => c.IdealSharedPasses),
            bytes = Sum(c => c.CacheBytes);
        double executed = Sum(c => c.Lines.Sum(l => l.Executed));
        return new SimulatedRow
        {
            Kernel = all[0].Name, Launches = all.Length, Groups = all.Sum(l => l.Counts.Grid.Count), GroupThreads = longest.Group.Count,
            Instructions = instructions, FmaShare = Sum(c => c.FloatSlots) / instructions, FloatOperations = Sum(c => c.FloatOperations),
            SectorsPerRequest = requests > 0 ? Sum(c => c.GlobalSectors) / requests : 0,
            BankConflictWays = ideal > 0 ? Sum(c => c.SharedPasses) / ideal : 1,
            LaneShare = Sum(c => c.Lines.Sum(l => l.Executed * l.LaneShare)) / executed, BytesL2 = bytes,
            Bytes = Sum(c => c.UniqueBytes), Intensity = bytes > 0 ? Sum(c => c.FloatOperations) / bytes : 0,
            LiveRegisters = longest.Kernel.LiveRegisters, Registers = time.Registers, Occupancy = time.Occupancy, Waves = time.Waves,
            Bound = time.Bound, ModelUs = all.Sum(l => l.Time.Microseconds),
        };
    }
}
