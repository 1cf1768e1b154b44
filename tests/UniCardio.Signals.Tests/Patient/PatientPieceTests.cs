using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Signals.Tests.Patient;

public class PatientPieceTests
{
    private static BeatTrain Irregular(double delay = 0, double jitter = 0)
    {
        var random = new CounterRandom(3, 1);
        var noise = new CounterRandom(3, 2);
        var instants = new List<double>();
        for (double t = 100; t < 10_000; t += 100 * (1 + (0.1 * random.NextGaussian())))
            instants.Add(t + delay + (jitter * noise.NextGaussian()));
        return BeatTrain.From(instants);
    }

    // 75 samples are the 0.6 s by which a monitor delays a PPG, most of an interval: nearness would tell 75 - 100.
    [Theory]
    [InlineData(30, 0)]
    [InlineData(75, 1)]
    [InlineData(130, 1)]
    [InlineData(-40, 2)]
    public void ADelayIsFoundWhereItVariesLeast(double delay, double jitter)
    {
        BeatDelay found = BeatDelay.Between(Irregular(), Irregular(delay, jitter), (0, 62))!;
        Assert.InRange(found.Median, delay - 1, delay + 1);
        Assert.InRange(found.Spread, 0, (2 * jitter) + 1e-9);
    }

    [Fact]
    public void ADelayFollowsADrift()
    {
        double[] source = [.. Enumerable.Range(0, 100).Select(k => 100.0 * k)];
        double[] target = [.. source.Select(t => t + 20 + (0.002 * t))];
        BeatDelay found = BeatDelay.Between(BeatTrain.From(source), BeatTrain.From(target), (0, 62))!;
        // The median of sixteen pairs about 2000 spans 1300 to 2700: 24 +- 0.1.
        Assert.InRange(found.At(2000), 23.8, 24.2);
        Assert.InRange(found.At(8000), 35.8, 36.2);
    }

    [Fact]
    public void RhythmFillsInAsManyBeatsAsFit()
    {
        double[] seen = [0, 100, 200, 300, 400, 700, 800, 900, 1000];
        (double[] instants, double[] doubt) = Rhythm.Continue(seen, new SampleRange(0, 1150), (_, _) => true);
        Assert.Equal([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000], instants.Where(i => i is >= 0 and <= 1000));
        Assert.True(instants[^1] >= 1150);
        Assert.All(instants.Zip(doubt), p => Assert.Equal(seen.Contains(p.First), p.Second == 0));
    }

    [Fact]
    public void AnErrorThatLastsIsTakenOffInTheGap()
    {
        var random = new CounterRandom(1, 1);
        double slow = 0;
        var residual = new double[6000];
        for (int i = 0; i < residual.Length; i++)
            residual[i] = slow = (0.995 * slow) + (0.1 * random.NextGaussian());
        var gap = new SampleRange(3000, 50);
        double[] truth = residual[gap.Start..gap.End];
        residual.AsSpan(gap.Start, gap.Length).Fill(double.NaN);
        var wave = new double[residual.Length];
        var variance = new double[gap.Length];
        EdgeCorrection edges = EdgeCorrection.Learn(residual, new SampleRange(0, residual.Length), gap.Length);
        edges.Apply(residual, gap, wave, variance);
        double left = truth.Select((x, i) => (x - wave[gap.Start + i]) * (x - wave[gap.Start + i])).Average();
        // A random walk that forgets in 200 samples: in the middle of 50 a bridge of variance 0.01 25 25 / 50 = 0.125, on average 2/3 of
        // it.
        Assert.True(left < 3 * variance.Average(), $"{left} against {variance.Average()}");
        Assert.InRange(variance.Max(), 0.06, 0.25);
        Assert.True(variance[0] < 0.25 * variance[25]);
    }

    [Fact]
    public void AFilterIsFoundAgain()
    {
        var random = new CounterRandom(2, 2);
        float[] ppg = new float[6000], pressure = new float[6000];
        double slow = 0;
        for (int i = 0; i < ppg.Length; i++)
            ppg[i] = (float)(slow = (0.9 * slow) + random.NextGaussian());
        for (int i = 20; i < ppg.Length; i++)
            pressure[i] = (float)(90 + (4 * ppg[i - 10]) - (2 * ppg[i - 20]));
        var signals = new PatientSignals(125, ppg, pressure, null);
        RidgeFir fir = RidgeFir.Fit(signals, ChannelKind.BloodPressure, [ChannelKind.Ppg], new SampleRange(100, 5000))!;
        var made = new double[500];
        fir.Render(signals, new SampleRange(5200, 500), made);
        // The ridge of 1e-3 takes a thousandth off each tap, and taps at lags 10 and 20 are on the grid: 1% of a spread of 9.
        for (int i = 0; i < made.Length; i++)
            Assert.InRange(made[i] - pressure[5200 + i], -0.2, 0.2);
    }

    // No error at all, and errors that are no numbers: weights still sum to 1, and no gap is filled with zeros.
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, double.NaN)]
    [InlineData(double.NaN, double.NaN)]
    public void ABlendOfWhatCannotBeWeighedIsOneEstimate(double usual, double wave)
    {
        var stack = new StackedWeights(_ => usual);
        GapEstimate[] estimates =
        [
            new(EstimatorKind.Line, null, [0, 0], [1, 1]), new(EstimatorKind.Beat, null, [wave, 0], [1, 1]),
        ];
        stack.Add(estimates, new float[2], 1);
        double[] w = stack.Of(estimates);
        Assert.Equal(1, w.Sum());
        Assert.All(w, x => Assert.InRange(x, 0, 1));
    }

    [Fact]
    public void ABlendTakesTheBetterAndAveragesEquals()
    {
        var stack = new StackedWeights(_ => 0.3);
        var random = new CounterRandom(4, 4);
        double[] Noise(double sd) => [.. Enumerable.Range(0, 100).Select(_ => sd * random.NextGaussian())];
        double[] Sd() => new double[100];
        GapEstimate[] Estimates() =>
        [
            new(EstimatorKind.Line, null, Noise(3), Sd()), new(EstimatorKind.Beat, null, Noise(0.5), Sd()),
            new(EstimatorKind.Fir, null, Noise(0.5), Sd()),
        ];
        for (int s = 0; s < 12; s++)
            stack.Add(Estimates(), new float[100], 1);
        double[] w = stack.Of(Estimates());
        Assert.Equal(1, w.Sum(), 9);
        // Inverse variances would be 1/9 : 4 : 4.
        Assert.InRange(w[0], 0, 0.06);
        Assert.InRange(w[1], 0.4, 0.6);
        Assert.All(w, x => Assert.True(x >= 0));
    }
}
