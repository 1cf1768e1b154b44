using System.Text.Json;

namespace UniCardio.Cli.Tests;

public class GoldenTests
{
    private static string Record(TemporaryFolder folder, string name = "golden.safetensors")
    {
        string path = folder.File(name);
        Cli.Succeed("golden", "record", path, "--weights", "recipe:7,tiny", "--task", "ppg->ecg", "--task", "impute bp | ppg", "--t", "13",
            "--sampler", "ddim:2,threshold=off", "--batch", "2", "--activations");
        return path;
    }

    [Theory]
    [InlineData("cpu")]
    [InlineData("reference")]
    public void ARecordedFileVerifies(string backend)
    {
        using var folder = new TemporaryFolder();
        CliResult result =
            Cli.Succeed("golden", "verify", "--weights", "recipe:7", "--golden", Record(folder), "--backend", backend, "--json");
        JsonElement report = result.Json;
        Assert.True(report.GetProperty("passed").GetBoolean());
        // Two calls, two runs, and the pass with its intermediate values, all of them with the reference: 4 encoders, the embedding, 3 a
        // block.
        Assert.Equal(backend == "cpu" ? 5 : 4 + 1 + 4 + 1 + (3 * 2), report.GetProperty("entries").GetArrayLength());
        double worst = report.GetProperty("worst").GetDouble();
        // The reference that recorded the file repeats itself to float32's rounding of its outputs; the CPU's tolerance is the verifier's.
        Assert.InRange(worst, 0, backend == "cpu" ? 1e-5 : 1e-9);
    }

    [Fact]
    public void OverTheToleranceIsExitCodeOne()
    {
        using var folder = new TemporaryFolder();
        string path = Record(folder);
        CliResult strict = Cli.Run("golden", "verify", "--weights", "recipe:7", "--golden", path, "--tolerance", "1e-12");
        Assert.Equal(ExitCode.Failed, strict.Code);
        Assert.Contains("FAILED", strict.Out, StringComparison.Ordinal);
        CliResult others = Cli.Run("golden", "verify", "--weights", "recipe:8", "--golden", path, "--json");
        Assert.Equal(ExitCode.Failed, others.Code);
        Assert.True(others.Json.GetProperty("worst").GetDouble() > 0.01);
        Cli.Refuse("--tolerance", "golden", "verify", "--weights", "recipe:7", "--golden", path, "--tolerance", "-1");
    }

    [Fact]
    public void TheGoldenHeaderTellsWhatTheWeightsDoNot()
    {
        using var folder = new TemporaryFolder();
        string path = Record(folder), weights = folder.File("weights.safetensors");
        // 48 channels go in 8 heads too: what a conversion assumed must not stand against the header's 4.
        Cli.Succeed("convert", "recipe:7,tiny", weights, "--heads", "8");
        Cli.Succeed("golden", "verify", "--weights", weights, "--golden", path);
        Assert.Equal(ExitCode.BadInput, Cli.Run("golden", "verify", "--weights", weights, "--golden", path, "--heads", "8").Code);
    }

    [Fact]
    public void InfoTellsGoldenVectorsFromWeights()
    {
        using var folder = new TemporaryFolder();
        JsonElement info = Cli.Succeed("info", Record(folder), "--json").Json;
        Assert.Equal("golden", info.GetProperty("kind").GetString());
        Assert.Equal("48", info.GetProperty("configuration").GetProperty("channels").GetString());
    }

    [SkippableTheory]
    [InlineData("tiny.eps", "cpu")]
    [InlineData("tiny.samplers", "cpu")]
    [InlineData("p5slot.eps", "reference")]
    public void OfficialVectorsVerify(string name, string backend)
    {
        string path = Project.Shared("golden", name + ".safetensors");
        Cli.Succeed("golden", "verify", "--weights", name.StartsWith("tiny", StringComparison.Ordinal) ? "recipe:1" : "recipe:4",
            "--golden", path, "--backend", backend);
    }
}
