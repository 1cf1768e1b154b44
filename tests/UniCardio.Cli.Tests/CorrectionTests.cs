namespace UniCardio.Cli.Tests;

/// <summary><c>impute --correction</c>.</summary>
public class CorrectionTests
{
    [Fact]
    public void WeightsThatErrMoreThanTheBeatChangeNoSample()
    {
        using var folder = new TemporaryFolder();
        string weights = folder.File("correction.safetensors");
        Cli.Succeed(["convert", "recipe:3,compact", weights, "--prediction", "correction"]);
        string[] command = ["impute", Project.Example, "--target", "bp", "--with", "ppg", "--draws", "1", "--sampler", "ddim:1",
            "--duration",
            "24"];
        Cli.Succeed([.. command, "--out", folder.File("plain.csv")]);
        Cli.Succeed([.. command, "--out", folder.File("corrected.csv"), "--correction", weights]);
        Assert.Equal(File.ReadAllText(folder.File("plain.csv")), File.ReadAllText(folder.File("corrected.csv")));
    }

    [Fact]
    public void OtherWeightsAndOtherEstimatorsAreRefused()
    {
        string[] command = ["impute", Project.Example, "--target", "bp", "--with", "ppg", "--out", "never.csv", "--correction"];
        Cli.Refuse("takes weights that correct", [.. command, "recipe:3,tiny"]);
        Cli.Refuse("--estimator auto", [.. command, "recipe:3,tiny", "--estimator", "beat"]);
        Assert.False(File.Exists("never.csv"));
    }
}
