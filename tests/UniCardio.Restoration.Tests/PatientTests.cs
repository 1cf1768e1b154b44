using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Pipeline.Patient;
using UniCardio.Signals;
using UniCardio.Signals.Beats;

namespace UniCardio.Restoration.Tests;

/// <summary>Restoration that knows the patient: estimators of gaps and calibrated translation.</summary>
[Collection(Interim.Name)]
public sealed class PatientTests(InterimWeights weights)
{
    private static readonly Recording Whole = Make.Heart(60);
    private static readonly Recording Gappy = Make.WithGaps(Whole, "ABP", (10, 11.2), (22.5, 23), (41, 43));

    private static double Error(RestorationResult result, Channel truth, Provenance of = Provenance.Imputed)
    {
        double sum = 0;
        int n = 0;
        for (int i = 0; i < truth.Length; i++)
        {
            if (result.Provenance.Span[i] != of)
                continue;
            double e = result.Channel.Samples.Span[i] - truth.Samples.Span[i];
            sum += e * e;
            n++;
        }

        return Math.Sqrt(sum / n);
    }

    [Fact]
    public void AutoKeepsWhatIsMeasuredAndErrsLessThanTheNetwork()
    {
        RestorationOptions options = Make.Options("impute bp | ecg");
        var reports = new Reports();
        RestorationResult network = new Restorer(weights.Engine, options).Run(Gappy),
            auto = new Restorer(weights.Engine, options with { Estimator = EstimatorChoice.Auto }).Run(Gappy, progress: reports);
        // Hidden stretches take longer than the windows do, and tell how far they are.
        RestorationProgress[] hiding = [.. reports.All.Where(r => r.WindowsDone == r.WindowsTotal)];
        Assert.True(hiding.Length > 24, $"{hiding.Length} reports");
        Assert.All(reports.All.Zip(reports.All.Skip(1)), pair => Assert.True(pair.Second.Fraction >= pair.First.Fraction));
        Assert.InRange(hiding[0].Fraction, 0.01, 0.9);
        Assert.Equal(1, hiding[^1].Fraction, 12);
        Channel truth = Whole.Require("ABP");
        for (int i = 0; i < truth.Length; i++)
        {
            if (!float.IsNaN(Gappy.Require("ABP").Samples.Span[i]))
                Assert.Equal(truth.Samples.Span[i], auto.Channel.Samples.Span[i]);
        }

        // A synthetic sinus rhythm's own beat errs by some 2 mmHg, these weights by 15.
        Assert.True(Error(auto, truth) < 0.5 * Error(network, truth), $"{Error(auto, truth)} and {Error(network, truth)}");
        Assert.Equal(3, auto.Fills.Count);
        Assert.Equal(1, auto.Estimators.Sum(e => e.Share), 1);
        Assert.Equal(network.GeneratedRanges, auto.GeneratedRanges);
        Assert.NotNull(auto.Band);
        Assert.Contains("estimator auto", auto.Recording.Comments[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(EstimatorChoice.Beat, "own beat by ecg")]
    [InlineData(EstimatorChoice.Fir, "filter from other signals")]
    [InlineData(EstimatorChoice.Line, "straight line")]
    public void WhatWasChosenFillsWithoutANetwork(EstimatorChoice choice, string name)
    {
        RestorationResult result = new Restorer(weights.Engine, Make.Options("impute bp | ecg") with { Estimator = choice }).Run(Gappy);
        Assert.Equal((0L, 0), (result.NetworkCalls, result.WindowsComputed));
        Assert.Equal((name, 1.0), result.Estimators.Single());
    }

    [Fact]
    public void AGapLongerThanAWindowIsFilledByRhythmWhereNoOtherSignalIsGiven()
    {
        Recording gappy = Make.WithGaps(Whole, "PPG", (20, 32));
        Assert.Throws<GapTooLongException>(() => new Restorer(weights.Engine, Make.Options("impute ppg")).Run(gappy));
        RestorationResult result = new Restorer(weights.Engine, Make.Options("impute ppg") with { Estimator = EstimatorChoice.Auto })
            .Run(gappy);
        Assert.Equal(1500, result.GeneratedCount);
        Assert.Equal(0, result.WindowsComputed);
    }

    [Fact]
    public void ATargetOfFewSecondsIsLeftToTheNetwork()
    {
        Recording gappy = Make.WithGaps(Whole, "ABP", (0, 53), (55, 56));
        RestorationResult result = new Restorer(weights.Engine, Make.Options("impute bp | ecg") with { Estimator = EstimatorChoice.Auto })
            .Run(gappy);
        Assert.Empty(result.Fills);
        Assert.Contains(result.Warnings, w => w.Message.Contains("own beat needs", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ecg->bp")]
    [InlineData("ppg,ecg->bp")]
    public void PairedSecondsGiveATranslatedPressureItsLevelAndBeat(string task)
    {
        RestorationOptions options = Make.Options(task) with { Calibration = new Calibration { StartSeconds = 0, EndSeconds = 30 } };
        RestorationResult result = new Restorer(weights.Engine, options).Run(Whole);
        Channel truth = Whole.Require("ABP");
        // The synthetic pressure's respiratory and slow waves, which its beat does not show, are a few mmHg.
        Assert.InRange(Error(result, truth, Provenance.Translated), 0, 6);
        Assert.Equal((SignalUnit.MillimetresOfMercury, 0L), (result.Channel.Unit, result.NetworkCalls));
        Assert.Equal(30, result.Calibration!.EndSeconds);
        Assert.Equal(30, result.Calibration.AgeSeconds, 3);
        Assert.NotNull(result.Band);

        // Nothing after the stretch is looked at.
        float[] other = truth.Samples.ToArray();
        for (int i = 31 * 125; i < other.Length; i++)
            other[i] = 300 - other[i];
        Recording changed = Whole.WithChannels(Whole.Channels.Select(c => c == truth ? c.WithSamples(other) : c));
        Assert.Equal(Make.Bits(result.Channel.Samples), Make.Bits(new Restorer(weights.Engine, options).Run(changed).Channel.Samples));
    }

    [Fact]
    public void AnotherRecordingOfThePatientCalibratesToo()
    {
        Recording late = Whole.WithChannels(Whole.Channels.Where(c => c.Name != "ABP"));
        RestorationResult result = new Restorer(
            weights.Engine, Make.Options("ecg->bp") with { Calibration = new Calibration { Recording = Make.Heart(40, 250) } }).Run(late);
        Assert.Equal(60, result.Calibration!.AgeSeconds, 3);
        Assert.InRange(Error(result, Whole.Require("ABP"), Provenance.Translated), 0, 8);
    }

    [Fact]
    public void TheBandWidensWithAge()
    {
        Assert.Equal(1, CalibrationReport.Widening(0));
        Assert.Equal(1, CalibrationReport.Widening(-5));
        Assert.True(CalibrationReport.Widening(60) < CalibrationReport.Widening(600));
        // Paired with another recording, the same minute is 60 s older at its end than at its start; the beats are the same ones over and
        // over.
        RestorationResult result = new Restorer(weights.Engine,
            Make.Options("ecg->bp") with { Calibration = new Calibration { Recording = Make.Heart(40) } }).Run(Make.Heart(360));
        float[] low = result.Band!.Low.ToArray(), high = result.Band.High.ToArray();
        double Width(int seconds) => Enumerable.Range(seconds * 125, 7500).Average(i => high[i] - low[i]);
        // Half a band of b mmHg becomes sqrt(b^2 + 1.645^2 25 minutes): at 5.3 and 0.7 minutes, with b of 2 to 4 mmHg, 19.1 to 19.4 over
        // 7.2 to 8.0: 2.4 to 2.7.
        Assert.InRange(Width(290) / Width(10), 2.0, 3.0);
    }

    // Both sources of a recording too short to be judged: open from some second on. Before, beats were carried on by rhythm.
    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    public void WhereNoSourceShowsABeatNoPressureIsMade(int from)
    {
        Recording heart = Make.Heart(15);
        Recording open = heart.WithChannels(heart.Channels.Where(c => c.Name != "ABP").Select(c =>
        {
            float[] samples = c.Samples.ToArray();
            samples.AsSpan(from * 125).Fill(0.5f);
            return c.WithSamples(samples);
        }));
        RestorationResult result = new Restorer(weights.Engine,
            Make.Options("ppg,ecg->bp") with { Calibration = new Calibration { Recording = Make.Heart(40, seed: 5) } }).Run(open);
        // A beat and a half after the last one, at 45 a minute or more, nothing stands there.
        for (int i = (from + (from == 0 ? 0 : 2)) * 125; i < 15 * 125; i++)
            Assert.Equal((Provenance.NoSignal, true), (result.Provenance.Span[i], float.IsNaN(result.Channel.Samples.Span[i])));
        Assert.Equal(from > 0, result.GeneratedCount > 5 * 125);
    }

    [Fact]
    public void AnAgeCountsFromBothSidesOfThePairedSeconds()
    {
        RestorationResult result = new Restorer(weights.Engine,
            Make.Options("ecg->bp") with { Calibration = new Calibration { StartSeconds = 300, EndSeconds = 350 } }).Run(Make.Heart(360));
        float[] low = result.Band!.Low.ToArray(), high = result.Band.High.ToArray();
        double Width(int seconds) => Enumerable.Range(seconds * 125, 2500).Average(i => high[i] - low[i]);
        // 290 and 0 s: as TheBandWidensWithAge has it.
        Assert.InRange(Width(0) / Width(320), 2.0, 8.0);
        Assert.Equal((10, false), (Math.Round(result.Calibration!.AgeSeconds, 3), result.Calibration.MayBeOlder));
    }

    [Fact]
    public void TheAgeOfAnotherRecordingIsToldByTheirClocksOrSaidToBeOpen()
    {
        Recording At(Recording r, DateTime? start) => new(r.Name, r.Channels, startTime: start);
        var noon = new DateTime(2024, 5, 1, 12, 0, 0);
        CalibrationReport Report(DateTime? theirs, DateTime? ours) => new Restorer(weights.Engine, Make.Options("ecg->bp")
            with { Calibration = new Calibration { Recording = At(Make.Heart(40), theirs) } }).Run(At(Make.Heart(60), ours)).Calibration!;
        CalibrationReport dayBefore = Report(noon.AddDays(-1), noon);
        Assert.Equal((86_400 - 40 + 60, -(86_400 - 40), false),
            (Math.Round(dayBefore.AgeSeconds), Math.Round(dayBefore.EndSeconds), dayBefore.MayBeOlder));
        foreach (DateTime? unknown in new DateTime?[] { null, DateTime.MinValue.AddHours(11) })
        {
            CalibrationReport open = Report(unknown, noon);
            Assert.Equal((60, true), (Math.Round(open.AgeSeconds), open.MayBeOlder));
        }
    }

    [Fact]
    public void ANormalisedPressureCalibratesNothing()
    {
        Recording heart = Make.Heart(40);
        Channel pressure = heart.Require("ABP");
        Recording normalised = heart.WithChannels(heart.Channels.Select(c => c != pressure ? c
            : new Channel(c.Name, SignalUnit.Normalized, c.SampleRate, c.Samples, c.Kind)));
        Assert.Contains("'ABP' is normalised", Assert.Throws<RestorationException>(() => new Restorer(weights.Engine,
            Make.Options("ecg->bp") with { Calibration = new Calibration { Recording = normalised } }).Run(Whole)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void CuffReadingsLevelEveryBeat()
    {
        RestorationOptions options = Make.Options("ecg->bp")
            with { Calibration = new Calibration { Cuffs = [new CuffReading(140, 80, 0), new CuffReading(120, 70, 60)] } };
        RestorationResult result = new Restorer(weights.Engine, options).Run(Whole);
        Assert.Equal(SignalUnit.MillimetresOfMercury, result.Channel.Unit);
        IReadOnlyList<Beat> pulses = BeatSeries.Of(result.Channel.Samples.Span, 125, ChannelKind.BloodPressure).Beats;
        Assert.NotEmpty(pulses);
        // Peaks of the levelled wave lie at the readings, which run from 140/80 to 120/70, but for a beat that is less than a quarter of
        // the usual one.
        double[] off = [.. pulses.Select(p => Math.Abs(p.Value - (140 - (20 * p.Sample / 7500.0)))).Order()];
        Assert.InRange(off[off.Length / 2], 0, 2);
    }

    [Fact]
    public void WithoutACalibrationATranslatedPressureSaysNoMmHg()
    {
        RestorationResult result = new Restorer(weights.Engine, Make.Options("ecg->bp")).Run(Whole);
        Assert.Equal(SignalUnit.Normalized, result.Channel.Unit);
        Assert.All(result.Channel.Samples.ToArray(), x => Assert.InRange(x, -2f, 4f));
        Assert.Contains(result.Warnings, w => w.Message.Contains("no SBP or DBP", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("impute bp | ecg", 0.0, 10.0, "for translation")]
    [InlineData("ecg->bp", 10.0, 5.0, "no stretch")]
    public void ACalibrationOutOfPlaceIsRefused(string task, double from, double to, string message)
    {
        var options = Make.Options(task) with { Calibration = new Calibration { StartSeconds = from, EndSeconds = to } };
        Assert.Contains(message, Assert.Throws<ConfigurationException>(() => new Restorer(weights.Engine, options)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ACalibrationWithoutBeatsIsRefused()
    {
        var options = Make.Options("ecg->bp") with { Calibration = new Calibration { StartSeconds = 0, EndSeconds = 2 } };
        Assert.Contains("six beats", Assert.Throws<RestorationException>(() => new Restorer(weights.Engine, options).Run(Whole)).Message,
            StringComparison.Ordinal);
    }
}
