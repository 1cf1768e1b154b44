using System.Text.Json;
using UniCardio.Cli.Options;

namespace UniCardio.Cli.Tests;

/// <summary>Evaluations with little work: two draws, two steps, two windows.</summary>
public class EvaluateTests
{
    private static readonly string[] Quick = ["--draws", "2", "--sampler", "ddim:2", "--windows", "2"];

    [Fact]
    public void RecordingsOfAFolderAreMeasuredAndEveryReportIsWritten()
    {
        using var folder = new TemporaryFolder();
        string recordings = Directory.CreateDirectory(folder.File("recordings")).FullName;
        // One that tells its rate by its name alone, one that has no signal for the tasks, one that is no recording.
        Cli.Succeed("synth", Path.Combine(recordings, "a.csv"), "--seconds", "20", "--seed", "5", "--truth", folder.File("a.beats.csv"));
        string[] rows = [.. File.ReadLines(Path.Combine(recordings, "a.csv")).Select(l => l[(l.IndexOf(',') + 1)..])];
        File.WriteAllLines(Path.Combine(recordings, "bare_125Hz.csv"), rows);
        File.WriteAllLines(Path.Combine(recordings, "other_10Hz.csv"), ["resp", .. Enumerable.Repeat("1", 100)]);
        File.WriteAllText(Path.Combine(recordings, "broken.edf"), "no header");
        string[] reports = [folder.File("r.md"), folder.File("r.csv"), folder.File("r.json"), folder.File("page")];
        CliResult result = Cli.Succeed(["evaluate", "--recordings", recordings, "--tasks", "impute bp | ppg", "ppg->ecg", "--gap", "1,30%",
            "--markdown", reports[0], "--csv", reports[1], "--json", reports[2], "--html", reports[3], .. Quick]);
        Assert.Contains("not a medical device", result.Error, StringComparison.Ordinal);
        Assert.Contains("passed over", result.Error, StringComparison.Ordinal);
        Assert.Contains("3 of 3: ppg->ecg", result.Error, StringComparison.Ordinal);
        Assert.Contains("impute bp | ppg, gap 1 s", result.Out, StringComparison.Ordinal);
        Assert.Contains("subjects: 2 subjects (a, bare_125Hz)", result.Out, StringComparison.Ordinal);

        JsonElement json = JsonDocument.Parse(File.ReadAllText(reports[2])).RootElement;
        Assert.Equal(["a", "bare_125Hz"], json.GetProperty("recordings").EnumerateArray().Select(r => r.GetProperty("name").GetString()));
        // Three cases of two windows of two recordings, two draws, two steps.
        Assert.Equal(3 * 4 * 2 * 2, json.GetProperty("network_calls").GetInt32());
        // The same samples by another name: the same errors.
        double[] Errors(string name) => [.. json.GetProperty("rows").EnumerateArray()
            .Where(r => r.GetProperty("recording").GetString() == name && r.GetProperty("method").GetString() == "flat line")
            .Select(r => r.GetProperty("scores").GetProperty("rmse").GetDouble())];
        Assert.Equal(Errors("a"), Errors("bare_125Hz"));
        Assert.Contains("<svg", File.ReadAllText(Path.Combine(reports[3], "index.html")), StringComparison.Ordinal);
        Assert.Contains("| impute bp \\| ppg, gap 1.2 s |", File.ReadAllText(reports[0]), StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutRecordingsSyntheticSubjectsAreMeasuredAndThatIsSaid()
    {
        CliResult result = Cli.Succeed(["evaluate", "--tasks", "denoise ppg", "--snr", "10", "--noise", "white,Wander", .. Quick]);
        Assert.Contains("synthetic subjects", result.Error, StringComparison.Ordinal);
        Assert.Contains("denoise ppg, 10 dB ", result.Out, StringComparison.Ordinal);
        Assert.Contains("denoise ppg, 10 dB wander", result.Out, StringComparison.Ordinal);
        Assert.Contains("4 subjects (synthetic1", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void AKindStandsForAllItsTasks()
    {
        using var folder = new TemporaryFolder();
        string file = folder.File("r.json");
        Cli.Succeed(
            ["evaluate", "--recordings", $"{Path.Combine(Path.GetDirectoryName(Project.Example)!, "truth.csv")},subject=nobody", "--tasks",
                "translate", "--json", file, "--draws", "1", "--steps", "1", "--windows", "1"]);
        JsonElement json = JsonDocument.Parse(File.ReadAllText(file)).RootElement;
        Assert.Equal(9, json.GetProperty("rows").EnumerateArray().Select(r => r.GetProperty("task").GetString()).Distinct().Count());
        Assert.Equal("nobody", json.GetProperty("recordings")[0].GetProperty("subject").GetString());
    }

    [Fact]
    public void AStudyComparesSamplers()
    {
        using var folder = new TemporaryFolder();
        string truth = Path.Combine(Path.GetDirectoryName(Project.Example)!, "truth.csv"), page = folder.File("study");
        CliResult result = Cli.Succeed("evaluate", "--study", "samplers", "--recordings", truth, "--tasks", "ppg->bp", "--windows", "1",
            "--draws", "1", "--html", page);
        Assert.Contains("dpm++3m:50", result.Out, StringComparison.Ordinal);
        Assert.Contains("fewest calls", result.Out, StringComparison.Ordinal);
        Assert.Contains("not a medical device", result.Error, StringComparison.Ordinal);
        Assert.Equal(["index.html"], Directory.GetFiles(page).Select(f => Path.GetFileName(f)));
        Cli.Refuse("own samplers", "evaluate", "--study", "samplers", "--sampler", "ddpm");
        Cli.Refuse("'pink' is none of white", "evaluate", "--tasks", "denoise ppg", "--noise", "white,pink");
        Cli.Refuse("--rate is of recordings", "evaluate", "--tasks", "denoise ppg", "--rate", "125");
        Cli.Refuse("--columns is of recordings", "evaluate", "--tasks", "denoise ppg", "--synthetic", "2", "--columns", "ppg");
    }

    [Fact]
    public void ASubjectThatWasTrainedOnIsRefused() =>
        Cli.Refuse("trained on", "evaluate", "--recordings", $"{Project.Example},subject=p7", "--training-subjects", "p3,p7");

    [Theory]
    [InlineData("a.csv", "a.csv", null, null, null)]
    [InlineData("dir/a,b.csv,rate=125", "dir/a,b.csv", 125.0, null, null)]
    [InlineData("a.npy,columns=ppg/abp_mmHg,subject=p 1,rate=99.5", "a.npy", 99.5, "ppg/abp_mmHg", "p 1")]
    public void SourcesNameRateColumnsAndSubject(string text, string path, double? rate, string? columns, string? subject)
    {
        RecordingSource source = RecordingSource.Parse(text);
        Assert.Equal((path, rate, columns, subject),
            (source.Path, source.Rate, source.Columns is null ? null : string.Join('/', source.Columns), source.Subject));
    }
}
