using System.Diagnostics.Metrics;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;

namespace UniCardio.Streaming.Tests;

/// <summary>Tests that count what the whole process does: nothing else runs beside them.</summary>
[CollectionDefinition(nameof(LifecycleTests), DisableParallelization = true)]
public sealed class Alone;

/// <summary>Threads, readers, handlers that fail, closing at every moment, metrics.</summary>
[Collection(nameof(LifecycleTests))]
public sealed class LifecycleTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly FakeBackend _backend = new();
    private readonly InferenceEngine _engine;

    public LifecycleTests() => _engine = new InferenceEngine(_backend);

    public void Dispose()
    {
        _engine.Dispose();
        Assert.Equal(0, _backend.Executors);
    }

    private static StreamingSessionOptions Options =>
        new() { Ppg = new ChannelOptions(125), Generate = ModalitySet.Bp, Sampling = Make.Quick };

    private static float[] Block(int i) => [.. Enumerable.Range(0, 25).Select(k => (float)Math.Sin(((25 * i) + k) / 15.0))];

    private static void Push(StreamingSession session, int from, int to)
    {
        for (int i = from; i < to; i++)
            session.Push(Modality.Ppg, TimeSpan.FromMilliseconds(200 * i), Block(i));
    }

    [Fact]
    public async Task AReaderGetsWhatAHandlerGets()
    {
        var expected = new Frames();
        using (StreamingHost manual = Make.Host(_engine))
        {
            using StreamingSession session = manual.Open(Options, expected.Handle);
            Push(session, 0, 60);
            session.Complete();
            manual.RunPending();
        }

        using var host = new StreamingHost(_engine);
        using StreamingSession read = host.Open(Options with { Deadline = TimeSpan.FromHours(1) });
        var actual = new Frames();
        Task reader = Task.Run(async () =>
        {
            await foreach (StreamingFrame frame in read.ReadAllAsync())
                actual.All.Add(frame);
        });
        Push(read, 0, 60);
        read.Complete();
        await reader.WaitAsync(Patience);
        Frames.Same(expected, actual);
        Assert.Equal((0, 0), (host.SessionCount, host.QueueLength));
    }

    [Fact]
    public async Task ASessionIsDrainedOnlyWhenTheHandlerHasTheLastFrame()
    {
        using var host = new StreamingHost(_engine);
        using ManualResetEventSlim reached = new(), goOn = new();
        using StreamingSession session = host.Open(Options with { Deadline = TimeSpan.FromHours(1) }, (_, frame) =>
        {
            if (!frame.IsLast)
                return;
            reached.Set();
            goOn.Wait(Patience);
        });
        Push(session, 0, 60);
        Task completing = Task.Run(session.Complete);
        try
        {
            Assert.True(reached.Wait(Patience));
            Assert.Equal(session.Counts.Hops, session.Counts.Frames);
            Assert.False(session.IsDrained);
        }
        finally
        {
            goOn.Set();
        }
        await completing.WaitAsync(Patience);
        Assert.True(SpinWait.SpinUntil(() => session.IsDrained, Patience));
    }

    [Fact]
    public async Task ASlowReaderLosesTheOldestFramesAndIsTold()
    {
        using StreamingHost host = Make.Host(_engine);
        using StreamingSession session = host.Open(Options with { FrameQueue = 4 });
        Push(session, 0, 60);
        host.RunPending();
        session.Complete();
        host.RunPending();
        var frames = new List<StreamingFrame>();
        await foreach (StreamingFrame frame in session.ReadAllAsync())
            frames.Add(frame);
        Assert.Equal(4, frames.Count);
        Assert.True(frames[^1].IsLast);
        SessionCounts counts = session.Counts;
        Assert.Equal((counts.Frames - 4, counts.Frames - 4), (counts.DroppedFrames, frames[^1].Dropped));
        Assert.Equal(Enumerable.Range(0, 4).Select(i => frames[0].Index + i), frames.Select(f => f.Index));
    }

    [Fact]
    public async Task ReadingCanBeCancelledAndIsForOne()
    {
        using StreamingHost host = Make.Host(_engine);
        using StreamingSession session = host.Open(Options);
        using var cancel = new CancellationTokenSource();
        IAsyncEnumerator<StreamingFrame> reader = session.ReadAllAsync(cancel.Token).GetAsyncEnumerator();
        Assert.Throws<InvalidOperationException>(() => session.ReadAllAsync());
        ValueTask<bool> next = reader.MoveNextAsync();
        Assert.False(next.IsCompleted);
        cancel.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
        using StreamingSession handled = host.Open(Options, (_, _) => { });
        Assert.Throws<InvalidOperationException>(() => handled.ReadAllAsync());
    }

    [Fact]
    public async Task AHandlerThatFailsClosesItsSessionAlone()
    {
        using StreamingHost host = Make.Host(_engine);
        int calls = 0;
        using StreamingSession bad = host.Open(Options, (_, _) => throw new InvalidOperationException($"call {++calls}"));
        var frames = new Frames();
        using StreamingSession good = host.Open(Options, frames.Handle);
        Push(bad, 0, 3);
        Assert.Equal(1, calls);
        Assert.Equal("call 1", bad.Fault?.Message);
        SessionClosedException refused = Assert.Throws<SessionClosedException>(() => bad.Push(Modality.Ppg, default, Block(0)));
        Assert.Same(bad.Fault, refused.InnerException);
        Assert.Throws<SessionClosedException>(bad.Checkpoint);
        bad.Complete();
        Push(good, 0, 30);
        host.RunPending();
        Assert.NotEmpty(frames.All);
        Assert.Equal(1, host.SessionCount);
        await host.DrainAsync();
    }

    // Handlers push to their own session and close it; both from within the call.
    [Fact]
    public void AHandlerMayPushAndClose()
    {
        using StreamingHost host = Make.Host(_engine);
        int pushed = 10;
        var frames = new Frames();
        using StreamingSession session = host.Open(Options, (s, f) =>
        {
            frames.Handle(s, f);
            if (pushed < 60)
            {
                Push(s, pushed, pushed + 3);
                pushed += 3;
            }
            if (f.Index == 20)
                s.Dispose();
        });
        Push(session, 0, 10);
        host.RunPending();
        frames.CheckContinuity();
        Assert.Equal(21, frames.All.Count);
        Assert.Equal(0, host.SessionCount);
        Assert.Throws<SessionClosedException>(() => session.Push(Modality.Ppg, default, Block(0)));
    }

    [Fact]
    public async Task ClosingMidRunLeavesTheOthersAlone()
    {
        using var host = new StreamingHost(_engine, new StreamingHostOptions { MaxBatch = 4 });
        using var inRun = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        _backend.OnRun = _ =>
        {
            inRun.Set();
            goOn.Wait(Patience);
        };
        var frames = new Frames();
        using StreamingSession closed = host.Open(Options, (_, f) => Assert.True(f.Index < 8, "a frame after closing"));
        using StreamingSession kept = host.Open(Options, frames.Handle);
        Push(closed, 0, 23);
        Push(kept, 0, 23);
        Assert.True(inRun.Wait(Patience));
        closed.Dispose();
        goOn.Set();
        kept.Complete();
        await host.DrainAsync().WaitAsync(Patience);
        Assert.True(SpinWait.SpinUntil(() => frames.All.Count > 0 && frames.All[^1].IsLast, Patience));
        Assert.Contains(Provenance.Translated, frames.Provenances(Modality.Bp));
        Assert.Null(closed.Fault);
    }

    [Fact]
    public void DisposingAHostStopsARunAtItsNextStep()
    {
        var host = new StreamingHost(_engine);
        using var inRun = new ManualResetEventSlim();
        int rows = 0;
        _backend.OnRun = _ =>
        {
            Interlocked.Increment(ref rows);
            inRun.Set();
            Thread.Sleep(50);
        };
        StreamingSession session = host.Open(Options);
        Push(session, 0, 60);
        Assert.True(inRun.Wait(Patience));
        host.Dispose();
        Assert.True(rows < 17, $"{rows} runs were begun");
        Assert.Throws<SessionClosedException>(() => session.Push(Modality.Ppg, default, Block(0)));
        Assert.Throws<ObjectDisposedException>(() => host.Open(Options));
        Assert.Throws<ObjectDisposedException>(() => host.WarmUp());
        host.Dispose();
    }

    // Pushing, restoring, changing and closing from many threads: no exception but the documented ones, every signal whole.
    [Fact]
    public async Task ManyThreads()
    {
        using var host = new StreamingHost(_engine, new StreamingHostOptions { MaxBatch = 8 });
        await Parallel.ForEachAsync(Enumerable.Range(0, 16), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (p, cancellation) =>
        {
            var frames = new Frames();
            StreamingSession session = host.Open(Options with { Deadline = TimeSpan.FromHours(1) }, frames.Handle);
            for (int i = 0; i < 80; i++)
            {
                Push(session, i, i + 1);
                if (i % 16 == p)
                    session.Generate = i % 2 == 0 ? ModalitySet.All : ModalitySet.Ecg;
                if (i == 40 && p % 4 == 0)
                {
                    byte[] checkpoint = session.Checkpoint();
                    // Frames may go out between the checkpoint and the end of the session; they come again.
                    session.Dispose();
                    session = host.Restore(checkpoint, (s, f) =>
                    {
                        frames.All.RemoveAll(x => x.Index >= f.Index);
                        frames.Handle(s, f);
                    });
                }
                if (i % 10 == 0)
                    await Task.Yield();
            }
            session.Complete();
            Assert.True(SpinWait.SpinUntil(() => frames.All.Count > 0 && frames.All[^1].IsLast, Patience));
            frames.CheckContinuity();
            Assert.Equal(80 * 25, frames.All.SelectMany(f => f.Measured(Modality.Ppg).ToArray()).Count(x => !float.IsNaN(x)));
            Assert.Null(session.Fault);
        });
        await host.DrainAsync().WaitAsync(Patience);
        Assert.Equal(0, host.SessionCount);
    }

    [Fact]
    public void LimitsAndMisuse()
    {
        using var host = new StreamingHost(_engine, new StreamingHostOptions { MaxSessions = 2 });
        using StreamingSession a = host.Open(Options), b = host.Open(Options);
        Assert.Equal(2, Assert.Throws<TooManySessionsException>(() => host.Open(Options)).Limit);
        b.Dispose();
        host.Open(Options).Dispose();
        Assert.Throws<InvalidOperationException>(() => host.RunPending());
        Assert.Throws<ConfigurationException>(() => host.Open(new StreamingSessionOptions()));
        // The official sampler knows one condition only; a session with two others could ask for more.
        var official = new LiveSampling { Sampler = SamplerOptions.Parse("ddim:6,official") };
        Assert.Throws<ConfigurationException>(() => host.Open(Make.Options() with { Sampling = official }));
        Assert.Throws<ConfigurationException>(() => a.Sampling = new LiveSampling { Draws = 0 });
        a.Sampling = official;
        Assert.Equal(official, a.Sampling);
        Assert.Throws<ArgumentNullException>(() => a.Sampling = null!);
        using StreamingHost manual = Make.Host(_engine);
        int tries = 0;
        using StreamingSession nested = manual.Open(Options, (_, frame) =>
        {
            if (frame.Window < 0)
                return;
            tries++;
            Assert.Throws<InvalidOperationException>(() => manual.RunPending());
        });
        Push(nested, 0, 25);
        manual.RunPending();
        Assert.Null(nested.Fault);
        Assert.True(tries > 0);
    }

    [Fact]
    public void MetricsCount()
    {
        var sums = new Dictionary<string, double>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == StreamingMetrics.MeterName)
                    l.EnableMeasurementEvents(instrument);
            },
        };
        void Add(Instrument instrument, double value)
        {
            lock (sums)
                sums[instrument.Name] = sums.GetValueOrDefault(instrument.Name) + value;
        }
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Add(instrument, value));
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => Add(instrument, value));
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Add(instrument, value));
        listener.Start();

        var time = new ManualTime();
        using StreamingHost host = Make.Host(_engine, time);
        using StreamingSession session = host.Open(Options, (_, _) => { });
        _backend.OnRun = _ => time.Advance(TimeSpan.FromMilliseconds(100));
        Push(session, 0, 40);
        listener.RecordObservableInstruments();
        // 8 s - 0.256 s of lead: windows end from 4 s on every 0.5 s.
        Assert.Equal((1, 9), (sums["unicardio.streaming.sessions"], sums["unicardio.streaming.queue.length"]));
        time.Advance(TimeSpan.FromSeconds(0.45));
        host.RunPending();
        SessionCounts counts = session.Counts;
        // One is computed before the deadline, then the newest; those between are skipped.
        Assert.Equal((2, 7), (counts.Windows, counts.SkippedHops));
        Assert.Equal(counts.Frames, sums["unicardio.streaming.hops"]);
        Assert.Equal((7, 2, 2),
            (sums["unicardio.streaming.hops.skipped"], sums["unicardio.streaming.windows"], sums["unicardio.streaming.batch.size"]));
        Assert.True(sums["unicardio.streaming.delay"] > sums["unicardio.streaming.delay.compute"]
            && sums["unicardio.streaming.delay.compute"] > 1);
        sums.Clear();
        session.Dispose();
        listener.RecordObservableInstruments();
        Assert.Equal((0, 0), (sums["unicardio.streaming.sessions"], sums["unicardio.streaming.queue.length"]));
    }
}
