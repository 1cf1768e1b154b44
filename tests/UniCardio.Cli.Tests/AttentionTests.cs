using UniCardio.Evaluation.Attention;
using UniCardio.Cli.Options;
using Xunit;

namespace UniCardio.Cli.Tests;

public sealed class AttentionTests
{
    private static readonly TokenAxis Axis = TokenAxis.Of([0, 1], 10);

    private static double[] Weights(Func<int, int, double> weight)
    {
        double[] all = new double[20 * 20];
        for (int i = 0; i < 20; i++)
        {
            double sum = Enumerable.Range(0, 20).Sum(j => weight(i, j));
            for (int j = 0; j < 20; j++)
                all[(i * 20) + j] = weight(i, j) / sum;
        }

        return all;
    }

    [Fact]
    public void EvenAttentionIsAtChance()
    {
        var shape = new AttentionShape(Axis, Axis);
        shape.Add<double>(Weights((_, _) => 1));
        Assert.Equal(0.5, shape.Cross, 12);
        Assert.Equal(shape.CrossChance, shape.Cross, 12);
        Assert.Equal(shape.AlignmentChance, shape.Alignment, 12);
        // Of 10 keys 3 are within a token, at the two ends 2.
        Assert.Equal(0.28, shape.Alignment, 12);
        Assert.Equal(0.5, shape.Share(0, 1), 12);
    }

    [Fact]
    public void ALagIsFoundWithItsSign()
    {
        var shape = new AttentionShape(Axis, Axis);
        // Queries of signal 1 look three tokens later on signal 0.
        shape.Add<double>(Weights((i, j) => i >= 10 && j < 10 ? (j == Math.Min(9, i - 10 + 3) ? 1 : 1e-6) : i == j ? 1 : 1e-6));
        Assert.Equal(3, shape.Peak(1, 0, 5), 1);
        Assert.InRange(shape.Alignment, 0, 1);
        // Signal 1 looks at itself as much.
        Assert.Equal(0.5, shape.Share(1, 0), 1e-3);
        Assert.True(double.IsNaN(shape.Profile(0, 0)[0]) || shape.Profile(0, 0)[0] < 0.01);
    }

    [Fact]
    public void APageEscapesNamesAndNeedsNothingElse()
    {
        string html = new AttentionAnalysis([new AnalysisTable("<script>", ["a", ">b"], [["<b>", "1"]])],
            [(AttentionPicture.Map([0, 1, 0.5, 0.25], 2, "<i>"), "x & y")]).ToHtml("<script>alert(1)</script>");
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<i>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("src=\"http", html, StringComparison.Ordinal);
        Assert.Contains("data:image/png;base64,iVBORw0KGgo", html, StringComparison.Ordinal);
    }

    [Fact]
    public void AnEncoderIsTrainedAndAnalysed()
    {
        using var folder = new TemporaryFolder();
        string run = folder.File("run"), page = folder.File("<x>.html");
        CliResult trained = Cli.Run("pretrain", "masked", "--arms", "C", "--size", "reduced", "--steps", "1", "--batch", "4",
            "--probe", "0", "--run", run);
        Assert.Equal(ExitCode.Success, trained.Code);
        string weights = Path.Combine(run, "arm-C", "encoder.safetensors");
        CliResult analysed = Cli.Run("analyze", weights, "--subjects", "4", "--html", page);
        Assert.Equal(ExitCode.Success, analysed.Code);
        Assert.Contains("true pulse delay", analysed.Out, StringComparison.Ordinal);
        Assert.DoesNotContain(">NaN", File.ReadAllText(page), StringComparison.Ordinal);
    }

    [Fact]
    public void AWindowIsExplained()
    {
        using var folder = new TemporaryFolder();
        string page = folder.File("explain.html"), plot = folder.File("plot.svg");
        CliResult made = Cli.Run("translate", ShippedExample.Find(), "--target", "ecg", "--with", "ppg", "--weights", "recipe:1,tiny",
            "--untrained", "--draws", "2", "--sampler", "ddim:3", "--plot", plot, "--explain", page);
        Assert.Equal((ExitCode.Success, ""), (made.Code, made.Code == ExitCode.Success ? "" : made.Error));
        string html = File.ReadAllText(page);
        Assert.Contains("Evaluation 3 of 3", html, StringComparison.Ordinal);
        Assert.Contains("on ppg", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(">NaN", html, StringComparison.Ordinal);
    }
}
