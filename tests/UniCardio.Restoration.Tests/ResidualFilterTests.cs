using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals;

namespace UniCardio.Restoration.Tests;

[Collection(Interim.Name)]
public class ResidualFilterTests(InterimWeights weights)
{
    private const int Samples = 500;

    private static float[] Noise(int seed, double deviation)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Samples).Select(_ =>
            (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }

    private static float[] Wave(double hertz, double amplitude) =>
        [.. Enumerable.Range(0, Samples).Select(i => (float)(amplitude * Math.Sin(2 * Math.PI * hertz * i / 125)))];

    private static float[] Sum(params float[][] all) => [.. Enumerable.Range(0, Samples).Select(i => all.Sum(x => x[i]))];

    private static double Rms(IEnumerable<float> x) => Math.Sqrt(x.Average(v => (double)v * v));

    private static float[] Correct(float[] measured, float[] generated)
    {
        float[] correction = new float[measured.Length];
        new ResidualFilter(measured.Length).Correction(measured, generated, correction);
        return correction;
    }

    // With N exactly zero H is 1: the transform and its inverse. 500 terms in double and one rounding to float32, 6e-8 of 1.5.
    [Theory]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(499)]
    [InlineData(500)]
    public void ASlowResidualWithoutNoiseComesBackWhole(int samples)
    {
        // Cosines of the transform itself, below half of the band.
        float[] residual =
            [.. Enumerable.Range(0, samples).Select(n => (float)(0.5 + Math.Cos(Math.PI * ((2 * n) + 1) * 2 / (2.0 * samples))))];
        float[] correction = Correct(residual, new float[samples]);
        for (int n = 0; n < samples; n++)
            Assert.Equal(residual[n], correction[n], 2e-6f);
    }

    // H of pure noise: E[max(0, 1 - N / P)] over means of 5 to 60 squares of normal numbers, whose spread is sqrt(2 / n) <= 0.63, is below
    // 0.2 and falls with k; the power let through is about the mean of H^2 P, at most 0.15 of the lower half's, or 0.27 of the deviation.
    [Fact]
    public void BroadbandNoiseStaysAway()
    {
        for (int seed = 0; seed < 5; seed++)
            Assert.InRange(Rms(Correct(Noise(seed, 0.1), new float[Samples])), 0, 0.3 * 0.1);
    }

    [Fact]
    public void AWrongLevelAndAmplitudeAreMadeGood()
    {
        float[] truth = Wave(1.2, 0.8), generated = [.. truth.Select(v => (0.85f * v) - 0.1f)];
        float[] measured = Sum(truth, Noise(3, 0.1)), correction = Correct(measured, generated);
        double before = Rms(truth.Select((v, i) => v - generated[i])),
            after = Rms(truth.Select((v, i) => v - generated[i] - correction[i]));
        Assert.InRange(before, 0.12, 0.14);
        // What is let through of the noise (0.03) and of 5 coefficients' own noise around each line, 0.1 sqrt(10 / 500) = 0.014.
        Assert.InRange(after, 0, 0.045);
    }

    // 50 Hz is above half of the band: none of it, but N grows and slow errors come back by less.
    [Fact]
    public void MainsHumDoesNotComeBack()
    {
        float[] correction = Correct(Wave(50, 0.3), new float[Samples]);
        Assert.InRange(Rms(correction), 0, 0.01);
    }

    [Fact]
    public void WhatIsMissingIsBridgedAndNothingMeasuredGivesNothing()
    {
        float[] measured = Wave(0.5, 1), whole = Correct(measured, new float[Samples]);
        float[] holes = [.. measured.Select((v, i) => i is >= 200 and < 210 ? float.NaN : v)];
        float[] correction = Correct(holes, new float[Samples]);
        Assert.All(correction, v => Assert.True(float.IsFinite(v)));
        Assert.InRange(Rms(correction.Select((v, i) => v - whole[i])), 0, 0.02);
        Assert.All(Correct([.. Enumerable.Repeat(float.NaN, Samples)], new float[Samples]), v => Assert.Equal(0, v));
    }

    [Fact]
    public void WrongLengthsAreRefused()
    {
        Assert.Equal("samples", Assert.Throws<ConfigurationException>(() => new ResidualFilter(7)).Setting);
        Assert.Throws<ArgumentException>(() => new ResidualFilter(8).Correction(new float[8], new float[8], new float[7]));
        Assert.Equal(
            "residual", Assert.Throws<ConfigurationException>(() =>
                new RestorationOptions { Task = CardioTask.Parse("denoise bp"), Residual = (ResidualRule)2 }.Validate()).Setting);
    }

    // One window, so that nothing is crossfaded: the network's result plus the correction of it, the band moved by as much.
    [Fact]
    public void DenoisingGivesBackTheResidual()
    {
        Recording recording = Make.Heart(4);
        RestorationOptions options = Make.Options("denoise bp", 3);
        RestorationResult alone = new Restorer(weights.Engine, options).Run(recording),
            corrected = new Restorer(weights.Engine, options with { Residual = ResidualRule.Wiener }).Run(recording);
        float[] correction = Correct(recording.Require("ABP").Samples.ToArray(), alone.Channel.Samples.ToArray());
        Assert.InRange(Rms(correction), 1, 100);
        for (int i = 0; i < Samples; i++)
        {
            // Sums of numbers around 100 mmHg, each rounded to float32: 4e-6 a rounding, a handful of them.
            Assert.Equal(alone.Channel.Samples.Span[i] + correction[i], corrected.Channel.Samples.Span[i], 5e-5f);
            Assert.Equal(alone.Band!.Low.Span[i] + correction[i], corrected.Band!.Low.Span[i], 5e-5f);
            Assert.Equal(alone.Band.High.Span[i] + correction[i], corrected.Band.High.Span[i], 5e-5f);
        }
    }
}
