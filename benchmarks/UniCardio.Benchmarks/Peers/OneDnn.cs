using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;

namespace UniCardio.Benchmarks.Peers;

/// <summary>
/// Our linear maps beside oneDNN's dnnl_sgemm (Debian's libdnnl2), one thread: the yardstick of what a product can reach. Ours adds its
/// bias and reads weights that were packed at load; dnnl_sgemm packs as it goes.
/// </summary>
/// <remarks>oneDNN asks for its widest instruction set once, so a process measures one: a child for each.</remarks>
internal sealed unsafe partial class OneDnn : ISimdCode<List<PeerRow>>
{
    /// <summary>Word on the command line that makes a process such a child.</summary>
    public const string Word = "onednn";

    private static readonly (int Rows, int Inputs, int Outputs)[] Shapes =
    [
        (500, 288, 864), (500, 288, 288), (500, 288, 576), (500, 288, 64), (4000, 288, 864), (100, 180, 540), (100, 180, 360),
        (800, 180, 540),
    ];

    private const int Strip = 512;

    private const string Library = "libdnnl.so.2";

    private readonly CpuInstructionSet _set;

    private OneDnn(CpuInstructionSet set) => _set = set;

    /// <summary>Measures in a child process limited to an instruction set.</summary>
    /// <returns>No rows where oneDNN is not installed.</returns>
    public static List<PeerRow> InChild(CpuInstructionSet set)
    {
        if (!NativeLibrary.TryLoad(Library, out nint library))
        {
            Console.Error.WriteLine($"no {Library} (Debian: libdnnl2): oneDNN is left out");
            return [];
        }

        NativeLibrary.Free(library);
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(OneDnn).Assembly.Location);
        start.ArgumentList.Add("peers");
        start.ArgumentList.Add(Word);
        start.ArgumentList.Add(CpuInstructionSets.Name(set));
        string limit = set == CpuInstructionSet.Avx2 ? "AVX2" : "ALL";
        (start.Environment["ONEDNN_MAX_CPU_ISA"], start.Environment["DNNL_MAX_CPU_ISA"]) = (limit, limit);
        start.Environment["OMP_NUM_THREADS"] = "1";
        using Process child = Process.Start(start)!;
        string json = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return child.ExitCode == 0 ? JsonSerializer.Deserialize<List<PeerRow>>(json, PeerRow.Json)!
            : throw new InvalidOperationException($"the process with oneDNN ended with {child.ExitCode}");
    }

    /// <summary>What the child does.</summary>
    public static void Child(CpuInstructionSet set)
    {
        Affinity.PinCaller(0);
        Console.Out.Write(JsonSerializer.Serialize(CpuInstructionSets.Run<OneDnn, List<PeerRow>>(set, new OneDnn(set)), PeerRow.Json));
    }

    List<PeerRow> ISimdCode<List<PeerRow>>.Run<S, V>() => [.. Shapes.Select(s => Product<S, V>(s.Rows, s.Inputs, s.Outputs))];

    private PeerRow Product<S, V>(int rows, int inputs, int outputs)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        using AlignedBuffer x = KernelBenchmark.Random((long)rows * inputs, 1), bias = KernelBenchmark.Random(outputs + 64, 2);
        var map = LinearMap.Of(outputs, inputs, (n, k) => Math.Sin((n * inputs) + k), n => bias.Span[n]);
        using var packed = new PackedMatrix(map, 2 * S.Width);
        int stride = packed.PaddedOutputs;
        using AlignedBuffer ours = new((long)rows * stride), theirs = new((long)rows * outputs), weight = new((long)inputs * outputs);
        for (int k = 0; k < inputs; k++)
        {
            for (int n = 0; n < outputs; n++)
                weight.Span[(k * outputs) + n] = (float)map.Weight[(n * inputs) + k];
        }

        // Some milliseconds a turn.
        double gflop = 2e-9 * rows * inputs * outputs;
        int times = Math.Max(1, (int)(0.5 / gflop));
        void Ours()
        {
            for (int i = 0; i < times; i++)
            {
                // As the engine does: strips, so that rows stay in L2.
                for (int row = 0, count; row < rows; row += count)
                {
                    count = Math.Min(Strip, rows - row);
                    MatrixProduct.ByRows<S, V>(x.Pointer + ((nint)row * inputs), inputs, packed, 0, packed.Panels, packed.Bias, 0,
                        ours.Pointer + ((nint)row * stride), stride, count);
                }
            }
        }

        void Theirs()
        {
            for (int i = 0; i < times; i++)
                Check(dnnl_sgemm((byte)'N', (byte)'N', rows, outputs, inputs, 1, x.Pointer, inputs, weight.Pointer, outputs, 0,
                    theirs.Pointer,
                    outputs));
        }

        double Difference()
        {
            float[] mine = new float[rows * outputs];
            for (int i = 0; i < mine.Length; i++)
                mine[i] = ours.Span[((i / outputs) * stride) + (i % outputs)] - packed.Bias[i % outputs];
            return RelativeError.Of(mine, theirs.Span[..mine.Length]);
        }

        PeerRow row = PeerRow.Measure($"linear map {rows} x {inputs} x {outputs}", 1, 1, "oneDNN sgemm", _set, gflop * times, Ours, Theirs,
            Difference, TimeSpan.FromSeconds(1));
        return row with { OursMs = row.OursMs / times, PeerMs = row.PeerMs / times };
    }

    private static void Check(int status)
    {
        if (status != 0)
            throw new InvalidOperationException($"dnnl_sgemm: status {status}");
    }

    [DllImport(Library)]
    private static extern int dnnl_sgemm(byte transA, byte transB, long m, long n, long k, float alpha, float* a, long lda, float* b,
        long ldb,
        float beta, float* c, long ldc);
}
