using System.Diagnostics;

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
        "kernels --emit ptx --out out.kernels",
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
        Assert.Contains("cancelled; nothing was written", result.Error, StringComparison.Ordinal);
        Assert.Empty(folder.Files);
    }

    /// <summary>The simulated device passes over the launches that are left. A signal, in a process of its own: ILGPU lists devices
    /// once.</summary>
    [SkippableFact]
    public async Task ASimulatedProfileIsCancelled()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && File.Exists("/usr/bin/cc"), "no C compiler for the simulated CUDA driver");
        using var folder = new TemporaryFolder();
        using Process command = Cli.Start("profile", "--backend", "ptx", "--size", "full", "--groups", "0", "--kernel-cache", "off",
            "--listing", folder.File("listing"));
        Task<string> output = command.StandardOutput.ReadToEndAsync(), error = command.StandardError.ReadToEndAsync();
        await Task.Delay(TimeSpan.FromSeconds(3));
        using (Process signal = Process.Start("kill", ["-INT", $"{command.Id}"]))
            await signal.WaitForExitAsync();
        await command.WaitForExitAsync();
        Assert.Equal((ExitCode.Cancelled, ""), (command.ExitCode, await output));
        Assert.Contains("cancelled; nothing was written", await error, StringComparison.Ordinal);
    }

    /// <summary>A training that has a folder says that its state is there.</summary>
    [Fact]
    public void ACancelledPretrainingSaysWhatIsKept()
    {
        using var folder = new TemporaryFolder();
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        CliResult result = Cli.Run(cancelled.Token, "pretrain", "masked", "--arms", "C", "--size", "reduced", "--steps", "3", "--batch",
            "4", "--probe", "0", "--run", folder.File("run"));
        Assert.Equal(ExitCode.Cancelled, result.Code);
        Assert.Contains("cancelled; the state is saved, the same command continues", result.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(folder.File("run"), "arm-C", "checkpoint.safetensors")));
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
