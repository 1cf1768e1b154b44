using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline.Patient;
using UniCardio.Signals;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;
using UniCardio.Weights;

namespace UniCardio.Pipeline.Tests.Patient;

public class GapCorrectionTests
{
    private const int Samples = 120;

    private static readonly ModelConfiguration Network = new()
    {
        Channels = 12, Heads = 2, Blocks = 1, FeedForward = 4, Embedding = 4, SlotSamples = Samples, Positions = PositionKind.Slot,
            Prediction = PredictionKind.Correction,
    };

    private static readonly SampleRange Gap = new(2500, 60);

    private static PatientSignals Patient()
    {
        SyntheticRecording heart = new CardiovascularSynthesizer().Generate(new SynthesisParameters(), 5000, 4);
        return new PatientSignals(125, heart.Ppg, heart.BloodPressure, heart.Ecg).Hide(ChannelKind.BloodPressure, Gap);
    }

    private static GapEstimate Own(PatientSignals patient) =>
        new GapEstimators(patient, ChannelKind.BloodPressure, [ChannelKind.Ecg]).Estimate(Gap)
            .First(e => e.Kind == EstimatorKind.Beat && e.Source == ChannelKind.Ecg);

    // Recipe weights whose last layers are replaced by zeros, or left.
    private static InferenceEngine Engine(bool zero)
    {
        using ModelWeights recipe = new WeightRecipe(3, Network).Create();
        ModelWeights weights = ModelWeights.Create(Network, [.. recipe.Tensors.Select(t => new ParameterTensor(t.Name, t.Shape,
            zero && t.Name.Contains("output_projection", StringComparison.Ordinal) && t.Name.Contains("_2.", StringComparison.Ordinal)
                ? new float[t.Span.Length] : t.Span.ToArray()))]);
        return new InferenceEngine(weights, new EngineOptions { Threads = 1 });
    }

    // A patient, the own beat's estimate of the gap, a correction.
    private sealed class Given(bool zero) : IDisposable
    {
        private readonly InferenceEngine _engine = Engine(zero);
        private GapCorrection? _correction;

        public PatientSignals Patient { get; } = GapCorrectionTests.Patient();

        public GapEstimate Own => field ??= GapCorrectionTests.Own(Patient);

        public GapCorrection Correction => _correction ??= new GapCorrection(_engine);

        public void Dispose()
        {
            _correction?.Dispose();
            _engine.Dispose();
        }
    }

    [Fact]
    public void ACorrectionOfNothingIsTheProposalBitForBit()
    {
        using var given = new Given(zero: true);
        (PatientSignals patient, GapEstimate own, GapCorrection correction) = (given.Patient, given.Own, given.Correction);
        GapEstimate made = correction.Correct(patient, Modality.Bp, ModalitySet.Ecg, Gap, own)!;
        Assert.Equal(own.Wave, made.Wave);
        Assert.Equal((EstimatorKind.Correction, own.Source), (made.Kind, made.Source));
        Assert.NotEqual(own.Identity, made.Identity);
    }

    [Fact]
    public void TheNetworkSeesProposalAndMask()
    {
        using var given = new Given(zero: false);
        (PatientSignals patient, GapEstimate own, GapCorrection correction) = (given.Patient, given.Own, given.Correction);
        GapEstimate made = correction.Correct(patient, Modality.Bp, ModalitySet.Ecg, Gap, own)!;
        Assert.NotEqual(own.Wave, made.Wave);
        Assert.Equal(made.Wave, correction.Correct(patient, Modality.Bp, ModalitySet.Ecg, Gap, own)!.Wave);

        // Another proposal, or the same one without the other signal, is another correction.
        GapEstimate moved = own with { Wave = [.. own.Wave.Select((x, i) => x + (5 * Math.Sin(i)))] };
        double[] Difference(GapEstimate from, GapEstimate to) => [.. to.Wave.Zip(from.Wave, (a, b) => a - b)];
        Assert.NotEqual(Difference(own, made), Difference(moved, correction.Correct(patient, Modality.Bp, ModalitySet.Ecg, Gap, moved)!));
        Assert.NotEqual(made.Wave, correction.Correct(patient, Modality.Bp, ModalitySet.None, Gap, own)!.Wave);
    }

    [Fact]
    public void WhatCannotBeCorrectedIsSaid()
    {
        using var given = new Given(zero: true);
        (PatientSignals patient, GapEstimate own, GapCorrection correction) = (given.Patient, given.Own, given.Correction);
        var wide = new SampleRange(2000, correction.MaxLength + 1);
        Assert.Null(correction.Correct(patient, Modality.Bp, ModalitySet.Ecg, wide, own with { Wave = new double[wide.Length] }));
        Assert.Throws<ArgumentException>(() =>
            correction.Correct(patient, Modality.Bp, ModalitySet.Ecg, Gap, own with { Wave = new double[3] }));
        using ModelWeights recipe = new WeightRecipe(3, Network with { Prediction = PredictionKind.V }).Create();
        using var draws = new InferenceEngine(recipe, new EngineOptions { Threads = 1 });
        Assert.Equal("prediction", Assert.Throws<ConfigurationException>(() => new GapCorrection(draws)).Setting);
    }

    [Fact]
    public void ACorrectionThatErrsOnHiddenStretchesTakesNoPart()
    {
        PatientSignals patient = Patient();
        GapFill Fill(GapCorrection? correction) =>
            new GapFiller(patient, Modality.Bp, ModalitySet.Ecg, EstimatorChoice.Auto, null) { Correction = correction }.Fill(
                [Gap], _ => null)[0];
        GapFill without = Fill(null);
        using InferenceEngine wrong = Engine(zero: false), nothing = Engine(zero: true);
        using (var correction = new GapCorrection(wrong))
        {
            GapFill with = Fill(correction);
            Assert.True(correction.NetworkCalls >= 4, $"{correction.NetworkCalls} calls");
            Assert.Equal(without.Value, with.Value);
            Assert.Equal(without.Parts, with.Parts);
        }

        // One that changes nothing errs as much as the beat: it shares the beat's weight.
        using var same = new GapCorrection(nothing);
        Assert.Contains(Fill(same).Parts, p => p.Kind == EstimatorKind.Correction);
    }
}
