using System.Text.Json;

namespace UniCardio.Cli.Tests;

public class BenchTests
{
    [Theory]
    [InlineData("1", "scalar", "ppg->ecg")]
    [InlineData("2", "auto", "impute bp | ppg,ecg")]
    public void JsonHasTheDocumentedFields(string threads, string isa, string task)
    {
        CliResult result = Cli.Succeed("bench", "--size", "tiny", "--threads", threads, "--isa", isa, "--task", task, "--draws", "3",
            "--calls", "6", "--json");
        JsonElement row = Assert.Single(result.Json.EnumerateArray());
        Assert.Equal(6, row.GetProperty("calls").GetInt32());
        Assert.Equal(int.Parse(threads), row.GetProperty("threads").GetInt32());
        Assert.Equal(task, row.GetProperty("task").GetString());
        foreach (string name in (string[])["fma_peak_gflops", "gflops", "fraction_of_peak", "bandwidth_gbs", "gflop_per_call",
            "arena_bytes"])
            Assert.True(row.GetProperty(name).GetDouble() > 0, name);
        Assert.True(row.GetProperty("bytes_per_call").GetDouble() >= 0);
        double[] ms = [.. ((string[])["p50", "p90", "p99", "max"]).Select(n => row.GetProperty("ms").GetProperty(n).GetDouble())];
        Assert.Equal(ms.Order(), ms);
        Assert.True(ms[0] > 0);
        Assert.Equal(row.GetProperty("gflops").GetDouble(), row.GetProperty("gflop_per_call").GetDouble() / ms[0] * 1e3, 6);
    }

    [Fact]
    public void ProfileRowsAddUpAndTheTraceHasALaneAThread()
    {
        using var folder = new TemporaryFolder();
        string trace = folder.File("trace.json");
        JsonElement profile = Cli.Succeed("profile", "--size", "tiny", "--threads", "2", "--calls", "3", "--trace", trace, "--json").Json;
        JsonElement[] rows = [.. profile.GetProperty("rows").EnumerateArray()];
        // The live multiply-adds of all rows are those of the call.
        double gflop = Cli.Succeed("bench", "--size", "tiny", "--calls", "1", "--json").Json[0].GetProperty("gflop_per_call").GetDouble();
        Assert.Equal(gflop, 2e-9 * rows.Sum(r => r.GetProperty("mac_per_step").GetDouble()), 9);
        Assert.Equal(profile.GetProperty("explained").GetDouble(), rows.Sum(r => r.GetProperty("share_of_step").GetDouble()), 9);
        Assert.Contains(rows, r => r.GetProperty("rows").GetString() == "condition");

        JsonElement events = JsonDocument.Parse(File.ReadAllText(trace)).RootElement.GetProperty("traceEvents");
        Assert.Equal([0, 1], events.EnumerateArray().Where(e => e.GetProperty("ph").GetString() == "X")
            .Select(e => e.GetProperty("tid").GetInt32()).Distinct().Order());
        Assert.All(events.EnumerateArray().Where(e => e.GetProperty("ph").GetString() == "X"), e =>
            Assert.True(e.GetProperty("ts").GetDouble() >= 0 && e.GetProperty("dur").GetDouble() >= 0));
    }

    [Fact]
    public void OneThreadIsExplainedButForTheHandOver()
    {
        JsonElement profile = Cli.Succeed("profile", "--size", "compact", "--threads", "1", "--calls", "3", "--json").Json;
        // Rows may not overlap: together they are no more than the wall time.
        Assert.InRange(profile.GetProperty("explained").GetDouble(), 0.3, 1.0000001);
    }
}
