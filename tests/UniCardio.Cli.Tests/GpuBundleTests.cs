using System.Diagnostics;

namespace UniCardio.Cli.Tests;

/// <summary><c>tools/gpu</c>: what runs on a GPU machine is rehearsed on the simulator, in a short form.</summary>
public class GpuBundleTests
{
    [SkippableTheory]
    [InlineData("publish.sh")]
    [InlineData("run.sh")]
    public async Task ScriptsParse(string name)
    {
        Skip.IfNot(File.Exists("/bin/bash"), "no bash");
        (int code, string output) = await Run("/bin/bash", Project.Root, "-n", Project.File("tools", "gpu", name));
        Assert.True(code == 0, output);
    }

    // Both commands with what a GPU machine has left out: missing tools are lines of the report, the calls that can be made are in it, and
    // it says that nothing of it is a time of hardware.
    [SkippableFact]
    public async Task RunIsRehearsedAndReported()
    {
        Skip.IfNot(File.Exists("/usr/bin/cc") && File.Exists("/usr/bin/python3"), "no C compiler or no python3");
        using var folder = new TemporaryFolder();
        foreach (string name in (string[])["run.sh", "report.py", "twin.py"])
            File.Copy(Project.File("tools", "gpu", name), folder.File(name));
        File.WriteAllText(folder.File("commit"), "rehearsed");
        Directory.CreateDirectory(folder.File("app"));
        Directory.CreateDirectory(folder.File("simulated"));
        File.WriteAllText(folder.File("app/unicardio"), $"#!/bin/sh\nexec dotnet {typeof(CommandLine).Assembly.Location} \"$@\"\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder.File("app/unicardio"),
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.WriteAllText(folder.File("simulated/h100-tiny-1.json"),
            """
            { "model_us": 123,
              "rows": [{ "kernel": "EncoderKernel", "launches": 1, "model_us": 7.5, "bound": "latency", "live_registers": 36 }] }
            """);
        foreach (string part in (string[])["check", "time"])
        {
            (int code, string output) = await Run("/bin/bash", folder.Path, folder.File("run.sh"), part);
            Assert.True(code == 0, output);
        }

        string report = File.ReadAllText(folder.File("out/report.md"));
        Assert.StartsWith("# A run on simulated NVIDIA H100", report, StringComparison.Ordinal);
        Assert.Contains("A rehearsal on the simulator", report, StringComparison.Ordinal);
        Assert.Contains("| ptxas.txt | - | 0 | ptxas is not on this machine |", report, StringComparison.Ordinal);
        Assert.Contains("| tiny | 1 | ThreeTf32 | 32 |", report, StringComparison.Ordinal);
        Assert.Contains("| tiny | 4 | ThreeTf32 | 16 |", report, StringComparison.Ordinal);
        Assert.Contains("0.123 (h100)", report, StringComparison.Ordinal);
        Assert.Contains("| EncoderKernel | 1 | 0.0 | 7.5 |", report, StringComparison.Ordinal);
        Assert.DoesNotContain("did not run |", report, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output)> Run(string program, string folder, params string[] words)
    {
        var start = new ProcessStartInfo(program, words)
            { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["UNICARDIO_SIMULATED_GPU"] = "h100";
        start.Environment["UNICARDIO_REHEARSAL"] = "1";
        start.Environment["PYTHON"] = "/usr/bin/python3";
        start.Environment["NO_TWIN"] = "1";
        using var process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }
}
