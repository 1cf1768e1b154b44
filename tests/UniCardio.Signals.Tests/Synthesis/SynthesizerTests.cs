using System.Runtime.InteropServices;
using System.Security.Cryptography;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Signals.Tests.Synthesis;

public class SynthesizerTests
{
    private static SyntheticRecording Generate(SynthesisParameters p, double seconds, ulong seed) =>
        new CardiovascularSynthesizer().Generate(p, (int)(seconds * p.SampleRate), seed);

    private static double[] Intervals(SyntheticRecording r) => [.. r.Beats.Zip(r.Beats.Skip(1), (a, b) => b.TimeSeconds - a.TimeSeconds)];

    [Fact]
    public void A_seed_gives_the_same_signals_on_every_machine()
    {
        SyntheticRecording r = Generate(new SynthesisParameters { AtrialFibrillation = true, VentricularEctopy = 0.2 }, 20, 2026);
        SignalCorruption.Apply(r.Ecg, 125, EverythingAtOnce, 9);
        byte[] all = [.. MemoryMarshal.AsBytes<float>(r.Ppg), .. MemoryMarshal.AsBytes<float>(r.BloodPressure), .. MemoryMarshal.AsBytes<float>(r.Ecg)];
        // Recorded once. It changes when the model is changed on purpose, and for no other reason.
        Assert.Equal(Recorded, Convert.ToHexString(SHA256.HashData(all))[..32]);
    }

    private const string Recorded = "4FE3D672011AFCD8F2E335111ED59617";

    [Fact]
    public void A_generator_that_was_used_before_gives_the_same_window()
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
    public void The_mean_rate_is_the_one_asked_for(double rate)
    {
        double[] rr = Intervals(Generate(new SynthesisParameters { HeartRate = rate, SystolicPressure = 110, DiastolicPressure = 70 }, 300, 3));
        // Variation of 3% over at least 145 intervals, the periodic parts of which cancel.
        Assert.InRange(60 / rr.Average() / rate, 0.99, 1.01);
    }

    [Fact]
    public void Respiration_drives_the_intervals_at_its_own_frequency()
    {
        var p = new SynthesisParameters { RespiratoryRate = 15, RespiratorySinusArrhythmia = 0.1, SlowVariability = 0, RandomVariability = 0 };
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
    public void Atrial_fibrillation_is_irregular_and_has_no_P_wave()
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
    public void Ectopic_beats_come_early_and_are_followed_by_a_compensatory_pause()
    {
        var p = new SynthesisParameters { VentricularEctopy = 0.15, RespiratorySinusArrhythmia = 0, SlowVariability = 0, RandomVariability = 0 };
        SyntheticRecording r = Generate(p, 600, 6);
        double mean = 60 / p.HeartRate;
        // Beats after a premature one are never premature themselves, so the share asked for is reached by a higher chance for the rest.
        Assert.InRange(r.Beats.Count(b => b.Kind == BeatKind.Ventricular) / (double)r.Beats.Count, 0.11, 0.19);
        for (int i = 1; i + 1 < r.Beats.Count; i++)
        {
            if (r.Beats[i].Kind != BeatKind.Ventricular)
                continue;
            double coupling = r.Beats[i].TimeSeconds - r.Beats[i - 1].TimeSeconds, pause = r.Beats[i + 1].TimeSeconds - r.Beats[i].TimeSeconds;
            Assert.InRange(coupling / mean, 0.55, 0.72);
            Assert.Equal(2 * mean, coupling + pause, 1e-9);
        }
        float Pulse(BeatKind kind) => r.Beats.Where(b => b.Kind == kind && b.Systolic is not null).Average(b => b.Systolic!.Value - b.Diastolic!.Value);
        Assert.True(Pulse(BeatKind.Ventricular) < 0.6f * Pulse(BeatKind.Normal));
    }

    [Fact]
    public void R_peaks_are_where_the_truth_says()
    {
        foreach (ulong seed in new ulong[] { 1, 2, 3, 4, 5, 6, 7, 8 })
        {
            var p = SynthesisParameters.Draw(seed, 500) with { FibrillatoryWave = 0 };
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
    public void Pressure_swings_between_the_values_asked_for(double systolic, double diastolic, double rate)
    {
        var p = new SynthesisParameters { SystolicPressure = systolic, DiastolicPressure = diastolic, HeartRate = rate, RespiratoryPressure = 1, SlowPressure = 1 };
        SyntheticRecording r = Generate(p, 120, 7);
        var whole = r.Beats.Where(b => b.Systolic is not null).ToArray();
        Assert.True(whole.Length >= r.Beats.Count - 3);
        // The mean over respiration; filling is not linear in the interval, which moves it by a percent of the pulse or two.
        Assert.InRange(whole.Average(b => b.Systolic!.Value) - systolic, -0.03 * (systolic - diastolic) - 0.5, 0.03 * (systolic - diastolic) + 0.5);
        Assert.InRange(whole.Average(b => b.Diastolic!.Value) - diastolic, -0.03 * (systolic - diastolic) - 0.5, 0.03 * (systolic - diastolic) + 0.5);
        Assert.All(whole, b =>
        {
            Assert.Equal(r.BloodPressure[b.SystolicSample!.Value], b.Systolic);
            Assert.Equal(r.BloodPressure[b.DiastolicSample!.Value], b.Diastolic);
            // The foot lies the delay behind the R peak (4% of which breathes), systole behind the foot.
            Assert.InRange(b.DiastolicSample.Value / 125.0 - b.TimeSeconds, 0.12, 0.22);
            Assert.True(b.SystolicSample > b.DiastolicSample);
        });
    }

    [Fact]
    public void A_notch_makes_a_second_crest_and_no_notch_makes_none()
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
    public void The_PPG_follows_the_ECG_by_its_delay()
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
    public void Every_drawn_subject_is_valid_and_gives_plausible_signals()
    {
        var generator = new CardiovascularSynthesizer();
        float[] ppg = new float[500], pressure = new float[500], ecg = new float[500];
        for (ulong seed = 0; seed < 500; seed++)
        {
            generator.Fill(SynthesisParameters.Draw(seed), seed, ppg, pressure, ecg);
            for (int i = 0; i < 500; i++)
            {
                Assert.InRange(pressure[i], 20, 260);
                Assert.InRange(ecg[i], -6, 6);
                Assert.InRange(ppg[i], -1.5f, 3);
            }
            Assert.True(pressure.Max() - pressure.Min() > 10);
        }
    }

    [Fact]
    public void A_window_allocates_nothing_after_the_first()
    {
        var generator = new CardiovascularSynthesizer();
        var p = new SynthesisParameters();
        float[] a = new float[500], b = new float[500], c = new float[500];
        generator.Fill(p with { HeartRate = 220 }, 0, a, b, c);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (ulong seed = 0; seed < 20; seed++)
            generator.Fill(p, seed, a, b, c);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    public static TheoryData<SynthesisParameters> Invalid =>
    [
        new() { HeartRate = 29 }, new() { HeartRate = 221 }, new() { HeartRate = double.NaN }, new() { SampleRate = 0 },
        new() { SystolicPressure = 80, DiastolicPressure = 75 }, new() { DiastolicPressure = 20 }, new() { VentricularEctopy = 0.5 },
        new() { PpgDelay = -0.1 }, new() { Ecg = new EcgMorphology(R: 6) }, new() { DicroticNotch = 1.1 },
    ];

    [Theory]
    [MemberData(nameof(Invalid))]
    public void What_is_out_of_range_is_refused(SynthesisParameters p) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Generate(p, 4, 1));

    [Fact]
    public void Spans_of_different_lengths_are_refused() =>
        Assert.Throws<ArgumentException>(() => new CardiovascularSynthesizer().Fill(new(), 1, new float[10], new float[10], new float[11]));

    [Fact]
    public void It_becomes_a_recording_with_its_beats()
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
        SignalToNoiseDecibels = 15, BaselineWander = 0.5, Powerline = 0.2, MotionBurstsPerMinute = 10, ClippingRange = 0.9, QuantizationBits = 10,
        MissingFraction = 0.2, GapSeconds = 0.5,
    };
}
