using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Signals.Tests.Patient;

public class OwnBeatTests
{
    private const double Rate = 125;

    internal static PatientSignals Subject(int index, double seconds = 90, Func<SynthesisParameters, SynthesisParameters>? change = null)
    {
        ulong seed = CounterRandom.Derive(0xBEA7, (ulong)index);
        SynthesisParameters p = SynthesisParameters.Draw(seed);
        SyntheticRecording made = new CardiovascularSynthesizer().Generate(change?.Invoke(p) ?? p, (int)(seconds * Rate), seed);
        return new PatientSignals(Rate, made.Ppg, made.BloodPressure, made.Ecg);
    }

    private static SynthesisParameters Sinus(SynthesisParameters p) =>
        p with { AtrialFibrillation = false, VentricularEctopy = 0, AtrialEctopy = 0, HeartRate = 72 };

    internal static double Error(IReadOnlyList<double> wave, ReadOnlySpan<float> truth)
    {
        double sum = 0;
        for (int i = 0; i < truth.Length; i++)
            sum += (wave[i] - truth[i]) * (wave[i] - truth[i]);
        return Math.Sqrt(sum / truth.Length);
    }

    [Theory]
    [InlineData(ChannelKind.BloodPressure, ChannelKind.Ecg)]
    [InlineData(ChannelKind.Ppg, ChannelKind.BloodPressure)]
    [InlineData(ChannelKind.Ecg, ChannelKind.BloodPressure)]
    public void ABeatPlacedByAnotherSignalErrsByAQuarterOfALine(ChannelKind target, ChannelKind source)
    {
        var gap = new SampleRange(5000, 250);
        double own = 0, line = 0;
        for (int subject = 0; subject < 4; subject++)
        {
            PatientSignals truth = Subject(subject, change: Sinus);
            IReadOnlyList<GapEstimate> all = new GapEstimators(truth.Hide(target, gap), target, [source]).Estimate(gap);
            ReadOnlySpan<float> hidden = truth[target].Slice(gap.Start, gap.Length);
            own += Error(all.Single(e => e.Kind == EstimatorKind.Beat && e.Source == source).Wave, hidden);
            line += Error(all.Single(e => e.Kind == EstimatorKind.Line).Wave, hidden);
        }

        // Measured: 5 to 13% (beats of a synthetic sinus rhythm differ little); a quarter leaves twice that.
        Assert.True(own < 0.25 * line, $"own beat {own}, line {line}");
    }

    [Fact]
    public void WhatIsHiddenIsNotLookedAt()
    {
        var gap = new SampleRange(4000, 300);
        PatientSignals truth = Subject(1);
        float[] other = truth[ChannelKind.BloodPressure].ToArray();
        for (int i = gap.Start; i < gap.End; i++)
            other[i] = 500 - other[i];
        double[][] Waves(PatientSignals signals)
        {
            float[] hidden = signals[ChannelKind.BloodPressure].ToArray();
            hidden.AsSpan(gap.Start, gap.Length).Fill(float.NaN);
            PatientSignals given = signals.With(ChannelKind.BloodPressure, hidden);
            return [.. new GapEstimators(given, ChannelKind.BloodPressure, [ChannelKind.Ppg, ChannelKind.Ecg]).Estimate(gap)
                .Select(e => e.Wave)];
        }

        double[][] first = Waves(truth), second = Waves(truth.With(ChannelKind.BloodPressure, other));
        Assert.Equal(7, first.Length);
        Assert.Equal(first, second);
    }

    [Fact]
    public void ASourceThatIsMissingInTheGapPlacesNothing()
    {
        var gap = new SampleRange(4000, 300);
        PatientSignals signals = Subject(2).Hide(ChannelKind.BloodPressure, gap).Hide(ChannelKind.Ecg, new SampleRange(4050, 100));
        IReadOnlyList<GapEstimate> all = new GapEstimators(signals, ChannelKind.BloodPressure, [ChannelKind.Ecg]).Estimate(gap);
        Assert.DoesNotContain(all, e => e.Source == ChannelKind.Ecg || e.Kind == EstimatorKind.Fir);
        Assert.Contains(all, e => e.Kind == EstimatorKind.Beat);
    }

    [Fact]
    public void NothingMeasuredGivesNoEstimate()
    {
        float[] none = new float[3000];
        Array.Fill(none, float.NaN);
        PatientSignals signals = Subject(3, 24).With(ChannelKind.Ecg, none);
        Assert.Empty(new GapEstimators(signals, ChannelKind.Ecg, [ChannelKind.Ppg]).Estimate(new SampleRange(0, 3000)));
    }

    [Theory]
    [InlineData(0, 200)]
    [InlineData(11000, 250)]
    public void AGapAtAnEndOfTheRecordingIsFilledFromTheOtherSide(int start, int length)
    {
        var gap = new SampleRange(start, length);
        PatientSignals truth = Subject(4, change: Sinus);
        IReadOnlyList<GapEstimate> all = new GapEstimators(truth.Hide(ChannelKind.Ppg, gap), ChannelKind.Ppg, [ChannelKind.Ecg])
            .Estimate(gap);
        Assert.Contains(all, e => e.Source == ChannelKind.Ecg);
        Assert.All(all, e => Assert.All(e.Wave, x => Assert.True(double.IsFinite(x))));
        Assert.All(all, e => Assert.All(e.Deviation, x => Assert.True(x > 0)));
    }

    [Fact]
    public void FarFromBothEdgesABeatPlacedByRhythmFadesIntoTheLevel()
    {
        PatientSignals truth = Subject(5, 180, p => Sinus(p) with { RandomVariability = 0.03, RespiratorySinusArrhythmia = 0.1 });
        var gap = new SampleRange(9000, 3750);
        IReadOnlyList<GapEstimate> all = new GapEstimators(truth.Hide(ChannelKind.Ppg, gap), ChannelKind.Ppg, []).Estimate(gap);
        double[] wave = all.Single(e => e.Kind == EstimatorKind.Beat).Wave;
        double Range(int from, int to) => wave[from..to].Max() - wave[from..to].Min();
        Assert.True(Range(1700, 2000) < 0.5 * Range(0, 150), $"{Range(1700, 2000)} against {Range(0, 150)}");
    }
}
