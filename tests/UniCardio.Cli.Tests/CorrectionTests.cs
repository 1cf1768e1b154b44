namespace UniCardio.Cli.Tests;

/// <summary><c>impute --correction</c>.</summary>
public class CorrectionTests
{
    [Fact]
    public void Weights_that_err_more_than_the_beat_change_no_sample()
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
    public void Other_weights_and_other_estimators_are_refused()
    {
        string[] command = ["impute", Project.Example, "--target", "bp", "--with", "ppg", "--out", "never.csv", "--correction"];
        Cli.Refuse("takes weights that correct", [.. command, "recipe:3,tiny"]);
        Cli.Refuse("--estimator auto", [.. command, "recipe:3,tiny", "--estimator", "beat"]);
        Assert.False(File.Exists("never.csv"));
    }
}
