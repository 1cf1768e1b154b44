using System.CommandLine;
using UniCardio.Cli.Bench;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Quality;
using UniCardio.Engine.Sampling;
using UniCardio.Gpu.Backend;
using UniCardio.Ptx.Profiling;
using UniCardio.Weights;
using UniCardio.Weights.Quality;

namespace UniCardio.Cli.Commands;

/// <summary><c>profile</c>: a roofline row for each kernel and kind of rows, and a trace with a lane for each thread.</summary>
internal static class ProfileCommand
{
    private static readonly TimeSpan PeakTime = TimeSpan.FromMilliseconds(150);

    public static Command Create(Terminal terminal)
    {
        var options = new CallOptions();
        Option<int> calls = Bounded.Number("--calls", "Calls to profile.", 1, 10_000, 8);
        var trace = new Option<string?>(
            "--trace") { Description = "Writes a Chrome trace (chrome://tracing, ui.perfetto.dev), one lane a thread.", HelpName = "FILE" };
        var backendName = new Option<string>("--backend")
        {
            Description =
                "cpu: measured on this machine. ptx: one call of the GPU kernels, executed and counted by the PTX simulator, with the "
                + "modelled time of --device; needs no GPU, but Linux and a C compiler (cc).",
            DefaultValueFactory = _ => "cpu",
            HelpName = "BACKEND",
        };
        backendName.AcceptOnlyFromAmong("cpu", "ptx");
        var device = new Option<string>("--device")
        {
            Description = "With --backend ptx: " + string.Join(", ", PtxDeviceModel.All.Select(d => d.Name)) + ".",
            DefaultValueFactory = _ => "h100",
            HelpName = "NAME",
        };
        device.AcceptOnlyFromAmong([.. PtxDeviceModel.All.Select(d => d.Name)]);
        Option<int> groups = Bounded.Number("--groups",
            "With --backend ptx: groups of a launch that are executed, its counts scaled to all; 0 for all of them.", 0, 1_000_000, 24);
        var precision = new Option<GpuPrecision>("--precision")
            { Description = "With --backend ptx: what matrix products are computed with; automatic by the device." };
        Option<int[]> attention = Bounded.Numbers("--attention",
            "With --backend ptx and a network of the quality family: one layer's attention in windows of so many tokens, windowed as the "
            + "network has it beside dense.", "TOKENS", 1, 100_000);
        var kernelCache = new KernelCacheOption();
        var listing = new Option<string?>("--listing")
            { Description = "With --backend ptx: writes every kernel's PTX there, each line with its counts.", HelpName = "DIR" };
        var json = new Option<bool>("--json") { Description = "Writes one JSON object." };
        var command = new ExampleCommand("profile",
            "Times every kernel of some network calls: multiply-adds, bytes (each input and output once), GFLOP/s, share of the "
            + "multiply-add peak of the same process, GB/s, share of the step.",
            "profile --size full --threads 2 --isa avx2",
            "profile --size full --draws 8 --target-only --threads 1 --trace trace.json",
            "profile --backend ptx --device h100 --size full --draws 8",
            "profile --backend ptx --weights recipe:2,quality-base --windows 32",
            "profile --backend ptx --weights recipe:2,quality-base --attention 18 60 300 2160")
        {
            calls, attention, trace, backendName, device, groups, precision, listing, json,
        };
        kernelCache.AddTo(command);
        options.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            BenchCase one = options.Read(parsed);
            if (parsed.GetValue(backendName) == "ptx" && QualityWeightFile.IsQuality(one.Weights))
            {
                kernelCache.Apply(parsed);
                using QualityWeights quality = QualityWeightFile.Load(one.Weights);
                if (parsed.GetValue(attention) is { Length: > 0 } tokens)
                {
                    PtxDeviceModel model = PtxDeviceModel.Find(parsed.GetValue(device)!)!;
                    SimulatedReport.Write(terminal, $"{one.Weights}: {one.Windows} windows", model,
                        SimulatedAttention.Measure(quality.Configuration, tokens, one.Windows, model, parsed.GetValue(groups),
                            cancellation),
                        parsed.GetValue(json));
                    return Task.FromResult(ExitCode.Success);
                }

                SimulatedReport.Write(
                    terminal,
                    $"{one.Weights}: {one.Windows} windows encoded",
                    SimulatedProfile.Measure(quality, one.Windows, PtxDeviceModel.Find(parsed.GetValue(device)!)!, parsed.GetValue(groups),
                        new GpuOptions { Precision = parsed.GetValue(precision) }, cancellation),
                    parsed.GetValue(json),
                    parsed.GetValue(listing));
                return Task.FromResult(ExitCode.Success);
            }

            using LoadedWeights loaded = WeightFile.Load(one.Weights, options.Loading(parsed));
            if (parsed.GetValue(backendName) == "ptx")
            {
                kernelCache.Apply(parsed);
                SimulatedProfile simulated =
                    SimulatedProfile.Measure(loaded.Weights, one, PtxDeviceModel.Find(parsed.GetValue(device)!)!, parsed.GetValue(groups),
                        new GpuOptions { Precision = parsed.GetValue(precision) }, cancellation);
                SimulatedReport.Write(terminal, one.Name, simulated, parsed.GetValue(json), parsed.GetValue(listing));
                return Task.FromResult(ExitCode.Success);
            }

            using var backend = new CpuBackend(loaded.Weights, new CpuBackendOptions { Threads = one.Threads, InstructionSet = one.Isa });
            SamplerTable sampler = SamplerTable.Create(one.Sampler, backend.Configuration, one.Task);
            CallDriver.Prepare(backend, one.Task, sampler);
            double peak = MachinePeak.FmaGflops(backend.Options.InstructionSet, backend.Options.Threads, PeakTime);
            double bandwidth = MachinePeak.BandwidthGBs(backend.Options.Threads, PeakTime);
            var plan = new InferencePlan(backend.Configuration, one.Task, one.Windows, one.Draws);
            KernelProfile profile =
                KernelProfile.Measure(backend, plan, sampler, one.TargetOnly, parsed.GetValue(calls), peak, cancellation);
            if (parsed.GetValue(trace) is string path)
            {
                TraceFile.Write(path, profile);
                terminal.Note($"wrote {path}");
            }

            if (parsed.GetValue(json))
                Json.Write(terminal, new { one.Name, Backend = backend.Name, profile.Steps, profile.StepMs, FmaPeakGflops = peak,
                    BandwidthGbs = bandwidth, profile.Explained, profile.Rows });
            else
                WriteTable(terminal, $"{one.Name}; {backend.Name}", profile, peak, bandwidth);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static void WriteTable(Terminal terminal, string title, KernelProfile profile, double peak, double bandwidth)
    {
        var table = ResultTable.Create("kernel", "rows", ">calls", ">MMAC", ">MB", ">ms", ">GFLOP/s", ">% of peak", ">GB/s",
            ">% of step");
        foreach (KernelRow r in profile.Rows)
        {
            table.Add(r.Kernel, r.Rows, r.CallsPerStep.In("0.#"), (r.MacPerStep / 1e6).In("0.0"), (r.BytesPerStep / 1e6).In("0.00"),
                r.Ms.In("0.000"),
                r.Gflops?.In("0.0"), (100 * r.FractionOfPeak)?.In("0.0"), r.Gbs?.In("0.0"), (100 * r.ShareOfStep).In("0.0"));
        }

        terminal.Say($"{title}: {profile.StepMs.In("0.000")} ms a step, mean of {profile.Steps}");
        terminal.Write(table);
        terminal.Say(
            $"rows explain {(100 * profile.Explained).In("0.0")}% of the step; peak {peak.In("0.0")} GFLOP/s, memory "
            + $"{bandwidth.In("0.0")} GB/s, both of {profile.Threads} thread{(profile.Threads == 1 ? "" : "s")}");
    }
}
