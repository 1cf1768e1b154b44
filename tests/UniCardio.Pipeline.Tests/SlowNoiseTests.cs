using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Pipeline.Tests;

public class SlowNoiseTests
{
    private const int S = 500;

    private static float[] Wave(Func<int, double> of) => [.. Enumerable.Range(0, S).Select(n => (float)of(n))];

    private static double Rms(float[] a, float[] b) => Math.Sqrt(a.Zip(b, (x, y) => Math.Pow(x - (double)y, 2)).Average());

    [Theory]
    [InlineData(Modality.Ppg)]
    [InlineData(Modality.Bp)]
    [InlineData(Modality.Ecg)]
    public void WanderThatTheNetworkDoesNotSeeGoesAndTheMeanStays(Modality modality)
    {
        // A cosine over the window is coefficient 2 alone: P there is its power over the 4 coefficients about it (k = 1 to 4), so that
        // 1 - H = E / P: amplitude 1 has the power S / 2 / 4 = 62, E is 0.3 at most: less than 1% stays, and 1% of its root is 0.01.
        float[] clean = Wave(n => 0.4 * Math.Sin(2 * Math.PI * 1.25 * n / 125));
        float[] measured = Wave(n => clean[n] + Math.Cos(Math.PI * ((2 * n) + 1) * 2 / (2.0 * S)) + 0.25);
        new SlowNoise(S).Remove(modality, noiseLevel: 0, clean, measured);
        Assert.Equal(0.25, measured.Average() - clean.Average(), 1e-6);
        Assert.InRange(Rms(measured, [.. clean.Select(x => x + 0.25f)]), 0, 0.01);
    }

    [Fact]
    public void WhatLiesWithinTheNoiseLevelOrTheNetworksOwnErrorStays()
    {
        var random = new CounterRandom(4, 0);
        float[] made = new float[S], measured = Wave(_ => 0.1 * random.NextGaussian()), before = [.. measured];
        var slow = new SlowNoise(S);
        // Twice the level that the noise has: the mean of five squares or more is above four times its expectation once in 600 (chi-square
        // with 5 degrees), and nothing of 59 bands of 8 independent ones; these draws have none.
        slow.Remove(Modality.Ecg, noiseLevel: 0.2, made, measured);
        Assert.Equal(before, measured);

        // A slow difference of the size that the network itself errs by: coefficient 2 with the power 0.02 about it, below 0.034.
        float[] close = Wave(n => 0.0179 * Math.Cos(Math.PI * ((2 * n) + 1) * 2 / (2.0 * S))), kept = [.. close];
        slow.Remove(Modality.Ecg, noiseLevel: 0, made, close);
        Assert.Equal(kept, close);
    }

    [Fact]
    public void NothingAbove15HertzIsTakenOff()
    {
        // Coefficient 160 is 20 Hz.
        float[] made = new float[S], measured = Wave(n => Math.Cos(Math.PI * ((2 * n) + 1) * 160 / (2.0 * S))), before = [.. measured];
        new SlowNoise(S).Remove(Modality.Ppg, noiseLevel: 0, made, measured);
        Assert.Equal(before, measured, (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(500)]
    public void TheTransformComesBack(int samples)
    {
        var transform = new CosineTransform(samples);
        var random = new CounterRandom(2, 1);
        double[] window = [.. Enumerable.Range(0, samples).Select(_ => random.NextGaussian())], spectrum = new double[samples],
            back = new double[samples];
        transform.Forward(window, spectrum);
        transform.Inverse(spectrum, back);

        // S sums of S products, each rounded at 1.1e-16: below 500 x 1.1e-16 x 4.
        Assert.All(window.Zip(back), p => Assert.Equal(p.First, p.Second, 1e-12));
        Assert.Equal(window.Sum(x => x * x), spectrum.Sum(x => x * x), 1e-9);
        Assert.Equal("samples", Assert.Throws<Engine.ConfigurationException>(() => new CosineTransform(7)).Setting);
    }
}
