using UniCardio.Signals.Beats;
using UniCardio.Signals.Quality;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Signals.Tests.Beats;

public class RhythmReadingTests
{
    private const int Rate = QualityTrack.WorkRate;

    private static (IReadOnlyList<RhythmReading> Ecg, IReadOnlyList<RhythmReading> Ppg, IReadOnlyList<RhythmReading> Both) Read(
        SynthesisParameters parameters)
    {
        SyntheticRecording heart = new CardiovascularSynthesizer().Generate(parameters, 60 * Rate, 4);
        IReadOnlyList<RhythmReading> ecg = RhythmReading.Of(QualityTrack.Of(ChannelKind.Ecg, heart.Ecg, Rate), heart.Ecg),
            ppg = RhythmReading.Of(QualityTrack.Of(ChannelKind.Ppg, heart.Ppg, Rate), heart.Ppg);
        return (ecg, ppg, RhythmReading.Fuse([ecg, ppg], [true, false]));
    }

    [Fact]
    public void PlainRhythmsAreToldByAnEcgAndNeverTakenForTheOthersByAPulse()
    {
        foreach ((SynthesisParameters p, RhythmKind kind) in ((SynthesisParameters, RhythmKind)[])[
            (new SynthesisParameters(), RhythmKind.Sinus),
            (new SynthesisParameters { AtrialFibrillation = true, HeartRate = 95 }, RhythmKind.AtrialFibrillation),
            (new SynthesisParameters { VentricularEctopy = 0.4, VentricularRun = 0.98, VentricularRate = 170 },
                RhythmKind.VentricularRun)])
        {
            (IReadOnlyList<RhythmReading> ecg, IReadOnlyList<RhythmReading> ppg, IReadOnlyList<RhythmReading> both) = Read(p);
            Assert.Equal(4, ecg.Count);
            Assert.Contains(ecg, r => r.Kind == kind);
            Assert.All(ecg.Concat(both), r => Assert.True(r.Kind is null || r.Kind == kind, $"{kind}: {r}"));
            if (kind != RhythmKind.VentricularRun)
                Assert.All(ppg, r => Assert.True(r.Kind is null || r.Kind == kind, $"{kind}: {r}"));
            foreach (RhythmReading r in ecg.Where(r => r.Shares.Length > 0))
                Assert.Equal(1, r.Shares.Sum(), 9);
        }
    }

    [Fact]
    public void NoiseGapsAndShortSignalsGiveNoRhythm()
    {
        var random = new CounterRandom(3, 1);
        float[] noise = [.. Enumerable.Range(0, 60 * Rate).Select(_ => (float)random.NextGaussian())];
        Assert.All(RhythmReading.Of(QualityTrack.Of(ChannelKind.Ecg, noise, Rate), noise), r => Assert.Null(r.Kind));
        float[] gap = [.. Enumerable.Repeat(float.NaN, 60 * Rate)];
        Assert.All(RhythmReading.Of(QualityTrack.Of(ChannelKind.Ppg, gap, Rate), gap),
            r => Assert.Equal("too few beats", r.Abstained));
        Assert.Empty(RhythmReading.Of(QualityTrack.Of(ChannelKind.Ecg, noise.AsSpan(0, 9 * Rate), Rate), noise.AsSpan(0, 9 * Rate), 10));
        QualityTrack track = QualityTrack.Of(ChannelKind.Ecg, noise, Rate);
        Assert.Throws<ArgumentOutOfRangeException>(() => RhythmReading.Of(track, noise, 9));
        Assert.Throws<ArgumentException>(() => RhythmReading.Fuse([], []));
    }

    // Of 30 s three may be made up; denoised samples were measured.
    [Fact]
    public void NoRhythmIsToldOfSamplesThatWereMade()
    {
        SyntheticRecording heart = new CardiovascularSynthesizer().Generate(new SynthesisParameters(), 60 * Rate, 4);
        IReadOnlyList<RhythmReading> all = RhythmReading.Of(QualityTrack.Of(ChannelKind.Ecg, heart.Ecg, Rate), heart.Ecg);
        Assert.All(all, r => Assert.Equal(RhythmKind.Sinus, r.Kind));
        IReadOnlyList<RhythmReading> With(double from, double seconds, string origin) =>
            RhythmReading.WithoutGenerated(all, [new UnmeasuredStretch("ECG", from, seconds, origin)]);
        Assert.All(With(0, 60, "translated"), r => Assert.True(r.Kind is null && r.Abstained == "generated" && r.Shares.Length == 0));
        Assert.Equal(all, With(0, 60, "denoised"));
        Assert.Equal(all, With(2, 2.9, "imputed"));
        // Windows from 0, 10, 20 and 30 s; the stretch from 2 to 5.1 s is in the first.
        Assert.Equal(["generated", "", "", ""], With(2, 3.1, "imputed").Select(r => r.Abstained));
        IReadOnlyList<RhythmReading> made = With(0, 60, "translated");
        Assert.All(RhythmReading.Fuse([made], [true]), r => Assert.Equal("generated", r.Abstained));
        Assert.All(RhythmReading.Fuse([made, all], [true, false]), r => Assert.Equal(RhythmKind.Sinus, r.Kind));
    }

    // Intervals of a constant: every pair close, every one stays: -ln((p + 1/2) / (p + 1)) for p pairs. Independent, spread ones: few stay.
    [Fact]
    public void TheEntropyOfIntervalsIsLowForARegularRhythm()
    {
        double[] even = [.. Enumerable.Repeat(0.8, 20)];
        const double Pairs = 19 * 18 / 2;
        Assert.Equal(-Math.Log((Pairs + 0.5) / (Pairs + 1)), RhythmFeatures.EntropyCoefficient(even, 0.8), 12);
        var random = new CounterRandom(9, 9);
        double[] uneven = [.. Enumerable.Range(0, 40).Select(_ => 0.8 * random.NextUniform(0.6, 1.4))];
        Assert.True(RhythmFeatures.EntropyCoefficient(uneven, 0.8) > 0.7);
    }
}
