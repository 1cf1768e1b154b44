namespace UniCardio.Cli.Tests;

/// <summary>The second family of networks at the command line: its golden files, its checkpoints, its recipes.</summary>
public class QualityFamilyTests
{
    [SkippableTheory]
    [InlineData("tiny.activations", "recipe:1,quality-tiny", "reference", "worst of 35")]
    [InlineData("tiny.activations", "recipe:1", "cpu", "worst of 4")]
    [InlineData("tiny.training", "recipe:1", "cpu", "worst of 97")]
    [InlineData("base.heads", "recipe:2,quality-base", "cpu", "worst of 4")]
    public void GoldenFilesOfTheAuthorArePassed(string file, string weights, string backend, string compared)
    {
        string golden = Project.Shared("golden", "qualityfm", file + ".safetensors");
        CliResult result = Cli.Run("golden", "verify", "--weights", weights, "--golden", golden, "--backend", backend);
        Assert.Equal(ExitCode.Success, result.Code);
        Assert.Contains(compared, result.Out, StringComparison.Ordinal);
        Assert.Contains("passed", result.Out, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void AnotherSeedFails()
    {
        string golden = Project.Shared("golden", "qualityfm", "tiny.activations.safetensors");
        CliResult result = Cli.Run("golden", "verify", "--weights", "recipe:3", "--golden", golden);
        Assert.Equal(ExitCode.Failed, result.Code);
    }

    [SkippableFact]
    public void TheAuthorSCheckpointConvertsBitForBit()
    {
        using var folder = new TemporaryFolder();
        string converted = folder.File("quality.safetensors");
        CliResult result = Cli.Run("convert", Project.Shared("golden", "qualityfm", "tiny.pth"), converted);
        Assert.Equal(ExitCode.Success, result.Code);
        Assert.Contains("84 tensors", result.Out, StringComparison.Ordinal);
        using var ours = Weights.Safetensors.SafetensorsFile.Open(converted);
        using var theirs = Weights.Safetensors.SafetensorsFile.Open(Project.Shared("golden", "qualityfm", "tiny.safetensors"));
        foreach (string name in ours.Entries.Select(e => e.Name))
            Assert.Equal(theirs.Floats(name).ToArray(), ours.Floats(name).ToArray());
    }

    [Fact]
    public void ARecipeIsConvertedAndDescribed()
    {
        using var folder = new TemporaryFolder();
        string file = folder.File("tiny.safetensors");
        Assert.Equal(ExitCode.Success, Cli.Run("convert", "recipe:4,quality-tiny", file).Code);
        CliResult info = Cli.Run("info", file);
        Assert.Contains("QualityFM", info.Out, StringComparison.Ordinal);
        Assert.Contains("1800", info.Out, StringComparison.Ordinal);
    }
}
