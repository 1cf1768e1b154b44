using UniCardio.Engine.Backends.Cpu;

namespace UniCardio.Cli.Bench;

/// <summary>The configurations of the project's speed table, which <c>bench</c> measures where none is asked for.</summary>
internal static class SpeedTable
{
    private const string Full = "recipe:1,full", Compact = "recipe:1,compact", Shipped = "weights/compact.safetensors";

    /// <summary>The configurations; the one-draw call as often as 50 seconds hold, up to 500 times, for its p99.</summary>
    /// <param name="isa">Instructions; auto stands for AVX2 where the machine has it, with AVX-512 in rows of its own.</param>
    public static IReadOnlyList<BenchCase> Cases(CpuInstructionSet isa)
    {
        bool both = isa == CpuInstructionSet.Auto && CpuInstructionSets.IsSupported(CpuInstructionSet.Avx2);
        CpuInstructionSet main = both ? CpuInstructionSet.Avx2 : CpuInstructionSets.Resolve(isa);
        var few = TimeSpan.FromSeconds(3);
        List<BenchCase> cases =
        [
            new("full: target rows, 8 draws, 1 thread", Full) { Draws = 8, Threads = 1, Isa = main, TargetOnly = true, Profiled = true,
                Budget = TimeSpan.FromSeconds(9) },
            new("full: target rows, 8 draws, 2 threads", Full) { Draws = 8, Threads = 2, Isa = main, TargetOnly = true, Profiled = true },
            new("full: one draw, 2 threads", Full) { Threads = 2, Isa = main, Profiled = true, Loaded = true,
                Budget = TimeSpan.FromSeconds(50) },
            new("full: one draw, 1 thread", Full) { Threads = 1, Isa = main },
            new("compact: one draw, 1 thread", Compact) { Threads = 1, Isa = main, Profiled = true, Budget = few },
            new("compact: one draw, 2 threads", Compact) { Threads = 2, Isa = main, Profiled = true, Budget = few },
            .. Growth(main, few),
        ];
        if (both && CpuInstructionSets.IsSupported(CpuInstructionSet.Avx512))
        {
            BenchCase Wide(string name, string weights) =>
                new(name + ", AVX-512", weights) { Isa = CpuInstructionSet.Avx512, Budget = few };
            cases.Add(Wide("full: target rows, 8 draws, 1 thread", Full)
                with { Draws = 8, Threads = 1, TargetOnly = true, Profiled = true });
            cases.Add(Wide("full: target rows, 8 draws, 2 threads", Full) with { Draws = 8, Threads = 2, TargetOnly = true });
            cases.Add(Wide("full: one draw, 2 threads", Full) with { Threads = 2, Profiled = true });
            cases.Add(Wide("compact: one draw, 1 thread", Compact) with { Threads = 1, Profiled = true });
            cases.Add(Wide("compact: one draw, 2 threads", Compact) with { Threads = 2 });
        }

        // How often the lazy softmax has to repeat depends on the weights: those that ship, where the command runs beside them.
        if (File.Exists(Shipped))
            cases.Add(new BenchCase("compact: shipped weights, 8 draws, 2 threads", Shipped) { Draws = 8, Threads = 2, Isa = main,
                Profiled = true, Budget = few });
        return cases;
    }

    // Cost against draws and windows: ms a draw should stay what it is.
    private static IEnumerable<BenchCase> Growth(CpuInstructionSet isa, TimeSpan budget)
    {
        foreach (int draws in (int[])[4, 16, 50, 64])
            yield return new BenchCase($"full: {draws} draws, 2 threads", Full) { Draws = draws, Threads = 2, Isa = isa, Budget = budget };
        foreach (int windows in (int[])[1, 10, 100, 1000])
            yield return new BenchCase($"compact: {windows} windows, 2 threads", Compact) { Windows = windows, Threads = 2, Isa = isa,
                Budget = TimeSpan.FromSeconds(1.5) };
    }
}
