using System.Runtime.InteropServices;
using UniCardio.BeatCases;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Processing;

namespace UniCardio.Streaming.Tests;

public class VitalSignTests
{
    private const int Hop = 62;

    private static VitalReading[] Play(Modality modality, ReadOnlySpan<float> samples, Action<StreamingFrame>? change = null)
    {
        var vitals = new VitalSigns();
        var frame = new StreamingFrame(Hop);
        var readings = new List<VitalReading>();
        for (int at = 0; at + Hop <= samples.Length; at += Hop)
        {
            frame.Count = Hop;
            foreach (Modality m in Modalities.All)
            {
                FrameRow row = frame.Row((int)m);
                row.Low.AsSpan().Fill(float.NaN);
                row.High.AsSpan().Fill(float.NaN);
                row.Values.AsSpan().Fill(float.NaN);
                row.Provenance.AsSpan().Fill(m == modality ? Provenance.Measured : Provenance.NoSignal);
            }
            samples.Slice(at, Hop).CopyTo(frame.Row((int)modality).Values);
            change?.Invoke(frame);
            vitals.Update(frame);
            readings.Add(vitals.Of(modality));
        }
        return [.. readings];
    }

    private static float[] Live(string name, double rate)
    {
        float[] samples = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Project.Shared("cases", name))).ToArray();
        return rate == 125 ? samples : new Resampler(rate, 125).Resample(samples);
    }

    [SkippableTheory]
    [InlineData("live_abp_220perMin_bp125.f32", Modality.Bp, 125, 220)]
    [InlineData("live_ecg_T1.3xR_72perMin_ecg250.f32", Modality.Ecg, 250, 72)]
    public void ARateIsThatOfTheBeats(string name, Modality modality, double rate, double truth)
    {
        VitalReading[] readings = Play(modality, Live(name, rate));
        VitalReading[] shown = [.. readings.Where(r => r.Absence == VitalAbsence.None)];
        // The rhythm is learned from 8 s and a beat comes 4 s late: of 40 s at least half has a figure.
        Assert.True(shown.Length >= readings.Length / 2, $"{shown.Length} of {readings.Length}: {readings[^1]}");
        Assert.All(shown, r => Assert.InRange(r.Rate, truth - 2, truth + 2));
        if (modality == Modality.Bp)
            Assert.All(shown,
                r => Assert.True(r.Systolic is > 97 and < 102 && r.Diastolic is > 58 and < 63 && r.Mean > r.Diastolic
                    && r.Mean < r.Systolic, $"{r}"));
    }

    [SkippableTheory]
    [InlineData("live_asystole_5uV_from_15s_ecg250.f32", Modality.Ecg, 250)]
    [InlineData("live_abp_lineoff_3+-1mmHg_from_15s_bp125.f32", Modality.Bp, 125)]
    public void NoFigureOutlivesTheBeats(string name, Modality modality, double rate)
    {
        VitalReading[] readings = Play(modality, Live(name, rate));
        // A figure of 72 a minute goes 4.5 s and two and a half intervals after the last beat: 6.6 s after second 15.
        for (int i = (int)(22 * 125.0 / Hop) + 1; i < readings.Length; i++)
        {
            Assert.True(float.IsNaN(readings[i].Rate) && float.IsNaN(readings[i].Systolic), $"{i * Hop / 125.0} s: {readings[i]}");
            Assert.NotEqual(VitalAbsence.None, readings[i].Absence);
            Assert.True(readings[i].Age > 6);
        }
        Assert.Contains(readings, r => r.Absence == VitalAbsence.None && Math.Abs(r.Rate - 72) < 2);
        // 5 uV is below any beat's height in mV and noise where the unit is not given; 3 mmHg is no artery's.
        Assert.Contains(readings[^1].Absence, modality == Modality.Bp ? [VitalAbsence.LineOpen]
            : new[] { VitalAbsence.NoPulse, VitalAbsence.TooSmall });
    }

    // As a session takes them: resampled to 125 Hz.
    private static VitalReading[] Play(BeatCase c)
    {
        Modality modality = c.Kind switch
        {
            ChannelKind.Ecg => Modality.Ecg,
            ChannelKind.Ppg => Modality.Ppg,
            _ => Modality.Bp,
        };
        return Play(modality, c.Rate == 125 ? c.Samples : new Resampler(c.Rate, 125).Resample(c.Samples));
    }

    public static TheoryData<string> Silent =>
        [.. BeatFamily.All.Select(f => f.Name).Where(n => n.StartsWith("none", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Silent))]
    public void NoRateIsShownWhereNoBeatIs(string name)
    {
        foreach (BeatCase c in BeatFamily.All.Single(f => f.Name == name).Cases(2))
        {
            VitalReading[] shown = [.. Play(c).Where(r => !float.IsNaN(r.Rate) || !float.IsNaN(r.Systolic))];
            // Equal humps whose intervals happen to be even for a while are a pulse to whoever sees them alone.
            int tolerated = name.EndsWith("humps of one shape", StringComparison.Ordinal) ? 12 : 0;
            Assert.True(shown.Length <= tolerated, $"{c}: {shown.Length} frames, {(shown.Length > 0 ? shown[0] : null)}");
        }
    }

    [Fact]
    public void ARateGoesWhenTheVentriclesFibrillate()
    {
        foreach (BeatCase c in BeatFamily.All.Single(f => f.Name.EndsWith("then ventricular fibrillation", StringComparison.Ordinal))
            .Cases(6))
        {
            VitalReading[] readings = Play(c);
            double[] intervals = [.. c.Truth.Zip(c.Truth.Skip(1), (a, b) => b - a)];
            // Beats come out 3.5 s late, and a rate goes 4.5 s and two and a half intervals after the last: then none returns.
            double end = c.Truth[^1] + 4.5 + (2.5 * intervals.Max()) + (2.0 * Hop / 125);
            for (int i = 0; i < readings.Length; i++)
            {
                double at = (i + 1) * Hop / 125.0;
                if (!float.IsNaN(readings[i].Rate))
                    Assert.True(at <= end && readings[i].Rate < 1.1 * 60 / intervals.Min(), $"{c}: {at} s, {readings[i]}, end {end}");
            }
        }
    }

    private static float[] Pulses(double height)
    {
        var wave = new float[30 * 125];
        for (int i = 0; i < wave.Length; i++)
        {
            double phase = i / 125.0 / 0.8 % 1;
            wave[i] = (float)(80 + height * (phase < 0.2 ? (1 - Math.Cos(5 * Math.PI * phase)) / 2 : Math.Exp(-(phase - 0.2) / 0.3)));
        }
        return wave;
    }

    [Fact]
    public void ADampedLineGivesARateAndNoPressure()
    {
        VitalReading damped = Play(Modality.Bp, Pulses(6))[^1];
        Assert.Equal(VitalAbsence.Damped, damped.Absence);
        Assert.InRange(damped.Rate, 74, 76);
        Assert.True(float.IsNaN(damped.Systolic));
        VitalReading sound = Play(Modality.Bp, Pulses(40))[^1];
        Assert.Equal(VitalAbsence.None, sound.Absence);
        // The wave's own largest and smallest values.
        Assert.InRange(sound.Systolic, 119, 120);
        Assert.InRange(sound.Diastolic, 80, 84);
    }

    [Fact]
    public void ANewSegmentStartsWithoutTheOldBeats()
    {
        VitalReading[] readings = Play(Modality.Bp, Pulses(40), frame => frame.Segment = _frames++ < 50 ? 0 : 1);
        Assert.Equal(VitalAbsence.None, readings[49].Absence);
        Assert.True(float.IsNaN(readings[50].Rate) && float.IsNaN(readings[50].Age), $"{readings[50]}");
    }

    private int _frames;

    [Fact]
    public void DrawsThatDisagreeGiveNoFigure()
    {
        VitalReading[] readings = Play(Modality.Bp, Pulses(40), frame =>
        {
            FrameRow row = frame.Row((int)Modality.Bp);
            row.Provenance.AsSpan().Fill(Provenance.Translated);
            row.Low.AsSpan().Fill(60);
            row.High.AsSpan().Fill(100);
        });
        Assert.Equal(VitalAbsence.Uncertain, readings[^1].Absence);
        Assert.True(readings[^1].IsGenerated && float.IsNaN(readings[^1].Rate));
    }

    [Fact]
    public void APressureMadeFromOtherSignalsHasARateAndNoLevel()
    {
        VitalReading[] readings = Play(Modality.Bp, Pulses(40), frame =>
        {
            FrameRow row = frame.Row((int)Modality.Bp);
            row.Provenance.AsSpan().Fill(Provenance.Translated);
            row.Low.AsSpan().Fill(99);
            row.High.AsSpan().Fill(101);
        });
        Assert.All(readings, r => Assert.True(float.IsNaN(r.Systolic) && float.IsNaN(r.Diastolic) && float.IsNaN(r.Mean), $"{r}"));
        Assert.InRange(readings[^1].Rate, 74, 76);
        Assert.Equal((VitalAbsence.NoLevel, true), (readings[^1].Absence, readings[^1].IsGenerated));
    }

    // The line is not open because a normalised wave is about 0.
    [Fact]
    public void WhatHasNoLevelIsNotCalledAnOpenLine()
    {
        float[] wave = [.. Pulses(40).Select(x => (x - 100) / 50)];
        VitalReading[] readings = Play(Modality.Bp, wave,
            frame => frame.Row((int)Modality.Bp).Provenance.AsSpan().Fill(Provenance.Translated));
        Assert.DoesNotContain(readings, r => r.Absence is VitalAbsence.LineOpen or VitalAbsence.Flushed or VitalAbsence.TooSmall);
        Assert.Equal(VitalAbsence.NoLevel, readings[^1].Absence);
    }

    [Fact]
    public void AFrameAllocatesNothing()
    {
        float[] wave = Pulses(40);
        var vitals = new VitalSigns();
        var frame = new StreamingFrame(Hop) { Count = Hop };
        void Run(int from, int to)
        {
            for (int i = from; i < to; i++)
            {
                wave.AsSpan(i % 60 * Hop, Hop).CopyTo(frame.Row((int)Modality.Bp).Values);
                vitals.Update(frame);
            }
        }
        Run(0, 60);
        Assert.Equal(0, Allocations.Of(() => Run(60, 180)));
    }
}
