using System.CommandLine;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Diagnostics;
using UniCardio.Training.Data;
using UniCardio.Training.Network;
using UniCardio.Training.Runs;

namespace UniCardio.Cli.Training;

/// <summary>A run as a command carries it out: network, examples, report, weights at the end.</summary>
internal sealed class TrainingSession(Terminal terminal, RunFolder folder, TrainingOptions options, RunOptions run, ParseResult parsed)
{
    // The best of some: a try in which another process held the processor tells nothing of the machine.
    private const int PeakTries = 3;

    private static readonly TimeSpan PeakTime = TimeSpan.FromMilliseconds(30);

    public StartWeights? Start { get; init; }

    /// <summary>Writes the averaged weights of a run's last checkpoint.</summary>
    public static int Export(Terminal terminal, RunFolder folder, string file, CancellationToken cancellation)
    {
        long updates = RunExport.Write(folder, file, cancellation);
        terminal.Say($"wrote {file}: averaged weights after {updates} updates");
        return ExitCode.Success;
    }

    /// <summary>Writes a run's state as one file, or lays a run out of such a file.</summary>
    public static int Carry(Terminal terminal, RunFolder folder, string file, bool writes)
    {
        long updates = writes ? RunState.Export(folder, file) : RunState.Import(file, folder);
        terminal.Say(writes ? $"wrote {file}: the run after {updates} updates"
            : $"{folder.Path}: the run of {file} after {updates} updates; the command without --take-up continues it");
        return ExitCode.Success;
    }

    public int Run(CancellationToken cancellation)
    {
        using var pause = new PauseSignal();
        cancellation.ThrowIfCancellationRequested();
        options.Validate();
        using var network = new TrainingNetwork(options.Network, new TrainingNetworkOptions { Threads = run.Backend.Threads(parsed),
            InstructionSet = run.Backend.InstructionSet(parsed), Dropout = options.Dropout });
        RunSettings settings = run.Settings(parsed) with { IsPaused = () => pause.IsSet, MeasurePeak = () => Enumerable.Range(0, PeakTries)
            .Max(_ => MachinePeak.FmaGflops(network.InstructionSet, network.Threads, PeakTime)) };
        (IExampleSource examples, IExampleSource heldOut) = TrainingData.Open(terminal, options, cancellation);
        using var training = new TrainingRun(folder, options, network, examples, heldOut, settings, Start);
        terminal.Note(
            $"{folder.Path}: step {training.Updates} of {options.Steps}, {network.Layout.Slices.Sum(s => s.Count):N0} parameters, "
            + $"{network.Threads} threads, {network.InstructionSet.ToString().ToLowerInvariant()}");
        try
        {
            RunOutcome outcome = terminal.WithProgress("training", bar => training.Run(new TrainingReport(terminal, bar), cancellation),
                hasLines: false);
            return Finish(outcome, training, cancellation);
        }
        catch (TrainingDivergedException diverged)
        {
            terminal.Error.WriteLine($"error: {diverged.Message}");
            return ExitCode.Failed;
        }
    }

    private int Finish(RunOutcome outcome, TrainingRun training, CancellationToken cancellation)
    {
        if (outcome == RunOutcome.Cancelled)
        {
            terminal.Note($"cancelled after {training.Updates} updates; the state is saved, the same command continues");
            return ExitCode.Cancelled;
        }

        if (outcome == RunOutcome.TimeUp)
        {
            terminal.Say($"{folder.Path}: {training.Updates} of {options.Steps} updates done; the same command continues");
            return ExitCode.Success;
        }

        return Export(terminal, folder, Path.Combine(folder.Path, "weights.safetensors"), cancellation);
    }
}
