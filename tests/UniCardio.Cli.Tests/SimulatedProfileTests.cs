using System.Diagnostics;
using System.Text.Json;

namespace UniCardio.Cli.Tests;

/// <summary><c>profile --backend ptx</c>: the GPU kernels' counts without a GPU.</summary>
public class SimulatedProfileTests
{
    [SkippableFact]
    public async Task KernelsAreCountedAndListed()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && File.Exists("/usr/bin/cc"), "no C compiler for the simulated CUDA driver");
        using var folder = new TemporaryFolder();
        string listing = folder.File("listing");
        // In a process of its own: ILGPU lists devices once, and other tests of this one may have listed them without the simulated driver.
        using Process command = Cli.Start("profile", "--backend", "ptx", "--device", "rtx4060", "--size", "tiny", "--groups", "4",
            "--listing", listing, "--kernel-cache", folder.File("kernels"), "--json");
        Task<string> output = command.StandardOutput.ReadToEndAsync(), error = command.StandardError.ReadToEndAsync();
        await command.WaitForExitAsync();
        Assert.True(command.ExitCode == ExitCode.Success, await error);
        JsonElement profile = JsonDocument.Parse(await output).RootElement;
        Assert.Equal("rtx4060", profile.GetProperty("device").GetString());
        Assert.NotEmpty(Directory.GetFiles(folder.File("kernels")));
        JsonElement[] rows = [.. profile.GetProperty("rows").EnumerateArray()];
        Assert.Contains("TensorAttentionKernel", rows.Select(r => r.GetProperty("kernel").GetString()));
        Assert.Equal(rows.Sum(r => r.GetProperty("launches").GetInt32()), profile.GetProperty("launches").GetInt32());
        Assert.Equal(profile.GetProperty("model_us").GetDouble(), rows.Sum(r => r.GetProperty("model_us").GetDouble()), 6);
        foreach (JsonElement row in rows)
        {
            foreach (string positive in (string[])["launches", "groups", "instructions", "live_registers", "model_us", "waves", "occupancy",
                "bytes_l2", "sectors_per_request"])
                Assert.True(row.GetProperty(positive).GetDouble() > 0, $"{row.GetProperty("kernel")} {positive}");
            Assert.InRange(row.GetProperty("fma_share").GetDouble(), 0, 1);
            Assert.InRange(row.GetProperty("sectors_per_request").GetDouble(), 1, 32);
            Assert.True(row.GetProperty("bank_conflict_ways").GetDouble() >= 1);
            string text = File.ReadAllText(Path.Combine(listing, row.GetProperty("kernel").GetString() + ".txt"));
            Assert.Contains("ret;", text, StringComparison.Ordinal);
        }
    }

    [SkippableFact]
    public async Task WindowedAttentionStandsBesideDense()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && File.Exists("/usr/bin/cc"), "no C compiler for the simulated CUDA driver");
        using Process command = Cli.Start("profile", "--backend", "ptx", "--weights", "recipe:2,quality-base", "--attention", "18", "300",
            "--groups", "10", "--kernel-cache", "off", "--json");
        Task<string> output = command.StandardOutput.ReadToEndAsync(), error = command.StandardError.ReadToEndAsync();
        await command.WaitForExitAsync();
        Assert.True(command.ExitCode == ExitCode.Success, await error);
        JsonElement[] rows = [.. JsonDocument.Parse(await output).RootElement.GetProperty("rows").EnumerateArray()];
        Assert.Equal([18, 300], rows.Select(r => r.GetProperty("tokens").GetInt32()));
        // One tile of 32 tokens; ten by ten, of which three a query tile (two at either end) and, for the global token, the first row and
        // column are read: 10 + 9 + 25.
        Assert.Equal([1, 100], rows.Select(r => r.GetProperty("tiles").GetInt32()));
        Assert.Equal([0, 56], rows.Select(r => r.GetProperty("tiles_skipped").GetInt32()));
        Assert.True(rows[1].GetProperty("ratio").GetDouble() > 1);
    }

    [Fact]
    public void UnknownDeviceIsRefused()
    {
        CliResult result = Cli.Run("profile", "--backend", "ptx", "--device", "h900");
        Assert.Equal(ExitCode.BadInput, result.Code);
        Assert.Contains("h100", result.Error, StringComparison.Ordinal);
    }
}
