using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Processing;

namespace UniCardio.Restoration.Tests;

[Collection(Interim.Name)]
public sealed class ImputationTests(InterimWeights weights)
{
    /// <summary>What thresholding lets a predicted pressure be (scaled -2 to 4); a sampler's last row ends at the predicted clean
    /// signal.</summary>
    private const float MinPressure = 0, MaxPressure = 300;

    private static readonly Recording Whole = Make.Heart(20);

    private static readonly Recording Gappy = Make.WithGaps(Whole, "ABP", (5, 6.2), (13.5, 14));

    [Fact]
    public void MeasuredSamplesStayBitForBitAndGapsAreFilledInMmHg()
    {
        RestorationResult result = new Restorer(weights.Engine, Make.Options("impute bp | ppg")).Run(Gappy);

        AssertFilled(Gappy.Require("ABP"), result);
        Assert.Same(result.Channel, result.Recording.Find("ABP"));
        Assert.Equal(3, result.Recording.Channels.Count);
        Assert.Equal([new SampleRange(625, 150), new SampleRange(1688, 62)], result.GeneratedRanges);
        Assert.Contains(RestorationResult.Remark, result.Recording.Comments[^1], StringComparison.Ordinal);
        // 2500 samples, windows of 500 every 375: seven; those from 375 and 750 hold the first gap, that from 1500 the second.
        Assert.Equal(7, result.Windows);
        Assert.Equal(3, result.WindowsComputed);
        Assert.Equal(3 * 2 * 3, result.NetworkCalls);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(5, 3)]
    public void NeitherBatchNorThreadsChangeABit(int batch, int threads)
    {
        Recording recording = Make.WithGaps(Whole, "ABP", (1, 2), (5, 6.2), (9, 10), (13.5, 14), (19, 20));
        RestorationOptions options = Make.Options("impute bp | ppg", 3);
        RestorationResult expected = new Restorer(weights.Engine, options).Run(recording);

        using InferenceEngine other = weights.CreateEngine(threads);
        RestorationResult actual = new Restorer(other, options with { WindowsPerBatch = batch }).Run(recording);

        Assert.Equal(Make.Bits(expected.Channel.Samples), Make.Bits(actual.Channel.Samples));
        Assert.Equal(Make.Bits(expected.Band!.Low), Make.Bits(actual.Band!.Low));
        Assert.Equal(Make.Bits(expected.Band.High), Make.Bits(actual.Band.High));
    }

    [Fact]
    public void AnotherSeedFillsInAnotherWay()
    {
        RestorationOptions options = Make.Options("impute bp");
        RestorationResult a = new Restorer(weights.Engine, options).Run(Gappy);
        RestorationResult b = new Restorer(weights.Engine, options with { Seed = 8 }).Run(Gappy);
        Assert.NotEqual(Make.Bits(a.Channel.Samples), Make.Bits(b.Channel.Samples));
    }

    [Fact]
    public void ARecordingWithoutGapsCostsNothing()
    {
        RestorationResult result = new Restorer(weights.Engine, Make.Options("impute ecg")).Run(Whole);
        Assert.Equal((0, 0L), (result.WindowsComputed, result.NetworkCalls));
        Assert.Equal(Make.Bits(Whole.Require("ECG").Samples), Make.Bits(result.Channel.Samples));
        Assert.Equal(result.Channel.Length, result.Count(Provenance.Measured));
    }

    [Fact]
    public void TheBandLiesAboutTheMedianInGapsAndNowhereElse()
    {
        RestorationResult result = new Restorer(weights.Engine, Make.Options("impute bp", 5) with { BandChannels = true }).Run(Gappy);
        ReadOnlySpan<float> low = result.Band!.Low.Span, high = result.Band.High.Span, center = result.Channel.Samples.Span;
        int wide = 0;
        for (int i = 0; i < center.Length; i++)
        {
            bool generated = result.Provenance.Span[i].IsGenerated();
            Assert.Equal(generated, !float.IsNaN(low[i]) && !float.IsNaN(high[i]));
            // Each is a weighted mean of the same windows' quantiles, so order holds up to rounding: a few ulp of 300 mmHg.
            if (generated)
                Assert.True(low[i] <= center[i] + 1e-3f && center[i] <= high[i] + 1e-3f, $"sample {i}: {low[i]}, {center[i]}, {high[i]}");
            wide += generated && high[i] > low[i] ? 1 : 0;
        }
        Assert.Equal(result.GeneratedCount, wide);
        Assert.Equal(["PPG", "ABP", "ECG", "ABP_p5", "ABP_p95"], result.Recording.Channels.Select(c => c.Name));
        Assert.Equal(ChannelKind.Other, result.Recording.Channels[^1].Kind);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(250)]
    [InlineData(99.7)]
    public void OtherRatesComeBackAtTheirOwnRate(double rate)
    {
        Recording recording = Make.WithGaps(Make.Heart(12, rate), "ABP", (0, 0.7), (5, 6.2), (11.4, 12));
        RestorationResult result = new Restorer(weights.Engine, Make.Options("impute bp | ecg")).Run(recording);
        AssertFilled(recording.Require("ABP"), result);
    }

    [Fact]
    public void ChannelsOfDifferentRatesAndLengthsMeetOnOneAxis()
    {
        Recording slow = Make.Heart(12, 100), fast = Make.Heart(10, 360);
        var recording = new Recording("mixed", [slow.Require("ABP"), fast.Require("ECG")]);
        Recording gappy = Make.WithGaps(recording, "ABP", (5, 6), (11, 12));
        RestorationResult result = new Restorer(weights.Engine, Make.Options("impute bp | ecg")).Run(gappy);
        AssertFilled(gappy.Require("ABP"), result);
        Assert.Equal(360, result.Recording.Require("ECG").SampleRate);
    }

    [Fact]
    public void SingleLostSamplesAreBridgedWithoutAWindow()
    {
        float[] samples = Whole.Require("ABP").Samples.ToArray();
        samples[700] = samples[1400] = samples[1401] = float.NaN;
        Recording recording = Whole.WithChannels([Whole.Require("ABP").WithSamples(samples)]);

        RestorationResult result = new Restorer(weights.Engine, Make.Options("impute bp")).Run(recording);
        Assert.Equal((0, 3), (result.WindowsComputed, result.Count(Provenance.Bridged)));
        // Rounding of the mean of two pressures below 256 mmHg: half an ulp, 2^-17.
        Assert.Equal((samples[699] + samples[701]) / 2.0, result.Channel.Samples.Span[700], 1e-5);

        RestorationResult asked = new Restorer(weights.Engine, Make.Options("impute bp") with { BridgedGapSeconds = 0 }).Run(recording);
        Assert.Equal((0, 3), (asked.Count(Provenance.Bridged), asked.GeneratedCount));
    }

    [Fact]
    public void AGapBetweenTwoSamplesOfTheNetworkIsFilledToo()
    {
        Recording heart = Make.Heart(6, 1000);
        float[] samples = heart.Require("ABP").Samples.ToArray();
        samples[3003] = float.NaN;
        Recording recording = heart.WithChannels([heart.Require("ABP").WithSamples(samples)]);
        RestorationResult result = new Restorer(weights.Engine, Make.Options("impute bp") with { BridgedGapSeconds = 0 }).Run(recording);
        Assert.Equal(1, result.GeneratedCount);
        AssertFilled(recording.Require("ABP"), result);
    }

    [Fact]
    public void AGapLongerThanAWindowIsFilledFromOtherSignals()
    {
        Recording recording = Make.WithGaps(Whole, "ABP", (5, 14));
        RestorationResult result = new Restorer(weights.Engine, Make.Options("impute bp | ppg")).Run(recording);
        AssertFilled(recording.Require("ABP"), result);
        Assert.Contains(result.Warnings, w =>
            w.Channel == "ABP" && w.Message.Contains("its level is the network's guess", StringComparison.Ordinal));
    }

    // Before, a pressure of which nothing was measured came out in mmHg at a level that was the network's guess.
    [Fact]
    public void APressureThatIsMeasuredNowhereIsRefused()
    {
        var problem = Assert.Throws<RestorationException>(() =>
            new Restorer(weights.Engine, Make.Options("impute bp | ppg")).Run(Make.WithGaps(Whole, "ABP", (0, 1e3))));
        Assert.Contains("'ABP' has no measured sample, so there is no level", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AGapLongerThanAWindowAloneIsRefusedByName()
    {
        var problem = Assert.Throws<GapTooLongException>(() =>
            new Restorer(weights.Engine, Make.Options("impute bp")).Run(Make.WithGaps(Whole, "ABP", (5, 14))));
        Assert.Equal(("ABP", 5.0, 14.0), (problem.Channel, problem.StartSeconds, problem.EndSeconds));

        Recording both = Make.WithGaps(Make.WithGaps(Whole, "ABP", (5, 14)), "PPG", (6, 15));
        problem = Assert.Throws<GapTooLongException>(() => new Restorer(weights.Engine, Make.Options("impute bp | ppg")).Run(both));
        Assert.Contains("'PPG'", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AConditionThatIsMissingInAWindowIsLeftOutThere()
    {
        // Without PPG in the windows of the gap the task is 'impute bp': the same windows, the same noise, the same bits.
        Recording recording = Make.WithGaps(Make.WithGaps(Whole, "ABP", (5, 6.2)), "PPG", (2.9, 10.1));
        RestorationResult with = new Restorer(weights.Engine, Make.Options("impute bp | ppg")).Run(recording);
        RestorationResult alone = new Restorer(weights.Engine, Make.Options("impute bp")).Run(recording);
        Assert.Equal(Make.Bits(alone.Channel.Samples), Make.Bits(with.Channel.Samples));
        Assert.Contains(with.Warnings, w => w.Channel == "PPG" && w.Message.Contains("ran without it", StringComparison.Ordinal));
    }

    [Fact]
    public void PressureInKPaIsFilledInKPa()
    {
        Channel pressure = Whole.Require("ABP");
        SignalUnit.TryGetFactor("mmHg", "kPa", out double factor);
        float[] kilopascal = [.. pressure.Samples.ToArray().Select(x => (float)(x * factor))];
        Recording recording = Make.WithGaps(new Recording("kPa", [new Channel("ABP", "kPa", 125, kilopascal)]), "ABP", (5, 6.2));
        RestorationResult result = new Restorer(weights.Engine, Make.Options("impute bp")).Run(recording);
        RestorationResult reference = new Restorer(weights.Engine, Make.Options("impute bp")).Run(Make.WithGaps(Whole, "ABP", (5, 6.2)));
        Assert.Equal("kPa", result.Channel.Unit);
        for (int i = 625; i < 775; i++)
        {
            // Conditions differ by an ulp here and there, which the network may amplify: 1e-3 of 40 kPa.
            Assert.Equal(reference.Channel.Samples.Span[i] * factor, result.Channel.Samples.Span[i], 0.04);
        }
    }

    private static void AssertFilled(Channel gappy, RestorationResult result)
    {
        ReadOnlySpan<float> before = gappy.Samples.Span, after = result.Channel.Samples.Span;
        Assert.Equal((gappy.Length, gappy.SampleRate, gappy.Unit), (result.Channel.Length, result.Channel.SampleRate, result.Channel.Unit));
        for (int i = 0; i < before.Length; i++)
        {
            bool missing = float.IsNaN(before[i]);
            Assert.Equal(missing ? Provenance.Imputed : Provenance.Measured, result.Provenance.Span[i]);
            if (missing)
                Assert.True(after[i] is >= MinPressure and <= MaxPressure, $"sample {i} is {after[i]} mmHg");
            else
                Assert.Equal(BitConverter.SingleToInt32Bits(before[i]), BitConverter.SingleToInt32Bits(after[i]));
        }
    }
}
