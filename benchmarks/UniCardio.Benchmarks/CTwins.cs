using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;

namespace UniCardio.Benchmarks;

/// <summary>
/// The kernels beside their twins in C, which are compiled here from shared/study: same buffers, same process, turn by turn, so that a
/// ratio below 1 is what the JIT made of a kernel and no neighbour's doing. Shares are of one thread's multiply-add peak of the same
/// instruction set.
/// </summary>
internal sealed unsafe class CTwins : ISimdCode<int>
{
    private const int HeadDim = 36, Keys = 996, Heads = 8, Queries = 992, Room = Keys + 16;
    private const int Depth = 288, Columns = 864, Matrices = 20, Tokens = 1008, Turns = 40;

    // The study's files as they are, their main out of the way and their kernels in reach.
    private const string Shim = """
        #define main attention_main
        #include "attention.c"
        #undef main
        void twin_attention(int form, int keys, const float *k, const float *v, const float *q, float *o)
        {
            float bound[PANEL];
            for (int i = 0; i < PANEL; i++)
                bound[i] = 30;
            block_keys = keys;
            for (int h = 0; h < HEADS; h++)
                for (int b = h * (QUERIES / PANEL); b < (h + 1) * (QUERIES / PANEL); b++)
                    attend(form, k + (long)h * ROOM * HEAD, v + (long)h * ROOM * HEAD, q + (long)b * HEAD * PANEL, bound, o);
        }
        """;

    private const string LinearShim = """
        #define main linear_main
        #include "linear.c"
        #undef main
        void twin_linear(int in_panels, const float *w, float *rows, float *result, float *start, int count)
        {
            a = rows;
            c = result;
            bias = start;
            product(in_panels ? IN_PANELS : PANEL_OUTSIDE_PREFETCH, w, 0, PANELS, 0, count);
        }
        """;

    private readonly CpuInstructionSet _set;
    private readonly string _library;

    private CTwins(CpuInstructionSet set, string library) => (_set, _library) = (set, library);

    /// <summary>Compiles and measures every set that has a twin.</summary>
    /// <returns>0, or 1 where there is no study, no compiler or no set.</returns>
    public static int Run()
    {
        string? study = Study();
        if (study is null)
        {
            Console.Error.WriteLine("no shared/study beside the repository: nothing to compare with");
            return 1;
        }

        int sets = 0;
        foreach (CpuInstructionSet set in (CpuInstructionSet[])[CpuInstructionSet.Avx512, CpuInstructionSet.Avx2])
        {
            string folder = Directory.CreateTempSubdirectory("unicardio-twins-").FullName;
            try
            {
                if (CpuInstructionSets.IsSupported(set) && Compile(study, folder, set))
                    sets += CpuInstructionSets.Run<CTwins, int>(set, new CTwins(set, folder));
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        return sets > 0 ? 0 : 1;
    }

    int ISimdCode<int>.Run<S, V>()
    {
        Console.WriteLine($"{CpuInstructionSets.Name(_set)}: share of one thread's peak, C# and C, median and best of {Turns} turns;"
            + " C#'s speed over C's, median of the turns");
        nint attend = Export("attention.so", "twin_attention"), multiply = Export("linear.so", "twin_linear");
        Attend<S, V>((delegate* unmanaged<int, int, float*, float*, float*, float*, void>)attend);
        foreach (int matrices in (int[])[1, Matrices])
            Multiply<S, V>((delegate* unmanaged<int, float*, float*, float*, float*, int, void>)multiply, matrices);
        return 1;
    }

    private nint Export(string library, string name) => NativeLibrary.GetExport(NativeLibrary.Load(Path.Combine(_library, library)), name);

    private void Attend<S, V>(delegate* unmanaged<int, int, float*, float*, float*, float*, void> twin)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width, blocks = Queries / width;
        using AlignedBuffer q = KernelBenchmark.Random((long)Heads * blocks * HeadDim * width, 1);
        using AlignedBuffer k = KernelBenchmark.Random((long)Heads * Room * HeadDim, 2);
        using AlignedBuffer v = KernelBenchmark.Random((long)Heads * Room * HeadDim, 3),
            scratch = new(Attention.ScratchLength(HeadDim, S.Width));
        using AlignedBuffer output = new(HeadDim * width), other = new(HeadDim * width);
        void Ours()
        {
            for (int block = 0; block < Heads * blocks; block++)
            {
                nint at = (nint)(block / blocks) * Room * HeadDim;
                var keys = new KeySegment { Keys = k.Pointer + at, Values = v.Pointer + at, Count = Keys };
                Attention.Run<S, V>(q.Pointer + ((nint)block * HeadDim * width), HeadDim, keys, default, scratch.Pointer, output.Pointer);
            }
        }

        double flop = 4.0 * Keys * Queries * Heads * HeadDim;
        int lazy = S.Width == 16 ? 5 : 4, keyBlock = Attention.KeyBlock(S.Width);
        Compare("attention, lazy softmax", flop, Ours, () => twin(lazy, keyBlock, k.Pointer, v.Pointer, q.Pointer, other.Pointer));
        Compare("attention, C's online softmax", flop, Ours, () => twin(0, keyBlock, k.Pointer, v.Pointer, q.Pointer, other.Pointer));
    }

    private void Multiply<S, V>(delegate* unmanaged<int, float*, float*, float*, float*, int, void> twin, int matrices)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width;
        using AlignedBuffer rows = KernelBenchmark.Random((long)Tokens * Depth, 4), bias = KernelBenchmark.Random(Columns, 5);
        using AlignedBuffer c = new((long)Tokens * Columns), other = new((long)Tokens * Columns), panel = new((long)Tokens * width);
        PackedMatrix[] maps = [.. Enumerable.Range(0, matrices).Select(i => new PackedMatrix(
            new LinearMap([.. Enumerable.Range(0, Columns * Depth).Select(k => Math.Sin(k + i))], new double[Columns]), width))];
        foreach (int strip in (int[])[192, 504])
        {
            double flop = 2.0 * strip * Depth * Columns * Matrices;
            void Each(Action<PackedMatrix> work)
            {
                for (int i = 0; i < Matrices; i++)
                    work(maps[i % matrices]);
            }

            Compare($"linear map, {matrices} matrices, {strip} rows", flop,
                () => Each(m => MatrixProduct.ByRows<S, V>(
                    rows.Pointer, Depth, m, 0, m.Panels, bias.Pointer, 0, c.Pointer, Columns, strip)),
                () => Each(m => twin(0, m.Panel(0), rows.Pointer, other.Pointer, bias.Pointer, strip)));
            Compare("the same, results in panels", flop,
                () => Each(m => MatrixProduct.ByPanels<S, V, Nowhere>(
                    rows.Pointer, Depth, m, 0, m.Panels, bias.Pointer, panel.Pointer, strip, default)),
                () => Each(m => twin(1, m.Panel(0), rows.Pointer, other.Pointer, bias.Pointer, strip)));
        }

        foreach (PackedMatrix map in maps)
            map.Dispose();
    }

    private void Compare(string name, double flop, Action ours, Action twin)
    {
        double[] peaks = new double[Turns], shares = new double[Turns], twins = new double[Turns], ratios = new double[Turns];
        for (int warm = 0; warm < 3; warm++)
        {
            ours();
            twin();
        }

        for (int turn = 0; turn < Turns; turn++)
        {
            peaks[turn] = MachinePeak.FmaGflops(_set, 1, TimeSpan.FromMilliseconds(1)) * 1e9;
            double mine = Seconds(ours), theirs = Seconds(twin);
            (shares[turn], twins[turn], ratios[turn]) = (flop / mine, flop / theirs, theirs / mine);
        }

        // The peak of an undisturbed burst: one that a neighbour held up would make everything look better.
        double peak = peaks.Max();

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {name,-42} C# {Median(shares) / peak:P0} {shares.Max() / peak:P0}   C {Median(twins) / peak:P0} {twins.Max() / peak:P0}")
            + string.Create(CultureInfo.InvariantCulture, $"   ratio {Median(ratios):0.000}"));
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

    private static double Seconds(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static string? Study()
    {
        for (DirectoryInfo? at = new(Environment.CurrentDirectory); at is not null; at = at.Parent)
        {
            string study = Path.Combine(at.FullName, "shared", "study");
            if (File.Exists(Path.Combine(study, "attention.c")))
                return study;
        }

        return null;
    }

    private static bool Compile(string study, string folder, CpuInstructionSet set)
    {
        foreach ((string name, string text) in ((string, string)[])[("attention", Shim), ("linear", LinearShim)])
        {
            File.WriteAllText(Path.Combine(folder, name + "-twin.c"), text);
            var start = new ProcessStartInfo("cc") { RedirectStandardError = true };
            string[] wide = set == CpuInstructionSet.Avx512 ? ["-mprefer-vector-width=512"] : ["-DUSE_AVX2"];
            foreach (string word in (string[])["-O3", "-march=native", .. wide, "-shared", "-fPIC", "-w", "-I", study,
                Path.Combine(folder, name + "-twin.c"), "-o", Path.Combine(folder, name + ".so"), "-lm", "-lpthread"])
                start.ArgumentList.Add(word);
            try
            {
                using Process compiler = Process.Start(start)!;
                string errors = compiler.StandardError.ReadToEnd();
                compiler.WaitForExit();
                if (compiler.ExitCode == 0)
                    continue;
                Console.Error.WriteLine($"cc failed: {errors}");
            }
            catch (System.ComponentModel.Win32Exception e)
            {
                Console.Error.WriteLine($"no C compiler: {e.Message}");
            }

            return false;
        }

        return true;
    }

    // Takes the panels without a word: what their reader does is no part of the twin.
    private struct Nowhere : IPanelEnd
    {
        public readonly void Take<S, V>(float* panel, int column, int rows)
            where S : struct, ISimd<S, V>
            where V : struct
        {
        }
    }
}
