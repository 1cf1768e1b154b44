using MathNet.Numerics.Statistics;
using UniCardio.Signals.Processing;

namespace UniCardio.Pipeline.Tests;

public class WindowScaleTests
{
    private const float N = float.NaN;

    [Fact]
    public void BloodPressureHasItsOwnScale()
    {
        Assert.Equal(0.4f, AffineScale.BloodPressure.Forward(120));
        Assert.Equal(50f, AffineScale.BloodPressure.Inverse(AffineScale.Missing));
    }

    [Fact]
    public void MeasuredExtremesMapToOneAndMissingToMinusOne()
    {
        float[] x = [2, N, 6, 4, 3, N, 5, 2];
        AffineScale scale = WindowScale.FromExtremes(x, new SampleRange(0, 8));
        var y = new float[8];
        scale.Forward(x, y);
        Assert.Equal([-1, -1, 1, 0, -0.5f, -1, 0.5f, -1], y);
        scale.Inverse(y, y);
        Assert.Equal([2, 2, 6, 4, 3, 2, 5, 2], y);
    }

    [Fact]
    public void ARoundTripLosesNoMoreThanFloatRounding()
    {
        var random = new Random(3);
        float[] x = [.. Enumerable.Range(0, 500).Select(_ => 1000 + random.NextSingle())];
        AffineScale scale = WindowScale.FromExtremes(x, new SampleRange(0, 500));
        // Scaled values are rounded by 2^-24 of [-1, 1], half a unit wide in physical terms; the result by half a step of 1000, 3.1e-5.
        Assert.All(x, v => Assert.InRange(scale.Inverse(scale.Forward(v)) - v, -3.2e-5f, 3.2e-5f));
        Assert.All(x, v => Assert.InRange(scale.Forward(v), -1f, 1f));
    }

    [Fact]
    public void AConstantWindowBecomesZeroAndInvertsToItself()
    {
        foreach (float value in new[] { 0f, 3.7f, -1e6f, 1e-20f })
        {
            float[] x = [value, value, N, value];
            AffineScale scale = WindowScale.FromExtremes(x, new SampleRange(0, 4));
            Assert.Equal(0, scale.Forward(value));
            Assert.Equal(value, scale.Inverse(0));
            Assert.Equal(scale, WindowScale.FromQuantiles(x, new SampleRange(0, 4)));
        }
        // Two neighbouring floats are rounding, not a signal.
        Assert.Equal(1, AffineScale.FromRange(100, MathF.BitIncrement(100)).HalfRange);
    }

    [Fact]
    public void ASparseWindowIsScaledByTheNearestWindowSWorthOfSamples()
    {
        // Window 40..60 is missing but for four samples; the nearest 20 measured ones are those four and eight to either side.
        var x = new float[100];
        for (int i = 0; i < 100; i++)
            x[i] = i is >= 36 and < 64 ? N : i;
        x[50] = x[51] = x[52] = x[53] = 50;
        AffineScale scale = WindowScale.FromExtremes(x, new SampleRange(40, 20));
        Assert.Equal(28, scale.Inverse(-1));
        Assert.Equal(71, scale.Inverse(1));
    }

    [Fact]
    public void AQuarterMeasuredIsEnough()
    {
        var x = new float[100];
        for (int i = 0; i < 100; i++)
            x[i] = i;
        for (int i = 45; i < 60; i++)
            x[i] = N;
        Assert.Equal(44, WindowScale.FromExtremes(x, new SampleRange(40, 20)).Inverse(1));
        x[44] = N;
        Assert.Equal(67, WindowScale.FromExtremes(x, new SampleRange(40, 20)).Inverse(1));
    }

    [Fact]
    public void ASparseWindowAtAnEndTakesWhatThereIs()
    {
        var x = new float[60];
        Array.Fill(x, N);
        x[0] = 1;
        x[1] = 3;
        AffineScale scale = WindowScale.FromExtremes(x, new SampleRange(40, 20));
        Assert.Equal((1f, 3f), (scale.Inverse(-1), scale.Inverse(1)));
    }

    [Fact]
    public void QuantilesAreThoseOfNumPy()
    {
        var random = new Random(11);
        float[] x = [.. Enumerable.Range(0, 500).Select(_ => random.NextSingle())];
        x[17] = 40;
        x[18] = -40;
        x[99] = N;
        double[] measured = [.. x.Where(v => !float.IsNaN(v)).Select(v => (double)v)];
        AffineScale scale = WindowScale.FromQuantiles(x, new SampleRange(0, 500));
        Assert.Equal(measured.QuantileCustom(0.005, QuantileDefinition.R7), scale.Inverse(-1), 1e-6);
        Assert.Equal(measured.QuantileCustom(0.995, QuantileDefinition.R7), scale.Inverse(1), 1e-6);
    }

    [Fact]
    public void WhatCannotBeScaledIsRefused()
    {
        float[] x = [N, N, N, N];
        Assert.Throws<NoMeasuredSamplesException>(() => WindowScale.FromExtremes(x, new SampleRange(0, 4)));
        Assert.Throws<NoMeasuredSamplesException>(() => WindowScale.FromQuantiles(x, new SampleRange(0, 4)));
        Assert.Throws<ArgumentOutOfRangeException>(() => WindowScale.FromExtremes(x, new SampleRange(1, 4)));
        Assert.Throws<ArgumentOutOfRangeException>(() => WindowScale.FromExtremes(x, new SampleRange(0, 0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AffineScale(0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AffineScale(double.NaN, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => AffineScale.FromRange(2, 1));
    }
}
