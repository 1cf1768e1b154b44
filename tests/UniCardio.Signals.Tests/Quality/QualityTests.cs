using UniCardio.Signals.Beats;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Quality;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Signals.Tests.Quality;

public class QualityTests
{
    private const int Rate = QualityTrack.WorkRate;

    private static SyntheticRecording Heart(int seconds = 60) => new CardiovascularSynthesizer().Generate(new SynthesisParameters(),
        seconds * Rate, 7);

    private static float[] Noise(int n, ulong seed)
    {
        var random = new CounterRandom(seed, 1);
        return [.. Enumerable.Range(0, n).Select(_ => (float)random.NextGaussian())];
    }

    private static (ChannelKind Kind, float[] Signal)[] Signals(SyntheticRecording heart) => [(ChannelKind.Ecg, heart.Ecg),
        (ChannelKind.Ppg, heart.Ppg), (ChannelKind.BloodPressure, heart.BloodPressure)];

    [Fact]
    public void ANormalisedPressureHasARateAndNoPressureToBeRead()
    {
        float[] normalised = [.. Heart().BloodPressure.Select(x => (x - 100) / 50)];
        QualityTrack track = QualityTrack.Of(ChannelKind.BloodPressure, normalised, Rate, SignalUnit.Normalized);
        Assert.True(track.HeartRateReadable(40));
        Assert.False(track.PressureReadable(40));
    }

    [Fact]
    public void TheAreaUnderTheCurveIsTheShareOfPairsInOrder()
    {
        double[] scores = [1, 3, 3, 2, double.NaN, 5, 3];
        bool[] members = [false, true, false, true, false, true, true];
        double wins = 0, pairs = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            for (int j = 0; j < scores.Length; j++)
            {
                if (!members[i] || members[j])
                    continue;
                pairs++;
                double a = scores[i], b = double.IsNaN(scores[j]) ? double.NegativeInfinity : scores[j];
                wins += a > b ? 1 : a == b ? 0.5 : 0;
            }
        }

        Assert.Equal(wins / pairs, RankOrder.Auroc(scores, members)!.Value, 12);
        Assert.Null(RankOrder.Auroc([1, 2], [true, true]));
        Assert.Throws<ArgumentException>(() => RankOrder.Auroc([1], []));
        // All alike, and so many that ranks times members pass 2^31.
        Assert.Equal(0.5, RankOrder.Auroc(new double[100_000], [.. Enumerable.Range(0, 100_000).Select(i => i % 2 == 0)])!.Value, 12);
    }

    // Moments of a Gaussian: 0 and 3, with standard errors sqrt(6 / n) and sqrt(24 / n); five of them at n = 20,000. A line added changes
    // nothing.
    [Fact]
    public void MomentsAreAboutTheBestLine()
    {
        float[] x = Noise(20_000, 3), y = [.. x.Select((v, i) => v + (0.01f * i))];
        (double skewness, double kurtosis) = PublishedIndices.Moments(x);
        Assert.Equal(0, skewness, 5 * Math.Sqrt(6.0 / x.Length));
        Assert.Equal(3, kurtosis, 5 * Math.Sqrt(24.0 / x.Length));
        (double other, double fourth) = PublishedIndices.Moments(y);
        Assert.Equal(skewness, other, 0.01);
        Assert.Equal(kurtosis, fourth, 0.01);
        Assert.Equal((0, 0), PublishedIndices.Moments([4, 4, 4, 4]));
    }

    [Fact]
    public void TheSlidingSpectrumIsThatOfTheLastTenSeconds()
    {
        float[] x = Noise(13 * Rate, 5);
        for (int i = 0; i < x.Length; i++)
            x[i] += 80 + (3 * MathF.Sin(2 * MathF.PI * 7.3f * i / Rate));
        var spectrum = new SlidingSpectrum();
        for (int s = 0; s < 13; s++)
            spectrum.Push(x.AsSpan(s * Rate, Rate));
        double Power(double low, double high)
        {
            double sum = 0;
            for (int k = Math.Max(1, (int)Math.Round(10 * low)); k <= (int)Math.Round(10 * high); k++)
            {
                double real = 0, imaginary = 0;
                for (int i = 3 * Rate; i < x.Length; i++)
                {
                    real += x[i] * Math.Cos(2 * Math.PI * k * i / (10.0 * Rate));
                    imaginary += x[i] * Math.Sin(2 * Math.PI * k * i / (10.0 * Rate));
                }

                sum += (real * real) + (imaginary * imaginary);
            }

            return sum;
        }

        // float32 tables: 1e-7 a product, 1,250 of them.
        Assert.Equal(Power(5, 15) / Power(5, 40), spectrum.Share(5, 15, 5, 40), 1e-4);
        Assert.Equal(Power(0, 1) / Power(0, 40), spectrum.Share(0, 1, 0, 40), 1e-4);
    }

    [Fact]
    public void TheSecondDetectorFindsTheBeatsOfCleanSignals()
    {
        foreach ((ChannelKind kind, float[] signal) in Signals(Heart()))
        {
            int[] known = [.. BeatSeries.Of(signal, Rate, kind).Beats.Select(b => (int)b.Sample)];
            int[] found = TwoAverageDetector.Find(signal, Rate, kind, false);
            Assert.InRange(PublishedIndices.Matched(known, found, 0.15 * Rate), 0.95, 1);
        }
    }

    [Fact]
    public void CleanSignalsAreGoodAndNoiseIsNot()
    {
        foreach ((ChannelKind kind, float[] signal) in Signals(Heart()))
        {
            string unit = kind == ChannelKind.BloodPressure ? "mmHg" : "";
            QualityTrack clean = QualityTrack.Of(kind, signal, Rate, unit);
            for (int s = 10; s < clean.Seconds; s++)
            {
                Assert.True(clean.Index[s] > 0.9, $"{kind} {s}: {clean.Index[s]}");
                Assert.True(clean.HeartRateReadable(s) && clean.RhythmReadable(s), $"{kind} {s}");
                Assert.Equal(kind == ChannelKind.BloodPressure, clean.PressureReadable(s));
            }

            QualityTrack noise = QualityTrack.Of(kind, Noise(60 * Rate, 11), Rate);
            Assert.True(Enumerable.Range(10, 50).Count(noise.HeartRateReadable) <= 2, $"{kind}");
            Assert.True(noise.Reasons.Skip(10).All(r => r != QualityReasons.None));
        }
    }

    [Fact]
    public void ReasonsSayWhatIsWrong()
    {
        SyntheticRecording heart = Heart();
        float[] gap = [.. heart.Ecg], flat = [.. heart.Ppg], damped = [.. heart.BloodPressure], flushed = [.. heart.BloodPressure];
        gap.AsSpan(30 * Rate, 8 * Rate).Fill(float.NaN);
        flat.AsSpan(30 * Rate, 8 * Rate).Fill(0.3f);
        for (int i = 30 * Rate; i < 45 * Rate; i++)
            damped[i] = 90 + (0.15f * (damped[i] - 90));
        flushed.AsSpan(30 * Rate, 8 * Rate).Fill(300);
        Assert.True(QualityTrack.Of(ChannelKind.Ecg, gap, Rate).Reasons[37].HasFlag(QualityReasons.Missing));
        Assert.True(QualityTrack.Of(ChannelKind.Ppg, flat, Rate).Reasons[37].HasFlag(QualityReasons.Flat));
        QualityTrack weak = QualityTrack.Of(ChannelKind.BloodPressure, damped, Rate, "mmHg");
        Assert.True(weak.Reasons[40].HasFlag(QualityReasons.Damped));
        Assert.False(weak.PressureReadable(40));
        Assert.False(weak.Reasons[25].HasFlag(QualityReasons.Damped));
        QualityTrack open = QualityTrack.Of(ChannelKind.BloodPressure, flushed, Rate, "mmHg");
        Assert.True(open.Reasons[37].HasFlag(QualityReasons.Implausible));
        Assert.False(open.PressureReadable(37));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Rate - 1)]
    [InlineData(Rate)]
    public void ShortAndMissingSignalsHaveNoQualityAndNoFault(int samples)
    {
        foreach (ChannelKind kind in (ChannelKind[])[ChannelKind.Ecg, ChannelKind.Ppg, ChannelKind.BloodPressure])
        {
            Assert.All(QualityTrack.Of(kind, new float[samples], Rate).Index, i => Assert.Equal(0, i));
            float[] missing = [.. Enumerable.Repeat(float.NaN, samples)];
            Assert.All(QualityTrack.Of(kind, missing, Rate).Index, i => Assert.Equal(0, i));
        }
    }

    [Fact]
    public void AnotherRateGivesNearlyTheSameQuality()
    {
        SyntheticRecording heart = Heart();
        float[] faster = new Resampler(Rate, 250).Resample(heart.Ecg);
        QualityTrack one = QualityTrack.Of(ChannelKind.Ecg, heart.Ecg, Rate), other = QualityTrack.Of(ChannelKind.Ecg, faster, 250);
        Assert.Equal(one.Seconds, other.Seconds);
        for (int s = 10; s < one.Seconds; s++)
            Assert.Equal(one.Index[s], other.Index[s], 0.05);
    }

    [Fact]
    public void SpoiledStretchesAreTheOnlyOnesThatChange()
    {
        foreach ((ChannelKind kind, float[] signal) in Signals(Heart(600)))
        {
            float[] spoiled = [.. signal], again = [.. signal];
            IReadOnlyList<Episode> episodes = CorruptionEpisodes.Apply(spoiled, kind, Rate, 0.5, 5, 3);
            CorruptionEpisodes.Apply(again, kind, Rate, 0.5, 5, 3);
            Assert.Equal(spoiled, again);
            bool[] bad = new bool[signal.Length];
            foreach (Episode e in episodes)
                Array.Fill(bad, true, e.From, e.To - e.From);
            for (int i = 0; i < signal.Length; i++)
                Assert.True(bad[i] || signal[i] == spoiled[i]);
            // 600 s of stretches of 5 s: 60 of them, so that the share spreads by about 0.5 / sqrt(60) = 0.065; four of these.
            Assert.InRange(bad.Count(b => b) / (double)bad.Length, 0.24, 0.76);
            Assert.True(episodes.Select(e => e.Kind).Distinct().Count() >= 4);
        }

        Assert.Empty(CorruptionEpisodes.Apply(new float[100], ChannelKind.Ecg, Rate, 0, 5, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => CorruptionEpisodes.Apply(new float[9], ChannelKind.Ecg, Rate, 1.1, 5, 1));
    }

    [Fact]
    public void LabelsAreOneForTheCleanSignalAndFallWithNoise()
    {
        float[] clean = Heart().Ecg;
        BeatSeries truth = BeatSeries.Of(clean, Rate, ChannelKind.Ecg);
        double last = 1.01;
        foreach (double snr in (double[])[80, 10, 0, -10])
        {
            float[] spoiled = [.. clean];
            SignalCorruption.Apply(spoiled, Rate, new NoiseParameters { SignalToNoiseDecibels = snr }, 1);
            QualityLabels labels = QualityLabels.Of(clean, spoiled, truth, BeatSeries.Of(spoiled, Rate, ChannelKind.Ecg));
            double mean = labels.Quality.Skip(5).Take(50).Average();
            Assert.True(mean < last, $"{snr} dB: {mean} after {last}");
            last = mean;
            if (snr == 80)
                Assert.InRange(mean, 0.99, 1);
        }

        Assert.InRange(last, 0, 0.5);
        QualityLabels missing = QualityLabels.Of(clean, [.. Enumerable.Repeat(float.NaN, clean.Length)], truth, truth with { Beats = [] });
        Assert.All(missing.Quality, q => Assert.Equal(0, q));
        Assert.DoesNotContain(true, missing.RateIsRight);
    }
}
