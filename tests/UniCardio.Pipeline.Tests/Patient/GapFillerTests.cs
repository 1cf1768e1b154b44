using UniCardio.Engine.Model;
using UniCardio.Pipeline.Patient;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Pipeline.Tests.Patient;

public class GapFillerTests
{
    private static PatientSignals Subject(int index, double seconds = 75)
    {
        ulong seed = CounterRandom.Derive(0x6A9, (ulong)index);
        SynthesisParameters p = SynthesisParameters.Draw(seed) with { AtrialFibrillation = false };
        SyntheticRecording made = new CardiovascularSynthesizer().Generate(p, (int)(seconds * NetworkSignal.Rate), seed);
        return new PatientSignals(NetworkSignal.Rate, made.Ppg, made.BloodPressure, made.Ecg);
    }

    private static (PatientSignals Given, SampleRange[] Gaps) WithGaps(PatientSignals truth, int length, int count)
    {
        float[] signal = truth[Signals.ChannelKind.BloodPressure].ToArray();
        SampleRange[] gaps =
            [.. Enumerable.Range(0, count).Select(i => new SampleRange(1200 + (i * (signal.Length - 2400) / count), length))];
        foreach (SampleRange gap in gaps)
            signal.AsSpan(gap.Start, gap.Length).Fill(float.NaN);
        return (truth.With(Signals.ChannelKind.BloodPressure, signal), gaps);
    }

    private static double Error(IEnumerable<GapFill> fills, PatientSignals truth) => Math.Sqrt(fills.Average(f =>
        f.Value.Select((x, t) => (x - truth[Signals.ChannelKind.BloodPressure][f.Gap.Start + t])
            * (x - truth[Signals.ChannelKind.BloodPressure][f.Gap.Start + t])).Average()));

    [Fact]
    public void AutoIsNotWorseThanTheBestAlone()
    {
        double auto = 0, best = 0;
        for (int subject = 0; subject < 3; subject++)
        {
            PatientSignals truth = Subject(subject);
            (PatientSignals given, SampleRange[] gaps) = WithGaps(truth, 150, 5);
            double Of(EstimatorChoice choice) =>
                Error(new GapFiller(given, Modality.Bp, ModalitySet.Ppg | ModalitySet.Ecg, choice, null).Fill(gaps, _ => null), truth);
            auto += Math.Log(Of(EstimatorChoice.Auto));
            best += Math.Log(Math.Min(Of(EstimatorChoice.Beat), Math.Min(Of(EstimatorChoice.Fir), Of(EstimatorChoice.Line))));
        }

        // The best alone is chosen in hindsight, subject by subject; a blend of 24 hidden stretches is allowed a tenth for that.
        Assert.True(auto - best < 3 * Math.Log(1.1), $"{Math.Exp((auto - best) / 3)} of the best");
    }

    [Fact]
    public void TheBandHoldsNineSamplesInTen()
    {
        int inside = 0, all = 0;
        for (int subject = 0; subject < 4; subject++)
        {
            PatientSignals truth = Subject(subject + 20);
            (PatientSignals given, SampleRange[] gaps) = WithGaps(truth, 150, 5);
            foreach (GapFill fill in new GapFiller(given, Modality.Bp, ModalitySet.Ppg | ModalitySet.Ecg, EstimatorChoice.Auto, null)
                .Fill(gaps, _ => null))
            {
                for (int t = 0; t < fill.Gap.Length; t++, all++)
                {
                    float x = truth[Signals.ChannelKind.BloodPressure][fill.Gap.Start + t];
                    Assert.InRange(fill.Value[t], fill.Low[t], fill.High[t]);
                    inside += x >= fill.Low[t] && x <= fill.High[t] ? 1 : 0;
                }
            }
        }

        // 20 gaps whose samples go together: some ten independent errors a subject give 90% a standard deviation of 4%.
        Assert.InRange(inside / (double)all, 0.8, 1);
    }

    [Fact]
    public void WhatAGapHidesChangesNothingElsewhereAndNothingInIt()
    {
        PatientSignals truth = Subject(3);
        (PatientSignals given, SampleRange[] gaps) = WithGaps(truth, 100, 3);
        GapFill[] Filled() => [.. new GapFiller(given, Modality.Bp, ModalitySet.Ecg, EstimatorChoice.Auto, null).Fill(gaps, _ => null)];
        GapFill[] first = Filled(), second = Filled();
        Assert.Equal(first.Select(f => f.Value), second.Select(f => f.Value));
        Assert.All(first, f => Assert.Equal(1, f.Parts.Sum(p => p.Weight), 1));
    }

    [Fact]
    public void ASourceThatEndsHandsOverToTheRhythm()
    {
        PatientSignals truth = Subject(4);
        (PatientSignals given, SampleRange[] gaps) = WithGaps(truth, 150, 4);
        PatientSignals without = given.Hide(Signals.ChannelKind.Ecg, SampleRange.Between(5000, truth.Length));
        GapFill[] fills = [.. new GapFiller(without, Modality.Bp, ModalitySet.Ecg, EstimatorChoice.Beat, null).Fill(gaps, _ => null)];
        Assert.Equal(Signals.ChannelKind.Ecg, fills[0].Parts[0].Source);
        Assert.Null(fills[^1].Parts[0].Source);
    }

    // Where the network errs by five times the own beat's error it has next to no say; where the beat errs as much, half. Independent
    // errors of deviation a and b have the weights b^2 and a^2 over their sum: 1/26 and 1/2; 20 stretches of 50 samples tell them within a
    // tenth.
    [Theory]
    [InlineData(5, 0, 0.12)]
    [InlineData(1, 0.35, 0.65)]
    public void TheNetworkHasTheSayThatHiddenStretchesGiveIt(double error, double least, double most)
    {
        var random = new CounterRandom(8, 1);
        GapEstimate Noise(EstimatorKind kind, double sd) =>
            new(kind, null, [.. Enumerable.Range(0, 50).Select(_ => sd * random.NextGaussian())], new double[50]);
        var stack = new StackedWeights(_ => 1);
        for (int i = 0; i < 20; i++)
            stack.Add([Noise(EstimatorKind.Beat, 1), Noise(EstimatorKind.Network, error)], new float[50], 1);
        double[] weights = stack.Of([Noise(EstimatorKind.Beat, 1), Noise(EstimatorKind.Network, error)]);
        Assert.InRange(weights[1], least, most);
        Assert.Equal(1, weights.Sum(), 12);
    }

    // Two that err by 0.1 share the weight; where one of them stands 0.4 from all others, more than twice as far as ever, it is doubted.
    [Fact]
    public void AnEstimateThatStandsAloneCountsForLess()
    {
        var random = new CounterRandom(12, 1);
        GapEstimate Noise(EstimatorKind kind, double sd, double by = 0) =>
            new(kind, null, [.. Enumerable.Range(0, 50).Select(_ => by + (sd * random.NextGaussian()))], new double[50]);
        var stack = new StackedWeights(_ => 1);
        for (int i = 0; i < 20; i++)
            stack.Add([Noise(EstimatorKind.Beat, 0.1), Noise(EstimatorKind.Analogue, 0.1), Noise(EstimatorKind.Fir, 0.12)],
                new float[50], 1);
        double At(double by) => stack.Of([Noise(EstimatorKind.Beat, 0.1), Noise(EstimatorKind.Analogue, 0.1, by),
            Noise(EstimatorKind.Fir, 0.12)])[1];

        // Errors are independent: the weight is 1 / (d^2 s^2) over the sum of these, s 0.1, 0.1 and 0.12; the distance is usually 0.14, at
        // 0.4 about 0.42, so that d^2 is 3.
        Assert.InRange(At(0), 0.32, 0.42);
        Assert.InRange(At(0.4), 0.1, 0.22);
    }

    // The blend is right but for every fifth stretch, where it is far off and the network is right: least squares with four stretches
    // against it give the network 6 / (6 + 4) there, less what the shape is short of 1.
    [Fact]
    public void TheGateHandsOverWhereHiddenStretchesSaySoAndNowhereElse()
    {
        var random = new CounterRandom(9, 1);
        (double[], double[], float[]) Stretch(bool odd)
        {
            double[] Noise(double sd, double by) => [.. Enumerable.Range(0, 50).Select(_ => by + (sd * random.NextGaussian()))];
            return (Noise(1, 0), Noise(0.2, odd ? 10 : 0), new float[50]);
        }

        GapGate gate = GapGate.Fit([.. Enumerable.Range(0, 30).Select(i => Stretch(i % 5 == 4))]);
        double[] zero = new double[50], near = [.. Enumerable.Repeat(gate.Disagreement, 50)], far = [.. near.Select(x => 6 * x)];
        Assert.InRange(gate.Unusual, 0.5, 0.65);
        Assert.True(gate.WeightOf(near, zero) < 0.1);
        Assert.True(gate.WeightOf(far, zero) > 0.9 * gate.Unusual);
        GapGate never = GapGate.Fit([.. Enumerable.Range(0, 30).Select(_ => Stretch(false))]);
        Assert.True(never.WeightOf(far, zero) < 0.1, $"{never.Unusual}");
    }

    // Beats placed by rhythm miss every premature beat; what stands for the network errs by 7 mmHg everywhere. It takes over where a gap
    // holds a premature beat, and not where the beat is the better one.
    [Fact]
    public void PrematureBeatsHandOverToTheNetwork()
    {
        const ulong Seed = 0x9B2;
        SyntheticRecording made = new CardiovascularSynthesizer().Generate(
            new SynthesisParameters { VentricularEctopy = 0.12, RandomVariability = 0.005, RespiratorySinusArrhythmia = 0.01,
                SlowVariability = 0 },
            (int)(240 * NetworkSignal.Rate), Seed);
        var truth = new PatientSignals(NetworkSignal.Rate, null, made.BloodPressure, null);
        int[] odd = [.. made.Beats.Where(b => b.Kind == BeatKind.Ventricular && b.TimeSeconds is > 20 and < 220).Select(b => b.Sample)];
        int[] even = [.. made.Beats.Where(b => b.Kind != BeatKind.Ventricular && b.TimeSeconds is > 20 and < 220
            && odd.All(o => Math.Abs(o - b.Sample) > 400)).Select(b => b.Sample)];
        SampleRange[] At(int[] beats) => [.. beats.Where((_, k) => k % 3 == 0).Take(5).Select(b => new SampleRange(b - 10, 150))];
        var random = new CounterRandom(10, 1);
        double[] Network(SampleRange s) =>
            [.. truth[Signals.ChannelKind.BloodPressure].Slice(s.Start, s.Length).ToArray().Select(x => x + (7 * random.NextGaussian()))];
        double Share(SampleRange[] gaps)
        {
            float[] signal = truth[Signals.ChannelKind.BloodPressure].ToArray();
            foreach (SampleRange gap in gaps)
                signal.AsSpan(gap.Start, gap.Length).Fill(float.NaN);
            var filler = new GapFiller(
                truth.With(Signals.ChannelKind.BloodPressure, signal), Modality.Bp, ModalitySet.None, EstimatorChoice.Auto, null)
            { HiddenNetwork = Network, UsesAnalogues = false };
            return filler.Fill(gaps, i => Network(gaps[i]))
                .Average(f => f.Parts.Where(p => p.Kind == EstimatorKind.Network).Sum(p => p.Weight));
        }

        double premature = Share(At(odd)), sinus = Share(At(even));
        Assert.True(odd.Length >= 15 && premature > sinus + 0.1, $"{premature} at premature beats, {sinus} elsewhere");
        Assert.True(premature > 0.5, $"{premature}");
    }

    // A heart that goes from 70 to 140 a minute and back, every eight seconds, again and again.
    private static float[] OfChangingRate()
    {
        SyntheticRecording made = new CardiovascularSynthesizer().Generate(
            new SynthesisParameters { RandomVariability = 0.005, RespiratorySinusArrhythmia = 0.01, SlowVariability = 0 },
            (int)(370 * NetworkSignal.Rate), 0x9B3);
        float[] wave = new float[(int)(240 * NetworkSignal.Rate)];
        double at = 0;
        for (int i = 0; i < wave.Length; i++, at += i / Period % 2 == 0 ? 1 : 2)
        {
            float here = made.BloodPressure[(int)at];
            wave[i] = (float)(here + ((at - (int)at) * (made.BloodPressure[(int)at + 1] - here)));
        }

        return wave;
    }

    private const int Period = 1000;
    private static readonly int[] s_changes = [.. Enumerable.Range(2, 26).Where((_, k) => k % 5 == 0).Select(k => k * Period)];

    private static IReadOnlyList<GapFill> FillAt(float[] wave, IEnumerable<int> middles, bool analogues)
    {
        SampleRange[] gaps = [.. middles.Select(m => new SampleRange(m - 90, 180))];
        float[] signal = [.. wave];
        foreach (SampleRange gap in gaps)
            signal.AsSpan(gap.Start, gap.Length).Fill(float.NaN);
        var random = new CounterRandom(11, 1);
        double[] Network(SampleRange s) =>
            [.. wave.AsSpan(s.Start, s.Length).ToArray().Select(x => x + (5 * random.NextGaussian()))];
        return new GapFiller(new PatientSignals(NetworkSignal.Rate, null, signal, null), Modality.Bp, ModalitySet.None,
            EstimatorChoice.Auto, null) { HiddenNetwork = Network, UsesAnalogues = analogues }.Fill(gaps, i => Network(gaps[i]));
    }

    // What a change of rate inside a gap is handed to: beats carried on by rhythm are wrong over it, and the network takes a large part.
    [Fact]
    public void WhereOnlyRhythmTellsTheNetworkTakesALargePartOfAChangeOfRate()
    {
        double share = FillAt(OfChangingRate(), s_changes, analogues: false)
            .Average(f => f.Parts.Where(p => p.Kind == EstimatorKind.Network).Sum(p => p.Weight));
        Assert.InRange(share, 0.3, 1);
    }

    // Moments alike have seen such a change before: with them the blend errs less than the network's 5 mmHg and than without them.
    [Fact]
    public void AChangeOfRateThatWasSeenBeforeIsFilledByMomentsAlike()
    {
        float[] wave = OfChangingRate();
        double Of(bool analogues) => Math.Sqrt(FillAt(wave, s_changes, analogues)
            .Average(f => f.Value.Select((x, t) => (x - wave[f.Gap.Start + t]) * (x - wave[f.Gap.Start + t])).Average()));
        double with = Of(true), without = Of(false);
        Assert.True(with < 5 && with <= without, $"{with} with, {without} without");
    }
}
