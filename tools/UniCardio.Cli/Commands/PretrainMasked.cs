using System.CommandLine;
using System.Globalization;
using UniCardio.Cli.Output;
using UniCardio.Engine.Model;
using UniCardio.Training.Pretraining;
using UniCardio.Training.Runs;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Cli.Commands;

/// <summary><c>pretrain masked</c>: trains masked encoders of PPG, pressure and ECG by several arms, and probes them.</summary>
internal static class PretrainMasked
{
    private static readonly string[] s_sizes = ["reduced", "full"];

    public static Command Create(Terminal terminal)
    {
        var arms = new Option<string>("--arms")
        {
            Description = "Arms, by letter. A: an encoder a signal; B: one encoder of all; C: as B, signals dropped from the input and "
                + "still reconstructed; D: as B, signals dropped from what is reconstructed; E: encoders told to agree "
                + "(contrast); F: untrained; G: features by hand.",
            DefaultValueFactory = _ => "ABCDEFG", HelpName = "LETTERS",
        };
        var size = new Option<string>("--size")
            { Description = "full: about a million weights; reduced: about 40 thousand.", DefaultValueFactory = _ => "full" };
        size.AcceptOnlyFromAmong(s_sizes);
        var steps = new Option<int>("--steps") { Description = "Updates of each arm; 0 only probes.", DefaultValueFactory = _ => 2000 };
        var batch = new Option<int>("--batch") { Description = "Windows a step, a multiple of 4.", DefaultValueFactory = _ => 64 };
        var rate = new Option<double>("--rate") { Description = "Learning rate after warm-up.", DefaultValueFactory = _ => 3e-3 };
        var adam = new Option<bool>("--adam") { Description = "AdamW for all weights; else Muon for the maps inside the layers." };
        var drop = new Option<double>("--drop") { Description = "How often signals are dropped (C, D).", DefaultValueFactory = _ => 0.5 };
        var masked = new Option<double>("--mask") { Description = "Share of patches that are masked.", DefaultValueFactory = _ => 0.5 };
        var seed = new Option<ulong>("--seed") { Description = "Seed of weights and windows.", DefaultValueFactory = _ => 1 };
        var run = new Option<string?>("--run")
            { Description = "A folder for checkpoints, logs and weights, arm by arm; the same command continues what was stopped.",
                HelpName = "DIR" };
        var probe = new Option<int>("--probe")
            { Description = "Synthetic subjects to probe on, none of training's; 0 for none.", DefaultValueFactory = _ => 400 };
        var command = new ExampleCommand("masked",
            "Trains encoders of 10 s of PPG, pressure and ECG (patches of 200 ms) to reconstruct masked patches, by up to seven arms at "
            + "equal steps, and reads heart rate, pressures, pulse delay, fibrillation and ectopy off them by linear maps, subjects split, "
            + "with each signal missing in turn, beside the untrained network.",
            "pretrain masked --run pretraining",
            "pretrain masked --arms CF --size reduced --steps 300 --batch 32 --probe 200")
        {
            arms, size, steps, batch, rate, adam, drop, masked, seed, run, probe,
        };
        command.SetAction((parsed, cancellation) =>
        {
            MaskedArm[] asked = [.. Arms(parsed.GetValue(arms)!)];
            Require(parsed.GetValue(steps) >= 0, "--steps", parsed.GetValue(steps), "0 or more");
            Require(parsed.GetValue(batch) is > 0 and <= 4096 && parsed.GetValue(batch) % 4 == 0, "--batch", parsed.GetValue(batch),
                "a multiple of 4 up to 4096");
            Require(parsed.GetValue(rate) is > 0 and < 1, "--rate", parsed.GetValue(rate), "between 0 and 1");
            Require(parsed.GetValue(drop) is >= 0 and <= 1, "--drop", parsed.GetValue(drop), "0 to 1");
            Require(parsed.GetValue(masked) is >= 0.1 and <= 0.9, "--mask", parsed.GetValue(masked), "0.1 to 0.9");
            Require(parsed.GetValue(probe) == 0 || parsed.GetValue(probe) >= 20, "--probe", parsed.GetValue(probe), "0, or 20 and more");
            MaskedConfiguration network = parsed.GetValue(size) == "full" ? MaskedConfiguration.Full : MaskedConfiguration.Reduced;
            var probed = new List<ProbedArm>();
            foreach (MaskedArm arm in asked.OrderBy(a => a == MaskedArm.Untrained ? 0 : 1).ThenBy(a => a))
            {
                var options = new MaskedTrainingOptions
                {
                    Network = network with { Arm = arm }, Steps = parsed.GetValue(steps), Batch = parsed.GetValue(batch),
                    Rate = parsed.GetValue(rate), Muon = !parsed.GetValue(adam), DropRate = parsed.GetValue(drop),
                    Masked = parsed.GetValue(masked), Seed = parsed.GetValue(seed),
                };
                probed.Add(new ProbedArm(options.Network, Weights(terminal, options, parsed.GetValue(run), cancellation)));
            }

            if (parsed.GetValue(probe) > 0)
                Print(terminal, ProbeStudy.Run(probed, parsed.GetValue(probe), terminal.Note, cancellation));
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    /// <summary>Writes an encoder with its sizes, arm and history.</summary>
    private static void Write(string path, MaskedTrainingOptions options, IReadOnlyList<ParameterTensor> weights,
        CancellationToken cancellation) =>
        SafetensorsWriter.Write(path, weights, new Dictionary<string, string>(options.Network.ToMetadata())
        {
            ["trained"] = string.Create(CultureInfo.InvariantCulture,
                $"synthetic, {options.Steps} steps of {options.Batch} windows, seed {options.Seed}"),
            ["seed"] = options.Seed.ToString(CultureInfo.InvariantCulture),
        }, cancellation: cancellation);

    private static ParameterTensor[] Weights(Terminal terminal, MaskedTrainingOptions options, string? run, CancellationToken cancellation)
    {
        MaskedArm arm = options.Network.Arm;
        char letter = ProbeStudy.Letter(arm);
        if (arm == MaskedArm.HandFeatures)
            return [];
        if (arm == MaskedArm.Untrained || options.Steps == 0)
            return MaskedTrainer.Initial(options.Network, options.Seed);
        RunFolder? folder = run is null ? null : new RunFolder(Path.Combine(run, $"arm-{letter}"));
        ParameterTensor[] weights;
        try
        {
            weights = terminal.WithProgress($"arm {letter}", bar => MaskedTrainer.Train(options, folder, (step, loss) =>
            {
                string line = string.Create(CultureInfo.InvariantCulture, $"arm {letter}: step {step} of {options.Steps}, loss {loss:F4}");
                bar.Report((step / (double)options.Steps, line));
                if (!terminal.ErrorIsTerminal)
                    terminal.Note(line);
            }, cancellation));
        }
        catch (OperationCanceledException) when (folder is not null && cancellation.IsCancellationRequested)
        {
            throw new KeptException("the state is saved, the same command continues");
        }

        if (folder is not null)
            Write(Path.Combine(folder.Path, "encoder.safetensors"), options, weights, cancellation);
        return weights;
    }

    private static void Print(Terminal terminal, IReadOnlyList<ProbeLine> lines)
    {
        ProbeTask[] tasks = Enum.GetValues<ProbeTask>();
        var table = ResultTable.Create(["arm", "missing", .. tasks.Select(t => ">" + Name(t))]);
        foreach (ProbeLine line in lines)
        {
            string Cell(int task)
            {
                ProbeScore s = line.Scores[task], d = line.BeyondUntrained[task];
                string sign = d.Low > 0 ? " +" : d.High < 0 ? " -" : "";
                return $"{s.Score.In("0.000")} ({s.Low.In("0.00")}-{s.High.In("0.00")}){sign}";
            }

            table.Add([$"{ProbeStudy.Letter(line.Arm)} {Name(line.Arm)}", line.Missing < 0 ? "none"
                : MaskedConfiguration.SignalNames[line.Missing], .. tasks.Select((_, t) => Cell(t))]);
        }

        terminal.Write(table);
        terminal.Say("r of numbers, AUROC of classes, 95% over subjects; + and -: the difference to the untrained network "
            + "excludes 0. Synthetic subjects. Research software, not a medical device.");
    }

    private static string Name(ProbeTask task) => task switch
    {
        ProbeTask.Rate => "heart rate, r",
        ProbeTask.Systolic => "SBP, r",
        ProbeTask.Diastolic => "DBP, r",
        ProbeTask.Delay => "pulse delay, r",
        ProbeTask.Fibrillation => "AF, AUROC",
        _ => "ectopy, AUROC",
    };

    private static string Name(MaskedArm arm) => arm switch
    {
        MaskedArm.Unimodal => "encoder a signal",
        MaskedArm.Joint => "joint",
        MaskedArm.InputDrop => "joint, input drop",
        MaskedArm.OutputDrop => "joint, output drop",
        MaskedArm.Contrastive => "contrast",
        MaskedArm.Untrained => "untrained",
        _ => "by hand",
    };

    private static IEnumerable<MaskedArm> Arms(string letters)
    {
        foreach (char letter in letters.ToUpperInvariant().Distinct())
        {
            if (letter is < 'A' or > 'G')
                throw new UsageException($"--arms {letters}: '{letter}' is not between A and G");
            yield return (MaskedArm)(letter - 'A');
        }
    }

    private static void Require(bool holds, string option, object value, string expected)
    {
        if (!holds)
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{option} {value}: expected {expected}"));
    }
}
