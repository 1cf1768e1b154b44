using System.Diagnostics;
using System.Text.Json;

namespace UniCardio.Cli.Tests;

/// <summary>Folders of recordings, in parts and in one.</summary>
public sealed class ArchiveTests : IDisposable
{
    // Bits are those of an instruction set, and each process measures its own: the parts of one archive name it.
    private static readonly string[] Quick =
    [
        "--target", "bp", "--with", "ppg", "--draws", "2", "--sampler", "ddim:2", "--weights", "recipe:3,tiny", "--untrained",
        "--threads", "1",
        "--isa", Engine.Backends.Cpu.CpuInstructionSets.Name(Engine.Backends.Cpu.CpuInstructionSets.Fastest),
    ];

    private readonly TemporaryFolder _folder = new();

    public ArchiveTests()
    {
        Directory.CreateDirectory(Input);
        for (int i = 0; i < 7; i++)
            Cli.Succeed("synth", Path.Combine(Input, $"rec-{i}.csv"), "--seconds", "4", "--seed", $"{i}", "--gap", "ABP,2,0.5");
        // What synth writes of the beats beside its recording stays there, and is no recording.
        Assert.Equal(7, Directory.GetFiles(Input, "*.beats.csv").Length);
    }

    private string Input => _folder.File("in");

    public void Dispose() => _folder.Dispose();

    private CliResult Impute(string output, params string[] more) =>
        Cli.Run(["impute", Input, "--out", _folder.File(output), .. Quick, .. more]);

    private SortedDictionary<string, string> Outputs(string output) => new(
        Directory.GetFiles(_folder.File(output), "*.csv").ToDictionary(f => Path.GetFileName(f), File.ReadAllText), StringComparer.Ordinal);

    private string[] Manifest(string output) =>
        [.. Directory.GetFiles(_folder.File(output), "manifest-*.jsonl").SelectMany(File.ReadAllLines).Order(StringComparer.Ordinal)];

    [Fact]
    public void PartsMakeWhatOneRunMakes()
    {
        Assert.Equal(ExitCode.Success, Impute("one").Code);
        int recordings = 0;
        for (int i = 0; i < 3; i++)
        {
            CliResult part = Impute("three", "--shard", $"{i}/3", "--json");
            Assert.True(part.Code == ExitCode.Success, part.Error);
            recordings += part.Json.GetProperty("done").GetInt32();
            Assert.InRange(part.Json.GetProperty("done").GetInt32(), 1, 6);
        }
        Assert.Equal(7, recordings);
        Assert.Equal(7, Outputs("one").Count);
        Assert.Equal(Outputs("one"), Outputs("three"));
        Assert.Equal(Manifest("one"), Manifest("three"));
        JsonElement first = JsonDocument.Parse(Manifest("one")[0]).RootElement;
        Assert.Equal(("rec-0", "rec-0.csv", "rec-0.csv"),
            (first.GetProperty("name").GetString(), first.GetProperty("input").GetString(), first.GetProperty("output").GetString()));
        Assert.True(first.GetProperty("samples_generated").GetInt32() >= 60);
        // Each recording as it comes out alone.
        Cli.Succeed(["impute", Path.Combine(Input, "rec-3.csv"), "--out", _folder.File("alone.csv"), .. Quick]);
        Assert.Equal(File.ReadAllText(_folder.File("alone.csv")), Outputs("one")["rec-3.csv"]);
    }

    [Fact]
    public void WhatIsDoneIsNotDoneAgainUnlessSomethingChanged()
    {
        Assert.Equal(ExitCode.Success, Impute("out", "--shard", "0/2").Code);
        int half = Outputs("out").Count;
        DateTime before = File.GetLastWriteTimeUtc(Directory.GetFiles(_folder.File("out"), "*.csv")[0]);
        // In other parts than before, and with a line that a killed process left torn.
        string manifest = _folder.File("out/manifest-0-of-1.jsonl");
        File.WriteAllText(manifest, """{"name":"rec-9","inp""");
        CliResult all = Impute("out", "--json");
        Assert.Equal((7 - half, half, 0),
            (all.Json.GetProperty("done").GetInt32(), all.Json.GetProperty("skipped").GetInt32(),
                all.Json.GetProperty("failed").GetInt32()));
        Assert.Equal(before,
            File.GetLastWriteTimeUtc(Directory.GetFiles(_folder.File("out"), "*.csv").First(f => File.GetLastWriteTimeUtc(f) == before)));
        Assert.All(Manifest("out"), line => JsonDocument.Parse(line).Dispose());

        Assert.Equal(7, Impute("out", "--json").Json.GetProperty("skipped").GetInt32());
        File.Delete(_folder.File("out/rec-1.csv"));
        File.SetLastWriteTimeUtc(Path.Combine(Input, "rec-2.csv"), DateTime.UtcNow.AddMinutes(1));
        Assert.Equal(2, Impute("out", "--json").Json.GetProperty("done").GetInt32());
        Assert.Equal(7, Impute("out", "--json", "--seed", "5").Json.GetProperty("done").GetInt32());
    }

    [Fact]
    public async Task APartThatIsKilledGoesOnAndAllPartsMakeWhatOneRunMakes()
    {
        Assert.Equal(ExitCode.Success, Impute("one").Code);
        string manifest = _folder.File("three/manifest-0-of-2.jsonl");
        using (Process part = Cli.Start(["impute", Input, "--out", _folder.File("three"), .. Quick, "--shard", "0/2"]))
        {
            Task<string> error = part.StandardError.ReadToEndAsync();
            while ((!File.Exists(manifest) || new FileInfo(manifest).Length == 0) && !part.HasExited)
                await Task.Delay(1);
            part.Kill();
            await part.WaitForExitAsync();
            Assert.True(File.Exists(manifest), await error);
        }
        // Whatever is there under its name is whole, noted or not.
        Assert.All(Outputs("three"), output => Assert.Equal(Outputs("one")[output.Key], output.Value));
        JsonElement first = Impute("three", "--shard", "0/2", "--json").Json, second = Impute("three", "--shard", "1/2", "--json").Json;
        Assert.InRange(first.GetProperty("skipped").GetInt32(), 1, 6);
        Assert.Equal(
            7, first.GetProperty("skipped").GetInt32() + first.GetProperty("done").GetInt32() + second.GetProperty("done").GetInt32());
        Assert.Equal(Outputs("one"), Outputs("three"));
        Assert.Equal(Manifest("one"), Manifest("three"));
    }

    [Fact]
    public void ATableOfBeatsIsARecordingOnlyWhereItStandsAlone()
    {
        File.Delete(Path.Combine(Input, "rec-0.csv"));
        CliResult result = Impute("out", "--json");
        Assert.Equal(
            (7, 6, 1), (result.Json.GetProperty("recordings").GetInt32(), result.Json.GetProperty("done").GetInt32(),
                result.Json.GetProperty("failed").GetInt32()));
        Assert.Contains("rec-0.beats: ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void ARecordingThatCannotBeRestoredIsNotedAndTheRestGoesOn()
    {
        File.WriteAllText(Path.Combine(Input, "bad.csv"), "time_s,II\n0,1\n0.008,2\n");
        CliResult result = Impute("out", "--json");
        Assert.Equal(ExitCode.Failed, result.Code);
        Assert.Equal((7, 1), (result.Json.GetProperty("done").GetInt32(), result.Json.GetProperty("failed").GetInt32()));
        Assert.Contains("bad: ", result.Error, StringComparison.Ordinal);
        Assert.NotEqual(JsonValueKind.Null, JsonDocument.Parse(Manifest("out")[0]).RootElement.GetProperty("error").ValueKind);
        Assert.DoesNotContain("bad.csv", Outputs("out").Keys);
    }

    [Fact]
    public void CancellingLeavesWhatIsDoneAndNoHalfFile()
    {
        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();
        CliResult result = Cli.Run(cancellation.Token, ["impute", Input, "--out", _folder.File("out"), .. Quick]);
        Assert.Equal(ExitCode.Cancelled, result.Code);
        Assert.Empty(Directory.GetFiles(_folder.File("out"), "*.csv"));
        Assert.Equal(7, Impute("out", "--json").Json.GetProperty("done").GetInt32());
    }

    [Fact]
    public void WhatDoesNotGoTogetherIsRefused()
    {
        string file = Path.Combine(Input, "rec-0.csv");
        Cli.Refuse("is not a part", "impute", file, "--out", _folder.File("x.csv"), "--target", "bp", "--shard", "2/2");
        Cli.Refuse("INPUT is none", "impute", file, "--out", _folder.File("x.csv"), "--target", "bp", "--shard", "0/2");
        Cli.Refuse("is the input", "impute", Input, "--out", Input, "--target", "bp");
        Cli.Refuse("it is a file", "impute", Input, "--out", file, "--target", "bp");
        Cli.Refuse("--plot", "impute", Input, "--out", _folder.File("out"), "--target", "bp", "--plot", _folder.File("x.svg"));
        File.Copy(file, Path.Combine(Input, "rec-0.edf"));
        CliResult twice = Impute("out");
        Assert.Equal(ExitCode.BadInput, twice.Code);
        Assert.Contains("would write one output", twice.Error, StringComparison.Ordinal);
    }
}
