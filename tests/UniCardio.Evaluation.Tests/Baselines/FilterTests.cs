using UniCardio.Engine.Model;
using UniCardio.Evaluation.Baselines;
using UniCardio.Evaluation.Cases;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Tests.Baselines;

/// <summary>
/// The filters beside values of SciPy 1.10.1 (savgol_filter, sosfiltfilt with odd padding of 39 samples) and PyWavelets 1.1.1 (db4,
/// periodization, soft threshold, the mirrored signal turned on by three samples, which is where PyWavelets begins its period) on the
/// signal of <see cref="Signal"/>. Results are float32 below 1, so they are off by 1e-7 at most; the values below carry eight digits. 1e-6
/// covers both.
/// </summary>
public class FilterTests
{
    private const double Tolerance = 1e-6;
    private static readonly int[] Places = [0, 2, 10, 20, 39];

    private static float[] Signal { get; } =
        [.. Enumerable.Range(0, 40).Select(i => (float)((i * 37 % 23 / 23.0) + (0.3 * Math.Sin(0.4 * i))))];

    private static void Check(INoiseFilter filter, double[] expected)
    {
        var smooth = new float[Signal.Length];
        filter.Run(Signal, smooth);
        for (int k = 0; k < Places.Length; k++)
            Assert.InRange(smooth[Places[k]], expected[k] - Tolerance, expected[k] + Tolerance);
    }

    [Fact]
    public void SavitzkyGolayIsThatOfSciPyEdgesIncluded()
    {
        Check(new SavitzkyGolay(7, 2), [0.15893216, 0.65288261, 0.19558934, 0.89623256, 0.50355041]);
        Check(new SavitzkyGolay(9, 4), [0.04042033, 0.77620293, 0.1514215, 0.8901304, 0.69992236]);
    }

    [Fact]
    public void SavitzkyGolayHasTheWeightsOfItsTable()
    {
        // Savitzky and Golay 1964, table I: five points, quadratic: (-3, 12, 17, 12, -3) / 35.
        var filter = new SavitzkyGolay(5, 2);
        double[] weights = [-3 / 35.0, 12 / 35.0, 17 / 35.0, 12 / 35.0, -3 / 35.0];
        var smooth = new float[11];
        for (int k = 0; k < 5; k++)
        {
            var impulse = new float[11];
            impulse[3 + k] = 1;
            filter.Run(impulse, smooth);
            Assert.InRange(smooth[5], weights[k] - 1e-7, weights[k] + 1e-7);
        }
    }

    [Fact]
    public void ButterworthIsThatOfSciPy()
    {
        Check(new ButterworthBandPass(4, 0.5, 20), [-0.11060965, 0.56536315, -0.06173786, 0.32384937, -0.04144532]);
        Check(new ButterworthBandPass(2, null, 10), [1.8e-8, 0.43881982, 0.33093469, 0.70836944, 0.77145675]);
    }

    [Fact]
    public void AMeanThatPassesTakesNoPartInTheFilter()
    {
        var random = new CounterRandom(5, 0);
        float[] centred = new float[500], raised = new float[500], without = new float[500], kept = new float[500];
        for (int i = 0; i < 500; i++)
            centred[i] = (float)random.NextGaussian();
        float mean = centred.Average();
        for (int i = 0; i < 500; i++)
            raised[i] = (centred[i] -= mean) + 80;
        new ButterworthBandPass(2, 0.5, 20).Run(centred, without);
        new ButterworthBandPass(2, 0.5, 20, keepsMean: true).Run(raised, kept);
        // float32 near 80 is known to 4e-6, twice (input and result); the filter passes noise with a gain of about 1.
        for (int i = 0; i < 500; i++)
            Assert.Equal(without[i] + 80, kept[i], 3e-5f);
    }

    [Fact]
    public void WaveletShrinkageIsThatOfPyWavelets() =>
        Check(new WaveletShrinkage(3, 0.4), [0.55077835, 0.53507422, 0.37171171, 0.55069772, 0.77250016]);

    [Theory]
    [InlineData(16)]
    [InlineData(8)]
    [InlineData(512)]
    public void TheWaveletTransformIsOrthonormalAndInverts(int length)
    {
        var random = new CounterRandom(3, 0);
        double[] x = new double[length], y;
        for (int i = 0; i < length; i++)
            x[i] = random.NextGaussian();
        y = [.. x];
        WaveletShrinkage.Analyse(y);
        // The published taps have 16 digits: sums of eight products of about 1, and of their squares, keep 1e-12.
        Assert.InRange(y.Sum(v => v * v) / x.Sum(v => v * v), 1 - 1e-12, 1 + 1e-12);
        WaveletShrinkage.Synthesise(y);
        for (int i = 0; i < length; i++)
            Assert.InRange(y[i], x[i] - 1e-11, x[i] + 1e-11);
    }

    [Fact]
    public void TheDetailsOfACubicVanish()
    {
        // Four vanishing moments: details see nothing of a cubic, away from where the period closes.
        double[] x = [.. Enumerable.Range(0, 64).Select(i => Math.Pow(i / 32.0, 3) - (2 * i))];
        WaveletShrinkage.Analyse(x);
        for (int k = 0; k < 28; k++)
            Assert.InRange(x[32 + k], -1e-9, 1e-9);
    }

    [Fact]
    public void TheMovingAverageNarrowsAtTheEnds()
    {
        float[] smooth = new float[5];
        new MovingAverage(5).Run([1, 2, 6, 4, 9], smooth);
        Assert.Equal([1f, 3f, 4.4f, (6 + 4 + 9) / 3f, 9f], smooth);
    }

    [Fact]
    public void EveryCandidateKeepsAConstantAndItsLength()
    {
        float[] level = new float[500], smooth = new float[500];
        Array.Fill(level, 93.5f);
        foreach (INoiseFilter filter in NoiseFilterFamily.All.SelectMany(f => f.Candidates))
        {
            filter.Run(level, smooth);
            // To float32's rounding of 93.5, 4e-6, a few times over.
            Assert.All(smooth, x => Assert.InRange(x, 93.5f - 2e-5f, 93.5f + 2e-5f));
        }

        // A high-pass that is not told to keep it takes a level off.
        new ButterworthBandPass(2, 0.5, 20).Run(level, smooth);
        Assert.All(smooth, x => Assert.InRange(x, -2e-5f, 2e-5f));
    }

    [Fact]
    public void TuningChoosesMoreSmoothingForMoreNoise()
    {
        var tuning = new FilterTuning(new SyntheticPopulation(6), 500);
        int Width(double snr) => int.Parse(tuning.Choose(MovingAverage.Family, Modality.Ppg, Corruption.Noise(snr)).Settings.Split(' ')[0]);
        Assert.True(Width(0) > Width(20), $"{Width(0)} samples at 0 dB, {Width(20)} at 20 dB");
    }
}
