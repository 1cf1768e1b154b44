using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Signals.Tests.Patient;

public class ProfileTests
{
    private static PatientSignals Heart(double seconds = 240, int subject = 9) => OwnBeatTests.Subject(subject, seconds,
        p => p with { AtrialFibrillation = false, VentricularEctopy = 0, AtrialEctopy = 0, HeartRate = 75, PressureDelay = 0.2,
            PressureFilter = null, EcgFilter = null });

    [Fact]
    public void AProfileSaysWhatWasMeasuredAndSurvivesItsFile()
    {
        // Subject 1: one upstroke a pulse (9 has a second, steeper one).
        PatientSignals signals = Heart(subject: 1);
        PatientProfile profile = PatientProfile.Parse(PatientProfile.Learn(signals).ToJson());
        Assert.Equal(3, profile.Signals.Count);
        Assert.Equal(6, profile.Pairs.Count);
        Assert.All(profile.Signals, s => Assert.InRange(s.RateBpm, 70, 80));
        SignalProfile pressure = profile.Signals.Single(s => s.Kind == ChannelKind.BloodPressure);
        Assert.True(pressure.Systolic > pressure.Diastolic + 10);
        PairProfile pair = profile.Pairs.Single(p => p is { From: ChannelKind.Ecg, To: ChannelKind.BloodPressure });
        // The foot comes 0.2 s after the R peak, the steepest point 20 to 90 ms later.
        Assert.InRange(pair.DelaySeconds, 0.2, 0.32);
        Assert.False(pair.IsClockDrift);
        Assert.InRange(pair.BeatError, 0, 0.4);
        Recording reference = profile.ToRecording("p");
        Assert.Equal(7500, reference.Find(ChannelKind.Ecg)!.Length);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("not json")]
    [InlineData("""{"version":2,"sample_rate":125}""")]
    [InlineData("""{"version":1,"sample_rate":125,"reference":{"ppg":null}}""")]
    [InlineData("""{"version":1,"sample_rate":125,"signals":null}""")]
    public void WhatIsNoProfileIsRefused(string text) => Assert.Throws<SignalException>(() => PatientProfile.Parse(text));

    // A device whose clock gains 60 ms a minute and starts 1.1 s late.
    [Fact]
    public void AnOffsetAndADriftAreFoundAndPutRight()
    {
        PatientSignals signals = Heart(200);
        var shifted = new SignalAlignment(-1.1, -0.001, 0);
        float[] late = shifted.Apply(signals[ChannelKind.BloodPressure], 125);
        PatientSignals given = signals.With(ChannelKind.BloodPressure, late);
        SignalAlignment found = SignalAlignment.Find(given, ChannelKind.Ecg, ChannelKind.BloodPressure)!.Value;
        Assert.InRange(found.DriftSecondsPerSecond, 0.0009, 0.0011);
        Assert.True(
            PatientProfile.Learn(given).Pairs.Single(p => p is { From: ChannelKind.Ecg, To: ChannelKind.BloodPressure }).IsClockDrift);
        PatientSignals aligned = given.With(ChannelKind.BloodPressure, found.Apply(late, 125));
        BeatDelay delay = BeatDelay.Between(aligned.BeatsOf(ChannelKind.Ecg), aligned.BeatsOf(ChannelKind.BloodPressure), (0, 62))!;
        Assert.InRange(delay.At(3000) - delay.At(20000), -2, 2);
    }

    /// <summary>Clocks that do not drift: what noise makes of the slope is of the size that is told beside it. Of 12 ratios of unit
    /// variance the root mean square is 1 +- 0.2; beats' delays breathe and have outliers, so that up to 2 passes.</summary>
    [Fact]
    public void ADriftThatIsNoiseIsWithinItsError()
    {
        double sum = 0;
        const int Hearts = 12;
        for (int seed = 0; seed < Hearts; seed++)
        {
            PatientSignals clean = Heart(60);
            var noise = new Random(seed);
            float[] ppg = [.. clean[ChannelKind.Ppg].ToArray().Select(x => x + (float)(0.08 * (noise.NextDouble() + noise.NextDouble()
                + noise.NextDouble() + noise.NextDouble() - 2)))];
            PairProfile pair = PatientProfile.Learn(clean.With(ChannelKind.Ppg, ppg)).Pairs
                .Single(p => p is { From: ChannelKind.Ecg, To: ChannelKind.Ppg });
            Assert.False(pair.IsClockDrift);
            double ratio = pair.DriftMsPerMinute / pair.DriftErrorMsPerMinute!.Value;
            sum += ratio * ratio;
        }

        Assert.InRange(Math.Sqrt(sum / Hearts), 0.3, 2);
    }

    // Bursts of noise in one signal after the other: each second at least one is clean.
    [Fact]
    public void AFusedRateFollowsTheSignalsThatAreGood()
    {
        PatientSignals truth = Heart(180);
        double[] known = BeatQuality.Of(ChannelKind.Ecg, truth[ChannelKind.Ecg], 125).Rate;
        BeatQuality Spoiled(ChannelKind kind, double from, double to)
        {
            float[] signal = truth[kind].ToArray();
            float range = signal.Max() - signal.Min();
            var random = new CounterRandom(5, (ulong)kind);
            for (int i = (int)(from * 125); i < (int)(to * 125); i++)
                signal[i] += range * (float)random.NextGaussian();
            return BeatQuality.Of(kind, signal, 125);
        }

        BeatQuality ecg = Spoiled(ChannelKind.Ecg, 30, 80), pressure = Spoiled(ChannelKind.BloodPressure, 90, 140),
            ppg = Spoiled(ChannelKind.Ppg, 20, 60);
        HeartRateTrack fused = FusedHeartRate.Fuse([ecg, pressure, ppg]);
        double[] errors =
            [.. Enumerable.Range(15, 160).Where(s => !double.IsNaN(fused.Rate[s])).Select(s => Math.Abs(fused.Rate[s] - known[s]))];
        Assert.True(errors.Length > 150, $"{errors.Length} seconds of 160");
        Assert.InRange(errors.Average(), 0, 1);
        Assert.True(fused.Deviation.Where(d => !double.IsNaN(d)).All(d => d > 0));
    }

    // A PPG counted twice is alone for 10 s and leads the prediction; then an ECG is there, and from 20 s on a pressure that counts twice
    // too.
    [Fact]
    public void APulseCountedTwiceGivesWayToTheEcg()
    {
        BeatQuality Of(ChannelKind kind, double rate, int from) => new([.. Enumerable.Repeat(rate, 40)],
            [.. Enumerable.Range(0, 40).Select(s => s >= from ? 0.97 : 0)], [.. Enumerable.Repeat(0.5, 40)]) { Kind = kind };
        double[] rate = FusedHeartRate.Fuse([Of(ChannelKind.Ecg, 92, 10), Of(ChannelKind.BloodPressure, 184, 20),
            Of(ChannelKind.Ppg, 185, 0)]).Rate;
        Assert.All(rate[..10], r => Assert.Equal(185, r, 1.0));
        Assert.All(rate[12..], r => Assert.Equal(92, r, 1.0));

        // At half of the ECG's rate, or at another one, a pulse has its say as ever.
        Assert.Equal(92, FusedHeartRate.Fuse([Of(ChannelKind.Ecg, 184, 10), Of(ChannelKind.Ppg, 92, 0)]).Rate[20], 1.0);
    }

    [Fact]
    public void ItAbstainsWhereNothingIsGood()
    {
        float[] noise = new float[60 * 125];
        var random = new CounterRandom(6, 1);
        for (int i = 0; i < noise.Length; i++)
            noise[i] = (float)random.NextGaussian();
        BeatQuality quality = BeatQuality.Of(ChannelKind.Ppg, noise, 125);
        Assert.All(FusedHeartRate.Fuse([quality]).Rate, r => Assert.True(double.IsNaN(r)));
        Assert.Throws<ArgumentException>(() => FusedHeartRate.Fuse([]));
    }
}
