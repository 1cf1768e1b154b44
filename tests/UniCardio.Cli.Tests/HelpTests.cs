using System.CommandLine;
using System.CommandLine.Parsing;
using UniCardio.Cli.Output;

namespace UniCardio.Cli.Tests;

public class HelpTests
{
    private static IEnumerable<(string[] Path, Command Command)> Commands()
    {
        using var nothing = new StringWriter();
        IEnumerable<(string[], Command)> Below(string[] path, Command command) =>
            command.Subcommands.SelectMany(c => Below([.. path, c.Name], c)).Prepend((path, command));
        return [.. Below([], CommandLine.Create(new Terminal(nothing, nothing)))];
    }

    public static TheoryData<string> Names() => [.. Commands().Select(c => string.Join(' ', c.Path))];

    [Fact]
    public void EveryCommandOfTheInterfaceIsThere()
    {
        string[] expected = ["impute", "denoise", "translate", "learn", "serve", "synth", "info", "convert", "evaluate", "train",
            "finetune", "golden", "golden verify", "golden record", "beats", "bench", "profile", "devices", "kernels",
            "quality", "rhythm", "pretrain", "pretrain quality", "pretrain masked", "analyze"];
        Assert.Equal(expected.Order(), Commands().Select(c => string.Join(' ', c.Path)).Where(n => n.Length > 0).Order());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void HelpSaysWhatACommandDoesAndShowsAnExample(string name)
    {
        CliResult result = Cli.Succeed([.. name.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        Assert.Empty(result.Error);
        Assert.Contains("Description:", result.Out, StringComparison.Ordinal);
        // Names of our types and of their values begin with a capital, words that options take do not.
        Assert.DoesNotMatch(@"\[default: [A-Z][a-z]", result.Out);
        Assert.DoesNotMatch(@"<[A-Z][a-z]+[A-Z|>]", result.Out);
        Assert.Contains($"Examples:{Environment.NewLine}  unicardio {name}", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void ExamplesParse()
    {
        using var nothing = new StringWriter();
        RootCommand root = CommandLine.Create(new Terminal(nothing, nothing));
        string[] examples = [.. Commands().Select(c => c.Command).OfType<ExampleCommand>().SelectMany(c => c.Examples)];
        Assert.True(examples.Length >= 10);
        foreach (string example in examples)
        {
            // A shell takes single quotes off.
            ParseResult parsed = root.Parse(CommandLineParser.SplitCommandLine(example.Replace('\'', '"')).ToArray());
            Assert.True(parsed.Errors.Count == 0, $"{example}: {string.Join("; ", parsed.Errors.Select(e => e.Message))}");
        }
    }

    [Fact]
    public void CompletionGivesCommandsAndTheWordsThatOptionsTake()
    {
        Assert.Equal("impute", Cli.Succeed("[suggest:13]", "unicardio imp").Out.Trim());
        string[] words = Cli.Succeed("[suggest:29]", "unicardio impute --estimator ").Out.Split();
        Assert.Equal("auto beat fir line network".Split(' '), words.Where(w => w.Length > 0));
    }

    [Fact]
    public void HelpListsTheExitCodes()
    {
        string help = Cli.Succeed("--help").Out;
        Assert.Contains("3 cancelled", help, StringComparison.Ordinal);
        Assert.Contains("not a medical device", help, StringComparison.Ordinal);
    }
}
