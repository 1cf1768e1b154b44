namespace UniCardio.Cli.Tests;

/// <summary>What a user can get wrong comes back as one line and exit code 2.</summary>
public class UsageTests
{
    [Theory]
    [InlineData("'frobnicate'", "frobnicate")]
    [InlineData("required command", "golden")]
    [InlineData("--golden", "golden verify --weights recipe:1")]
    [InlineData("no such file", "info nowhere.csv")]
    [InlineData("nowhere.safetensors", "info nowhere.safetensors")]
    [InlineData("recipe", "convert recipe:x out.safetensors")]
    [InlineData("--seed", "synth out.csv --seed -1")]
    [InlineData("--seconds 0", "synth out.csv --seconds 0")]
    [InlineData("--seconds NaN", "synth out.csv --seconds NaN")]
    [InlineData("HeartRate", "synth out.csv --heart-rate 500")]
    [InlineData("not a gap", "synth out.csv --gap ABP,1")]
    [InlineData("ABX", "synth out.csv --gap ABX,1,1")]
    [InlineData("not a format", "synth out.xyz")]
    [InlineData("--calls 0", "bench --size tiny --calls 0")]
    [InlineData("--threads -1", "bench --size tiny --threads -1")]
    [InlineData("draws", "bench --size tiny --draws 0 --calls 1")]
    [InlineData("draws", "bench --size tiny --draws 999999999 --calls 1")]
    [InlineData("windows", "bench --size tiny --windows 0 --calls 1")]
    [InlineData("not a task", "bench --size tiny --task ppg->ppg2")]
    [InlineData("not a sampler", "bench --size tiny --sampler euler")]
    [InlineData("one of them", "bench --size tiny --weights recipe:1")]
    [InlineData("--draws goes with", "bench --draws 4")]
    [InlineData("not a task", "evaluate --tasks ppg->ppg2")]
    [InlineData("not a number", "evaluate --snr 5,loud")]
    [InlineData("not a gap", "evaluate --gap wide")]
    [InlineData("gap", "evaluate --gap 90%")]
    [InlineData("--windows 0", "evaluate --windows 0")]
    [InlineData("nowhere.csv", "evaluate --recordings nowhere.csv")]
    [InlineData("not a setting", "evaluate --recordings in.csv,rate=fast")]
    [InlineData("no such folder", "evaluate --csv nowhere/out.csv")]
    [InlineData("--untrained", "evaluate --weights recipe:1,tiny")]
    [InlineData("steps", "golden record out.safetensors --weights recipe:1,tiny --t 50")]
    public void IsRefusedInOneLine(string words, string line)
    {
        using var folder = new TemporaryFolder();
        string[] args = [.. line.Split(' ').Select(a => a.StartsWith("out.", StringComparison.Ordinal) ? folder.File(a) : a)];
        Cli.Refuse(words, args);
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void NothingAtAllShowsWhatThereIs()
    {
        CliResult result = Cli.Run();
        Assert.Equal(ExitCode.BadInput, result.Code);
        Assert.Contains("--help", result.Error, StringComparison.Ordinal);
    }
}
