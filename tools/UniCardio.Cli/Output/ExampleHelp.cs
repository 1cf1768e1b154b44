using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace UniCardio.Cli.Output;

/// <summary>A command whose help ends with examples.</summary>
internal sealed class ExampleCommand(string name, string description, params string[] examples) : Command(name, description)
{
    /// <summary>Command lines as they are typed, without the program's name.</summary>
    public IReadOnlyList<string> Examples { get; } = examples;
}

/// <summary>The usual help with the command's examples after it.</summary>
internal sealed class ExampleHelp(HelpAction help) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    /// <summary>Shows examples in the help of every command below.</summary>
    /// <param name="root">All commands.</param>
    /// <param name="width">Columns, null for those of the terminal.</param>
    public static void Install(RootCommand root, int? width)
    {
        foreach (HelpOption option in root.Options.OfType<HelpOption>())
        {
            var help = (HelpAction)option.Action!;
            help.MaxWidth = width ?? help.MaxWidth;
            option.Action = new ExampleHelp(help);
        }
    }

    public override int Invoke(ParseResult parseResult)
    {
        TextWriter output = parseResult.InvocationConfiguration.Output;
        using var text = new StringWriter();
        parseResult.InvocationConfiguration.Output = text;
        int code = help.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output = output;
        output.Write(AsTyped(text.ToString(), parseResult.CommandResult.Command));
        IReadOnlyList<string> examples = parseResult.CommandResult.Command is ExampleCommand command
            ? command.Examples
            : [.. parseResult.CommandResult.Command.Subcommands.OfType<ExampleCommand>().Select(c => c.Examples[0])];
        output.WriteLine("Examples:");
        foreach (string example in examples)
            output.WriteLine($"  unicardio {example}");
        output.WriteLine();
        return code;
    }

    /// <summary>The words that an option takes; none where it is no choice.</summary>
    public static string[] WordsOf(Option option)
    {
        Type one = option.ValueType.GetElementType() ?? option.ValueType.GenericTypeArguments.FirstOrDefault() ?? option.ValueType;
        return one is { IsEnum: true } type ? [.. Enum.GetNames(type).Select(n => n.ToLowerInvariant())] : [];
    }

    // Defaults are named as our code calls them.
    private static string AsTyped(string help, Command command)
    {
        foreach (string word in command.Options.SelectMany(WordsOf).Distinct())
            help = help.Replace($"[default: {word}]", $"[default: {word}]", StringComparison.OrdinalIgnoreCase);
        return help;
    }
}
