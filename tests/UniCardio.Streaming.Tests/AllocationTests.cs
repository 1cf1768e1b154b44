using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;

namespace UniCardio.Streaming.Tests;

/// <summary>After warm-up a hop allocates nothing: neither on the thread that pushes nor on the one that computes.</summary>
[Collection(nameof(LifecycleTests))]
public sealed class AllocationTests
{
    private static StreamingSessionOptions Options => Make.Options(125, 100, 500) with { Denoise = ModalitySet.Ppg };

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(true, 0.2)]
    public void OneThread(bool ownSignals, double minIndex)
    {
        using InferenceEngine engine = Make.Engine();
        using StreamingHost host = Make.Host(engine, TimeProvider.System);
        int hops = 0, generated = 0;
        StreamingSession[] sessions = [.. Enumerable.Range(0, 3)
            .Select(i => host.Open(Options with { Seed = (ulong)i, Deadline = TimeSpan.FromHours(1), OwnSignals = ownSignals,
                MinIndex = minIndex }, (_, frame) =>
        {
            hops++;
            generated += frame.Provenance(Modality.Bp)[^1] is Provenance.Imputed or Provenance.Translated ? 1 : 0;
        }))];
        host.WarmUp(sampling: Make.Quick);
        // Drop-outs of every kind, again and again.
        Patient patient = new Patient(60, Options);
        for (int t = 6; t < 60; t += 9)
            patient.Drop(Modality.Bp, t, t + 3).Drop(Modality.Ecg, t + 1, t + 6).Drop(Modality.Ppg, t + 2, t + 2.5)
                .Change(Modality.Ppg, t + 5, t + 6.5, _ => 0.3f);
        Block[] blocks = [.. patient.Blocks(0.1)];
        int at = 0;
        Run(30);
        long allocated = 0;
        // Shared buffers of the runtime may be trimmed and made again while it collects garbage of other tests; a hop that allocates does
        // so every time.
        for (int attempt = 0; attempt < 3; attempt++)
        {
            (hops, generated) = (0, 0);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Run(39 + (attempt * 9));
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated == 0)
                break;
        }
        Assert.Equal(0, allocated);
        Assert.True(hops > 40 && generated > 10, $"{hops} hops, {generated} generated");
        Assert.All(sessions, s => Assert.Equal(0, s.Counts.SkippedHops));

        void Run(double until)
        {
            for (; blocks[at].Time.TotalSeconds < until; at++)
            {
                for (int s = 0; s < sessions.Length; s++)
                    sessions[s].Push(blocks[at].Modality, blocks[at].Time, blocks[at].Samples);
                host.RunPending();
            }
        }
    }

    [Fact]
    public async Task TheHostsThread()
    {
        using InferenceEngine engine = Make.Engine();
        using var host = new StreamingHost(engine);
        // What the host's thread has allocated when it hands out a frame that it computed.
        var allocated = new List<long>(1000);
        int pusher = Environment.CurrentManagedThreadId;
        using StreamingSession session = host.Open(Options with { Deadline = TimeSpan.FromHours(1) }, (_, frame) =>
        {
            if (frame.Window >= 0 && Environment.CurrentManagedThreadId != pusher)
                allocated.Add(GC.GetAllocatedBytesForCurrentThread());
        });
        host.WarmUp(sampling: Make.Quick);
        foreach (Block block in new Patient(30, Options).Drop(Modality.Bp, 6, 30).Blocks(0.1))
            session.Push(block.Modality, block.Time, block.Samples);
        await host.DrainAsync().WaitAsync(TimeSpan.FromMinutes(2));
        Assert.True(allocated.Count > 20, $"{allocated.Count} frames");
        // Half of the hops warm up; of the others none allocates.
        Assert.Equal(allocated[allocated.Count / 2], allocated[^1]);
    }
}
