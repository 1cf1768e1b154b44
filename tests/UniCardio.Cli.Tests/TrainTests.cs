using System.Diagnostics;
using System.Text.Json;
using UniCardio.Engine.Model;
using UniCardio.Training.Data;
using UniCardio.Training.Runs;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Cli.Tests;

public class TrainTests
{
    private static string[] Tiny(string run, params string[] more) =>
        ["train", "--run", run, "--size", "tiny", "--batch", "2", "--validate-every", "20", "--validate-windows", "1", "--task", "ppg->bp",
            "--task", "impute bp | ppg", "--threads", "1", .. more.Contains("--steps") ? more : [.. more, "--steps", "40"]];

    /// <summary>Rows of the log without the columns that hold times.</summary>
    private static string[] Log(string run) =>
        [.. File.ReadAllLines(Path.Combine(run, "log.csv")).Select(r => string.Join(',', r.Split(',').Take(6)))];

    private static Dictionary<string, byte[]> State(string run)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(run, "checkpoint.safetensors"), memoryMap: false);
        return file.Entries.ToDictionary(e => e.Name, e => file.Bytes(e.Name).ToArray());
    }

    /// <summary>An option that nothing would take is refused, not passed over.</summary>
    [Theory]
    [InlineData("--distil-calls", "2", "--distil or --score-draws")]
    [InlineData("--pairs", "100", "--distil")]
    [InlineData("--pair-draws", "2", "--distil")]
    [InlineData("--data-share", "0.5", "--data")]
    [InlineData("--cooldown", "0.3", "--schedule trapezoid")]
    [InlineData("--muon-size", "0.3", "--optimizer muon")]
    [InlineData("--uncertainty-beta", "0.5", "--uncertainty")]
    public void AnOptionThatNothingTakesIsRefused(string option, string value, string of)
    {
        using var folder = new TemporaryFolder();
        Cli.Refuse($"{option} is for {of}", Tiny(folder.File("run"), option, value));
        Assert.False(Directory.Exists(folder.File("run")));
    }

    /// <summary>Two tasks learned by scored draws in two calls: the file names its sampler and its tasks, and other tasks are
    /// refused.</summary>
    [Fact]
    public void ANetworkOfScoredDrawsTakesItsOwnTasksOnly()
    {
        using var folder = new TemporaryFolder();
        string run = folder.File("run"), exported = folder.File("out.safetensors");
        Cli.Succeed(Tiny(run, "--score-draws", "2", "--distil-calls", "2"));
        Cli.Succeed("train", "--run", run, "--export", exported);
        string told = Cli.Succeed("info", exported).Out;
        Assert.Contains("ddim:2,placement=logsnr", told, StringComparison.Ordinal);
        Assert.Contains("ppg->bp;impute bp | ppg", told, StringComparison.Ordinal);
        Cli.Refuse("'denoise ecg' is none that these weights learned", "denoise", Project.File("tools", "UniCardio.Cli", "examples",
            "example.csv"), "--target", "ecg", "--weights", exported, "--out", folder.File("out.csv"));
        Assert.False(File.Exists(folder.File("out.csv")));
    }

    /// <summary>The teacher draws nothing where what it draws would be refused.</summary>
    [Fact]
    public void TooFewSamplesOfATeacherAreRefusedBeforeTheyAreDrawn()
    {
        using var folder = new TemporaryFolder();
        string pairs = folder.File("pairs.safetensors");
        CliResult result = Cli.Run("finetune", "--weights", "recipe:1,tiny", "--prediction", "v", "--run", folder.File("run"), "--distil",
            pairs, "--pairs", "60", "--task", "ppg->bp");
        Assert.Equal(ExitCode.BadInput, result.Code);
        Assert.Contains("60 samples of 1 tasks are too few: every task needs 16 windows of 4, 64 samples in all", result.Error,
            StringComparison.Ordinal);
        CliResult both = Cli.Run("finetune", "--weights", "recipe:1,tiny", "--prediction", "v", "--run", folder.File("run"), "--distil",
            pairs, "--pairs", "64", "--score-draws", "4", "--task", "ppg->bp");
        Assert.Equal(ExitCode.BadInput, both.Code);
        Assert.Contains("the score of draws is a loss of its own", both.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(pairs));
    }

    [Fact]
    public void ARunTrainsExportsAndIsFinetuned()
    {
        using var folder = new TemporaryFolder();
        string run = folder.File("run"), exported = folder.File("out.safetensors");
        CliResult result = Cli.Succeed(Tiny(run));
        Assert.Contains("averaged weights after 40 updates", result.Out, StringComparison.Ordinal);
        Assert.Contains("held-out loss", result.Error, StringComparison.Ordinal);
        Assert.Equal(
            ["checkpoint.safetensors", "curve.html", "curve.svg", "log.csv", "run.json", "run.lock", "validation.csv",
                "weights.safetensors"], Directory.GetFiles(run).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(5, Log(run).Length);
        Assert.Contains("40 of 40 updates", Cli.Succeed("info", Path.Combine(run, "weights.safetensors")).Out, StringComparison.Ordinal);

        Cli.Succeed("train", "--run", run, "--export", exported);
        Assert.Equal(File.ReadAllBytes(Path.Combine(run, "weights.safetensors")), File.ReadAllBytes(exported));

        // Called again, a finished run only writes its weights; other options are refused and name themselves.
        Cli.Succeed("train", "--run", run);
        Cli.Refuse("options.seed: 0 -> 4", Tiny(run, "--seed", "4"));
        Cli.Refuse("options.curriculum.weights: [] -> [\"translate=2\"]", Tiny(run, "--preset", "mixed", "--weight", "translate=2"));
        Cli.Refuse("not the weight of a task", Tiny(run, "--weight", "translations=2"));
        Cli.Refuse("weights", Tiny(folder.File("phased"), "--preset", "phased", "--weight", "translate=2"));

        string fine = folder.File("fine");
        string[] finetune = ["finetune", "--weights", exported, "--run", fine, "--preset", "official-finetune", "--batch", "2", "--steps",
            "6", "--validate-every", "100", "--validate-windows", "1", "--threads", "1"];
        Cli.Succeed(finetune);
        RunRecord record = new RunFolder(fine).ReadRecord();
        Assert.StartsWith("out.safetensors sha256 ", record.Start, StringComparison.Ordinal);
        Assert.Equal(1, record.Options.Objective.SpectralAmplitude);
        Assert.Equal(["ppg->bp", "ecg->bp"], record.Options.Curriculum.Tasks);
        Cli.Succeed("finetune", "--run", fine);
        Cli.Refuse("holds no run", "finetune", "--run", folder.File("nothing"));
        Cli.Refuse("official-finetune", "finetune", "--run", fine, "--preset", "best");
    }

    [Fact]
    public void AProcessKilledAtAnyMomentEndsWithTheSameBits()
    {
        using var folder = new TemporaryFolder();
        string whole = folder.File("whole"), pieces = folder.File("pieces");
        Cli.Succeed(Tiny(whole));
        var random = new Random(3);
        for (int kill = 0; kill < 2; kill++)
        {
            using Process process = Start(Tiny(pieces, "--checkpoint-minutes", "0"));
            // Past a few more rows of the log and then at any moment: while it computes, writes a row or a checkpoint.
            int rows = Rows(pieces) + 1;
            for (int waited = 0; Rows(pieces) <= rows && !process.HasExited && waited < 60_000; waited += 5)
                Thread.Sleep(5);
            Thread.Sleep(random.Next(40));
            process.Kill();
            process.WaitForExit();
            if (process.ExitCode == 0)
                break;
        }

        Cli.Succeed(Tiny(pieces));
        Assert.Equal(Log(whole), Log(pieces));
        Assert.Equal(File.ReadAllText(Path.Combine(whole, "validation.csv")), File.ReadAllText(Path.Combine(pieces, "validation.csv")));
        foreach ((string name, byte[] bytes) in State(whole))
            Assert.True(bytes.AsSpan().SequenceEqual(State(pieces)[name]), name);
    }

    [Fact]
    public void RecordingsAreLearnedFromBesideSyntheticWindows()
    {
        using var folder = new TemporaryFolder();
        string run = folder.File("run"), data = folder.File("recordings");
        Directory.CreateDirectory(data);
        // Some subject of each part.
        string[] names = [.. Enumerable.Range(0, 100).Select(i => $"subject{i}")];
        string apart = names.First(n => SubjectSplit.IsValidation(n, 0.2)), learned = names.First(n => !SubjectSplit.IsValidation(n, 0.2));
        foreach (string name in (string[])[apart, learned])
            Cli.Succeed("synth", Path.Combine(data, name + ".csv"), "--seconds", "6", "--truth", folder.File("beats.csv"));
        CliResult result = Cli.Succeed(Tiny(run, "--data", data, "--steps", "4"));
        Assert.Contains($"1 subjects for training: {learned}", result.Error, StringComparison.Ordinal);
        Assert.Contains($"1 subjects for validation: {apart}", result.Error, StringComparison.Ordinal);
        TrainingOptions options = new RunFolder(run).ReadRecord().Options;
        Assert.Equal((data, 0.5), (options.RecordingFolder, options.RecordingShare));
        Cli.Succeed("train", "--run", run);
        Assert.DoesNotContain(data, File.ReadAllText(Path.Combine(run, "weights.safetensors"), System.Text.Encoding.Latin1),
            StringComparison.Ordinal);
        // Other recordings are other data.
        File.Delete(Path.Combine(data, learned + ".csv"));
        Cli.Refuse("no recording", "train", "--run", run);
    }

    [Fact]
    public void TheTimeLimitLeavesARunThatGoesOn()
    {
        using var folder = new TemporaryFolder();
        string run = folder.File("run");
        Assert.Contains("continues", Cli.Succeed(Tiny(run, "--hours", "0")).Out, StringComparison.Ordinal);
        Assert.Contains("after 40 updates", Cli.Succeed("train", "--run", run).Out, StringComparison.Ordinal);
        using JsonDocument record = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "run.json")));
        Assert.Equal(40, record.RootElement.GetProperty("options").GetProperty("steps").GetInt32());
        Assert.Contains("after 45 updates", Cli.Succeed("train", "--run", run, "--steps", "45", "--amend").Out, StringComparison.Ordinal);
        Assert.Contains("options.steps: 40 -> 45", File.ReadAllText(Path.Combine(run, "run.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void SizesCanBeNamedOneByOne()
    {
        using var folder = new TemporaryFolder();
        string run = folder.File("run");
        Cli.Succeed(Tiny(run, "--steps", "1", "--network", "channels=24,heads=2", "--network", "layers=1", "--prediction", "sample"));
        ModelConfiguration network = new RunFolder(run).ReadRecord().Options.Network;
        Assert.Equal(ModelConfiguration.Tiny
            with { Channels = 24, Heads = 2, Blocks = 1, Positions = PositionKind.Slot, Prediction = PredictionKind.Sample }, network);
        Cli.Refuse("one of the keys", Tiny(run, "--network", "width=24"));
        Cli.Refuse("channels", Tiny(run, "--network", "channels=25"));
    }

    [Fact]
    public void DivergedTrainingEndsWithOne()
    {
        using var folder = new TemporaryFolder();
        CliResult result = Cli.Run(Tiny(folder.File("run"), "--lr", "1e30"));
        Assert.Equal(ExitCode.Failed, result.Code);
        Assert.Contains("diverged", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void CancellationSavesTheState()
    {
        using var folder = new TemporaryFolder();
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        CliResult result = Cli.Run(soon.Token, Tiny(folder.File("run"), "--steps", "1000000"));
        Assert.Equal(ExitCode.Cancelled, result.Code);
        Assert.Contains("the state is saved", result.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(folder.File("run"), "checkpoint.safetensors")));
    }

    private static int Rows(string run)
    {
        string log = Path.Combine(run, "log.csv");
        if (!File.Exists(log))
            return 0;
        using var reader = new StreamReader(new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd().Count(c => c == '\n');
    }

    // The program itself, a process of its own.
    private static Process Start(string[] args)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "unicardio.dll"));
        foreach (string arg in args)
            start.ArgumentList.Add(arg);
        Process process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }
}
