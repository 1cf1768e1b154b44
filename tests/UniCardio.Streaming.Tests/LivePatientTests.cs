using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;

namespace UniCardio.Streaming.Tests;

/// <summary>A session that knows the patient's last minute.</summary>
public sealed class LivePatientTests : IDisposable
{
    private readonly InferenceEngine _engine = Make.Engine();

    public void Dispose() => _engine.Dispose();

    private static StreamingSessionOptions Options => Make.Options() with { OwnSignals = true };

    private static Patient Sick(double seconds, StreamingSessionOptions options)
    {
        var patient = new Patient(seconds, options);
        for (double t = 40; t + 3 < seconds; t += 5)
            patient.Drop(Modality.Bp, t, t + 1).Drop(Modality.Ecg, t + 2.3, t + 3.1);
        return patient;
    }

    private static double Error(Frames frames, Modality modality, float[] truth)
    {
        double sum = 0;
        int n = 0;
        foreach (StreamingFrame frame in frames.All)
        {
            int at = (int)Math.Round(frame.Start.TotalSeconds * NetworkSignal.Rate);
            for (int i = 0; i < frame.Count; i++)
            {
                if (frame.Provenance(modality)[i] != Provenance.Imputed || at + i < 0 || at + i >= truth.Length)
                    continue;
                double e = frame.Values(modality)[i] - truth[at + i];
                (sum, n) = (sum + (e * e), n + 1);
            }
        }

        Assert.True(n > 300, $"{n} samples imputed");
        return Math.Sqrt(sum / n);
    }

    // The network is untrained: what it makes errs by more than the signal's deviation. The same frames at the same delays.
    [Theory]
    [InlineData(Modality.Bp)]
    [InlineData(Modality.Ecg)]
    public void GapsAreFilledByThePatientsOwnSignalsWithoutMoreDelay(Modality modality)
    {
        float[] truth = new Patient(70, Options)[modality];
        Block[] blocks = [.. Sick(70, Options).Blocks(0.1)];
        Frames own = Live.Run(_engine, Options, blocks), network = Live.Run(_engine, Options with { OwnSignals = false }, blocks);
        Assert.Equal(network.All.Select(f => (f.Index, f.Start, f.Count, f.AlgorithmicDelay)),
            own.All.Select(f => (f.Index, f.Start, f.Count, f.AlgorithmicDelay)));
        Assert.Equal(network.Provenances(modality), own.Provenances(modality));
        double with = Error(own, modality, truth), without = Error(network, modality, truth);

        // Its part is 1 / (1 + (e / 0.6)^2): with e at most 0.3 at least 0.8, so that a fifth of the network's error stays.
        Assert.True(with < 0.4 * without, $"{with} with, {without} without");
    }

    [Fact]
    public void MeasuredSamplesAndASessionWithoutGapsAreAsTheyWere()
    {
        Block[] blocks = [.. new Patient(25, Options).Blocks(0.1)];
        Frames.Same(Live.Run(_engine, Options with { OwnSignals = false }, blocks), Live.Run(_engine, Options, blocks), delays: true);
    }

    [Fact]
    public void ARestoredSessionContinuesToTheSameBits()
    {
        Block[] blocks = [.. Sick(55, Options).Blocks(0.1)];
        Frames expected = Live.Run(_engine, Options, blocks);
        foreach (int cut in (int[])[3, blocks.Length / 2, (int)(blocks.Length * 40.4 / 55), (int)(blocks.Length * 47.6 / 55)])
            Frames.Same(expected, Live.Across(_engine, Options, blocks, cut, cut - 12), delays: true);
    }

    [Fact]
    public void HowBlocksAreCutChangesNothing()
    {
        Patient patient = Sick(50, Options);
        Frames.Same(Live.Run(_engine, Options, patient.Blocks(0.1)),
            Live.Run(_engine, Options, patient.Blocks(m => m == Modality.Ppg ? 0.04 : 0.17)));
    }
}
