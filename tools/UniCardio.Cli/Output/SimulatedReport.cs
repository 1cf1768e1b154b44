using System.Globalization;
using System.Text;
using UniCardio.Cli.Bench;
using UniCardio.Ptx.Profiling;

namespace UniCardio.Cli.Output;

/// <summary>A simulated profile as a table, as JSON, and as a listing of PTX with counts.</summary>
internal static class SimulatedReport
{
    public static void Write(Terminal terminal, string name, SimulatedProfile profile, bool asJson, string? listing)
    {
        if (listing is not null)
        {
            Directory.CreateDirectory(listing);
            foreach ((string kernel, LaunchCounts counts) in profile.Longest())
                OutputFile.Write(System.IO.Path.Combine(listing, kernel + ".txt"), Listing(kernel, counts, profile.Device.CacheLatency));
            terminal.Note($"wrote {profile.Rows.Count} listings to {listing}");
        }

        if (asJson)
            Json.Write(terminal, new { Name = name, Device = profile.Device.Name, profile.WeightBits,
                Launches = profile.Rows.Sum(r => r.Launches),
                ModelUs = profile.CallUs, profile.Rows });
        else
            WriteTable(terminal, name, profile);
    }

    /// <summary>Windowed attention beside dense.</summary>
    public static void Write(Terminal terminal, string name, PtxDeviceModel device, IReadOnlyList<SimulatedAttention> rows, bool asJson)
    {
        if (asJson)
        {
            Json.Write(terminal, new { Name = name, Device = device.Name, Rows = rows });
            return;
        }

        var table = ResultTable.Create(">tokens", ">key tiles", ">skipped", ">dense us", "bound by", ">windowed us", "bound by", ">ratio");
        foreach (SimulatedAttention r in rows)
            table.Add(((double)r.Tokens).In("0"), ((double)r.Tiles).In("0"), ((double)r.TilesSkipped).In("0"), r.DenseUs.In("0.0"),
                r.DenseBound, r.WindowedUs.In("0.0"), r.WindowedBound, r.Ratio.In("0.00"));
        terminal.Out.WriteLine($"{name}; one layer's attention, simulated; {device.Title} by the time model, not measured on a GPU");
        terminal.Write(table);
    }

    private static void WriteTable(Terminal terminal, string name, SimulatedProfile profile)
    {
        PtxDeviceModel device = profile.Device;
        var table = ResultTable.Create(
            "kernel", ">launches", ">groups", ">Minstr", ">fma %", ">MFLOP", ">sectors/req", ">bank ways", ">lanes %", ">L2 MB",
                ">FLOP/B", ">live", ">occup. %", ">waves", ">us", "bound by");
        foreach (SimulatedRow r in profile.Rows)
        {
            table.Add(r.Kernel, ((double)r.Launches).In("0"), ((double)r.Groups).In("0"), (r.Instructions / 1e6).In("0.00"),
                (100 * r.FmaShare).In("0"), (r.FloatOperations / 1e6).In("0"),
                r.SectorsPerRequest.In("0.0"), r.BankConflictWays.In("0.00"), (100 * r.LaneShare).In("0"), (r.BytesL2 / 1e6).In("0.0"),
                    r.Intensity.In("0.0"), ((double)r.LiveRegisters).In("0"),
                (100 * r.Occupancy).In("0"), r.Waves.In("0.00"), r.ModelUs.In("0.0"), r.Bound);
        }

        string weights = profile.WeightBits == 16 ? ", large maps in 16 bits" : "";
        terminal.Say($"{name}; one call, simulated{weights}; {device.Title} by the time model: "
            + $"{(profile.CallUs / 1000).In("0.000")} ms, {profile.Rows.Sum(r => r.Launches)} launches");
        terminal.Write(table);
        terminal.Say(
            $"model: {device.Multiprocessors} multiprocessors at {device.ClockGhz.In("0.00")} GHz, {device.Tflops.In("0.0")} TFLOP/s, "
            + $"L2 {device.CacheGbs.In("0")} GB/s, memory {device.MemoryGbs.In("0")} GB/s; not measured on a GPU");
    }

    // A line of PTX after its counts; lines that nothing executed have none. Where a straight piece of code begins: the cycles that a warp
    // alone spends in it.
    private static string Listing(string kernel, LaunchCounts counts, int cacheLatency)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"{kernel}: {counts.Grid.Count} groups of {counts.Group.Count} threads, {counts.IssueSlots:0} issue slots");
        text.AppendLine("   line    executed  lanes%       slots     sectors      passes      parted      cycles  instruction");
        IReadOnlyDictionary<int, double> cycles = counts.BlockCycles(cacheLatency);
        string Alone(int line) => cycles.TryGetValue(line, out double alone) ? alone.In("0") : "";
        foreach (LineCounts l in counts.Lines)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{l.Line,7} {l.Executed,11:0} {100 * l.LaneShare,7:0} {l.IssueSlots,11:0} {l.Sectors,11:0} "
                + $"{l.SharedPasses,11:0} {l.Parted,11:0} {Alone(l.Line),11}  {l.Text}");
        }

        return text.ToString();
    }
}
