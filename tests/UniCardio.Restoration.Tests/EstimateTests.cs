using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Processing;

namespace UniCardio.Restoration.Tests;

/// <summary>Denoising by estimate, and how much noise it thinks there is.</summary>
[Collection(Interim.Name)]
public sealed class EstimateTests(InterimWeights weights)
{
    // 2,000 fourth differences with a correlation over 4 samples: a median absolute deviation errs by 1.2 / sqrt(2000 / 4) ~ 5% a sigma;
    // three of them.
    private const double MedianError = 0.16;

    [Theory]
    [InlineData(0.01)]
    [InlineData(3)]
    public void WhiteNoiseIsMeasured(double level)
    {
        float[] noise = Noise(2000, level);
        Assert.InRange(WhiteNoise.Level(noise) / level, 1 - MedianError, 1 + MedianError);
        // A slow wave of a hundred times the size adds next to nothing: its fourth difference is (2 pi / 250)^4 = 4e-7 of it.
        float[] onWave = [.. noise.Select((x, i) => (float)(x + (100 * level * Math.Sin(2 * Math.PI * i / 250))))];
        Assert.Equal(WhiteNoise.Level(noise), WhiteNoise.Level(onWave), 1e-3 * level);
        for (int i = 0; i < 500; i++)
            noise[i * 4] = float.NaN;
        Assert.Equal(0, WhiteNoise.Level(noise)); // No five samples in a row are left.
        Assert.Equal(0, WhiteNoise.Level(noise.AsSpan(0, 3)));
        Assert.Equal(0, WhiteNoise.Level(new float[500]));
    }

    [Fact]
    public void GapsAreLeftOutOfTheMeasure()
    {
        float[] noise = Noise(2000, 1), holed = [.. noise];
        holed.AsSpan(300, 700).Fill(float.NaN);
        Assert.InRange(WhiteNoise.Level(holed), 1 - (1.3 * MedianError), 1 + (1.3 * MedianError));
    }

    [Theory]
    [InlineData(125)]
    [InlineData(62.5)]
    [InlineData(250)]
    [InlineData(500)]
    public void ItTakesNoiseOff(double rate)
    {
        // BP: its scale does not depend on the noise. 5 mmHg at 125 Hz, at other rates the same power per Hertz.
        Recording clean = Make.Heart(20, rate);
        float[] truth = clean.Require("ABP").Samples.ToArray(), noise = Noise(truth.Length, 5 * Math.Sqrt(rate / 125)),
            noisy = [.. truth.Zip(noise, (x, n) => x + n)];
        Recording dirty = clean.WithChannels(clean.Channels.Select(c => c.Name == "ABP" ? c.WithSamples(noisy) : c));
        RestorationOptions options = Make.Options("denoise bp") with { Method = DenoisingMethod.Estimate };
        RestorationResult measured = new Restorer(weights.Engine, options).Run(dirty);
        RestorationResult told = new Restorer(weights.Engine, options with { NoiseLevel = 5 * Math.Sqrt(rate / 125) }).Run(dirty);
        Assert.Null(measured.Band);
        Assert.InRange(measured.NetworkCalls, measured.WindowsComputed, 2 * measured.WindowsComputed);
        Assert.Contains("estimate", measured.Recording.Comments[^1], StringComparison.Ordinal);
        // The weights take off a third of it, and the measured level does what the true one does.
        double before = Rms(noise), after = Error(measured), afterTold = Error(told);
        Assert.InRange(after, 0, 0.67 * before);
        Assert.InRange(after / afterTold, 0.8, 1.25);

        double Error(RestorationResult r) => Rms([.. r.Channel.Samples.ToArray().Zip(truth, (x, t) => x - t)]);
    }

    [Fact]
    public void AChannelTooSlowToTellSaysSo()
    {
        Recording slow = Make.Heart(12, 50);
        RestorationOptions options = Make.Options("denoise bp") with { Method = DenoisingMethod.Estimate };
        RestorationResult result = new Restorer(weights.Engine, options).Run(slow);
        Assert.Contains(result.Warnings, w => w.Channel == "ABP" && w.Message.Contains("noise level", StringComparison.Ordinal));
        Assert.Equal(0, result.NetworkCalls);
        // Resampled to 125 Hz and back, which takes what lies above 20 Hz: the sharpest of an upstroke, under 1 mmHg of its 40.
        float[] given = slow.Require("ABP").Samples.ToArray();
        for (int i = 25; i < given.Length - 25; i++)
            Assert.Equal(given[i], result.Channel.Samples.Span[i], 1f);
        RestorationResult told = new Restorer(weights.Engine, options with { NoiseLevel = 3 }).Run(slow);
        Assert.True(told.NetworkCalls > 0);
        Assert.DoesNotContain(told.Warnings, w => w.Message.Contains("noise level", StringComparison.Ordinal));
    }

    [Fact]
    public void GapsStayAndTheLevelCounts()
    {
        Recording recording = Make.WithGaps(Make.Heart(12), "ABP", (0, 0.5), (5, 6), (11.8, 12));
        RestorationOptions options = Make.Options("denoise bp | ppg") with { Method = DenoisingMethod.Estimate };
        RestorationResult result = new Restorer(weights.Engine, options).Run(recording);
        Assert.Equal([new SampleRange(0, 62), new SampleRange(625, 125), new SampleRange(1475, 25)], result.Ranges(Provenance.NoSignal));
        Assert.Equal(result.Channel.Length - 62 - 125 - 25, result.GeneratedCount);
        float[] given = recording.Require("ABP").Samples.ToArray();
        // Next to no noise: what comes out is what went in, but for crossfading and scaling, roundings of 2^-17 mmHg.
        RestorationResult nearly = new Restorer(weights.Engine, options with { NoiseLevel = 1e-6 }).Run(recording),
            much = new Restorer(weights.Engine, options with { NoiseLevel = 20 }).Run(recording);
        for (int i = 0; i < given.Length; i++)
            Assert.Equal(given[i], nearly.Channel.Samples.Span[i], 1e-4f);
        Assert.Contains(Enumerable.Range(0, given.Length), i => Math.Abs(given[i] - much.Channel.Samples.Span[i]) > 1);
    }

    [Fact]
    public void EveryFilledWindowIsFinite()
    {
        float[] signal = [float.NaN, float.NaN, 1, float.NaN, 3, float.NaN];
        GapBridge.FillAll(signal);
        Assert.Equal([1, 1, 1, 2, 3, 3], signal);
        float[] nothing = [float.NaN, float.NaN];
        GapBridge.FillAll(nothing);
        Assert.Equal([0, 0], nothing);
        GapBridge.FillAll<float>([]);
    }

    [Fact]
    public void SettingsAreChecked()
    {
        RestorationOptions options = Make.Options("denoise bp");
        foreach (double level in (double[])[0, -1, double.NaN, double.PositiveInfinity])
            Assert.Equal(
                "noise level", Assert.Throws<ConfigurationException>(() => (options with { NoiseLevel = level }).Validate()).Setting);
        Assert.Equal(
            "method", Assert.Throws<ConfigurationException>(() => (options with { Method = (DenoisingMethod)2 }).Validate()).Setting);
        Assert.False((Make.Options("impute bp") with { Method = DenoisingMethod.Estimate }).Estimates);
    }

    private static float[] Noise(int count, double level)
    {
        float[] noise = new float[count];
        PhiloxNormal.Fill(11, 0, 0, 0, noise);
        for (int i = 0; i < count; i++)
            noise[i] = (float)(noise[i] * level);
        return noise;
    }

    private static double Rms(float[] x) => Math.Sqrt(x.Average(v => (double)v * v));
}
