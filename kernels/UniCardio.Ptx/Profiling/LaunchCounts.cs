namespace UniCardio.Ptx.Profiling;

/// <summary>What one line of PTX executed in a launch.</summary>
internal sealed record LineCounts
{
    /// <summary>The line of the module's text.</summary>
    public required int Line { get; init; }

    /// <summary>The instruction.</summary>
    public required string Text { get; init; }

    /// <summary>What it occupies.</summary>
    public required InstructionClass Class { get; init; }

    /// <summary>Times that a warp executed it.</summary>
    public required double Executed { get; init; }

    /// <summary>Lanes that took part, of 32, on average; 0 if it was not executed.</summary>
    public required double LaneShare { get; init; }

    /// <summary>Issue slots of all its executions, as an assembler would make it; 0 for copies and what became part of another.</summary>
    public required double IssueSlots { get; init; }

    /// <summary>Global accesses: pieces of 32 bytes.</summary>
    public required double Sectors { get; init; }

    /// <summary>Shared accesses: passes over the banks.</summary>
    public required double SharedPasses { get; init; }

    /// <summary>Branches: times that lanes of a warp parted.</summary>
    public required double Parted { get; init; }
}

/// <summary>What a launch executed; counts of a sample of groups are scaled to all of them.</summary>
internal sealed class LaunchCounts
{
    private readonly Dictionary<InstructionClass, double> _byClass = [];
    private readonly long[] _blockRuns;
    private readonly AssemblyModel _assembly;
    private readonly KernelCode _code;
    private readonly double _scale;

    internal LaunchCounts(LaunchRun launch, GroupRun[] runs, AccessCounter?[] counters, long executedGroups)
    {
        Kernel = launch.Kernel;
        Grid = launch.Grid;
        Group = launch.Group;
        SharedBytes = launch.Kernel.SharedBytes + (launch.SharedBytes - launch.Code.SharedBytes);
        _code = launch.Code;
        _scale = (double)launch.Grid.Count / executedGroups;
        _assembly = launch.Code.Assembly;
        _blockRuns = Sum(runs.Select(r => r.BlockRuns));
        long[] lanes = Sum(runs.Select(r => r.BlockLanes)), parted = Sum(runs.Select(r => r.BlockParted));
        var lines = new List<LineCounts>();
        foreach (Block block in _code.Blocks)
        {
            for (int i = block.First; i < block.End; i++)
                lines.Add(Count(block, i, lanes[block.Index], parted[block.Index], counters));
        }

        Lines = lines;
        UniqueBytes = 32 * CountUnique(counters);
    }

    /// <summary>The kernel.</summary>
    public PtxKernel Kernel { get; }

    /// <summary>Groups.</summary>
    public PtxDim Grid { get; }

    /// <summary>Threads of a group.</summary>
    public PtxDim Group { get; }

    /// <summary>Shared memory of a group in bytes.</summary>
    public int SharedBytes { get; }

    /// <summary>Every instruction in the order of the text.</summary>
    public IReadOnlyList<LineCounts> Lines { get; }

    /// <summary>Issue slots of all warps: instructions as an assembler would make them.</summary>
    public double IssueSlots { get; private set; }

    /// <summary>Those that are multiply-adds (or a single product or sum) of floats.</summary>
    public double FloatSlots { get; private set; }

    /// <summary>Issue slots of a class.</summary>
    public double SlotsOf(InstructionClass kind) => _byClass.GetValueOrDefault(kind);

    /// <summary>Multiply-adds of matrix instructions of tf32 and of bf16.</summary>
    public double Tf32Products { get; private set; }

    /// <summary>Multiply-adds of matrix instructions of bf16.</summary>
    public double Bf16Products { get; private set; }

    /// <summary>Operations on floats by lanes: a fused multiply-add is two.</summary>
    public double FloatOperations { get; private set; }

    /// <summary>Warps' accesses of global memory, and the 32-byte pieces that they touched.</summary>
    public double GlobalRequests { get; private set; }

    /// <summary>Pieces of 32 bytes that global accesses touched, summed over requests.</summary>
    public double GlobalSectors { get; private set; }

    /// <summary>Bytes from and to the second-level cache: pieces that a group reads more than once between two barriers count
    /// once.</summary>
    public double CacheBytes { get; private set; }

    /// <summary>Bytes of global memory that the launch touched, each once.</summary>
    public double UniqueBytes { get; }

    /// <summary>Passes over the banks of shared memory, and those that there would be without conflicts.</summary>
    public double SharedPasses { get; private set; }

    /// <summary>Passes without conflicts.</summary>
    public double IdealSharedPasses { get; private set; }

    /// <summary>Branches that parted a warp.</summary>
    public double Parted { get; private set; }

    /// <summary>Operations a byte of the second-level cache.</summary>
    public double Intensity => CacheBytes > 0 ? FloatOperations / CacheBytes : 0;

    /// <summary>Pieces of 32 bytes a request; 0 without global accesses.</summary>
    public double SectorsPerRequest => GlobalRequests > 0 ? GlobalSectors / GlobalRequests : 0;

    /// <summary>How many times as many passes shared accesses take as they would without conflicts; 1 without shared accesses.</summary>
    public double BankConflictWays => IdealSharedPasses > 0 ? SharedPasses / IdealSharedPasses : 1;

    /// <summary>Cycles that a warp would need alone, on average over the launch's warps.</summary>
    internal double WarpCycles(int cacheLatency) => BlockCycles(cacheLatency).Values.Sum();

    /// <summary>The same by straight piece of code: the line of its first instruction, and the cycles of all its runs.</summary>
    /// <param name="cacheLatency">Cycles of a load that the second-level cache serves.</param>
    internal IReadOnlyDictionary<int, double> BlockCycles(int cacheLatency)
    {
        double warps = Grid.Count * ((Group.Count + Warp.Lanes - 1) / Warp.Lanes);
        return _code.Blocks.Where(b => _blockRuns[b.Index] > 0 && b.End > b.First)
            .ToDictionary(b => _code.Instructions[b.First].Source.Line,
                b => _blockRuns[b.Index] * _scale * _assembly.BlockCycles(b, cacheLatency) / warps);
    }

    private static long[] Sum(IEnumerable<long[]> parts)
    {
        long[][] all = [.. parts];
        long[] sum = new long[all[0].Length];
        foreach (long[] part in all)
        {
            for (int i = 0; i < sum.Length; i++)
                sum[i] += part[i];
        }

        return sum;
    }

    private LineCounts Count(Block block, int index, long blockLanes, long blockParted, AccessCounter?[] counters)
    {
        Instruction instruction = _code.Instructions[index];
        double executed = _blockRuns[block.Index] * _scale, lanes = blockLanes * _scale, slots = executed * _assembly.Slots[index];
        double sectors = 0, passes = 0;
        if (instruction.Memory is { Space: not MemorySpace.None } form)
        {
            foreach (AccessTotals t in counters.Select(c => c!.Totals[index]))
            {
                sectors += t.Sectors * _scale;
                passes += t.Passes * _scale;
                CacheBytes += 32 * t.FreshSectors * _scale;
                GlobalRequests += form.Space == MemorySpace.Global ? t.Requests * _scale : 0;
                IdealSharedPasses += t.IdealPasses * _scale;
            }
        }

        GlobalSectors += sectors;
        SharedPasses += passes;
        IssueSlots += slots;
        _byClass[instruction.Class] = _byClass.GetValueOrDefault(instruction.Class) + slots;
        if (instruction.Class == InstructionClass.Float)
        {
            FloatSlots += slots;
            FloatOperations += lanes * (_assembly.Slots[index] == 0 ? 0 : instruction.IsFused || instruction.Source.Opcode == "fma" ? 2
                : 1);
        }

        if (instruction.Class == InstructionClass.Matrix)
        {
            double products = executed * instruction.Products;
            (Tf32Products, Bf16Products) = instruction.Source.Modifiers.Contains("bf16") ? (Tf32Products, Bf16Products + products)
                : (Tf32Products + products, Bf16Products);
            FloatOperations += 2 * products;
        }

        double parted = instruction.Flow == Flow.Branch ? blockParted * _scale : 0;
        Parted += parted;
        return new LineCounts
        {
            Line = instruction.Source.Line, Text = instruction.Source.Text, Class = instruction.Class, Executed = executed,
            LaneShare = executed > 0
            ? lanes / executed / Warp.Lanes : 0,
            IssueSlots = slots, Sectors = sectors, SharedPasses = passes, Parted = parted,
        };
    }

    // Pieces that several groups touched are there once; those of one group are scaled with the groups, but never beyond their memory: in a
    // sample of many groups, pieces that all groups share are often touched by one alone.
    private double CountUnique(AccessCounter?[] counters)
    {
        double unique = 0;
        foreach (MemoryRegion region in counters.SelectMany(c => c!.Maps.Keys).Distinct())
        {
            SectorMap[] maps = [.. counters.Select(c => c!.Maps.GetValueOrDefault(region)!).Where(m => m is not null)];
            int length = maps[0].Groups.Length;
            double own = 0;
            for (int s = 0; s < length; s++)
            {
                int touched = 0;
                foreach (SectorMap map in maps)
                    touched += map.Groups[s] == 0 ? 0 : map.Groups[s] == SectorMap.Many ? 2 : 1;
                own += touched == 0 ? 0 : touched == 1 ? _scale : 1;
            }

            unique += Math.Min(own, length);
        }

        return unique;
    }
}
