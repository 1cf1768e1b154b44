using System.CommandLine;
using UniCardio.Cli.Bench;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Gpu.Backend;
using UniCardio.Gpu.Devices;

namespace UniCardio.Cli.Commands;

/// <summary><c>bench</c>: milliseconds, GFLOP/s and share of the machine's peak of network calls.</summary>
internal static class BenchCommand
{
    public static Command Create(Terminal terminal)
    {
        var options = new CallOptions();
        Option<int?> calls =
            Bounded.OptionalNumber("--calls", "Calls to time; as many as a few seconds hold (3 to 500) if left out.", 1, 1_000_000);
        var backend = new Option<BackendChoice>("--backend") { Description =
            "cpu; or gpu, cuda, opencl with --size or --weights: a call waited for, a call of a queued run, and each kernel by the "
            + "device's events." };
        Option<int> device = Bounded.Number("--device", "Number of the cuda or opencl device, as 'devices' lists them.", 0, 63, 0);
        var precision = new Option<GpuPrecision>("--precision")
            { Description = "With --backend gpu or cuda: what matrix products are computed with; automatic by the device." };
        var kernelCache = new KernelCacheOption();
        var json = new Option<bool>("--json") { Description = "Writes a JSON array, one object a configuration." };
        var command = new ExampleCommand("bench",
            "Times network calls: a call is one sampler step of all windows and draws, condition rows included. GFLOP are twice the "
            + "live multiply-adds; the peak is that of the same threads and instructions, measured in the same process."
            + " Without --size or --weights it measures the whole speed table (under 5 minutes).",
            "bench --size full --task 'ppg->ecg' --draws 8 --threads 2 --isa avx2",
            "bench --size compact --threads 1 --calls 500 --json",
            "bench --size full --draws 50 --backend gpu --json",
            "bench --json")
        {
            calls,
            backend,
            device,
            precision,
            json,
        };
        kernelCache.AddTo(command);
        options.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            int? count = parsed.GetValue(calls);
            BackendChoice on = parsed.GetValue(backend);
            if (on is not BackendChoice.Cpu)
            {
                if (!options.IsChosen(parsed) || on is BackendChoice.Reference or BackendChoice.Auto)
                    throw new UsageException("--backend is gpu, cuda or opencl, and goes with --size or --weights");
                DeviceSelector? selector = on is BackendChoice.Gpu ? null
                    : new DeviceSelector(on is BackendChoice.Cuda ? "cuda" : "opencl", parsed.GetValue(device));
                kernelCache.Apply(parsed);
                BenchCase call = options.Read(parsed) with { Calls = count };
                GpuBenchResult measured =
                    new GpuBenchRun(call, options.Loading(parsed), selector, parsed.GetValue(precision), cancellation).Measure();
                if (parsed.GetValue(json))
                    Json.Write(terminal, (GpuBenchResult[])[measured]);
                else
                    WriteTable(terminal, measured);
                return Task.FromResult(ExitCode.Success);
            }

            IReadOnlyList<BenchCase> cases = options.IsChosen(parsed)
                ? [options.Read(parsed) with { Calls = count }]
                : [.. options.SpeedTable(parsed).Select(c => count is null ? c : c with { Calls = count })];
            var results = new List<BenchResult>();
            foreach (BenchCase one in cases)
            {
                terminal.Note($"measuring {results.Count + 1} of {cases.Count}: {one.Name}");
                results.Add(new BenchRun(one, options.Loading(parsed), cancellation).Measure());
            }

            if (parsed.GetValue(json))
                Json.Write(terminal, results);
            else
                WriteTable(terminal, results);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static void WriteTable(Terminal terminal, GpuBenchResult r)
    {
        var table = ResultTable.Create("kernel", ">launches", ">us");
        foreach (GpuKernelTime kernel in r.Kernels)
            table.Add(kernel.Kernel, ((double)kernel.Launches).In("0"), kernel.Us.In("0.0"));
        terminal.Write(table);
        terminal.Say($"{r.Name}; {r.Device}, {r.Precision}, weights of {((double)r.WeightBits).In("0")} bits: "
            + $"{Ms(r.Ms.P50)} ms a call waited for (p99 {Ms(r.Ms.P99)}), "
            + $"{Ms(r.QueuedMs)} queued, {Ms(r.KernelMs)} in kernels; {r.Gflops.In("0.0")} GFLOP/s; start {Ms(r.StartMs)} ms, "
            + $"session and first call {Ms(r.FirstCallMs)} ms; {r.BytesPerCall.In("0")} B/call, {(r.ArenaBytes / 1e6).In("0.0")} MB");
    }

    private static void WriteTable(Terminal terminal, List<BenchResult> results)
    {
        var table = ResultTable.Create("configuration", "isa", ">calls", ">ms p50", ">p90", ">p99", ">max", ">ms/draw", ">GFLOP/s",
            ">FMA peak", ">% of peak", ">B/call", ">arena MB");
        foreach (BenchResult r in results)
        {
            table.Add(r.Name, r.Isa, r.Calls, Ms(r.Ms.P50), Ms(r.Ms.P90), Ms(r.Ms.P99), Ms(r.Ms.Max), Ms(r.MsPerDraw), r.Gflops.In("0.0"),
                r.FmaPeakGflops.In("0.0"),
                (100 * r.FractionOfPeak).In("0.0"), r.BytesPerCall.In("0"), (r.ArenaBytes / 1e6).In("0.0"));
        }

        terminal.Write(table);
        foreach (BenchResult r in results.Where(r => r.LinearFractionOfPeak is not null))
            terminal.Say(
                $"{r.Name}: linear maps {Percent(r.LinearFractionOfPeak)} of the peak, attention {Percent(r.AttentionFractionOfPeak)} "
                + $"({Percent(r.SoftmaxRepeats)} of its query blocks repeated keys online), beyond kernels {Percent(r.BeyondKernels)} "
                + $"of the step");
        foreach (BenchResult r in results.Where(r => r.LoadMs is not null))
            terminal.Say(
                $"{r.Name}: load, pack and first call {r.LoadMs!.Value.In("0.0")} ms = {r.LoadCalls!.Value.In("0.0")} calls");
        IEnumerable<string> bandwidths = results.GroupBy(r => r.Threads)
            .Select(g => $"{g.Max(r => r.BandwidthGbs).In("0.0")} GB/s with {g.Key} thread{(g.Key == 1 ? "" : "s")}");
        terminal.Say($"memory bandwidth: {string.Join(", ", bandwidths)}");
    }

    private static string Ms(double value) => value.In(value < 10 ? "0.000" : "0.0");

    private static string Percent(double? share) => $"{(100 * share!.Value).In("0.0")}%";
}
