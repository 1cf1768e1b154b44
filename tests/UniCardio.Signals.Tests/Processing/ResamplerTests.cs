using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Tests.Processing;

public class ResamplerTests
{
    // Filtered samples carry the pass band's 0.001 dB (1.2e-4) at most; float32 rounding (6e-8) is far below.
    private const double PassBandError = 1.2e-4;

    public static TheoryData<double> Rates =>
        [360, 200, 100, 500, 1000, 999, 975, 800, 128, 62.4725, 250, 300, 240, 124.999, 125.0001, 2000, 62.5, 4000];

    private static float[] Sine(double frequency, double rate, int n, double phase = 0.3)
    {
        var x = new float[n];
        for (int i = 0; i < n; i++)
            x[i] = (float)Math.Sin(2 * Math.PI * frequency * i / rate + phase);
        return x;
    }

    [Theory]
    [MemberData(nameof(Rates))]
    public void ASineInThePassBandKeepsItsAmplitudeAndItsTime(double rate)
    {
        double low = Math.Min(rate, 125);
        var resampler = new Resampler(rate, 125);
        foreach (double fraction in new[] { 0.01, 0.1, 0.25, 0.4 })
        {
            double frequency = fraction * low;
            int n = (int)(4 * rate);
            float[] y = resampler.Resample(Sine(frequency, rate, n));
            float[] expected = Sine(frequency, 125, y.Length);
            // Away from the ends by the filter's reach; an inexact ratio moves each instant by at most TimingError input samples.
            double tolerance = PassBandError + 2 * Math.PI * frequency * resampler.Ratio.TimingError / rate;
            int reach = (int)(27 * 125 / low) + 1;
            for (int i = reach; i < y.Length - reach; i++)
                Assert.True(Math.Abs(y[i] - expected[i]) <= tolerance,
                    $"{rate} Hz, {frequency} Hz, sample {i}: {y[i]} against {expected[i]}");
        }
    }

    [Theory]
    [InlineData(360)]
    [InlineData(1000)]
    [InlineData(999)]
    [InlineData(250)]
    [InlineData(2000)]
    public void WhatWouldFoldIsStoppedBy80DB(double rate)
    {
        var resampler = new Resampler(rate, 125);
        for (double frequency = 62.5; frequency < rate / 2; frequency += 7.3)
        {
            float[] y = resampler.Resample(Sine(frequency, rate, (int)(2 * rate)));
            for (int i = 28; i < y.Length - 28; i++)
                Assert.True(Math.Abs(y[i]) <= 1.05e-4, $"{rate} Hz, {frequency} Hz, sample {i}: {y[i]}");
        }
    }

    [Theory]
    [MemberData(nameof(Rates))]
    public void ATrendStaysATrendUpToBothEnds(double rate)
    {
        int n = (int)(3 * rate);
        var x = new float[n];
        for (int i = 0; i < n; i++)
            x[i] = (float)(80 + 5 * i / rate);
        var resampler = new Resampler(rate, 125);
        float[] y = resampler.Resample(x);
        Assert.Equal(resampler.OutputLength(n), y.Length);
        // float32 near 95 rounds by 4e-6 on the way in, which taps of absolute sum below 3 carry on, and again on the way out. The taps'
        // first moment (which would vanish if the stop band were perfect at the images of 0 Hz) is at most 8.1e-4 samples over all phases.
        double tolerance = 1.6e-5 + 5 / Math.Min(rate, 125) * 8.5e-4 + 5 / rate * resampler.Ratio.TimingError;
        for (int i = 0; i < y.Length; i++)
            Assert.True(Math.Abs(y[i] - (80 + 5 * i / 125.0)) <= tolerance, $"{rate} Hz, sample {i}: {y[i]}");
    }

    [Fact]
    public void AConstantStaysWhatItIs()
    {
        var x = new float[500];
        Array.Fill(x, 123.456f);
        // Taps of a phase sum to one within double rounding, so float32 gets the same number back.
        Assert.All(new Resampler(360, 125).Resample(x), v => Assert.Equal(123.456f, v));
        Assert.All(new Resampler(62.4725, 125).Resample(x), v => Assert.Equal(123.456f, v));
    }

    [Theory]
    [InlineData(360, 3600, 1250)]
    [InlineData(100, 400, 500)]
    [InlineData(200, 800, 500)]
    [InlineData(128, 512, 500)]
    [InlineData(1000, 1, 1)]
    [InlineData(360, 0, 0)]
    [InlineData(999, 29970, 3750)]
    public void TheOutputLastsAsLongAsTheInput(double rate, int n, int expected) =>
        Assert.Equal(expected, new Resampler(rate, 125).Resample(new float[n]).Length);

    [Theory]
    [MemberData(nameof(Rates))]
    public void AGapLeavesNoTraceBeyondItself(double rate)
    {
        int n = (int)(6 * rate), from = (int)(2 * rate) + 1, to = (int)(3.3 * rate);
        float[] x = Sine(1.3, rate, n);
        for (int i = 0; i < n; i++)
            x[i] = i >= from && i < to ? float.NaN : x[i] * 40 + 100;
        var resampler = new Resampler(rate, 125);
        float[] y = resampler.Resample(x);
        for (int i = 0; i < y.Length; i++)
        {
            double at = (double)resampler.Ratio.PhasesAt(i) / resampler.Ratio.Up;
            bool measured = at <= from - 1 || at >= to;
            Assert.True(measured == !float.IsNaN(y[i]), $"{rate} Hz, sample {i} at {at}: {y[i]}");
            // The wave bends by up to 40 (2 pi 1.3)^2 = 2669 a second squared. Point reflection turns the bend over at an edge, which costs
            // a few hundredths within the filter's reach, and after the last sample the bend times the square of the time continued.
            double beyond = Math.Max(0, at - (n - 1)) / rate;
            if (measured)
                Assert.True(Math.Abs(y[i] - (100 + 40 * Math.Sin(2 * Math.PI * 1.3 * i / 125 + 0.3))) < 0.12 + 2669 * beyond * beyond,
                    $"{rate} Hz, sample {i}: {y[i]}");
        }
    }

    [Fact]
    public void RunsAreIndependentOfWhatLiesBeyondAGap()
    {
        float[] x = Sine(2, 360, 2000);
        x.AsSpan(900, 50).Fill(float.NaN);
        float[] other = (float[])x.Clone();
        other.AsSpan(950).Fill(1e6f);
        var resampler = new Resampler(360, 125);
        float[] y = resampler.Resample(x), z = resampler.Resample(other);
        Assert.Equal(y[..(899 * 125 / 360)], z[..(899 * 125 / 360)]);
        Assert.NotEqual(y[^1], z[^1]);
    }

    [Fact]
    public void IsolatedSamplesAndRunsShorterThanTheFilterAreHandled()
    {
        float[] x = new float[720];
        Array.Fill(x, float.NaN);
        x[0] = 3;
        x[72] = 7;
        x[144] = 1;
        x[145] = 2;
        x[146] = 3;
        x[147] = 4;
        float[] y = new Resampler(360, 125).Resample(x);
        Assert.Equal(3f, y[0]);
        Assert.Equal(7f, y[25]);
        Assert.Equal(1f, y[50], 1e-4f);
        Assert.Equal(1 + 2.88f, y[51], 2e-3f);
        Assert.Equal(4, y.Count(v => !float.IsNaN(v)));
    }

    [Fact]
    public void AnEmptyOrWhollyMissingSignalStaysSo()
    {
        var missing = new float[300];
        Array.Fill(missing, float.NaN);
        Assert.Empty(new Resampler(360, 125).Resample([]));
        Assert.All(new Resampler(360, 125).Resample(missing), v => Assert.True(float.IsNaN(v)));
    }

    [Fact]
    public void EqualRatesCopy()
    {
        float[] x = [1, float.NaN, 3];
        Assert.Equal(x, new Resampler(125, 125).Resample(x));
    }

    [Theory]
    [InlineData(360, 25, 72, true)]
    [InlineData(100, 5, 4, true)]
    [InlineData(999, 125, 999, true)]
    [InlineData(62.5, 2, 1, true)]
    [InlineData(975, 5, 39, true)]
    public void RatiosAreInLowestTerms(double rate, int up, int down, bool exact)
    {
        RateRatio ratio = new Resampler(rate, 125).Ratio;
        Assert.Equal((up, down, exact), (ratio.Up, ratio.Down, ratio.IsExact));
    }

    [Fact]
    public void ARatioWithoutSmallTermsDoesNotDrift()
    {
        var resampler = new Resampler(100 * Math.PI, 125);
        Assert.False(resampler.Ratio.IsExact);
        Assert.InRange(resampler.Ratio.Up, 4096, 16384);
        foreach (long j in new long[] { 1, 1000, 1_000_000, 100_000_000 })
        {
            double exact = j * (100 * Math.PI / 125);
            // The product itself is rounded in double: 1e8 instants come to 2.5e8 samples, rounded by 3e-8.
            Assert.InRange((double)resampler.Ratio.PhasesAt(j) / resampler.Ratio.Up - exact, -resampler.Ratio.TimingError - 1e-7,
                resampler.Ratio.TimingError + 1e-7);
        }
    }

    [Theory]
    [InlineData(0, 125)]
    [InlineData(-1, 125)]
    [InlineData(double.NaN, 125)]
    [InlineData(double.PositiveInfinity, 125)]
    [InlineData(125, 0)]
    [InlineData(1e-300, 125)]
    [InlineData(1e9, 125)]
    public void AbsurdRatesAreRefused(double input, double output) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Resampler(input, output));

    [Fact]
    public void TooLongAnOutputIsRefused() =>
        Assert.Throws<SignalException>(() => new Resampler(1, 1000).OutputLength(int.MaxValue));

    [Fact]
    public void CancellationIsHonoured()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => new Resampler(360, 125).Resample(new float[1000], source.Token));
    }

    [Fact]
    public void ARecordingOfMixedRatesComesOutAtOneRateAndLength()
    {
        var recording = new Recording("r",
        [
            new Channel("ECG", "mV", 360, Sine(3, 360, 3601)),
            new Channel("PPG", "NU", 125, Sine(1, 125, 1250)),
            new Channel("ABP", "mmHg", 100, Sine(1, 100, 999)),
        ]);
        Recording r = RecordingPreparation.Resample(recording, 125);
        Assert.All(r.Channels, c => Assert.Equal((125.0, r.Channels[0].Length), (c.SampleRate, c.Length)));
        Assert.Equal("ABP", r.Channels[2].Name);
        Assert.Same(r, RecordingPreparation.Resample(r, 125));
    }

    [Fact]
    public void AChannelThatEndsEarlyIsFilledUpWithMissingSamples()
    {
        var recording = new Recording("r", [new Channel("a", "mV", 125, new float[1000]), new Channel("b", "mV", 250, new float[1000])]);
        Recording r = RecordingPreparation.Resample(recording, 125);
        Assert.Equal(1000, r.Channels[1].Length);
        Assert.Equal(500, GapFinder.CountMeasured(r.Channels[1].Samples.Span));
    }
}
