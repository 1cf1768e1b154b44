using UniCardio.Engine.Backends.Cpu;

namespace UniCardio.Cli.Bench;

/// <summary>The configurations of the project's speed table, which <c>bench</c> measures where none is asked for.</summary>
internal static class SpeedTable
{
    private const string Full = "recipe:1,full", Compact = "recipe:1,compact";

    /// <summary>The configurations; the one-draw call as often as 50 seconds hold, up to 500 times, for its p99.</summary>
    /// <param name="isa">Instructions; auto stands for AVX2 where the machine has it, with AVX-512 in two rows of its own.</param>
    public static IReadOnlyList<BenchCase> Cases(CpuInstructionSet isa)
    {
        bool both = isa == CpuInstructionSet.Auto && CpuInstructionSets.IsSupported(CpuInstructionSet.Avx2);
        CpuInstructionSet main = both ? CpuInstructionSet.Avx2 : CpuInstructionSets.Resolve(isa);
        var few = TimeSpan.FromSeconds(3);
        List<BenchCase> cases =
        [
            new("full: target stream, 8 draws, 1 thread", Full) { Draws = 8, Threads = 1, Isa = main, TargetOnly = true, Profiled = true,
                Budget = TimeSpan.FromSeconds(9) },
            new("full: target stream, 8 draws, 2 threads", Full) { Draws = 8, Threads = 2, Isa = main, TargetOnly = true, Profiled = true },
            new("full: one draw, 2 threads", Full) { Threads = 2, Isa = main, Profiled = true, Loaded = true,
                Budget = TimeSpan.FromSeconds(50) },
            new("full: one draw, 1 thread", Full) { Threads = 1, Isa = main },
            new("compact: one draw, 1 thread", Compact) { Threads = 1, Isa = main, Profiled = true },
            .. Growth(main, few),
        ];
        if (both && CpuInstructionSets.IsSupported(CpuInstructionSet.Avx512))
        {
            cases.Add(new BenchCase("full: target stream, 8 draws, 1 thread, AVX-512", Full) { Draws = 8, Threads = 1,
                Isa = CpuInstructionSet.Avx512, TargetOnly = true, Profiled = true, Budget = few });
            cases.Add(new BenchCase("full: one draw, 2 threads, AVX-512", Full) { Threads = 2, Isa = CpuInstructionSet.Avx512,
                Profiled = true, Budget = few });
        }

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
