using System.Buffers.Binary;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Tests.Shared;
using Xunit.Abstractions;

namespace UniCardio.Streaming.Tests;

/// <summary>A host that dies and one that takes over.</summary>
public sealed class CheckpointTests(ITestOutputHelper output) : IDisposable
{
    private readonly InferenceEngine _engine = Make.Engine();

    public void Dispose() => _engine.Dispose();

    private static StreamingSessionOptions Options => Make.Options(125, 100, 250) with { Denoise = ModalitySet.Ppg, FrameQueue = 7 };

    private static Patient Sick() =>
        new Patient(10, Options).Drop(Modality.Bp, 5, 6.4).Drop(Modality.Ecg, 6, 9).Drop(Modality.Ppg, 7.3, 7.7)
        .Change(Modality.Ppg, 8, 9.5, x => Math.Clamp(x, 0.2f, 0.4f)).Change(Modality.Bp, 7, 8.5, _ => 77).Drop(Modality.Ppg, 2.008, 2.016);

    // Blocks out of order, so that there are holes to be remembered.
    private static Block[] Blocks()
    {
        var random = new Random(4);
        return [.. Sick().Blocks(0.09)
            .Select(b => (Arrival: b.Time.TotalSeconds + (b.Time == TimeSpan.Zero ? -1 : random.NextDouble() * 0.25), Block: b))
                .OrderBy(b => b.Arrival).Select(b => b.Block)];
    }

    [Fact]
    public void AnotherHostGoesOnWithoutASeam()
    {
        Block[] blocks = Blocks();
        Frames expected = Live.Run(_engine, Options, blocks);
        SessionCounts counts = default;
        InputCounts[] inputs = [];
        Live.Run(_engine, Options, blocks, look: s => (counts, inputs) = (s.Counts, [.. Modalities.All.Select(s.InputCounts)]));
        for (int cut = 1; cut < blocks.Length; cut += 29)
        {
            Frames.Same(expected, Live.Across(_engine, Options, blocks, cut, cut - (cut % 40), restored =>
            {
                Assert.Equal(counts, restored.Counts);
                Assert.Equal(inputs, Modalities.All.Select(restored.InputCounts));
            }), delays: true);
        }
    }

    // A device sends once more what came after the checkpoint, and some that came before: nothing is lost, nothing doubled.
    [Fact]
    public void WhatIsSentAgainIsTakenOnce()
    {
        Block[] blocks = [.. Sick().Blocks(0.1)];
        Frames expected = Live.Run(_engine, Options, blocks);
        var frames = new Frames();
        using StreamingHost host = Make.Host(_engine);
        StreamingSession session = host.Open(Options, frames.Handle);
        byte[] checkpoint = [];
        int kept = 0;
        for (int i = 0; i < 150; i++)
        {
            session.Push(blocks[i].Modality, blocks[i].Time, blocks[i].Samples);
            host.RunPending();
            if (i == 120)
                (checkpoint, kept) = (session.Checkpoint(), frames.All.Count);
        }
        session.Dispose();
        frames.All.RemoveRange(kept, frames.All.Count - kept);
        using StreamingSession restored = host.Restore(checkpoint, frames.Handle);
        for (int i = 100; i < blocks.Length; i++)
        {
            restored.Push(blocks[i].Modality, blocks[i].Time, blocks[i].Samples);
            host.RunPending();
        }
        restored.Complete();
        host.RunPending();
        Frames.Same(expected, frames);
        Assert.Equal(0, Modalities.All.Sum(m => restored.InputCounts(m).LateSamples));
    }

    [Fact]
    public void SomeSecondsOfState()
    {
        byte[] checkpoint = Sample();
        // Windows of 4 s: 4 s at 475 Hz and at 3 x 125 Hz in 5 and 4 bytes are 15.5 kB; the rest is slack, stamps, and tails of 12 samples.
        Assert.InRange(checkpoint.Length, 15_000, 25_000);
    }

    // A checkpoint taken in the handler holds the frame that it was handed as delivered.
    [Fact]
    public void TheHandlerMayTakeOne()
    {
        Block[] blocks = [.. Sick().Blocks(0.1)];
        Frames expected = Live.Run(_engine, Options, blocks);
        var before = new Frames();
        byte[] checkpoint = [];
        int pushed = 0;
        using StreamingHost host = Make.Host(_engine);
        using (StreamingSession session = host.Open(Options, (s, f) =>
        {
            if (f.Index > 12)
                return;
            before.Handle(s, f);
            checkpoint = s.Checkpoint();
        }))
        {
            for (; before.All.Count < 13; pushed++)
            {
                session.Push(blocks[pushed].Modality, blocks[pushed].Time, blocks[pushed].Samples);
                host.RunPending();
            }
        }
        using StreamingSession restored = host.Restore(checkpoint, before.Handle);
        foreach (Block block in blocks.Skip(pushed))
        {
            restored.Push(block.Modality, block.Time, block.Samples);
            host.RunPending();
        }
        restored.Complete();
        host.RunPending();
        Frames.Same(expected, before);
    }

    [Fact]
    public void WhatIsNoCheckpointIsRefused()
    {
        byte[] sound = Sample();
        using StreamingHost host = Make.Host(_engine);
        Assert.Throws<CheckpointException>(() => host.Restore([]));
        Assert.Throws<CheckpointException>(() => host.Restore("UCST"u8));
        Assert.Contains("letters", Assert.Throws<CheckpointException>(() => host.Restore(new byte[1000])).Message,
            StringComparison.Ordinal);
        Assert.Throws<CheckpointException>(() => host.Restore(sound.AsSpan(0, sound.Length - 1)));
        Assert.Throws<CheckpointException>(() => host.Restore([.. sound, 0]));
        byte[] later = Sealed([.. sound[..4], (byte)(sound[4] + 1), .. sound[5..]]);
        Assert.Contains("version", Assert.Throws<CheckpointException>(() => host.Restore(later)).Message, StringComparison.Ordinal);
        byte[] flipped = [.. sound];
        flipped[9000] ^= 1;
        Assert.Contains("checksum", Assert.Throws<CheckpointException>(() => host.Restore(flipped)).Message, StringComparison.Ordinal);
        using var other = new InferenceEngine(new Weights.WeightRecipe(1, ModelConfiguration.Tiny).Create(), ownsWeights: true);
        using StreamingHost narrow = Make.Host(other);
        Assert.Contains("window", Assert.Throws<CheckpointException>(() => narrow.Restore(sound)).Message, StringComparison.Ordinal);
        Assert.Equal(0, host.SessionCount);
    }

    // Mutants with a sound checksum reach every field. What is accepted must be as good as any session: it takes samples and ends well.
    [Fact]
    public void MutantsAreRefusedOrRun()
    {
        // A hop that waits, one that is computed in part, tails: all there is.
        byte[][] seeds = [Sample(), Sample(waiting: true)];
        var backend = new FakeBackend();
        using var engine = new InferenceEngine(backend);
        using StreamingHost host = Make.Host(engine);
        Assert.All(seeds, Try);
        FuzzReport report = MutationFuzzer.Run(seeds, MutationFuzzer.CountFor(1500), 6, bytes => Try(Sealed(bytes)), e =>
            e is CheckpointException, TimeSpan.FromSeconds(30), 256L << 20);
        output.WriteLine(report.ToString());
        Assert.True(report.Accepted > 0 && report.Refused > 0, report.ToString());
        Assert.Equal(0, host.SessionCount);

        void Try(byte[] bytes)
        {
            var frames = new Frames();
            using StreamingSession session = host.Restore(bytes, frames.Handle);
            host.RunPending();
            long time = session.Intake.Clock.HasStarted ? session.Intake.Clock.Newest : 0;
            if (Math.Abs(time) > StreamingSession.MaxTime.Ticks - TimeSpan.TicksPerHour)
                return;
            foreach (Modality modality in Modalities.All.Where(m => session.Options.Channel(m) is not null))
                session.Push(modality, TimeSpan.FromTicks(time) + TimeSpan.FromSeconds(0.3),
                    new float[Math.Min(
                        50, (int)(session.Options.MaxBlock.TotalSeconds * session.Options.Channel(modality)!.SampleRate))]);
            session.AdvanceTo(TimeSpan.FromTicks(time) + TimeSpan.FromSeconds(2));
            session.Complete();
            host.RunPending();
            Assert.Null(session.Fault);
            foreach (Modality modality in Modalities.All)
                Assert.DoesNotContain(frames.Values(modality), float.IsInfinity);
        }
    }

    private byte[] Sample(bool waiting = false)
    {
        using StreamingHost host = Make.Host(_engine);
        using StreamingSession session = host.Open(Options, (_, _) => { });
        foreach (Block block in Sick().Blocks(0.1).Where(b => b.Time.TotalSeconds < 7.0))
        {
            session.Push(block.Modality, block.Time, block.Samples);
            if (!waiting || block.Time.TotalSeconds < 6)
                host.RunPending();
        }
        return session.Checkpoint();
    }

    // The checksum stands in the last four bytes.
    private static byte[] Sealed(byte[] bytes)
    {
        if (bytes.Length < 4)
            return bytes;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4),
            SessionCheckpoint.Checksum(bytes.AsSpan(0, bytes.Length - 4)));
        return bytes;
    }
}
