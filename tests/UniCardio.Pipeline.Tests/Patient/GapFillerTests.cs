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
    public void Auto_is_not_worse_than_the_best_alone()
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
    public void The_band_holds_nine_samples_in_ten()
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
    public void What_a_gap_hides_changes_nothing_elsewhere_and_nothing_in_it()
    {
        PatientSignals truth = Subject(3);
        (PatientSignals given, SampleRange[] gaps) = WithGaps(truth, 100, 3);
        GapFill[] Filled() => [.. new GapFiller(given, Modality.Bp, ModalitySet.Ecg, EstimatorChoice.Auto, null).Fill(gaps, _ => null)];
        GapFill[] first = Filled(), second = Filled();
        Assert.Equal(first.Select(f => f.Value), second.Select(f => f.Value));
        Assert.All(first, f => Assert.Equal(1, f.Parts.Sum(p => p.Weight), 1));
    }

    [Fact]
    public void A_source_that_ends_hands_over_to_the_rhythm()
    {
        PatientSignals truth = Subject(4);
        (PatientSignals given, SampleRange[] gaps) = WithGaps(truth, 150, 4);
        PatientSignals without = given.Hide(Signals.ChannelKind.Ecg, SampleRange.Between(5000, truth.Length));
        GapFill[] fills = [.. new GapFiller(without, Modality.Bp, ModalitySet.Ecg, EstimatorChoice.Beat, null).Fill(gaps, _ => null)];
        Assert.Equal(Signals.ChannelKind.Ecg, fills[0].Parts[0].Source);
        Assert.Null(fills[^1].Parts[0].Source);
    }

    // Where the network errs by five times the own beat's error it has next to no say as usual, and more where the two are far apart; where
    // the beat errs as much, half.
    [Fact]
    public void The_gate_goes_by_what_hidden_stretches_say()
    {
        var random = new CounterRandom(8, 1);
        (double[], double[], float[]) Stretch(double network, double others)
        {
            double[] Noise(double sd) => [.. Enumerable.Range(0, 50).Select(_ => sd * random.NextGaussian())];
            return (Noise(network), Noise(others), new float[50]);
        }

        GapGate good = GapGate.Fit([.. Enumerable.Range(0, 10).Select(_ => Stretch(5, 1))]),
            equal = GapGate.Fit([.. Enumerable.Range(0, 10).Select(_ => Stretch(1, 1))]);
        Assert.InRange(good.Usual, 0, 0.12);
        Assert.True(good.Unusual > good.Usual);
        Assert.InRange(equal.Usual, 0.35, 0.65);
        double[] zero = new double[50], near = [.. Enumerable.Repeat(good.Disagreement, 50)], far = [.. near.Select(x => 6 * x)];
        Assert.True(good.WeightOf(far, zero) > good.WeightOf(near, zero) + (0.5 * (good.Unusual - good.Usual)));
    }
}
