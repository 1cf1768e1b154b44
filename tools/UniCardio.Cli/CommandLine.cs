using System.CommandLine;
using System.CommandLine.Invocation;
using UniCardio.Cli.Bench;
using UniCardio.Cli.Commands;
using UniCardio.Cli.Output;
using UniCardio.Engine;
using UniCardio.Signals;

namespace UniCardio.Cli;

/// <summary>The commands, and what becomes of their exceptions.</summary>
internal static class CommandLine
{
    /// <summary>Parses and runs one command line.</summary>
    /// <param name="args">The words after the program's name.</param>
    /// <param name="terminal">Where output goes.</param>
    /// <param name="cancellation">Looked at between steps.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, Terminal terminal, CancellationToken cancellation)
    {
        ParseResult parsed = Create(terminal).Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            foreach (string problem in parsed.Errors.Select(e => e.Message).Distinct())
                terminal.Error.WriteLine($"error: {problem}");
            foreach (string meant in DidYouMean.Of(parsed))
                terminal.Error.WriteLine(meant);
            terminal.Error.WriteLine($"See '{Path(parsed.CommandResult.Command)} --help'.");
            return ExitCode.BadInput;
        }

        // Signals are the process's affair (Program), exceptions are ours.
        var invocation = new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error, EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null };
        try
        {
            SimulatedDevice.StartIfAsked();
            return await parsed.InvokeAsync(invocation, cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException stopped) when (cancellation.IsCancellationRequested)
        {
            terminal.Error.WriteLine($"cancelled; {(stopped is KeptException ? stopped.Message : "nothing was written")}");
            return ExitCode.Cancelled;
        }
#pragma warning disable CA1031 // The last frame of the program: whatever comes here becomes one line and an exit code.
        catch (Exception problem)
#pragma warning restore CA1031
        {
            return Report(problem, terminal);
        }
    }

    /// <summary>All commands.</summary>
    public static RootCommand Create(Terminal terminal)
    {
        var root = new RootCommand(
            "Denoises, imputes and translates cardiovascular signals (PPG, arterial blood pressure, ECG) with the UniCardio network."
            + " Research software, not a medical device.\n\n" + ExitCode.Description)
        {
            ImputeCommand.Create(terminal),
            DenoiseCommand.Create(terminal),
            TranslateCommand.Create(terminal),
            LearnCommand.Create(terminal),
            ServeCommand.Create(terminal),
            BeatsCommand.Create(terminal),
            QualityCommand.Create(terminal),
            RhythmCommand.Create(terminal),
            SynthCommand.Create(terminal),
            InfoCommand.Create(terminal),
            ConvertCommand.Create(terminal),
            TrainCommand.Create(terminal),
            FinetuneCommand.Create(terminal),
            PretrainCommand.Create(terminal),
            AnalyzeCommand.Create(terminal),
            EvaluateCommand.Create(terminal),
            GoldenCommand.Create(terminal),
            BenchCommand.Create(terminal),
            ProfileCommand.Create(terminal),
            DevicesCommand.Create(terminal),
            KernelsCommand.Create(terminal),
        };
        ExampleHelp.Install(root, terminal.HelpWidth);
        NameChoices(root);
        return root;
    }

    // Help and completion show the words that options take, not the names of our types.
    private static void NameChoices(Command command)
    {
        foreach (Option option in command.Options)
        {
            string[] words = ExampleHelp.WordsOf(option);
            if (words.Length == 0)
                continue;
            option.HelpName ??= string.Join('|', words);
            option.CompletionSources.Clear();
            option.CompletionSources.Add(words);
        }

        foreach (Command part in command.Subcommands)
            NameChoices(part);
    }

    private static int Report(Exception problem, Terminal terminal)
    {
        if (Environment.GetEnvironmentVariable("UNICARDIO_TRACE") == "1")
        {
            terminal.Error.WriteLine(problem);
            return IsForeseen(problem) ? ExitCode.BadInput : ExitCode.Internal;
        }

        if (IsForeseen(problem))
        {
            terminal.Error.WriteLine($"error: {problem.Message}");
            return ExitCode.BadInput;
        }

        terminal.Error.WriteLine(
            $"error: unforeseen {problem.GetType().Name}: {problem.Message} (UNICARDIO_TRACE=1 shows where; please report it)");
        return ExitCode.Internal;
    }

    private static bool IsForeseen(Exception problem) =>
        problem is UniCardioException or SignalException or UsageException or IOException or UnauthorizedAccessException or FormatException
            or ArgumentOutOfRangeException;

    private static string Path(Command command)
    {
        string parent = string.Join(' ', command.Parents.OfType<Command>().Select(Path).Take(1));
        return parent.Length == 0 ? "unicardio" : $"{parent} {command.Name}";
    }
}
