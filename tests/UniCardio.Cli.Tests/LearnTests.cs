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
        // A profile does not say when it was measured.
        Assert.Equal(60, made.Json.GetProperty("calibration").GetProperty("age_seconds").GetDouble(), 1);
        Assert.True(made.Json.GetProperty("calibration").GetProperty("may_be_older").GetBoolean());
        Channel pressure = RecordingFile.Read(output).Require("bp_translated"), truth = RecordingFile.Read(first).Require("ABP");
        Assert.Equal(SignalUnit.MillimetresOfMercury, pressure.Unit);
        double sum = 0;
        for (int i = 500; i < 7000; i++)
            sum += Math.Pow(pressure.Samples.Span[i] - truth.Samples.Span[i], 2);
        Assert.InRange(Math.Sqrt(sum / 6500), 0, 12);
    }

    // A pressure translated without a calibration has no level, and a rate no resampler is at home at is told by its channel.
    [Fact]
    public void WhatTellsNoLevelIsNotLearned()
    {
        using var folder = new TemporaryFolder();
        string first = folder.File("first.csv"), levelless = folder.File("levelless.csv"), fast = folder.File("fast.csv");
        Cli.Succeed(["synth", first, "--seconds", "20", "--seed", "4"]);
        Recording whole = RecordingFile.Read(first);
        RecordingFile.Write(levelless, whole.WithChannels(whole.Channels.Select(c => c.Kind != ChannelKind.BloodPressure ? c
            : new Channel(c.Name, SignalUnit.Normalized, c.SampleRate, c.Samples, c.Kind))));
        CliResult learned = Cli.Succeed(["learn", levelless]);
        Assert.DoesNotContain("mmHg", learned.Out, StringComparison.Ordinal);
        Assert.Contains("passed over: ABP is normalised", learned.Error, StringComparison.Ordinal);

        File.WriteAllText(fast, "ppg\n1\n2\n1\n");
        CliResult refused = Cli.Run(["learn", fast, "--rate", "1000000"]);
        Assert.Equal(2, refused.Code);
        Assert.Contains("no such signal is sampled at 1000000 Hz", refused.Error, StringComparison.Ordinal);
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
