using System.Globalization;
using System.Text.Json;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Weights;

namespace UniCardio.Benchmarks.Peers;

/// <summary>
/// <c>peers [--json] [--isa SET] [--size full|compact] [--draws N]</c>: other runtimes beside our engine in one process, turn by turn on
/// the same processors: the caller on the first, its one worker on the second. A call takes new conditions and t, so that nothing of the
/// call before is shared.
/// </summary>
/// <remarks>
/// ONNX Runtime gets the exported file, whose conditions are computed once for all draws as ours are; the rows of "windows" give each draw
/// a window of its own, which is what a graph that does not share has to do.
/// </remarks>
internal static class PeerRun
{
    private static readonly int[] DrawCounts = [1, 8, 64];

    public static int Run(string[] args)
    {
        if (args is [OneDnn.Word, string name])
        {
            OneDnn.Child(Enum.Parse<CpuInstructionSet>(name, ignoreCase: true));
            return 0;
        }

        string? Of(string option) => Array.IndexOf(args, option) is int at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
        CpuInstructionSet isa = CpuInstructionSets.Resolve(Enum.Parse<CpuInstructionSet>(Of("--isa") ?? "auto", ignoreCase: true));
        Console.Error.WriteLine($"our instruction set: {CpuInstructionSets.Name(isa)}");
        Affinity.PinCaller(0);
        var rows = new List<PeerRow>();
        foreach (string size in Of("--size") is string one ? [one] : (string[])["full", "compact"])
        {
            if (size == OneDnn.Word)
                continue;
            using LoadedWeights weights = WeightFile.Load($"recipe:1,{size}");
            foreach (int draws in Of("--draws") is string count ? [int.Parse(count, CultureInfo.InvariantCulture)] : DrawCounts)
            {
                foreach (int threads in (int[])[1, 2])
                {
                    Add(rows, [Networks(size, weights.Weights, 1, draws, threads, isa)]);
                    if (draws == 8)
                        Add(rows, [Networks(size, weights.Weights, 8, 1, threads, isa)]);
                }
            }
        }

        if (Of("--size") is null or OneDnn.Word)
        {
            foreach (CpuInstructionSet set in (CpuInstructionSet[])[CpuInstructionSet.Avx512, CpuInstructionSet.Avx2])
            {
                if (CpuInstructionSets.IsSupported(set))
                    Add(rows, OneDnn.InChild(set));
            }
        }

        if (args.Contains("--json"))
            Console.Out.WriteLine(JsonSerializer.Serialize(rows, PeerRow.Json));
        return 0;
    }

    private static void Add(List<PeerRow> rows, IEnumerable<PeerRow> more)
    {
        foreach (PeerRow r in more)
        {
            rows.Add(r);
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{r.Size,-28} {r.Draws,3} draws {r.Threads} threads {r.Isa,-7} ours {r.OursMs,9:0.000} ms {r.OursShare,6:P1}   "
                + $"{r.Peer,-24} {r.PeerMs,9:0.000} ms {r.PeerShare,6:P1}   ratio {r.Ratio:0.00}   differ {r.Difference:0.0e0}"));
        }
    }

    // A network in ONNX Runtime. With several windows each is one draw of the same one.
    private static PeerRow Networks(string size, ModelWeights weights, int windows, int draws, int threads,
        CpuInstructionSet isa)
    {
        CardioTask task = CardioTask.Parse("ppg->ecg");
        // Ours shares the conditions in any case; a peer without that gets a window a draw.
        var ourPlan = new InferencePlan(weights.Configuration, task, 1, windows * draws);
        var peerPlan = new InferencePlan(weights.Configuration, task, windows, draws);
        float[] window = Values(ourPlan.ConditionSamples, 0.07f), state = Values(ourPlan.StateSamples, 1.3f);
        float[] repeated = [.. Enumerable.Repeat(window, windows).SelectMany(w => w)];
        using CpuBackend backend = Affinity.Workers(
            () => new CpuBackend(weights, new CpuBackendOptions { Threads = threads, InstructionSet = isa }), 1);
        using IExecutor executor = backend.CreateExecutor(ourPlan);
        float[] prediction = new float[state.Length];
        executor.SetState(state);
        using OnnxRuntimePeer peer = Affinity.Workers(() => new OnnxRuntimePeer(weights, peerPlan, threads, repeated, state), 1);
        int mine = 0, theirs = 0;
        return PeerRow.Measure(size, windows * draws, threads, windows > 1 ? "ONNX Runtime, windows" : "ONNX Runtime", isa,
            WorkCount.CallGflop(ourPlan), () =>
            {
                executor.SetConditions(window);
                executor.Predict(mine++ % 50, prediction);
            }, () => peer.Call(theirs++ % 50), () => RelativeError.Of(peer.Prediction, prediction),
            TimeSpan.FromSeconds(windows * draws == 1 ? 6 : 4));
    }

    private static float[] Values(int count, float step) => [.. Enumerable.Range(0, count).Select(i => MathF.Sin(step * i))];
}
