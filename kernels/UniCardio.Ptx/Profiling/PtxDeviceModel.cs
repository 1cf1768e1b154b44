namespace UniCardio.Ptx.Profiling;

/// <summary>A device as the time model sees it: numbers of the vendor's data sheets, and measured rates of caches as published.</summary>
internal sealed record PtxDeviceModel
{
    /// <summary>Short name, such as <c>h100</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The product.</summary>
    public required string Title { get; init; }

    /// <summary>Compute capability, such as 90.</summary>
    public required int Architecture { get; init; }

    /// <summary>Streaming multiprocessors.</summary>
    public required int Multiprocessors { get; init; }

    /// <summary>Sustained clock in GHz.</summary>
    public required double ClockGhz { get; init; }

    /// <summary>Float32 multiply-adds a cycle and multiprocessor.</summary>
    public required int FloatLanes { get; init; }

    /// <summary>Integer operations a cycle and multiprocessor.</summary>
    public int IntegerLanes { get; init; } = 64;

    /// <summary>Special functions and conversions a cycle and multiprocessor.</summary>
    public int SpecialLanes { get; init; } = 16;

    /// <summary>Multiply-adds of tf32 a cycle and multiprocessor by mma.sync; 0 if it has none.</summary>
    public int Tf32PerCycle { get; init; }

    /// <summary>Multiply-adds of bf16 a cycle and multiprocessor by mma.sync; 0 if it has none.</summary>
    public int Bf16PerCycle { get; init; }

    /// <summary>Warps that a multiprocessor holds.</summary>
    public required int Warps { get; init; }

    /// <summary>Groups that a multiprocessor holds.</summary>
    public required int Groups { get; init; }

    /// <summary>32-bit registers of a multiprocessor.</summary>
    public int Registers { get; init; } = 65_536;

    /// <summary>Shared memory of a multiprocessor in bytes.</summary>
    public required int SharedBytes { get; init; }

    /// <summary>Second-level cache in bytes.</summary>
    public required long CacheBytes { get; init; }

    /// <summary>Rate of the second-level cache in GB/s.</summary>
    public required double CacheGbs { get; init; }

    /// <summary>Rate of memory in GB/s.</summary>
    public required double MemoryGbs { get; init; }

    /// <summary>Memory in bytes.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Cycles of a load that the second-level cache serves.</summary>
    public required int CacheLatency { get; init; }

    /// <summary>Microseconds from the end of a launch to the next one's first instruction, queued one after the other.</summary>
    public double LaunchMicroseconds { get; init; } = 2.5;

    /// <summary>Float32 peak in TFLOP/s.</summary>
    public double Tflops => 2e-3 * Multiprocessors * FloatLanes * ClockGhz;

    /// <summary>Every device of the table.</summary>
    public static IReadOnlyList<PtxDeviceModel> All { get; } =
    [
        // NVIDIA H100 SXM5: 132 SMs, 50 MB, 3.35 TB/s, 494 TFLOP/s of dense tf32 at 1.755 GHz (1,024 a cycle), 62% of it by mma.sync.
        new()
        {
            Name = "h100", Title = "NVIDIA H100 SXM", Architecture = 90, Multiprocessors = 132, ClockGhz = 1.755, FloatLanes = 128,
                Tf32PerCycle = 635, Bf16PerCycle = 1270,
            Warps = 64, Groups = 32, SharedBytes = 228 << 10, CacheBytes = 50L << 20, CacheGbs = 5500, MemoryGbs = 3350,
                MemoryBytes = 80L << 30, CacheLatency = 270,
        },

        // A100 SXM4: 108 SMs at 1.41 GHz, 19.5 TFLOP/s, 156 of tf32, 40 MB, 2.04 TB/s.
        new()
        {
            Name = "a100", Title = "NVIDIA A100 SXM 80 GB", Architecture = 80, Multiprocessors = 108, ClockGhz = 1.41, FloatLanes = 64,
                Tf32PerCycle = 512, Bf16PerCycle = 1024,
            Warps = 64, Groups = 32, SharedBytes = 164 << 10, CacheBytes = 40L << 20, CacheGbs = 4500, MemoryGbs = 2039,
                MemoryBytes = 80L << 30, CacheLatency = 240,
        },

        // GeForce RTX 4090: 128 SMs at 2.52 GHz, 82.6 TFLOP/s, tf32 the same, bf16 with float32 sums twice that, 72 MB, 1.01 TB/s.
        new()
        {
            Name = "rtx4090", Title = "NVIDIA GeForce RTX 4090", Architecture = 89, Multiprocessors = 128, ClockGhz = 2.52,
                FloatLanes = 128, Tf32PerCycle = 128, Bf16PerCycle = 256,
            Warps = 48, Groups = 24, SharedBytes = 100 << 10, CacheBytes = 72L << 20, CacheGbs = 5000, MemoryGbs = 1008,
                MemoryBytes = 24L << 30, CacheLatency = 280,
        },

        // GeForce RTX 4060: 24 SMs at 2.46 GHz, 24 MB, 272 GB/s.
        new()
        {
            Name = "rtx4060", Title = "NVIDIA GeForce RTX 4060", Architecture = 89, Multiprocessors = 24, ClockGhz = 2.46,
                FloatLanes = 128, Tf32PerCycle = 128, Bf16PerCycle = 256,
            Warps = 48, Groups = 24, SharedBytes = 100 << 10, CacheBytes = 24L << 20, CacheGbs = 1100, MemoryGbs = 272,
                MemoryBytes = 8L << 30, CacheLatency = 280,
        },

        // T4: 40 SMs at 1.59 GHz boost, 8.1 TFLOP/s, no tf32 or bf16, 4 MB, 320 GB/s.
        new()
        {
            Name = "t4", Title = "NVIDIA T4", Architecture = 75, Multiprocessors = 40, ClockGhz = 1.59, FloatLanes = 64,
            Warps = 32, Groups = 16, SharedBytes = 64 << 10, CacheBytes = 4L << 20, CacheGbs = 1270, MemoryGbs = 320,
                MemoryBytes = 16L << 30, CacheLatency = 190,
        },

        // Jetson AGX Orin 64 GB: 16 SMs at 1.3 GHz, 5.3 TFLOP/s, 4 MB, 205 GB/s.
        new()
        {
            Name = "orin", Title = "NVIDIA Jetson AGX Orin", Architecture = 87, Multiprocessors = 16, ClockGhz = 1.3, FloatLanes = 128,
                Tf32PerCycle = 128, Bf16PerCycle = 256,
            Warps = 48, Groups = 16, SharedBytes = 164 << 10, CacheBytes = 4L << 20, CacheGbs = 660, MemoryGbs = 205,
                MemoryBytes = 64L << 30, CacheLatency = 240, LaunchMicroseconds = 4,
        },
    ];

    /// <summary>A device by its short name; null if the table has none of that name.</summary>
    public static PtxDeviceModel? Find(string name) =>
        All.FirstOrDefault(d => string.Equals(d.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Groups that a multiprocessor holds at a time.</summary>
    /// <param name="threads">Threads of a group.</param>
    /// <param name="registers">Registers of a thread; given out by 8, a warp's by 256.</param>
    /// <param name="sharedBytes">Shared memory of a group; the system takes 1 KB more from architecture 80 on.</param>
    /// <returns>0 if not even one fits.</returns>
    public int GroupsPerMultiprocessor(int threads, int registers, int sharedBytes)
    {
        int warps = (threads + 31) / 32, perWarp = 32 * Math.Max(8, (registers + 7) / 8 * 8);
        // A scheduler has a quarter of the registers.
        int byRegisters = Registers / 4 / perWarp * 4 / warps;
        int shared = sharedBytes + (Architecture >= 80 ? 1024 : 0), byShared = sharedBytes == 0 ? Groups
            : SharedBytes / ((shared + 127) / 128 * 128);
        return Math.Min(Math.Min(Groups, Warps / warps), Math.Min(byRegisters, byShared));
    }
}
