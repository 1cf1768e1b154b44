using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using SkiaSharp;
using UniCardio.Signals.Formats;
using UniCardio.Signals;
using UniCardio.Weights;

namespace UniCardio.Cli.Tests;

/// <summary>Recordings through the signal commands, with little work: two draws, two steps.</summary>
public class SignalTests
{
    private static readonly string[] Quick = ["--draws", "2", "--sampler", "ddim:2"];

    private static string Synthesise(TemporaryFolder folder, params string[] more)
    {
        string path = folder.File("in.csv");
        Cli.Succeed(["synth", path, "--seconds", "9", "--seed", "5", "--snr", "25", "--gap", "ABP,4,1.2", .. more]);
        return path;
    }

    private static string WhatTheWeightsSayOfThemselves()
    {
        using LoadedWeights loaded = WeightFile.Load(Path.Combine(Project.Root, "weights", "compact.safetensors"));
        Assert.False(string.IsNullOrWhiteSpace(loaded.Description));
        return loaded.Description;
    }

    [Fact]
    public void ImputationFillsTheGapAndKeepsWhatWasMeasured()
    {
        using var folder = new TemporaryFolder();
        string input = Synthesise(folder, "--clean", folder.File("truth.csv")), output = folder.File("out.csv"),
            picture = folder.File("out.svg");
        CliResult result = Cli.Succeed(
            ["impute", input, "--target", "bp", "--with", "ppg", "--out", output, "--plot", picture, "--truth", folder.File("truth.csv"),
                "--json", .. Quick]);
        Assert.Equal(["in.beats.csv", "in.csv", "out.csv", "out.svg", "truth.csv"], folder.Files);
        Assert.Contains("not a medical device", result.Error, StringComparison.Ordinal);
        Assert.Contains(WhatTheWeightsSayOfThemselves(), result.Error, StringComparison.OrdinalIgnoreCase);

        Channel before = RecordingFile.Read(input).Require("ABP"), after = RecordingFile.Read(output).Require("ABP");
        int gap = 0;
        for (int i = 0; i < before.Length; i++)
        {
            Assert.False(float.IsNaN(after.Samples.Span[i]));
            if (float.IsNaN(before.Samples.Span[i]))
                gap++;
            else
                Assert.Equal(before.Samples.Span[i], after.Samples.Span[i]);
        }

        JsonElement report = result.Json;
        Assert.Equal(150, gap);
        Assert.Equal(gap, report.GetProperty("samples_generated").GetInt32());
        Assert.Equal(before.Length - gap, report.GetProperty("samples_measured").GetInt32());
        Assert.Equal(gap, report.GetProperty("truth").GetProperty("samples").GetInt32());
        // Blood pressure of a living subject: off by no more than its own range even from two steps.
        Assert.InRange(report.GetProperty("truth").GetProperty("rmse").GetDouble(), 0.01, 80);

        XElement svg = XDocument.Load(picture).Root!;
        Assert.Equal("svg", svg.Name.LocalName);
        Assert.Contains("not a medical device", svg.Value, StringComparison.Ordinal);
        Assert.Contains("ABP (mmHg)", svg.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void EqualSeedsGiveEqualFilesWhateverTheThreads()
    {
        using var folder = new TemporaryFolder();
        string input = Synthesise(folder), one = folder.File("one.csv"), two = folder.File("two.csv"), other = folder.File("other.csv");
        Cli.Succeed(["impute", input, "--target", "bp", "--out", one, "--threads", "1", "--seed", "9", .. Quick]);
        Cli.Succeed(["impute", input, "--target", "bp", "--out", two, "--threads", "2", "--seed", "9", .. Quick]);
        Cli.Succeed(["impute", input, "--target", "bp", "--out", other, "--threads", "2", "--seed", "10", .. Quick]);
        Assert.Equal(File.ReadAllBytes(one), File.ReadAllBytes(two));
        Assert.NotEqual(File.ReadAllBytes(one), File.ReadAllBytes(other));
    }

    [Theory]
    [InlineData("translate", "ecg", "ppg", "ecg_translated")]
    [InlineData("translate", "bp", "ppg,ecg", "bp_translated")]
    [InlineData("denoise", "ppg", "ecg", "PPG")]
    public void TranslationAndDenoisingWriteTheirChannel(string command, string target, string with, string channel)
    {
        using var folder = new TemporaryFolder();
        string input = Synthesise(folder), output = folder.File("out.hea"), picture = folder.File("out.svg");
        Cli.Succeed([command, input, "--target", target, "--with", with, "--out", output, "--plot", picture, .. Quick]);
        Channel made = RecordingFile.Read(output).Require(channel);
        Assert.Equal(9 * 125, made.Length);
        Assert.DoesNotContain(made.Samples.ToArray(), float.IsNaN);
        Assert.Equal(SignalUnit.Normalized, made.Unit);
        Assert.Equal("svg", XDocument.Load(picture).Root!.Name.LocalName);
    }

    [SkippableFact]
    public void APictureIsPngWhereItsNameSaysSo()
    {
        Skip.IfNot(Cli.HasFonts, "this machine has no fonts");
        using var folder = new TemporaryFolder();
        string input = Synthesise(folder), picture = folder.File("out.png");
        Cli.Succeed(["impute", input, "--target", "bp", "--with", "ppg", "--plot", picture, .. Quick]);
        using SKBitmap pixels = SKBitmap.Decode(picture);
        Assert.NotNull(pixels);
        Assert.Equal(2400, pixels.Width);
        int measured = 0, generated = 0, white = 0, words = 0;
        foreach ((int i, SKColor p) in pixels.Pixels.Index())
        {
            // Names and numbers of the axes stand left of the panels.
            words += i % pixels.Width < 2 * 80 && p.Red < 100 ? 1 : 0;
            measured += p == SKColor.Parse("#0072b2") ? 1 : 0;
            generated += p == SKColor.Parse("#d55e00") ? 1 : 0;
            white += p == SKColors.White ? 1 : 0;
        }

        // Lines across 2,184 pixels, two panels of measured samples, a gap of an eighth of one.
        Assert.InRange(measured, 2000, 200_000);
        Assert.InRange(generated, 100, 20_000);
        Assert.True(white > pixels.Pixels.Length / 2, "the paper is white");
        Assert.InRange(words, 500, 20_000);
    }

    [Fact]
    public void DenoisingDrawsBeforeAfterAndWhatWasTakenOff()
    {
        using var folder = new TemporaryFolder();
        string input = Synthesise(folder), picture = folder.File("out.svg");
        Cli.Succeed(["denoise", input, "--target", "ecg", "--plot", picture]);
        string[] words = [.. XDocument.Load(picture).Root!.Elements().Where(e => e.Name.LocalName == "text").Select(e => e.Value)];
        Assert.Equal(["ECG recorded (mV)", "ECG denoised (mV)", "taken off (mV)"],
            words.Where(w => w.EndsWith(" (mV)", StringComparison.Ordinal)));
        Assert.Single(words, "Recorded less denoised");
    }

    // The pressure of the paired seconds is what the estimate was learned from: comparing it there flatters.
    [Fact]
    public void PairedSecondsTakeNoPartInTheComparisonWithTheTruth()
    {
        using var folder = new TemporaryFolder();
        string input = folder.File("in.csv");
        Cli.Succeed("synth", input, "--seconds", "40", "--seed", "5");
        string json = Cli.Succeed("translate", input, "--target", "bp", "--with", "ecg", "--calibrate", "0..25", "--truth", input, "--out",
            folder.File("out.csv"), "--json").Out;
        JsonElement root = JsonDocument.Parse(json).RootElement;
        int compared = root.GetProperty("truth").GetProperty("samples").GetInt32();
        Assert.InRange(compared, 1, 15 * 125);
        Assert.True(root.GetProperty("samples_generated").GetInt32() > compared + (20 * 125));
        Assert.Equal(0, root.GetProperty("calibration").GetProperty("start_seconds").GetDouble());
    }

    [Fact]
    public void ATranslationShowsTheTruthOnce()
    {
        using var folder = new TemporaryFolder();
        string input = Synthesise(folder), picture = folder.File("out.svg");
        string[] translate = ["translate", input, "--target", "bp", "--with", "ppg", "--plot", picture, .. Quick];
        Cli.Succeed([.. translate, "--calibrate", "120/80@2", "--truth", input]);
        string text = XDocument.Load(picture).Root!.Value;
        Assert.Contains("Truth", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Recorded, not given", text, StringComparison.Ordinal);
        // Without a level there is nothing to lay the truth over, and that is told.
        Assert.Contains("was not compared", Cli.Succeed([.. translate, "--truth", input]).Error, StringComparison.Ordinal);
        text = XDocument.Load(picture).Root!.Value;
        Assert.DoesNotContain("Truth", text, StringComparison.Ordinal);
        Assert.Contains("Recorded, not given", text, StringComparison.Ordinal);
    }

    [Fact]
    public void DenoisingEstimatesUnlessDrawsAreAskedFor()
    {
        using var folder = new TemporaryFolder();
        string input = Synthesise(folder), output = folder.File("out.csv");
        string[] denoise = ["denoise", input, "--target", "ppg", "--out", output];
        JsonElement estimate = Cli.Succeed([.. denoise, "--json"]).Json, draws = Cli.Succeed([.. denoise, "--json", .. Quick]).Json;
        Assert.InRange(estimate.GetProperty("network_calls").GetInt64(), 1, 2 * estimate.GetProperty("windows_computed").GetInt64());
        Assert.True(draws.GetProperty("network_calls").GetInt64() > 2 * draws.GetProperty("windows_computed").GetInt64());
        Cli.Refuse("--draws says nothing to an estimate", [.. denoise, "--method", "estimate", "--draws", "3"]);
        Cli.Refuse("--noise-level is for --method estimate", [.. denoise, "--method", "draws", "--noise-level", "0.1"]);
        Cli.Refuse("noise level", [.. denoise, "--noise-level", "0"]);
        // What is missing throughout has no gap beside what is measured either.
        string missing = folder.File("missing.csv");
        File.WriteAllText(missing, "time_s,PPG\n" + string.Concat(Enumerable.Range(0, 625).Select(i =>
            FormattableString.Invariant($"{i / 125.0},NaN\n"))));
        Assert.Contains("nothing to generate: channel 'PPG' has no measured sample",
            Cli.Succeed("denoise", missing, "--target", "ppg", "--out", output).Error, StringComparison.Ordinal);
    }

    /// <summary>What README says of wander of 0.3 mV (rms 0.212 mV) on a synthetic ECG: the share of it that is left, within a fifth, as
    /// instruction sets differ.</summary>
    [Theory]
    [InlineData(0.05, 0.95)]
    [InlineData(0.15, 0.52)]
    [InlineData(0.3, 0.21)]
    [InlineData(0.5, 0.14)]
    public void WanderSlowerThanAWindowStaysInPart(double hertz, double share)
    {
        using var folder = new TemporaryFolder();
        string input = folder.File("wander.csv"), clean = folder.File("clean.csv");
        Cli.Succeed("synth", input, "--seconds", "60", "--seed", "3", "--snr", "20", "--clean", clean);
        string[] lines = File.ReadAllLines(input);
        for (int i = 1; i < lines.Length; i++)
        {
            int ecg = lines[i].LastIndexOf(',') + 1;
            double value = double.Parse(lines[i].AsSpan(ecg), CultureInfo.InvariantCulture)
                + (0.3 * Math.Sin(2 * Math.PI * hertz * (i - 1) / 125));
            lines[i] = lines[i][..ecg] + value.ToString(CultureInfo.InvariantCulture);
        }

        File.WriteAllLines(input, lines);
        double left = Cli.Succeed("denoise", input, "--target", "ecg", "--slow-noise", "--truth", clean, "--out", folder.File("out.csv"),
            "--json").Json.GetProperty("truth").GetProperty("rmse").GetDouble() / (0.3 / Math.Sqrt(2));
        Assert.InRange(left, 0.8 * share, 1.2 * share);
    }

    [Fact]
    public void UntrainedWeightsAreRefusedUnlessAskedFor()
    {
        using var folder = new TemporaryFolder();
        string input = Synthesise(folder), output = folder.File("out.csv"), file = folder.File("weights.safetensors");
        Cli.Succeed("convert", "recipe:3,tiny", file);
        string[] before = folder.Files;
        Cli.Refuse("--untrained", "impute", input, "--target", "bp", "--out", output, "--weights", "recipe:3,tiny");
        Cli.Refuse("--untrained", "impute", input, "--target", "bp", "--with", "ppg", "--out", output, "--weights", file);
        Assert.Equal(before, folder.Files);
        // The gap is longer than a window of the tiny network: only another signal can fill it.
        CliResult result =
            Cli.Succeed(["impute", input, "--target", "bp", "--with", "ppg", "--out", output, "--weights", file, "--untrained", .. Quick]);
        Assert.Contains("is noise", result.Error, StringComparison.Ordinal);
        Cli.Refuse("gap",
            ["impute", input, "--target", "bp", "--out", folder.File("never.csv"), "--weights", file, "--untrained", .. Quick]);
        Assert.False(File.Exists(folder.File("never.csv")));
    }

    [Fact]
    public void WhatCannotWorkIsRefusedBeforeTheWork()
    {
        using var folder = new TemporaryFolder();
        string input = Synthesise(folder), output = folder.File("out.csv");
        byte[] before = File.ReadAllBytes(input);
        Cli.Refuse("nothing to write", "impute", input, "--target", "bp");
        Cli.Refuse("is the input", "impute", input, "--target", "bp", "--out", input);
        Cli.Refuse("folder", "impute", input, "--target", "bp", "--out", Path.Combine(folder.Path, "nowhere", "out.csv"));
        Cli.Refuse(".svg or .png", "impute", input, "--target", "bp", "--plot", folder.File("out.jpg"));
        Cli.Refuse("none of ppg, bp, ecg", "impute", input, "--target", "eeg", "--out", output);
        Cli.Refuse("--with", "translate", input, "--target", "bp", "--out", output);
        Cli.Refuse("translated from itself", "translate", input, "--target", "bp", "--with", "bp", "--out", output);
        Cli.Refuse("named 'ART'", "impute", input, "--target", "bp", "--channel", "bp=ART", "--out", output);
        Cli.Refuse("draws", "impute", input, "--target", "bp", "--draws", "0", "--out", output);
        Cli.Refuse("overlap", "impute", input, "--target", "bp", "--overlap", "1", "--out", output);
        Cli.Refuse("window", "impute", input, "--target", "bp", "--duration", "2", "--out", output);
        Cli.Refuse("steps", "impute", input, "--target", "bp", "--sampler", "ddim:0", "--out", output);
        Assert.Equal(["in.beats.csv", "in.csv"], folder.Files);
        Assert.Equal(before, File.ReadAllBytes(input));
    }

    [Fact]
    public void TheExampleOfTheReadmeIsMadeBySynthAsItsOwnReadmeSays()
    {
        string folder = Path.GetDirectoryName(Project.Example)!;
        string line = File.ReadLines(Path.Combine(folder, "README.md")).Single(l => l.Contains("-- synth ", StringComparison.Ordinal));
        using var temporary = new TemporaryFolder();
        string[] args = [.. line[(line.IndexOf("-- ", StringComparison.Ordinal) + 3)..].Split(' ')
            .Select(a => a.EndsWith(".csv", StringComparison.Ordinal) ? temporary.File(Path.GetFileName(a)) : a)];
        Cli.Succeed(args);
        foreach (string name in temporary.Files)
            Assert.Equal(File.ReadAllText(Path.Combine(folder, name)), File.ReadAllText(temporary.File(name)));
        Assert.Equal(3, temporary.Files.Length);
    }

    [Fact]
    public void InfoDescribesARecording()
    {
        JsonElement info = Cli.Succeed("info", Project.Example, "--json").Json;
        Assert.Equal("recording", info.GetProperty("kind").GetString());
        JsonElement pressure = info.GetProperty("channels").EnumerateArray().Single(c => c.GetProperty("name").GetString() == "ABP");
        Assert.Equal(3, pressure.GetProperty("gaps").GetInt32());
        Assert.Equal(1.2, pressure.GetProperty("max_gap_seconds").GetDouble(), 6);
    }
}
