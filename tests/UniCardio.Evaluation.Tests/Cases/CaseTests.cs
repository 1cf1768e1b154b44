using System.Numerics;
using MathNet.Numerics;
using MathNet.Numerics.IntegralTransforms;
using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Tests.Cases;

public class CaseTests
{
    [Theory]
    [InlineData(0.4)]
    [InlineData(1.2)]
    [InlineData(3)]
    public void AGapIsOneRunOfItsLengthAtAPlaceThatTheSeedTells(double seconds)
    {
        EvaluationRecording heart = Make.Heart();
        EvaluationWindow one = Make.Window(heart, "impute ecg | bp", Corruption.Gap(seconds)),
            same = Make.Window(heart, "impute ecg", Corruption.Gap(seconds));
        Assert.Equal((int)Math.Round(seconds * 125), one.Scope.Length);
        Assert.Equal(GapFinder.Find(one.GivenWindow(Modality.Ecg)), [one.Scope]);
        // More conditions meet the same gap; another window meets another one.
        Assert.Equal(one.Scope, same.Scope);
        var other = new EvaluationWindow(heart, one.Position, one.Task, one.Corruption, 5, 9);
        Assert.NotEqual(one.Scope, other.Scope);
    }

    [Fact]
    public void NoiseHasItsRatioAndTheProductsScale()
    {
        EvaluationWindow window = Make.Window(Make.Heart(), "denoise ppg | ecg", Corruption.Noise(10));
        float[] truth = window.Truth.ToArray(), given = window.GivenWindow(Modality.Ppg).ToArray();
        double mean = truth.Average(), signal = truth.Average(x => (x - mean) * (x - mean)),
            noise = truth.Zip(given, (t, g) => (double)(g - t) * (g - t)).Average();
        // The variance of 500 normal numbers has a relative standard error of sqrt(2/500) = 0.063; four of them are 1.1 dB.
        Assert.InRange(10 * Math.Log10(signal / noise), 8.9, 11.1);
        // The network's unit comes from the dirty window, that of the measures from the clean one.
        Assert.Equal(WindowScale.Of(Modality.Ppg, given, new SampleRange(0, 500), isNoisy: true), window.ResultScale);
        Assert.Equal(WindowScale.FromExtremes(truth, new SampleRange(0, 500)), window.TruthScale);
        Assert.Equal(new SampleRange(0, 500), window.Scope);
    }

    [Theory]
    [InlineData(nameof(NoiseKind.Wander), 0, 1.2)]
    [InlineData(nameof(NoiseKind.Motion), 0, 20)]
    [InlineData(nameof(NoiseKind.Muscle), 20, 62.5)]
    [InlineData(nameof(NoiseKind.Electrode), 0.7, 3.5)]
    public void ShapedNoiseHasItsRatioAndItsBand(string kind, double low, double high)
    {
        EvaluationRecording heart = Make.Heart();
        for (uint identity = 0; identity < 100; identity++)
        {
            var window = new EvaluationWindow(heart, new SampleRange(0, 500), CardioTask.Parse("denoise ppg"),
                Corruption.Noise(7, Enum.Parse<NoiseKind>(kind)), identity, 9);
            double[] truth = [.. window.Truth.ToArray()],
                noise = [.. window.GivenWindow(Modality.Ppg).ToArray().Zip(truth, (g, t) => g - t)];
            double mean = truth.Average(), signal = truth.Average(x => (x - mean) * (x - mean)), power = noise.Average(x => x * x);
            // Scaled to the ratio in double; the sum is rounded to float32, 1e-7 of values at most ten times the noise.
            Assert.Equal(7, 10 * Math.Log10(signal / power), 1e-4);
            Assert.Equal(0, noise.Average(), 1e-5 * Math.Sqrt(signal));
            if (identity == 0)
                Assert.True(ShareOfBand(noise, low, high) > 0.6,
                    $"{kind}: {ShareOfBand(noise, low, high)} of the power from {low} to {high} Hz");
        }
    }

    // Lines every 0.25 Hz.
    private static double ShareOfBand(double[] x, double low, double high)
    {
        Complex[] spectrum = [.. x.Select(v => new Complex(v, 0))];
        Fourier.Forward(spectrum, FourierOptions.AsymmetricScaling);
        double inside = 0, all = 0;
        for (int k = 1; k < x.Length / 2; k++)
        {
            double power = spectrum[k].MagnitudeSquared(), frequency = k * 125.0 / x.Length;
            all += power;
            inside += frequency >= low && frequency <= high ? power : 0;
        }

        return inside / all;
    }

    [Fact]
    public void TheContextIsThirtySecondsAndEndsWithTheRecording()
    {
        EvaluationWindow window = Make.Window(Make.Heart(60), "ppg->ecg", start: 6000);
        Assert.Equal(SampleRange.Between(2250, 7500), window.Context);
        Assert.Equal(new SampleRange(3750, 500), window.Window);
        Assert.True(window.Given(Modality.Bp).IsEmpty);
    }

    [Fact]
    public void WindowsAreEvenlySpreadOverWhatIsClean()
    {
        EvaluationRecording heart = Make.Heart(60);
        WindowSelection all = WindowSelection.Choose(heart, 500, 100), three = WindowSelection.Choose(heart, 500, 3);
        Assert.Equal((15, 15, 15), (all.Candidates, all.Clean, all.Windows.Count));
        // Fifteen windows in three parts of five: the middle one of each.
        Assert.Equal([2, 7, 12], three.Windows.Select(w => w.Start / 500));
    }

    [Fact]
    public void WindowsWithGapsFlatLinesAndImpossiblePressuresAreNoTruth()
    {
        Recording made = new Signals.Synthesis.CardiovascularSynthesizer().Generate(new(), 7500, 3).ToRecording();
        Recording Spoil(string channel, Action<float[]> how) => made.WithChannels(made.Channels.Select(c =>
        {
            if (c.Name != channel)
                return c;
            float[] samples = c.Samples.ToArray();
            how(samples);
            return c.WithSamples(samples);
        }));
        int[] Lost(Recording recording)
        {
            int[] kept = [.. WindowSelection.Choose(EvaluationRecording.From(recording)!, 500, 100).Windows.Select(w => w.Start / 500)];
            return [.. Enumerable.Range(0, 15).Except(kept)];
        }

        Assert.Equal([4], Lost(Spoil("PPG", s => s[2100] = float.NaN)));
        Assert.Equal([6], Lost(Spoil("ECG", s => s.AsSpan(3100, 130).Fill(0.1f))));
        Assert.Equal([2], Lost(Spoil("ABP", s => s[1250] = 350)));
        Assert.Equal([9], Lost(Spoil("PPG", s => s.AsSpan(4500, 500).Fill(float.NaN))));
    }

    [Fact]
    public void PressureIsInMmHgWhateverTheFileSays()
    {
        Recording made = new Signals.Synthesis.CardiovascularSynthesizer().Generate(new(), 2500, 3).ToRecording();
        Channel pressure = made.Require("ABP");
        var kilopascals =
            new Channel("ABP", "kPa", 125, pressure.Samples.ToArray().Select(x => x * 0.1333224f).ToArray(), ChannelKind.BloodPressure);
        EvaluationRecording recording = EvaluationRecording.From(new Recording("kPa", [kilopascals]), "somebody")!;
        Assert.Equal("somebody", recording.Subject);
        Assert.Equal(ModalitySet.Bp, recording.Signals);
        Assert.InRange(recording.Signal(Modality.Bp)[100], pressure.Samples.Span[100] * 0.9999, pressure.Samples.Span[100] * 1.0001);
        Assert.Null(EvaluationRecording.From(new Recording("none", [new Channel("RESP", "", 125, new float[600])])));
    }
}
