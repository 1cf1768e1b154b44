using FsCheck;
using FsCheck.Fluent;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;

namespace UniCardio.Streaming.Tests;

/// <summary>Frames depend on samples and their times alone: not on how they are cut, nor on when they come, nor on what else the host
/// does.</summary>
public sealed class InvarianceTests : IDisposable
{
    private readonly InferenceEngine _engine = Make.Engine();

    public void Dispose() => _engine.Dispose();

    private static StreamingSessionOptions Options => Make.Options(125, 100, 250) with { Denoise = ModalitySet.Ppg };

    private static Patient Sick() => new Patient(9, Options).Drop(Modality.Bp, 5, 6.4).Drop(Modality.Ecg, 6, 9).Drop(Modality.Ppg, 7.3, 7.7)
        .Change(Modality.Bp, 2, 3.5, _ => 77).Drop(Modality.Ppg, 2.008, 2.016);

    [Fact]
    public void CutsAndArrivals()
    {
        Frames expected = Live.Run(_engine, Options, Sick().Blocks(0.1));
        Assert.Contains(Provenance.Bridged, expected.Provenances(Modality.Ppg));
        Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue)), seed =>
        {
            var random = new Random(seed);
            double longest = Math.Pow(10, (random.NextDouble() * 2.7) - 2);
            IEnumerable<Block> blocks = Sick().Blocks(_ => random.NextDouble() * longest);
            // Each block comes up to the maximum lateness after its time; some come twice.
            double lateness = Options.MaximumLateness.TotalSeconds;
            List<(double Arrival, Block Block)> arrivals =
                [.. blocks.Select(b => (b.Time.TotalSeconds + (random.NextDouble() * lateness), b))];
            arrivals.AddRange(
                [.. arrivals.Where(_ => random.Next(10) == 0).Select(a => (a.Arrival + (random.NextDouble() * lateness), a.Block))]);
            // The segment's origin comes from the first block; all else may be in any order.
            Frames actual =
                Live.Run(_engine, Options, arrivals.OrderBy(a => a.Block.Time == TimeSpan.Zero ? -1 : a.Arrival).Select(a => a.Block));
            Frames.Same(expected, actual);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(12).WithReplay(20260502, 9));
    }

    // The session's blocks in one piece each, computed at the very end: many hops wait, and none is late, for the clock stands still.
    [Fact]
    public void ABlockOfManyHops()
    {
        Frames expected = Live.Run(_engine, Options, Sick().Blocks(0.1));
        using StreamingHost host = Make.Host(_engine);
        var frames = new Frames();
        using StreamingSession session = host.Open(Options with { MaxBlock = TimeSpan.FromSeconds(20) }, frames.Handle);
        foreach (Block block in Sick().Blocks(20))
            session.Push(block.Modality, block.Time, block.Samples);
        session.Complete();
        Assert.True(host.QueueLength > 5, $"{host.QueueLength} hops wait");
        host.RunPending();
        Frames.Same(expected, frames);
        Assert.Equal(0, session.Counts.SkippedHops);
    }

    // Patients who share batches get what they would get alone, whatever the batch sizes and the number of threads.
    [Theory]
    [InlineData(1, 1)]
    [InlineData(8, 1)]
    [InlineData(4, 2)]
    public void CompanyDoesNotMatter(int batch, int threads)
    {
        using InferenceEngine engine = Make.Engine(threads);
        using StreamingHost host = Make.Host(engine, options: new StreamingHostOptions { MaxBatch = batch });
        const int Patients = 5;
        Frames[] frames = [.. Enumerable.Range(0, Patients).Select(_ => new Frames())];
        StreamingSession[] sessions = [.. frames.Select((f, i) => host.Open(Options with { Seed = (ulong)i }, f.Handle))];
        foreach (Block[] blocks in Sick().Blocks(0.2).Chunk(3))
        {
            foreach (StreamingSession session in sessions)
            {
                foreach (Block block in blocks)
                    session.Push(block.Modality, block.Time, block.Samples);
            }
            host.RunPending();
        }
        foreach (StreamingSession session in sessions)
            session.Complete();
        host.RunPending();
        for (int i = 0; i < Patients; i++)
            Frames.Same(Live.Run(_engine, Options with { Seed = (ulong)i }, Sick().Blocks(0.1)), frames[i]);
        // Seeds do matter.
        Assert.NotEqual(Make.Bits(frames[0].Values(Modality.Ecg)), Make.Bits(frames[1].Values(Modality.Ecg)));
    }
}
