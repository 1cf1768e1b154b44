using UniCardio.Files;

namespace UniCardio.Cli.Tests;

/// <summary>
/// The n-th step of writing an archive's files fails, for every n: the recording, or the run, is said to have failed, and another run
/// completes it to the same bytes.
/// </summary>
public sealed class FailedFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private CliResult Impute(string output) => Cli.Run("impute", _folder.File("in"), "--out", _folder.File(output), "--estimator",
        "network",
        "--target", "bp", "--with", "ppg", "--draws", "1", "--sampler", "ddim:1", "--weights", "recipe:3,tiny", "--untrained", "--threads",
        "1", "--isa", Engine.Backends.Cpu.CpuInstructionSets.Name(Engine.Backends.Cpu.CpuInstructionSets.Fastest));

    private SortedDictionary<string, string> Content(string output) => new(Directory.GetFiles(_folder.File(output))
        .ToDictionary(f => Path.GetFileName(f), File.ReadAllText), StringComparer.Ordinal);

    [Fact]
    public void WhicheverStepFailsAnotherRunMakesWhatOneRunMakes()
    {
        Directory.CreateDirectory(_folder.File("in"));
        for (int i = 0; i < 2; i++)
            Cli.Succeed("synth", _folder.File($"in/rec-{i}.csv"), "--seconds", "4", "--seed", $"{i}", "--gap", "ABP,2,0.5");
        Assert.Equal(ExitCode.Success, Impute("whole").Code);
        SortedDictionary<string, string> whole = Content("whole");
        Assert.Equal(["manifest-0-of-1.jsonl", "rec-0.csv", "rec-1.csv"], whole.Keys);
        int failures = 0;
        while (true)
        {
            int left = failures;
            bool failed = false;
            FileSteps.Before = (_, _) =>
            {
                if (left-- != 0)
                    return;
                failed = true;
                throw new IOException("the disk is full");
            };
            CliResult first = Impute("out");
            FileSteps.Before = null;
            if (!failed)
                break;
            Assert.NotEqual(ExitCode.Success, first.Code);
            Assert.Contains("the disk is full", first.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", first.Error, StringComparison.Ordinal);
            // What is there is whole, and there is nothing beside it.
            Assert.All(Content("out").Where(f => f.Key.EndsWith(".csv", StringComparison.Ordinal)), f => Assert.Equal(whole[f.Key],
                f.Value));
            Assert.DoesNotContain(Content("out").Keys, k => k.EndsWith(".tmp", StringComparison.Ordinal));
            Assert.Equal(ExitCode.Success, Impute("out").Code);
            foreach ((string name, string text) in Content("out"))
                // A failure is a line of its own and stays; what is done is the last of its recording.
                Assert.Equal(Done(whole[name]), Done(text));
            Assert.Equal(whole.Keys, Content("out").Keys);
            Directory.Delete(_folder.File("out"), recursive: true);
            failures++;
        }
        Assert.True(failures >= 12, $"only {failures} steps");
    }

    public static TheoryData<string, string> Outputs => new()
    {
        { "picture.svg", "impute IN --target bp --estimator line --plot OUT" },
        { "picture.png", "impute IN --target bp --estimator line --plot OUT" },
        { "beats.csv", "beats IN --out OUT" },
        { "profile.json", "learn IN --out OUT" },
        { "network.onnx", "convert recipe:3,tiny OUT --task ppg->bp" },
        { "network.safetensors", "convert recipe:3,tiny OUT" },
    };

    /// <summary>Whatever a command writes: what was there is there, nothing is beside it, and the failure names the file.</summary>
    [Theory]
    [MemberData(nameof(Outputs))]
    public void WhicheverStepFailsTheOldOutputStays(string name, string line)
    {
        string input = _folder.File("in.csv"), output = _folder.File(name);
        Cli.Succeed("synth", input, "--seconds", "12", "--gap", "ABP,4,0.5", "--truth", _folder.File("truth.csv"));
        File.WriteAllText(output, "what was there");
        string[] words = [.. line.Split(' ').Select(w => w == "IN" ? input : w == "OUT" ? output : w)];
        string[] before = _folder.Files;
        for (int failures = 0;; failures++)
        {
            int left = failures;
            bool failed = false;
            FileSteps.Before = (_, path) =>
            {
                if (left-- != 0)
                    return;
                failed = true;
                // As the framework words it.
                throw new IOException($"the disk is full : '{path}'");
            };
            CliResult result = Cli.Run(words);
            FileSteps.Before = null;
            if (!failed)
            {
                Assert.True(result.Code == ExitCode.Success, result.Error);
                Assert.NotEqual("what was there", File.ReadAllText(output));
                Assert.True(failures >= 4, $"only {failures} steps");
                return;
            }
            Assert.NotEqual(ExitCode.Success, result.Code);
            Assert.Contains("the disk is full", result.Error, StringComparison.Ordinal);
            Assert.Contains(name, result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
            Assert.Equal("what was there", File.ReadAllText(output));
            Assert.Equal(before, _folder.Files);
        }
    }

    private static string Done(string text) => string.Join('\n',
        text.Split('\n').Where(l => !l.Contains("the disk is full", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
}
