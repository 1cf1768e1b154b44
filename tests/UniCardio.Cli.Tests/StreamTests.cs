using System.Text;
using System.Text.RegularExpressions;

namespace UniCardio.Cli.Tests;

/// <summary>Words that are nearly right, streams in place of files, folders, and what fits a line.</summary>
public sealed class StreamTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CliResult Piped(string input, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(input));
        int code = CommandLine.RunAsync(args, new Terminal(output, error, input: stream), CancellationToken.None).GetAwaiter().GetResult();
        return new CliResult(code, output.ToString(), error.ToString());
    }

    [Theory]
    [InlineData("--target", "impute", "x.csv", "--taget", "bp")]
    [InlineData("--json", "info", "x.csv", "--jsno")]
    [InlineData("impute", "imptue", "x.csv")]
    public void NearlyRightWordsAreGuessed(string meant, params string[] args)
    {
        CliResult result = Cli.Run(args);
        Assert.Equal(ExitCode.BadInput, result.Code);
        Assert.Contains($"did you mean '{meant}'?", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void WordsThatAreNearNothingAreNotGuessed() =>
        Assert.DoesNotContain("did you mean", Cli.Run("impute", "x.csv", "--frobnicate", "1").Error, StringComparison.Ordinal);

    [Fact]
    public void HelpHoldsNoNamesOfTypes()
    {
        foreach (System.CommandLine.Command command in CommandLine.Create(new Terminal(TextWriter.Null, TextWriter.Null)).Subcommands)
        {
            string help = Cli.Succeed(command.Name, "--help").Out;
            Assert.DoesNotMatch(new Regex(@"\w+ \{ \w+ ="), help);
            Assert.DoesNotMatch(new Regex(@"<[A-Z][a-z]+\|"), help);
        }
    }

    [Fact]
    public async Task WhatAPersonReadsFitsALineOf80()
    {
        using var folder = new TemporaryFolder();
        for (int i = 0; i < 2; i++)
            Cli.Succeed("synth", folder.File($"a_recording_with_a_long_name_{i}.hea"), "--seconds", "8");
        foreach (string[] words in (string[][])[["info", folder.Path], ["info", folder.File("a_recording_with_a_long_name_0.hea")],
            ["learn", folder.File("a_recording_with_a_long_name_1.hea")], ["quality", folder.File("a_recording_with_a_long_name_1.hea")]])
        {
            using StringWriter text = new(), notes = new();
            Assert.Equal(ExitCode.Success,
                await CommandLine.RunAsync(words, new Terminal(text, notes, outIsTerminal: true), CancellationToken.None));
            Assert.All(text.ToString().Split('\n'), l => Assert.InRange(l.TrimEnd().Length, 0, 80));
        }
    }

    [Fact]
    public void InfoFitsALineOf80AndTakesFoldersAndStandardInput()
    {
        Directory.CreateDirectory(_folder.File("in"));
        string first = _folder.File("in/a.csv");
        Cli.Succeed("synth", first, "--seconds", "4", "--gap", "ABP,2,0.5");
        Assert.All(Cli.Succeed("info", first).Out.Split('\n').Skip(1), l => Assert.InRange(l.TrimEnd().Length, 0, 80));
        CliResult piped = Piped(File.ReadAllText(first), "info", "-", "--json");
        Assert.Equal(ExitCode.Success, piped.Code);
        Assert.Equal(4, piped.Json.GetProperty("seconds").GetDouble(), 2);
        File.Copy(first, _folder.File("in/b.csv"));
        File.WriteAllText(_folder.File("in/c.csv"), "no numbers\n");
        File.Delete(_folder.File("in/a.beats.csv"));
        CliResult folder = Cli.Run("info", _folder.File("in"), "--json");
        Assert.Equal(ExitCode.Failed, folder.Code);
        Assert.Equal(["recording", "recording", "refused"],
            folder.Json.EnumerateArray().Select(r => r.GetProperty("kind").GetString()!));
        Assert.Contains("b.csv", Cli.Run("info", _folder.File("in")).Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.BadInput, Piped("", "info", "-").Code);
    }

    [Fact]
    public void ARecordingGoesThroughAPipe()
    {
        string file = _folder.File("a.csv"), output = _folder.File("out.csv");
        Cli.Succeed("synth", file, "--seconds", "8", "--gap", "ABP,4,0.5");
        string[] task = ["--target", "bp", "--with", "ppg", "--draws", "1", "--sampler", "ddim:1", "--weights", "recipe:3,tiny",
            "--untrained", "--threads", "1", "--isa",
            Engine.Backends.Cpu.CpuInstructionSets.Name(Engine.Backends.Cpu.CpuInstructionSets.Fastest)];
        Cli.Succeed(["impute", file, "--out", output, .. task]);
        CliResult piped = Piped(File.ReadAllText(file), ["impute", "-", "--out", "-", .. task]);
        Assert.True(piped.Code == ExitCode.Success, piped.Error);
        Assert.Equal(File.ReadAllText(output), piped.Out);
        Assert.Contains("samples of ABP generated", piped.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.BadInput, Piped("", ["impute", "-", "--out", "-", "--json", .. task]).Code);
        // What was filled says so when it is read.
        Assert.Contains("imputed, not measured", Cli.Succeed("info", output).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void EvaluateTakesARateForThoseThatDoNotTellIt()
    {
        string bare = _folder.File("bare.csv");
        File.WriteAllLines(bare, Enumerable.Range(0, 800).Select(i => $"{Math.Sin(i * 0.06):R}").Prepend("ppg"));
        string[] quick = ["--tasks", "denoise ppg", "--windows", "1", "--draws", "1", "--sampler", "ddim:1", "--weights", "recipe:3,tiny",
            "--untrained", "--threads", "1"];
        Assert.Contains("--rate", Cli.Run(["evaluate", "--recordings", bare, .. quick]).Error, StringComparison.Ordinal);
        CliResult result = Cli.Run(["evaluate", "--recordings", bare, "--rate", "125", .. quick]);
        Assert.DoesNotContain("--rate", result.Error, StringComparison.Ordinal);
        CliResult swallowed = Cli.Run(["evaluate", "--recordings", bare, "--rat", "125", .. quick]);
        Assert.Equal(ExitCode.BadInput, swallowed.Code);
        Assert.Contains("there is no option '--rat'", swallowed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void TheShellIsToldHowAWordMayEnd()
    {
        string line = "unicardio impute x.csv --ta";
        Assert.Contains("--target", Cli.Run($"[suggest:{line.Length}]", line).Out, StringComparison.Ordinal);
    }
}
