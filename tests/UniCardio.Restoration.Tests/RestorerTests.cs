using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Processing;

namespace UniCardio.Restoration.Tests;

[Collection(Interim.Name)]
public sealed class RestorerTests(InterimWeights weights)
{
    private static readonly Recording Whole = Make.Heart(15);

    [Theory]
    [InlineData("ppg->bp", "bp_translated", "NU", -2, 4)]
    [InlineData("ppg->ecg", "ecg_translated", "NU", -2, 2)]
    [InlineData("bp,ecg->ppg", "ppg_translated", "NU", -2, 2)]
    public void TranslationAddsAChannelInItsUnit(string task, string name, string unit, float low, float high)
    {
        RestorationResult result = new Restorer(weights.Engine, Make.Options(task)).Run(Whole);
        Assert.Equal((name, unit), (result.Channel.Name, result.Channel.Unit));
        Assert.Equal(["PPG", "ABP", "ECG", name], result.Recording.Channels.Select(c => c.Name));
        Assert.Equal(Whole.Require("PPG").Length, result.GeneratedCount);
        Assert.Equal(5, result.WindowsComputed);
        // The bounds are those of thresholding; a crossfade is a weighted mean and stays within them up to rounding.
        Assert.All(result.Channel.Samples.ToArray(), x => Assert.InRange(x, low - 1e-3f, high + 1e-3f));
    }

    [Fact]
    public void TranslationComesAtTheRateOfItsCondition()
    {
        Recording slow = Make.Heart(9, 100);
        RestorationResult result = new Restorer(weights.Engine, Make.Options("ppg->bp")).Run(slow.WithChannels([slow.Require("PPG")]));
        Assert.Equal((100.0, 900), (result.Channel.SampleRate, result.Channel.Length));
        Assert.Equal(900, result.GeneratedCount);
    }

    [Fact]
    public void WindowsWithNothingToTranslateFromAreLeftMissing()
    {
        Recording recording = Make.WithGaps(Whole, "PPG", (4, 11));
        RestorationResult result = new Restorer(weights.Engine, Make.Options("ppg->bp")).Run(recording);
        // Windows of 500 every 375: those from 375 to 875 and from 1125 on hold PPG, the one from 750 does not.
        Assert.Equal([new SampleRange(875, 250)], result.Ranges(Provenance.NoSignal));
        Assert.Equal(1, result.WindowsSkipped);
        // Where the skipped window would have faded in, the one before it keeps all the weight: as if the recording ended there.
        RestorationResult cut = new Restorer(weights.Engine, Make.Options("ppg->bp"))
            .Run(recording.WithChannels([recording.Require("PPG").WithSamples(recording.Require("PPG").Samples[..875])]));
        for (int i = 750; i < 875; i++)
            // A product and a quotient round to 2^-17 mmHg each.
            Assert.Equal(cut.Channel.Samples.Span[i], result.Channel.Samples.Span[i], 1e-4f);
        Assert.Contains(result.Warnings, w => w.Channel == "PPG" && w.Message.Contains("left missing", StringComparison.Ordinal));
    }

    [Fact]
    public void DenoisingKeepsUnitAndGaps()
    {
        Recording recording = Make.WithGaps(Whole, "ECG", (5, 6));
        RestorationResult result = new Restorer(weights.Engine, Make.Options("denoise ecg | ppg")).Run(recording);
        Assert.Equal(("ECG", "mV"), (result.Channel.Name, result.Channel.Unit));
        Assert.Equal([new SampleRange(625, 125)], result.Ranges(Provenance.NoSignal));
        Assert.Equal(result.Channel.Length - 125, result.GeneratedCount);
        float[] dirty = [.. Whole.Require("ECG").Samples.ToArray()];
        // Thresholding keeps scaled values within [-2, 2]: half a range beyond two quantiles of the dirty window.
        float reach = (dirty.Max() - dirty.Min()) + 1e-4f;
        float middle = (dirty.Max() + dirty.Min()) / 2;
        Assert.All(result.Channel.Samples.ToArray().Where(x => !float.IsNaN(x)), x => Assert.InRange(x, middle - reach, middle + reach));
    }

    [Fact]
    public void WindowsMeetWithoutAStep()
    {
        // Window 0 alone, and in the whole, where window 1 fades in from sample 375 to 499 by a raised cosine f: there the whole differs
        // from window 0 by f (window 1 - window 0), at most 6 f, as thresholding keeps both within -2 to 4.
        RestorationOptions options = Make.Options("ppg->bp", 2);
        float[] whole = new Restorer(weights.Engine, options).Run(Whole).Channel.Samples.ToArray();
        Channel ppg = Whole.Require("PPG");
        Recording first = Whole.WithChannels([ppg.WithSamples(ppg.Samples[..500])]);
        float[] alone = new Restorer(weights.Engine, options).Run(first).Channel.Samples.ToArray();

        Assert.Equal(Make.Bits(alone.AsMemory(0, 375)), Make.Bits(whole.AsMemory(0, 375)));
        for (int i = 0; i < 125; i++)
        {
            double fade = 0.5 - (0.5 * Math.Cos(Math.PI * (i + 1) / 126)), difference = Math.Abs((double)whole[375 + i] - alone[375 + i]);
            // Weights are multiples of 2^-24 and sums round to 2^-22 below 8: 1e-5 covers both.
            Assert.True(difference <= (6 * fade) + 1e-5, $"{difference} at {375 + i}, window 1 weighs {fade}");
        }
        Assert.Contains(Enumerable.Range(450, 50), i => Math.Abs(whole[i] - alone[i]) > 0.02);
    }

    [Fact]
    public void ProgressNeverFallsAndEndsAtOne()
    {
        var reports = new Reports();
        RestorationOptions options = Make.Options("ppg->ecg") with { WindowsPerBatch = 2 };
        RestorationResult result = new Restorer(weights.Engine, options).Run(Whole, progress: reports);
        Assert.Equal(3 * 3, reports.All.Count);
        Assert.All(reports.All, r => Assert.Equal(result.WindowsComputed, r.WindowsTotal));
        for (int i = 1; i < reports.All.Count; i++)
            Assert.True(reports.All[i].Fraction > reports.All[i - 1].Fraction
                && reports.All[i].WindowsDone >= reports.All[i - 1].WindowsDone);
        Assert.Equal(new RestorationProgress(5, 5, 1), reports.All[^1]);
    }

    [Fact]
    public void CancellationIsHeededBetweenSteps()
    {
        using var source = new CancellationTokenSource();
        var reports = new Reports { OnReport = source.Cancel };
        Assert.Throws<OperationCanceledException>(() =>
            new Restorer(weights.Engine, Make.Options("ppg->ecg")).Run(Whole, null, reports, source.Token));
        Assert.Single(reports.All);
    }

    [Fact]
    public void ARecordingShorterThanAWindowIsRefusedWithBothLengths()
    {
        var problem = Assert.Throws<RecordingShorterThanWindowException>(() =>
            new Restorer(weights.Engine, Make.Options("ppg->ecg")).Run(Make.Heart(3.5, 100)));
        Assert.Equal((3.5, 4.0), (problem.Seconds, problem.WindowSeconds));
        Assert.Contains("3.5 s", problem.Message, StringComparison.Ordinal);
        Assert.Contains("4 s", problem.Message, StringComparison.Ordinal);
        Assert.Equal(1, new Restorer(weights.Engine, Make.Options("ppg->ecg")).Run(Make.Heart(4, 100)).Windows);
    }

    [Fact]
    public void ChannelsAreFoundByKindOrByName()
    {
        Channel ppg = Whole.Require("PPG").Relabel("finger"), ecg = Whole.Require("ECG");
        var recording = new Recording("named", [new Channel("x1", "", 125, ppg.Samples), ecg, ecg.Relabel("V5")]);
        var restorer = new Restorer(weights.Engine, Make.Options("ppg,ecg->bp", 1));

        var missing = Assert.Throws<ChannelNotFoundException>(() => restorer.Run(recording));
        Assert.Contains("x1", missing.Message, StringComparison.Ordinal);
        RestorationResult result = restorer.Run(recording, new ChannelSelection { Ppg = "x1" });
        Assert.Contains(result.Warnings, w => w.Message.Contains("ECG, V5", StringComparison.Ordinal));
        var twice = Assert.Throws<ConfigurationException>(() => restorer.Run(recording, new ChannelSelection { Ppg = "ECG" }));
        Assert.Equal("channels", twice.Setting);
    }

    [Fact]
    public void SuspiciousSignalsAreReported()
    {
        float[] normalised = [.. Whole.Require("ABP").Samples.ToArray().Select(x => (x - 100) / 50)];
        float[] flat = Whole.Require("PPG").Samples.ToArray();
        flat.AsSpan(500, 300).Fill(flat[500]);
        var recording = new Recording("odd", [new Channel("ABP", "mmHg", 125, normalised), new Channel("PPG", "NU", 125, flat)]);
        RestorationResult result = new Restorer(weights.Engine, Make.Options("bp,ppg->ecg", 1)).Run(recording);
        Assert.Contains(result.Warnings, w => w.Kind == SignalWarningKind.Normalized && w.Channel == "ABP");
        Assert.Contains(result.Warnings, w => w.Channel == "PPG" && w.Message.Contains("flat", StringComparison.Ordinal));
    }

    [Fact]
    public void ValuesBeyondReasonAreRefusedNotReturned()
    {
        float[] huge = Whole.Require("PPG").Samples.ToArray();
        huge[100] = 3e38f;
        huge[900] = -3e38f;
        Recording recording = Make.WithGaps(new Recording("huge", [new Channel("PPG", "", 100, huge)]), "PPG", (5, 6));
        try
        {
            RestorationResult result = new Restorer(weights.Engine, Make.Options("impute ppg", 1)).Run(recording);
            Assert.All(result.Channel.Samples.ToArray(), x => Assert.True(float.IsFinite(x)));
        }
        catch (RestorationException problem)
        {
            Assert.Contains("PPG", problem.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void OptionsAreCheckedWhenTheRestorerIsMade()
    {
        RestorationOptions good = Make.Options("impute bp");
        AssertRefused("draws", good with { Draws = 0 });
        AssertRefused("overlap", good with { Overlap = 1 });
        AssertRefused("overlap", good with { Overlap = double.NaN });
        AssertRefused("band", good with { LowQuantile = 0.95, HighQuantile = 0.05 });
        AssertRefused("bridged gap", good with { BridgedGapSeconds = double.NaN });
        AssertRefused("windows per batch", good with { WindowsPerBatch = 0 });
        AssertRefused("task", good with { Task = default });
        AssertRefused("steps", good with { Sampler = new SamplerOptions { Steps = 1000 } });
    }

    [Theory]
    [InlineData("ppg,bp->ecg", "ppg", "ppg->ecg")]
    [InlineData("ppg,bp->ecg", "ecg", null)]
    [InlineData("impute bp | ppg,ecg", "bp,ecg", "impute bp | ecg")]
    [InlineData("impute bp | ppg,ecg", "ppg,ecg", "ppg,ecg->bp")]
    [InlineData("impute bp | ppg", "ecg", null)]
    [InlineData("denoise ecg | bp", "ecg", "denoise ecg")]
    [InlineData("denoise ecg | bp", "bp", null)]
    public void ATaskIsReducedToWhatIsThere(string task, string there, string? expected)
    {
        ModalitySet set = ModalitySet.None;
        foreach (string name in there.Split(','))
        {
            Assert.True(Modalities.TryParse(name, out Modality modality));
            set |= modality.ToSet();
        }
        Assert.Equal(expected, WindowSchedule.Reduce(CardioTask.Parse(task), set)?.ToString());
    }

    [SkippableFact]
    public void ARealRecordingGoesThrough()
    {
        string path = Project.Shared("data", "triad", "mimicdb230_old_300s_125Hz.csv");
        Recording recording = Make.WithGaps(
            RecordingFile.Read(path, new RecordingReadOptions { SampleRate = 125, StartSeconds = 20, EndSeconds = 50 }), "abp",
            (10, 11.2), (20, 21));
        RestorationResult imputed = new Restorer(weights.Engine, Make.Options("impute bp | ppg", 4)).Run(recording);
        Assert.Equal(275, imputed.GeneratedCount);
        Assert.All(imputed.Channel.Samples.ToArray(), x => Assert.InRange(x, 0, 300));
        RestorationResult translated = new Restorer(weights.Engine, Make.Options("ppg->ecg", 1)).Run(recording);
        Assert.Equal(translated.Channel.Length, translated.GeneratedCount);
    }

    private void AssertRefused(string setting, RestorationOptions options) =>
        Assert.Equal(setting, Assert.Throws<ConfigurationException>(() => new Restorer(weights.Engine, options)).Setting);
}
