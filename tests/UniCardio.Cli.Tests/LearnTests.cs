using System.Text.Json;
using UniCardio.Signals;
using UniCardio.Signals.Formats;

namespace UniCardio.Cli.Tests;

public class LearnTests
{
    [Fact]
    public void WhatIsLearnedCalibratesALaterTranslation()
    {
        using var folder = new TemporaryFolder();
        string first = folder.File("first.csv"), profile = folder.File("p.json"), picture = folder.File("p.svg"),
            output = folder.File("bp.csv");
        Cli.Succeed(["synth", first, "--seconds", "60", "--seed", "4"]);
        CliResult learned = Cli.Succeed(["learn", first, "--out", profile, "--plot", picture]);
        Assert.Contains("ecg -> bp", learned.Out, StringComparison.Ordinal);
        Assert.Contains("not a medical device", learned.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(picture));

        CliResult made =
            Cli.Succeed(["translate", first, "--target", "bp", "--with", "ecg", "--calibrate", profile, "--out", output, "--json"]);
        Assert.Equal(60, made.Json.GetProperty("calibration").GetProperty("age_seconds").GetDouble(), 1);
        Channel pressure = RecordingFile.Read(output).Require("bp_translated"), truth = RecordingFile.Read(first).Require("ABP");
        Assert.Equal(SignalUnit.MillimetresOfMercury, pressure.Unit);
        double sum = 0;
        for (int i = 500; i < 7000; i++)
            sum += Math.Pow(pressure.Samples.Span[i] - truth.Samples.Span[i], 2);
        Assert.InRange(Math.Sqrt(sum / 6500), 0, 12);
    }

    [Theory]
    [InlineData("nothing.json")]
    [InlineData("1..x")]
    [InlineData("300/20@5@6")]
    public void ACalibrationThatIsNoneIsBadUsage(string value)
    {
        using var folder = new TemporaryFolder();
        string input = folder.File("in.csv");
        Cli.Succeed(["synth", input, "--seconds", "9", "--seed", "4"]);
        CliResult result =
            Cli.Run(["translate", input, "--target", "bp", "--with", "ecg", "--calibrate", value, "--out", folder.File("out.csv")]);
        Assert.Equal(2, result.Code);
        Assert.Contains(value, result.Error, StringComparison.Ordinal);
    }
}
