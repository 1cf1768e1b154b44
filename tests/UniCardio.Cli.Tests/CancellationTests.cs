namespace UniCardio.Cli.Tests;

public class CancellationTests
{
    public static TheoryData<string> Lines() =>
    [
        "impute EXAMPLE --target bp --out out.csv --plot out.svg",
        "translate EXAMPLE --target ecg --with ppg --out out.hea",
        "convert recipe:1,tiny out.safetensors",
        "convert recipe:1,tiny out.onnx",
        "golden record out.safetensors --weights recipe:1,tiny",
        "synth out.csv",
        "evaluate --recordings EXAMPLE --markdown out.md --html out.html",
        "bench --size tiny --calls 5",
        "profile --size tiny --trace out.json",
    ];

    [Theory]
    [MemberData(nameof(Lines))]
    public void ACancelledCommandWritesNothing(string line)
    {
        using var folder = new TemporaryFolder();
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        string[] args = [.. line.Split(' ')
            .Select(a => a == "EXAMPLE" ? Project.Example : a.StartsWith("out.", StringComparison.Ordinal) ? folder.File(a) : a)];
        CliResult result = Cli.Run(cancelled.Token, args);
        Assert.Equal(ExitCode.Cancelled, result.Code);
        Assert.Contains("cancelled", result.Error, StringComparison.Ordinal);
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void CancellationEndsALongRunBetweenSteps()
    {
        using var folder = new TemporaryFolder();
        // 8 windows x 400 draws x 50 steps: minutes of work.
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(400));
        CliResult result = Cli.Run(soon.Token, "impute", Project.Example, "--target", "bp", "--draws", "400", "--sampler", "ddpm", "--out",
            folder.File("out.csv"));
        Assert.Equal(ExitCode.Cancelled, result.Code);
        Assert.Empty(folder.Files);
    }
}
