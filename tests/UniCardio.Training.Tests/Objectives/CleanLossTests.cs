using System.Numerics;
using MathNet.Numerics.IntegralTransforms;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Training.Data;
using UniCardio.Training.Objectives;
using UniCardio.Training.Tests.Runs;

namespace UniCardio.Training.Tests.Objectives;

public class CleanLossTests
{
    private static double[] Random(int samples, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, samples).Select(_ => (2 * random.NextDouble()) - 1)];
    }

    // Tables and sums of n terms below 1/sqrt(n) in double: n 1e-16 / sqrt(n) a bin; another library's algorithm for odd lengths loses a
    // digit or two.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(500)]
    public void TheTransformIsThatOfALibrary(int samples)
    {
        double[] x = Random(samples, samples);
        var dft = new RealDft(samples);
        double[] padded = new double[dft.Padded], real = new double[dft.Bins], imaginary = new double[dft.Bins];
        x.CopyTo(padded, 0);
        dft.Forward(padded, real, imaginary);
        Complex[] expected = [.. x.Select(v => new Complex(v, 0))];
        Fourier.Forward(expected, FourierOptions.Default);
        for (int k = 0; k < dft.Bins; k++)
        {
            Assert.Equal(expected[k].Real, real[k], 1e-11);
            Assert.Equal(expected[k].Imaginary, imaginary[k], 1e-11);
        }

        // Unitary: its transpose gives the signal back.
        double[] back = new double[dft.Padded];
        dft.Backward(real, imaginary, back);
        for (int s = 0; s < samples; s++)
            Assert.Equal(x[s], back[s], 1e-11);
        Assert.Equal(samples, Enumerable.Range(0, dft.Bins).Sum(dft.Multiplicity));
    }

    [Theory]
    [InlineData(16)]
    [InlineData(25)]
    public void AmplitudeAndTwicePhaseAreTheMeanSquaredError(int samples)
    {
        double[] x = Random(samples, 1), y = Random(samples, 2);
        double both = new SpectralLoss(samples, 1, 2).Add(x, y, new double[samples], 1);
        Assert.Equal(x.Zip(y).Average(p => (p.First - p.Second) * (p.First - p.Second)), both, 1e-12);
    }

    [Fact]
    public void AShiftCostsPhaseAndNoAmplitude()
    {
        double[] x = [.. Enumerable.Range(0, 50).Select(s => Math.Sin(2 * Math.PI * 3 * s / 50))], shifted = [.. x[5..], .. x[..5]];
        Assert.Equal(0, new SpectralLoss(50, 1, 0).Add(shifted, x, new double[50], 1), 1e-12);
        // One bin and its conjugate, each of energy 50/4 of unit phasors turned by 3 * 5/50 turns: 2 (50/4) (1 - cos) / 50.
        Assert.Equal(0.5 * (1 - Math.Cos(2 * Math.PI * 0.3)), new SpectralLoss(50, 0, 1).Add(shifted, x, new double[50], 1), 1e-12);
    }

    // Central differences in double: h^2 of the third derivative, which is about |Y|/|X|^2 < 1e3, and 1e-16 / h of rounding.
    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    [InlineData(0.7, 0.4)]
    public void SpectralGradientsAreThoseOfTheLoss(double amplitude, double phase)
    {
        double[] x = Random(21, 3), y = Random(21, 4), gradient = new double[21];
        var loss = new SpectralLoss(21, amplitude, phase);
        loss.Add(x, y, gradient, 1.5);
        for (int s = 0; s < x.Length; s++)
        {
            const double h = 1e-5;
            double[] up = [.. x], down = [.. x];
            up[s] += h;
            down[s] -= h;
            double slope = (loss.Add(up, y, new double[21], 1.5) - loss.Add(down, y, new double[21], 1.5)) / (2 * h);
            Assert.Equal(slope, gradient[s], 1e-7);
        }
    }

    [Fact]
    public void SilenceHasASpectrumToo()
    {
        double[] gradient = new double[20];
        double loss = new SpectralLoss(20, 1, 1).Add(new double[20], Random(20, 1), gradient, 1);
        Assert.True(loss > 0);
        Assert.All(gradient, g => Assert.True(double.IsFinite(g)));
    }

    public static TheoryData<PredictionKind, ObjectiveOptions> Cases()
    {
        var data = new TheoryData<PredictionKind, ObjectiveOptions>();
        foreach (PredictionKind prediction in (PredictionKind[])[PredictionKind.Epsilon, PredictionKind.V, PredictionKind.Sample])
        {
            data.Add(prediction, new ObjectiveOptions { SpectralAmplitude = 0.5, SpectralPhase = 0.3 });
            data.Add(prediction, new ObjectiveOptions { PeakL1 = 2, WeighsPeaks = true });
            data.Add(prediction,
                new ObjectiveOptions { SpectralAmplitude = 1, PeakL1 = 1, WeighsPeaks = true, DampsCleanLosses = true, Normalization =
                    LossNormalization.Published });
        }

        return data;
    }

    // The whole loss by the prediction. Predictions are float32 and a step of 1/128 is exact in them; the loss is summed from float32
    // errors (1e-7 of about 1, squared and counted 9 times at most), so a quotient is off by some 1e-7 / h = 1e-5 of the slopes' scale, and
    // by h^2 f''' / 6.
    [Theory]
    [MemberData(nameof(Cases))]
    public void GradientsOfTheWholeLoss(PredictionKind prediction, ObjectiveOptions options)
    {
        ModelConfiguration configuration = ToyNetwork.Small with { Prediction = prediction };
        var objective = new DiffusionObjective(configuration, options);
        var batch = new TrainingBatch(3, configuration.SlotSamples);
        CardioTask[] tasks = [CardioTask.Parse("ppg->ecg"), CardioTask.Parse("impute bp | ppg"), CardioTask.Parse("denoise ecg")];
        for (int i = 0; i < 3; i++)
            new WaveExamples(1).Fill(i, tasks[i], batch, i);
        objective.Prepare(batch, 5, [0, 4, 7]);
        float[] gradient = new float[16], unused = new float[16];
        for (int window = 0; window < 3; window++)
        {
            float[] at = [.. Random(16, window).Select(x => MathF.Round((float)x * 1024) / 1024)];
            objective.Evaluate(batch, window, at, gradient);
            double scale = gradient.Max(g => Math.Abs(g));
            Assert.True(scale > 0);
            for (int s = 0; s < 16; s++)
            {
                const float h = 1 / 1024f;
                float[] up = [.. at], down = [.. at];
                up[s] += h;
                down[s] -= h;
                double slope = (objective.Evaluate(batch, window, up, unused) - objective.Evaluate(batch, window, down, unused)) / (2 * h);
                Assert.True(Math.Abs(slope - gradient[s]) <= 2e-3 * scale,
                    $"window {window}, sample {s}: {gradient[s]} instead of {slope}");
                if (batch.Weight(window)[s] == 0)
                    Assert.Equal(0, gradient[s]);
            }
        }
    }

    [Fact]
    public void PeaksAndValleysAreFound()
    {
        // Two periods of a wave of curvature (2 pi / 40)^2 = 0.025 at its extremes, above 0.01 within 0.37 of a quarter of the period
        // around them.
        float[] clean = [.. Enumerable.Range(0, 80).Select(s => (float)(0.5 + Math.Sin(2 * Math.PI * s / 40)))], weights = new float[80];
        PeakWeights.Fill(clean, weights);
        Assert.Equal(PeakWeights.Peak, weights[10]);
        Assert.Equal(PeakWeights.Valley, weights[30]);
        Assert.Equal(PeakWeights.Peak, weights[50]);
        Assert.Equal(1, weights[20]);
        Assert.Equal(1, weights[40]);
        PeakWeights.Fill(new float[80], weights);
        Assert.All(weights, w => Assert.Equal(1, w));
    }

    [Fact]
    public void TargetsOutsideThePlausibleRangeAreClamped()
    {
        var batch = new TrainingBatch(1, ToyNetwork.Small.SlotSamples);
        new WaveExamples(1).Fill(0, CardioTask.Parse("ppg->bp"), batch, 0);
        batch.CleanTarget(0)[3] = 40;
        batch.CleanTarget(0)[4] = -40;
        new DiffusionObjective(ToyNetwork.Small, new ObjectiveOptions { ClampsTargets = true }).Prepare(batch, 1);
        Assert.Equal(4, batch.CleanTarget(0)[3]);
        Assert.Equal(-2, batch.CleanTarget(0)[4]);
    }

    [Fact]
    public void BadWeightsAreNamed() =>
        Assert.Equal("spectral_phase",
            Assert.Throws<ConfigurationException>(() => new ObjectiveOptions { SpectralPhase = double.NaN }.Validate()).Setting);
}
