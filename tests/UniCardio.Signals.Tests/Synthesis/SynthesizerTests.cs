using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Signals.Tests.Synthesis;

public class SynthesizerTests
{
    private static SyntheticRecording Generate(SynthesisParameters p, double seconds, ulong seed) =>
        new CardiovascularSynthesizer().Generate(p, (int)(seconds * p.SampleRate), seed);

    private static double[] Intervals(SyntheticRecording r) => [.. r.Beats.Zip(r.Beats.Skip(1), (a, b) => b.TimeSeconds - a.TimeSeconds)];

    [Fact]
    public void ASeedGivesTheSameSignalsOnEveryMachine()
    {
        SyntheticRecording r = Generate(new SynthesisParameters { AtrialFibrillation = true, VentricularEctopy = 0.2 }, 20, 2026);
        SignalCorruption.Apply(r.Ecg, 125, EverythingAtOnce, 9);
        byte[] all = [.. MemoryMarshal.AsBytes<float>(r.Ppg), .. MemoryMarshal.AsBytes<float>(r.BloodPressure),
            .. MemoryMarshal.AsBytes<float>(r.Ecg)];
        // Recorded once. It changes when the model is changed on purpose, and for no other reason.
        Assert.Equal(Recorded, Convert.ToHexString(SHA256.HashData(all))[..32]);
    }

    private const string Recorded = "4FE3D672011AFCD8F2E335111ED59617";

    [Fact]
    public void AGeneratorThatWasUsedBeforeGivesTheSameWindow()
    {
        var generator = new CardiovascularSynthesizer();
        var p = SynthesisParameters.Draw(5);
        float[] a = new float[500], b = new float[500], c = new float[500], d = new float[500], e = new float[500], f = new float[500];
        generator.Fill(p, 1, a, b, c);
        generator.Fill(SynthesisParameters.Draw(6), 2, d, e, f);
        generator.Fill(p, 1, d, e, f);
        Assert.Equal(a, d);
        Assert.Equal(b, e);
        Assert.Equal(c, f);
        generator.Fill(p, 2, d, e, f);
        Assert.NotEqual(a, d);
    }

    [Theory]
    [InlineData(30)]
    [InlineData(70)]
    [InlineData(120)]
    [InlineData(220)]
    public void TheMeanRateIsTheOneAskedFor(double rate)
    {
        double[] rr =
            Intervals(Generate(new SynthesisParameters { HeartRate = rate, SystolicPressure = 110, DiastolicPressure = 70 }, 300, 3));
        // Variation of 3% over at least 145 intervals, the periodic parts of which cancel.
        Assert.InRange(60 / rr.Average() / rate, 0.99, 1.01);
    }

    [Fact]
    public void RespirationDrivesTheIntervalsAtItsOwnFrequency()
    {
        var p = new SynthesisParameters { RespiratoryRate = 15, RespiratorySinusArrhythmia = 0.1, SlowVariability = 0,
            RandomVariability = 0 };
        SyntheticRecording r = Generate(p, 240, 4);
        double Power(double frequency)
        {
            double[] rr = Intervals(r);
            double mean = rr.Average(), re = 0, im = 0;
            for (int i = 0; i < rr.Length; i++)
            {
                double angle = 2 * Math.PI * frequency * r.Beats[i].TimeSeconds;
                re += (rr[i] - mean) * Math.Cos(angle);
                im += (rr[i] - mean) * Math.Sin(angle);
            }
            return Math.Sqrt(re * re + im * im) * 2 / rr.Length;
        }
        Assert.InRange(Power(0.25), 0.07, 0.1);
        Assert.InRange(Power(0.1), 0, 0.01);
    }

    [Fact]
    public void AtrialFibrillationIsIrregularAndHasNoPWave()
    {
        SyntheticRecording sinus = Generate(new SynthesisParameters(), 120, 5);
        SyntheticRecording fibrillation = Generate(new SynthesisParameters { AtrialFibrillation = true, FibrillatoryWave = 0.02 }, 120, 5);
        Assert.InRange(Variation(sinus), 0.01, 0.06);
        Assert.InRange(Variation(fibrillation), 0.15, 0.3);
        Assert.True(WaveBefore(sinus) > 0.08);
        Assert.InRange(WaveBefore(fibrillation), -0.02, 0.02);

        static double Variation(SyntheticRecording r)
        {
            double[] rr = Intervals(r);
            return Math.Sqrt(rr.Average(x => (x - rr.Average()) * (x - rr.Average()))) / rr.Average();
        }

        // Mean of the ECG where a sinus beat's P wave peaks.
        static double WaveBefore(SyntheticRecording r) => r.Beats.Where(b => b.Sample > 40 && b.TimeSeconds > 1)
            .Average(b => r.Ecg[b.Sample - (int)Math.Round(0.152 * 125)]);
    }

    [Fact]
    public void EctopicBeatsComeEarlyAndAreFollowedByACompensatoryPause()
    {
        var p = new SynthesisParameters { VentricularEctopy = 0.15, RespiratorySinusArrhythmia = 0, SlowVariability = 0,
            RandomVariability = 0 };
        SyntheticRecording r = Generate(p, 600, 6);
        double mean = 60 / p.HeartRate;
        // Beats after a premature one are never premature themselves, so the share asked for is reached by a higher chance for the rest.
        Assert.InRange(r.Beats.Count(b => b.Kind == BeatKind.Ventricular) / (double)r.Beats.Count, 0.11, 0.19);
        for (int i = 1; i + 1 < r.Beats.Count; i++)
        {
            if (r.Beats[i].Kind != BeatKind.Ventricular)
                continue;
            double coupling = r.Beats[i].TimeSeconds - r.Beats[i - 1].TimeSeconds,
                pause = r.Beats[i + 1].TimeSeconds - r.Beats[i].TimeSeconds;
            Assert.InRange(coupling / mean, 0.55, 0.72);
            Assert.Equal(2 * mean, coupling + pause, 1e-9);
        }
        float Pulse(BeatKind kind) =>
            r.Beats.Where(b => b.Kind == kind && b.Systolic is not null).Average(b => b.Systolic!.Value - b.Diastolic!.Value);
        Assert.True(Pulse(BeatKind.Ventricular) < 0.6f * Pulse(BeatKind.Normal));
    }

    [Fact]
    public void RPeaksAreWhereTheTruthSays()
    {
        foreach (ulong seed in new ulong[] { 1, 2, 3, 4, 5, 6, 7, 8 })
        {
            // A drawn rhythm in an upright lead: the R wave of others may point down, and a monitor's filter moves it.
            SynthesisParameters p = SynthesisParameters.Draw(seed, 500)
                with { FibrillatoryWave = 0, VentricularEctopy = 0, Ecg = new(), EcgFilter = null };
            SyntheticRecording r = Generate(p, 30, seed);
            foreach (SyntheticBeat beat in r.Beats.Where(b => b.Sample is > 20 and < 14980))
            {
                int peak = Enumerable.Range(beat.Sample - 20, 41).MaxBy(i => r.Ecg[i]);
                // Q, S and a T wave that runs into the next beat lean on the R wave's flanks by a few milliseconds at most.
                Assert.InRange(peak - beat.Sample, -2, 2);
            }
        }
    }

    [Theory]
    [InlineData(120, 75, 70)]
    [InlineData(200, 50, 30)]
    [InlineData(95, 65, 220)]
    [InlineData(85, 75, 100)]
    public void PressureSwingsBetweenTheValuesAskedFor(double systolic, double diastolic, double rate)
    {
        var p = new SynthesisParameters { SystolicPressure = systolic, DiastolicPressure = diastolic, HeartRate = rate,
            RespiratoryPressure = 1, SlowPressure = 1 };
        SyntheticRecording r = Generate(p, 120, 7);
        var whole = r.Beats.Where(b => b.Systolic is not null).ToArray();
        Assert.True(whole.Length >= r.Beats.Count - 3);
        // The mean over respiration; filling is not linear in the interval, which moves it by a percent of the pulse or two.
        Assert.InRange(whole.Average(b => b.Systolic!.Value) - systolic, -0.03 * (systolic - diastolic) - 0.5,
            0.03 * (systolic - diastolic) + 0.5);
        Assert.InRange(whole.Average(b => b.Diastolic!.Value) - diastolic, -0.03 * (systolic - diastolic) - 0.5,
            0.03 * (systolic - diastolic) + 0.5);
        Assert.All(whole, b =>
        {
            Assert.Equal(r.BloodPressure[b.SystolicSample!.Value], b.Systolic);
            Assert.Equal(r.BloodPressure[b.DiastolicSample!.Value], b.Diastolic);
            // The foot lies the delay after the R peak (4% of which breathes), systole after the foot.
            Assert.InRange(b.DiastolicSample.Value / 125.0 - b.TimeSeconds, 0.12, 0.22);
            Assert.True(b.SystolicSample > b.DiastolicSample);
        });
    }

    [Fact]
    public void ANotchMakesASecondCrestAndNoNotchMakesNone()
    {
        static int Crests(double notch)
        {
            SyntheticRecording r = Generate(new SynthesisParameters { DicroticNotch = notch, Augmentation = 0.3 }, 60, 8);
            int crests = 0;
            for (int i = 1; i + 1 < r.BloodPressure.Length; i++)
                crests += r.BloodPressure[i] > r.BloodPressure[i - 1] && r.BloodPressure[i] >= r.BloodPressure[i + 1] ? 1 : 0;
            return crests;
        }
        int beats = Generate(new SynthesisParameters(), 60, 8).Beats.Count;
        Assert.InRange(Crests(1), 2 * beats - 3, 2 * beats + 3);
        Assert.InRange(Crests(0), beats - 2, beats + 2);
    }

    [Fact]
    public void ThePPGFollowsTheECGByItsDelay()
    {
        float Lag(double delay)
        {
            SyntheticRecording r = Generate(new SynthesisParameters { PpgDelay = delay, PpgRespiration = 0 }, 60, 9);
            return r.Beats.Where(b => b.TimeSeconds is > 2 and < 57).Average(b =>
                (Enumerable.Range(b.Sample + (int)(delay * 125) - 12, 25).MinBy(i => r.Ppg[i]) - b.Sample) / 125f);
        }
        Assert.Equal(0.25f, Lag(0.25), 0.02f);
        Assert.Equal(0.60f, Lag(0.6), 0.02f);
    }

    [Fact]
    public void EveryDrawnSubjectIsValidAndGivesPlausibleSignals()
    {
        var generator = new CardiovascularSynthesizer();
        float[] ppg = new float[500], pressure = new float[500], ecg = new float[500];
        Gen<ulong> seeds = Gen.Choose(0, int.MaxValue).Select(i => (ulong)i);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1000), Prop.ForAll(seeds.ToArbitrary(), seed =>
        {
            SynthesisParameters p = SynthesisParameters.Draw(seed);
            p.Validate();
            generator.Fill(p, seed, ppg, pressure, ecg);
            AssertWithin(pressure, 5, 320);
            AssertWithin(ecg, -10, 10);
            AssertWithin(ppg, -4, 6);
            // Fast fibrillation in a damped line leaves little of a pulse, but something.
            Assert.True(pressure.Max() - pressure.Min() > 3);
            Assert.True(ecg.Max() - ecg.Min() > 0.05f);
            Assert.True(ppg.Max() - ppg.Min() > 0.1f);
        }));
    }

    private static void AssertWithin(float[] values, float low, float high)
    {
        foreach (float x in values)
        {
            if (!(x >= low && x <= high))
                Assert.Fail($"{x} is not from {low} to {high}");
        }
    }

    [Fact]
    public void DrawnSubjectsCoverTheRangesThatRecordingsHave()
    {
        SynthesisParameters[] drawn = [.. Enumerable.Range(0, 3000).Select(i => SynthesisParameters.Draw((ulong)i))];
        // Each range has at least a hundredth of the subjects at either end, so at 3000 one of these fails once in e^30 or so.
        Assert.Contains(drawn, p => p.HeartRate < 38);
        Assert.Contains(drawn, p => p.HeartRate > 170);
        Assert.Contains(drawn, p => p.PressureDelay > 0.45);
        Assert.Contains(drawn, p => p.PpgDelay > 0.65);
        Assert.Contains(drawn, p => p.PpgDelay - p.PressureDelay > 0.4);
        Assert.Contains(drawn, p => p.PpgDelay < p.PressureDelay);
        Assert.Contains(drawn, p => p.SystolicPressure < 70);
        Assert.Contains(drawn, p => p.SystolicPressure > 220);
        Assert.Contains(drawn, p => p.SystolicPressure - p.DiastolicPressure > 100);
        Assert.Contains(drawn, p => p.SystolicPressure - p.DiastolicPressure < 20);
        Assert.Contains(drawn, p => p.Ecg.R < -0.5);
        Assert.Contains(drawn, p => p.Ecg.T < -0.2);
        Assert.Contains(drawn, p => p.Ecg.Spike != 0);
        Assert.Contains(drawn, p => p.AtrialFibrillation && p.FibrillatoryIrregularity > 0.2);
        Assert.Contains(drawn, p => p.AtrialFibrillation && p.FibrillatoryIrregularity < 0.03);
        Assert.Contains(drawn, p => p.VentricularRun > 0.9);
        Assert.Contains(drawn, p => p.AtrialEctopy > 0.1);
    }

    [Fact]
    public void LimitsLeaveOutWhatTheyNameAndKeepTheHeart()
    {
        for (ulong seed = 0; seed < 2000; seed++)
        {
            SynthesisParameters whole = SynthesisParameters.Draw(seed);
            SynthesisParameters near = SynthesisParameters.Draw(seed, limits: SubjectLimits.NoMonitorDelay);
            SynthesisParameters upright = SynthesisParameters.Draw(seed, limits: SubjectLimits.UprightLead);
            // At most 2.5 deviations of 0.035 s from 0.19 s at 120 mmHg, 0.6 ms less a mmHg (55 to 255), not below 0.09; the finger 0.14 s
            // later.
            Assert.InRange(near.PressureDelay, 0.09, 0.317);
            Assert.InRange(near.PpgDelay - near.PressureDelay, 0, 0.14);
            Assert.Equal(whole, near with { PressureDelay = whole.PressureDelay, PpgDelay = whole.PpgDelay });
            // R is at least 0.5 of a lead that is scaled by 0.3 or more; broad complexes start at 1.4.
            Assert.True(upright.Ecg.R >= 0.15 && upright.Ecg.SecondR == 0 && upright.Ecg.QrsWidth < 1.4, $"seed {seed}: {upright.Ecg}");
            Assert.Equal(whole, upright with { Ecg = whole.Ecg });
            // Three tenths of 2.5 deviations about the usual time at this pressure; the finger 0.049 to 0.091 s later.
            SynthesisParameters usual = SynthesisParameters.Draw(seed, limits: SubjectLimits.NoMonitorDelay | SubjectLimits.UsualTransit);
            double expected = Math.Max(0.19 - 0.0006 * (whole.SystolicPressure - 120), 0.09);
            Assert.InRange(usual.PressureDelay - expected, -0.0263, 0.0263);
            Assert.InRange(usual.PpgDelay - usual.PressureDelay, 0.0489, 0.0911);
        }
    }

    [Fact]
    public void RunsOfVentricularBeatsHaveTheirRateAndLength()
    {
        SyntheticRecording r =
            Generate(new SynthesisParameters { VentricularEctopy = 0.1, VentricularRun = 0.8, VentricularRate = 180 }, 900, 12);
        int beats = 0, runs = 0;
        for (int i = 1; i < r.Beats.Count; i++)
        {
            if (r.Beats[i].Kind != BeatKind.Ventricular)
                continue;
            beats++;
            if (r.Beats[i - 1].Kind == BeatKind.Ventricular)
                // 3% of variation, cut at three standard deviations.
                Assert.InRange((r.Beats[i].TimeSeconds - r.Beats[i - 1].TimeSeconds) * 3, 0.909, 1.091);
            else
                runs++;
        }
        // Geometric with mean 5; a standard error of 4.5 / sqrt(runs), some 100 of them.
        Assert.InRange(beats / (double)runs, 2.8, 7.2);
    }

    [Fact]
    public void PrematureAtrialBeatsResetTheSinusNodeAndKeepTheirShape()
    {
        var p = new SynthesisParameters { AtrialEctopy = 0.1, RespiratorySinusArrhythmia = 0, SlowVariability = 0, RandomVariability = 0,
            EcgRespiration = 0 };
        SyntheticRecording r = Generate(p, 300, 13);
        double mean = 60 / p.HeartRate;
        int premature = 0;
        for (int i = 1; i + 1 < r.Beats.Count; i++)
        {
            if (r.Beats[i].Kind != BeatKind.Atrial)
                continue;
            premature++;
            Assert.InRange((r.Beats[i].TimeSeconds - r.Beats[i - 1].TimeSeconds) / mean, 0.6, 0.85);
            Assert.Equal(1.08 * mean, r.Beats[i + 1].TimeSeconds - r.Beats[i].TimeSeconds, 1e-9);
        }
        // A tenth of some 360 beats; five standard deviations are 28.
        Assert.InRange(premature, 8, 64);
        Assert.Contains(r.ToRecording().Annotations, a => a.Symbol == "A");
    }

    [Fact]
    public void APulseShapeOfItsOwnKeepsThePressuresAskedFor()
    {
        var pulse = new PulseMorphology { Onset = 2, Offset = 3, QuickShare = 0.7, SlowDecay = 1.2, Dicrotic = 0.2, DicroticDelay = 0.25,
            DicroticWidth = 0.09 };
        var p = new SynthesisParameters { PressurePulse = pulse, RespiratoryPressure = 0, SlowPressure = 0, RespiratorySinusArrhythmia = 0,
            SlowVariability = 0, RandomVariability = 0, RespiratoryStroke = 0 };
        SyntheticRecording r = Generate(p, 60, 14);
        // A regular rhythm swings between them but for the pulses' transit, which breathes by a sine; sampling takes a fraction of a mmHg.
        Assert.Equal(p.SystolicPressure, r.Beats.Where(b => b.Systolic is not null).Average(b => b.Systolic!.Value), 0.5);
        Assert.Equal(p.DiastolicPressure, r.Beats.Where(b => b.Systolic is not null).Average(b => b.Diastolic!.Value), 0.5);
    }

    [Fact]
    public void RespirationChangesThePPGSPulsesWhereAskedAndALossLowersThem()
    {
        static double[] Heights(SynthesisParameters p) => [.. Generate(p, 120, 15) is var r
            ? r.Beats.Where(b => b.TimeSeconds is > 1 and < 118).Select(b =>
                (double)Enumerable.Range(b.Sample + 30, 60).Max(i => r.Ppg[i]) - Enumerable.Range(b.Sample + 20, 25).Min(i => r.Ppg[i]))
                    : []];
        var still = new SynthesisParameters { PpgRespiration = 0, RespiratoryStroke = 0, RespiratorySinusArrhythmia = 0, SlowVariability =
            0, RandomVariability = 0 };
        double[] plain = Heights(still), breathing = Heights(still with { PpgPulseRespiration = 0.3 }),
            lost = Heights(still with { PpgPulseLoss = 0.6 });
        Assert.InRange(plain.Max() - plain.Min(), 0, 0.05);
        // Peaks sampled from a sine of 30%.
        Assert.InRange(breathing.Max() - breathing.Min(), 0.5, 0.62);
        Assert.InRange(lost.Min() / lost.Max(), 0.38, 0.5);
    }

    [Fact]
    public void AWindowAllocatesNothingAfterTheFirst()
    {
        var generator = new CardiovascularSynthesizer();
        var p = new SynthesisParameters();
        float[] a = new float[500], b = new float[500], c = new float[500];
        generator.Fill(p with { HeartRate = 220 }, 0, a, b, c);
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (ulong seed = 0; seed < 20; seed++)
                generator.Fill(p, seed, a, b, c);
        }));
    }

    public static TheoryData<SynthesisParameters> Invalid =>
    [
        new() { HeartRate = 29 }, new() { HeartRate = 221 }, new() { HeartRate = double.NaN }, new() { SampleRate = 0 },
        new() { SystolicPressure = 80, DiastolicPressure = 75 }, new() { DiastolicPressure = 20 }, new() { VentricularEctopy = 0.5 },
        new() { PpgDelay = -0.4 }, new() { Ecg = new EcgMorphology(R: 6) }, new() { DicroticNotch = 1.1 },
        new() { VentricularRun = 1 }, new() { Ecg = new EcgMorphology { QrsWidth = 4 } },
        new() { PpgPulse = new PulseMorphology { Onset = 0 } },
        new() { EcgFilter = new MonitorFilter { LowPass = 60 } }, new() { PpgFilter = new MonitorFilter { HighPass = double.NaN } },
    ];

    [Theory]
    [MemberData(nameof(Invalid))]
    public void WhatIsOutOfRangeIsRefused(SynthesisParameters p) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Generate(p, 4, 1));

    [Fact]
    public void SpansOfDifferentLengthsAreRefused() =>
        Assert.Throws<ArgumentException>(() => new CardiovascularSynthesizer().Fill(new(), 1, new float[10], new float[10], new float[11]));

    [Fact]
    public void ItBecomesARecordingWithItsBeats()
    {
        SyntheticRecording r = Generate(new SynthesisParameters { VentricularEctopy = 0.2 }, 20, 11);
        Recording recording = r.ToRecording("x");
        Assert.Equal([ChannelKind.Ppg, ChannelKind.BloodPressure, ChannelKind.Ecg], recording.Channels.Select(c => c.Kind));
        Assert.Equal(r.Beats.Select(b => (long)b.Sample), recording.Annotations.Where(a => a.IsBeat).Select(a => a.Sample));
        Assert.Contains(recording.Annotations, a => a.Symbol == "V");
        Assert.Equal("(N", recording.Annotations[0].Text);
    }

    internal static NoiseParameters EverythingAtOnce => new()
    {
        SignalToNoiseDecibels = 15, BaselineWander = 0.5, Powerline = 0.2, MotionBurstsPerMinute = 10, ClippingRange = 0.9,
            QuantizationBits = 10,
        MissingFraction = 0.2, GapSeconds = 0.5,
    };
}
