using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Signals.Tests.Synthesis;

public class CorruptionTests
{
    private static float[] Clean(int n = 12500)
    {
        float[] ppg = new float[n], pressure = new float[n], ecg = new float[n];
        new CardiovascularSynthesizer().Fill(new SynthesisParameters(), 1, ppg, pressure, ecg);
        return pressure;
    }

    private static float[] Apply(NoiseParameters noise, ulong seed = 3, float[]? clean = null)
    {
        float[] x = (float[])(clean ?? Clean()).Clone();
        SignalCorruption.Apply(x, 125, noise, seed);
        return x;
    }

    private static double Deviation(IEnumerable<float> x)
    {
        double mean = x.Average(v => (double)v);
        return Math.Sqrt(x.Average(v => (v - mean) * (v - mean)));
    }

    private static float[] Difference(float[] a, float[] b) => [.. a.Zip(b, (x, y) => x - y)];

    [Fact]
    public void NothingIsDoneByDefault() => Assert.Equal(Clean(), Apply(new NoiseParameters()));

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    public void WhiteNoiseHasTheRatioAskedFor(double decibels)
    {
        float[] noise = Difference(Apply(new NoiseParameters { SignalToNoiseDecibels = decibels }), Clean());
        // The estimate over 12500 samples has a standard error of 0.055 dB.
        Assert.Equal(decibels, 20 * Math.Log10(Deviation(Clean()) / Deviation(noise)), 0.25);
        double lag = Enumerable.Range(1, noise.Length - 1).Average(i => (double)noise[i] * noise[i - 1]) / Math.Pow(Deviation(noise), 2);
        Assert.InRange(lag, -0.045, 0.045);
    }

    [Fact]
    public void WanderIsSlowAndPowerlineIsAtItsFrequency()
    {
        double unit = Deviation(Clean());
        float[] wander = Difference(Apply(new NoiseParameters { BaselineWander = 0.5 }), Clean());
        Assert.InRange(Deviation(wander) / unit, 0.35, 0.65);
        // Four sines of at most 0.4 Hz and amplitude 0.35 each cannot move faster than 4 * 2 pi * 0.4 * 0.35 a second.
        Assert.True(Enumerable.Range(1, wander.Length - 1).Max(i => Math.Abs(wander[i] - wander[i - 1])) <= 3.6 * unit / 125);

        float[] hum = Difference(Apply(new NoiseParameters { Powerline = 0.3 }), Clean());
        Assert.InRange(hum.Max() / unit, 0.29, 0.31);
        int crossings = Enumerable.Range(1, hum.Length - 1).Count(i => hum[i] > 0 != hum[i - 1] > 0);
        Assert.InRange(crossings / 2.0 / 100, 49.8, 50.2);
    }

    [Fact]
    public void MotionComesInBursts()
    {
        float[] motion = Difference(Apply(new NoiseParameters { MotionBurstsPerMinute = 6 }), Clean());
        int still = motion.Count(v => v == 0);
        Assert.InRange(still, motion.Length / 2, motion.Length - 100);
        Assert.True(motion.Max() > Deviation(Clean()));
    }

    [Fact]
    public void MuscleNoiseIsFastAndSwells()
    {
        float[] noise = Difference(Apply(new NoiseParameters { MuscleNoise = 0.5 }), Clean());
        double unit = Deviation(Clean());
        // Differences x[i] - 0.6 x[i-1] of white noise are correlated by -0.6 / 1.36 = -0.44; 12500 samples under an envelope: a standard
        // error of 0.015.
        double lag = Enumerable.Range(1, noise.Length - 1).Average(i => (double)noise[i] * noise[i - 1]) / Math.Pow(Deviation(noise), 2);
        Assert.InRange(lag, -0.52, -0.36);
        double[] seconds = [.. noise.Chunk(25).Select(c => Math.Sqrt(c.Average(x => (double)x * x)) / unit)];
        // 25 samples have a relative error of 14%: at most some 1.6 of the strongest, at the weakest 0.3 of it and their error.
        Assert.InRange(seconds.Max(), 0.4, 0.8);
        Assert.InRange(seconds.Min(), 0, 0.25);
    }

    [Fact]
    public void ClippingAndQuantisationLeaveWhatTheyShould()
    {
        float[] clean = Clean();
        float range = clean.Max() - clean.Min();
        float[] clipped = Apply(new NoiseParameters { ClippingRange = 0.7 });
        Assert.Equal(0.7f * range, clipped.Max() - clipped.Min(), 1e-4f * range);
        Assert.NotEmpty(SignalQuality.FindClippedRuns(clipped));
        Assert.InRange(Apply(new NoiseParameters { QuantizationBits = 4 }).Distinct().Count(), 10, 16);
    }

    [Theory]
    [InlineData(0.1, 0.5)]
    [InlineData(0.3, 2)]
    [InlineData(0.95, 0.02)]
    [InlineData(0.5, 3600)]
    public void GapsHaveTheShareAndLengthAskedFor(double share, double seconds)
    {
        float[] x = Apply(new NoiseParameters { MissingFraction = share, GapSeconds = seconds });
        Assert.InRange(x.Count(float.IsNaN) / (double)x.Length, share - 0.001, share + 0.001);
        double mean = GapFinder.Find(x).Average(g => g.Length) / 125;
        // Neighbouring gaps touch at times, which makes the mean longer, and at 95% missing nearly always.
        Assert.InRange(mean, 0.6 * Math.Min(seconds, share * 100), share > 0.9 ? 5 : 1.6 * Math.Min(seconds, share * 100));
    }

    [Fact]
    public void MissingSamplesStayMissingAndSpoilNothing()
    {
        float[] clean = Clean();
        clean.AsSpan(100, 50).Fill(float.NaN);
        float[] x = Apply(SynthesizerTests.EverythingAtOnce with { MissingFraction = 0 }, 4, clean);
        Assert.Equal(50, x.Count(float.IsNaN));
        float[] nothing = new float[200];
        Array.Fill(nothing, float.NaN);
        Assert.All(Apply(SynthesizerTests.EverythingAtOnce, 4, nothing), v => Assert.True(float.IsNaN(v)));
        Assert.Empty(Apply(SynthesizerTests.EverythingAtOnce, 4, []));
    }

    [Fact]
    public void AConstantSignalGetsNoNoiseRelativeToItself() =>
        Assert.All(Apply(SynthesizerTests.EverythingAtOnce with { MissingFraction = 0 }, 4, new float[500]), v => Assert.Equal(0f, v));

    [Fact]
    public void SeedsDecide()
    {
        Assert.Equal(Apply(SynthesizerTests.EverythingAtOnce, 5), Apply(SynthesizerTests.EverythingAtOnce, 5));
        Assert.NotEqual(Apply(SynthesizerTests.EverythingAtOnce, 5), Apply(SynthesizerTests.EverythingAtOnce, 6));
    }

    public static TheoryData<object> Invalid =>
    [
        new NoiseParameters { SignalToNoiseDecibels = double.NaN },
        new NoiseParameters { BaselineWander = -1 },
        new NoiseParameters { PowerlineFrequency = 400 },
        new NoiseParameters { QuantizationBits = 1 },
        new NoiseParameters { ClippingRange = 0 },
        new NoiseParameters { MissingFraction = 1 },
        new NoiseParameters { GapSeconds = 0 },
        new NoiseParameters { MotionBurstsPerMinute = 1e9 },
        new NoiseParameters { MuscleNoise = double.NaN },
    ];

    [Theory]
    [MemberData(nameof(Invalid))]
    public void WhatIsOutOfRangeIsRefused(object noise) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Apply((NoiseParameters)noise));

    [Fact]
    public void ElectrodeMotionHasItsSizeAndLiesWhereBeatsAre()
    {
        float[] noise = Difference(Apply(new NoiseParameters { ElectrodeMotion = 0.5 }), Clean());

        // 64 sines over 100 s: the slowest make 10 turns, so that the power errs by a few percent; float32 of values near 100 by 1e-5.
        Assert.InRange(Deviation(noise) / Deviation(Clean()), 0.45, 0.55);
        double[] octaves = Octaves(noise, 125);
        Assert.InRange(octaves[3] + octaves[4], 0.68, 0.86);
    }

    // The generator's shares come from the seconds 40 to 80; 80 to 120 are another stretch of the same electrode. Slower than 0.8 Hz
    // the two differ by themselves (5 times in 0.1 to 0.2 Hz, 4 times in 0.4 to 0.8), so the shares are of what is faster; octaves with a
    // tenth of it and more.
    [SkippableFact]
    public void ElectrodeMotionIsLikeARecordingsThatItWasNotFittedTo()
    {
        const int Rate = 360, From = 80 * Rate, Length = 40 * Rate - 1;
        float[] Read(string file) => [.. File.ReadAllLines(Formats.SharedData.Require("ecg/" + file)).Skip(From).Take(Length)
            .Select(line => float.Parse(line, System.Globalization.CultureInfo.InvariantCulture))];
        double[] recorded = Octaves(Difference(Read("118e00.csv"), Read("118e12.csv")), Rate);
        float[] made = new float[Length], wave = [.. Enumerable.Range(0, Length).Select(i => (float)Math.Sin(i * 0.1))];
        wave.CopyTo(made, 0);
        SignalCorruption.Apply(made, Rate, new NoiseParameters { ElectrodeMotion = 1 }, 5);
        double[] generated = Octaves(Difference(made, wave), Rate);
        double all = recorded[3..].Sum(), ours = generated[3..].Sum();
        int compared = 0;
        for (int octave = 3; octave < 8; octave++)
        {
            if (recorded[octave] / all < 0.1)
                continue;
            // One sine of eight that falls beyond an octave's edge is 0.6 dB; the two stretches differ by 3.5 dB in an octave.
            Assert.InRange(10 * Math.Log10(generated[octave] / ours / (recorded[octave] / all)), -4.1, 4.1);
            compared++;
        }

        Assert.True(compared >= 3, $"{compared} octaves");
    }

    // Shares of the power in octaves from 0.1 Hz on, of the whole but the mean.
    private static double[] Octaves(float[] x, double rate)
    {
        double mean = x.Average(v => (double)v);
        System.Numerics.Complex[] spectrum = [.. x.Select((v, i) =>
            new System.Numerics.Complex((v - mean) * 0.5 * (1 - Math.Cos(2 * Math.PI * i / x.Length)), 0))];
        MathNet.Numerics.IntegralTransforms.Fourier.Forward(spectrum);
        double[] power = [.. spectrum.Take(x.Length / 2).Select(c => c.Magnitude * c.Magnitude)], shares = new double[10];
        double all = power.Skip(1).Sum();
        for (int k = 1; k < power.Length; k++)
        {
            int octave = (int)Math.Floor(Math.Log2(k * rate / x.Length / 0.1));
            if (octave is >= 0 and < 10)
                shares[octave] += power[k] / all;
        }

        return shares;
    }
}
