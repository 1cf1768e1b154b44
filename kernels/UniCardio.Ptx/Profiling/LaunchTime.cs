namespace UniCardio.Ptx.Profiling;

/// <summary>A launch's modelled time on a device, and what bounds it.</summary>
/// <remarks>
/// <para>A multiprocessor holds R groups (registers, shared memory, warps). Each of its parts needs for a group: schedulers, issue
/// slots / 4; float units, float slots times 32 / lanes; integer units likewise (half of a division); special functions; shared memory,
/// a cycle a pass,
/// and global accesses, a cycle a 4 pieces of 32 bytes; tensor cores, products / rate. P is the largest of these sums. A warp alone
/// needs L cycles, as it issues in order and waits for operands (global loads wait for the second-level cache). A wave of r groups
/// takes max(L, r P); full waves take R groups, the last one what is left, spread evenly.</para>
/// <para>The launch takes the waves, or the bytes of the second-level cache / its rate, or what of the touched bytes that cache
/// cannot hold / the memory's rate, whichever is longest, and the launch's own time. Contention of caches, the order of waves and the
/// clock's changes are left out.</para>
/// </remarks>
internal sealed record LaunchTime
{
    private LaunchTime()
    {
    }

    /// <summary>Registers that the model gives a thread: as estimated, and never more than its group can have.</summary>
    public required int Registers { get; init; }

    /// <summary>Groups on a multiprocessor at a time; 0: the device refuses the launch.</summary>
    public required int GroupsPerMultiprocessor { get; init; }

    /// <summary>Warps on a multiprocessor of those that it could hold.</summary>
    public required double Occupancy { get; init; }

    /// <summary>Groups / (multiprocessors times groups on each).</summary>
    public required double Waves { get; init; }

    /// <summary>Microseconds with the launch itself.</summary>
    public required double Microseconds { get; init; }

    /// <summary>What takes longest: <c>issue</c>, <c>float</c>, <c>integer</c>, <c>special</c>, <c>shared</c>, <c>global</c>,
    /// <c>tensor</c>, <c>latency</c>, <c>cache</c>, <c>memory</c> or <c>launch</c>.</summary>
    public required string Bound { get; init; }

    /// <summary>Models a launch.</summary>
    /// <param name="counts">What it executed.</param>
    /// <param name="device">The device.</param>
    /// <param name="registers">Registers of a thread as an assembler gave them; 0 to estimate them.</param>
    public static LaunchTime Of(LaunchCounts counts, PtxDeviceModel device, int registers = 0)
    {
        ArgumentNullException.ThrowIfNull(counts);
        ArgumentNullException.ThrowIfNull(device);
        int threads = (int)counts.Group.Count, warps = (threads + 31) / 32;
        int estimate = registers > 0 ? registers : EstimatedRegisters(counts.Kernel);
        int max = device.Registers / 4 / ((warps + 3) / 4 * 32) / 8 * 8;
        int own = Math.Min(estimate, Math.Min(255, max));
        int resident = device.GroupsPerMultiprocessor(threads, own, counts.SharedBytes);
        double groups = counts.Grid.Count;
        (double pipe, string bound) = Busiest(counts, device, groups);
        double latency = counts.WarpCycles(device.CacheLatency), cycles = 0;
        double wave = device.Multiprocessors * (double)Math.Max(1, resident), full = Math.Floor(groups / wave),
            rest = groups - (full * wave);
        cycles += full > 0 ? full * Math.Max(latency, Math.Max(1, resident) * pipe) : 0;
        double last = Math.Ceiling(rest / device.Multiprocessors);
        cycles += rest > 0 ? Math.Max(latency, last * pipe) : 0;
        if (latency >= (full > 0 ? Math.Max(1, resident) : last) * pipe)
            bound = "latency";
        double busy = cycles / device.ClockGhz / 1e3, cache = counts.CacheBytes / device.CacheGbs / 1e3;
        double memory = Math.Max(0, counts.UniqueBytes - device.CacheBytes) / device.MemoryGbs / 1e3,
            longest = Math.Max(busy, Math.Max(cache, memory));
        if (longest > busy)
            bound = cache >= memory ? "cache" : "memory";
        return new LaunchTime
        {
            Registers = own,
            GroupsPerMultiprocessor = resident,
            Occupancy = Math.Min(1, resident * (double)warps / device.Warps),
            Waves = groups / wave,
            Microseconds = longest + device.LaunchMicroseconds,
            Bound = longest < device.LaunchMicroseconds ? "launch" : bound,
        };
    }

    /// <summary>Registers that an assembler is likely to give a thread.</summary>
    /// <remarks>
    /// 15/16 of the words that are live at once in the order of the text: ptxas 13.0 gave the first 13 kernels 62% to 105% of them, 91%
    /// in the middle, since it orders the instructions anew.
    /// </remarks>
    public static int EstimatedRegisters(PtxKernel kernel)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        return Math.Max(8, ((kernel.LiveRegisters * 15) + 15) / 16);
    }

    // Cycles of a group on the part that is busy longest.
    private static (double Cycles, string Name) Busiest(LaunchCounts counts, PtxDeviceModel device, double groups)
    {
        double integers = counts.SlotsOf(InstructionClass.Integer) + (counts.SlotsOf(InstructionClass.IntegerDivision) / 2)
            + counts.SlotsOf(InstructionClass.Compare);
        double specials = counts.SlotsOf(InstructionClass.Convert) + (counts.SlotsOf(InstructionClass.Special) / 3)
            + (counts.SlotsOf(InstructionClass.FloatDivision) / 8);
        (double Cycles, string Name)[] parts =
        [
            (counts.IssueSlots / 4, "issue"),
            (counts.FloatSlots * 32 / device.FloatLanes, "float"),
            (integers * 32 / device.IntegerLanes, "integer"),
            (specials * 32 / device.SpecialLanes, "special"),
            (counts.SharedPasses, "shared"),
            (counts.GlobalSectors / 4, "global"),
            (Rate(counts.Tf32Products, device.Tf32PerCycle) + Rate(counts.Bf16Products, device.Bf16PerCycle), "tensor"),
        ];
        (double cycles, string name) = parts.MaxBy(p => p.Cycles);
        return (cycles / groups, name);
    }

    private static double Rate(double products, int perCycle) => products == 0 ? 0 : perCycle == 0 ? double.PositiveInfinity
        : products / perCycle;
}
