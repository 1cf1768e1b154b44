using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;

namespace UniCardio.Streaming.Tests;

/// <summary>Many patients on an engine whose speed is set, on a clock that only it and the test move.</summary>
public sealed class SchedulingTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly FakeBackend _backend = new();
    private readonly InferenceEngine _engine;
    private StreamingHost _host;

    public SchedulingTests()
    {
        _engine = new InferenceEngine(_backend);
        _host = Make.Host(_engine, _time);
    }

    public void Dispose()
    {
        _host.Dispose();
        _engine.Dispose();
        Assert.Equal(0, _backend.Executors);
    }

    private void SetMaxBatch(int windows)
    {
        _host.Dispose();
        _host = Make.Host(_engine, _time, new StreamingHostOptions { MaxBatch = windows });
    }

    private static StreamingSessionOptions BpMissing => new()
    {
        Ppg = new ChannelOptions(125),
        Generate = ModalitySet.Bp,
        Sampling = Make.Quick,
        Fade = TimeSpan.Zero,
        MaximumLateness = TimeSpan.Zero,
    };

    /// <summary>Pushes PPG to sessions as their time comes, whatever the engine is doing: it calls this while it computes.</summary>
    private sealed class Ward(ManualTime time, StreamingSession[] sessions, double[] starts)
    {
        private readonly int[] _sent = new int[sessions.Length];
        private readonly TimeSpan _begin = time.GetElapsedTime(0);

        /// <summary>When the last block is sent.</summary>
        public TimeSpan End { get; set; } = TimeSpan.MaxValue;

        public int Sent(int i) => _sent[i];

        /// <summary>Lets time pass in steps, each with the blocks that fall due.</summary>
        public void Pass(TimeSpan duration)
        {
            for (TimeSpan step = TimeSpan.FromMilliseconds(8); duration > TimeSpan.Zero; duration -= step)
            {
                time.Advance(step < duration ? step : duration);
                for (int i = 0; time.GetElapsedTime(0) < End && i < sessions.Length; i++)
                {
                    double now = (time.GetElapsedTime(0) - _begin).TotalSeconds - starts[i];
                    for (; (_sent[i] + 25) / 125.0 <= now; _sent[i] += 25)
                        sessions[i].Push(Modality.Ppg, TimeSpan.FromMilliseconds(8 * _sent[i]), Block(_sent[i]));
                }
            }
        }

        private static float[] Block(int from) =>
            [.. Enumerable.Range(from, 25).Select(i => (float)(10 * Math.Sin(i / 15.0)) + (i / 1000f))];
    }

    private (Ward Ward, StreamingSession[] Sessions, Frames[] Frames) Open(int patients, StreamingSessionOptions? options = null)
    {
        Frames[] frames = [.. Enumerable.Range(0, patients).Select(_ => new Frames())];
        StreamingSession[] sessions = [.. frames.Select(f => _host.Open(options ?? BpMissing, f.Handle))];
        return (new Ward(_time, sessions, [.. Enumerable.Range(0, patients).Select(i => i * 0.5 / patients)]), sessions, frames);
    }

    private void Run(Ward ward, double seconds)
    {
        ward.End = _time.GetElapsedTime(0) + TimeSpan.FromSeconds(seconds);
        while (_time.GetElapsedTime(0) < ward.End)
        {
            if (_host.RunPending() == 0)
                ward.Pass(TimeSpan.FromMilliseconds(8));
        }
    }

    [Fact]
    public void WhatIsReadyTogetherRunsTogether()
    {
        SetMaxBatch(8);
        (_, StreamingSession[] sessions, Frames[] frames) = Open(11);
        for (int i = 0; i < 40; i++)
        {
            foreach (StreamingSession session in sessions)
                session.Push(Modality.Ppg, TimeSpan.FromMilliseconds(200 * i),
                    [.. Enumerable.Range(0, 25).Select(k => (float)Math.Sin(((25 * i) + k) / 15.0))]);
            _host.RunPending();
        }
        // 8 s: windows of 4 s end at 4.0, 4.5 ... 8.0 s. Eleven patients are 8 + 2 + 1.
        Assert.Equal(Enumerable.Repeat<int[]>([8, 2, 1], 9).SelectMany(b => b), _backend.Batches);
        Assert.All(sessions, s => Assert.Equal((9, 0), (s.Counts.Windows, s.Counts.SkippedHops)));
        Assert.All(frames, f => f.CheckContinuity());
    }

    // Tasks that differ are batches of their own: BP from PPG, and BP imputed.
    [Fact]
    public void DifferentTasksDoNotMix()
    {
        using StreamingSession a = _host.Open(BpMissing), b = _host.Open(BpMissing),
            c = _host.Open(BpMissing with { Sampling = Make.Quick with { Draws = 5 } });
        for (int i = 0; i < 21; i++)
        {
            foreach (StreamingSession session in (StreamingSession[])[a, b, c])
                session.Push(Modality.Ppg, TimeSpan.FromMilliseconds(200 * i),
                    [.. Enumerable.Range(0, 25).Select(k => (float)Math.Sin(((25 * i) + k) / 15.0))]);
        }
        var plans = new List<(int Windows, int Draws)>();
        _backend.OnRun = plan => plans.Add((plan.Windows, plan.Draws));
        _host.RunPending();
        Assert.Equal([(2, 3), (1, 5)], plans);
    }

    // Four patients ask for 8 windows a second, at 100 ms each.
    [Fact]
    public void AMachineThatKeepsUpSkipsNothing()
    {
        (Ward ward, StreamingSession[] sessions, Frames[] frames) = Open(4);
        SetSpeed(ward, perWindow: 100);
        Run(ward, 20);
        Assert.All(sessions, s => Assert.Equal((0, 0), (s.Counts.SkippedHops, s.Counts.LostHops)));
        // A batch of one that has just begun, then one of the three others at most, then its own.
        Assert.All(frames.SelectMany(f => f.All), f => Assert.InRange(f.ComputeDelay.TotalMilliseconds, 0, 600));
        Assert.All(sessions, s => Assert.InRange(s.Counts.Windows, 30, 33));
    }

    // Twice as many windows as can be computed, or five times: hops are skipped, evenly; frames are complete, in order, and on time.
    [Theory]
    [InlineData(8, 125, 1)]
    [InlineData(8, 125, 4)]
    [InlineData(20, 125, 1)]
    public void AMachineThatDoesNotSkipsEvenly(int patients, int milliseconds, int batch)
    {
        SetMaxBatch(batch);
        (Ward ward, StreamingSession[] sessions, Frames[] frames) = Open(patients);
        SetSpeed(ward, milliseconds);
        Run(ward, 60);
        double computable = 60_000.0 / milliseconds;
        Assert.InRange(sessions.Sum(s => s.Counts.Windows), 0.9 * computable, computable + (2 * patients));
        double fair = computable / patients;
        Assert.All(sessions, s => Assert.InRange(s.Counts.Windows, (0.85 * fair) - 3, (1.15 * fair) + 3));
        double load = patients * 2.0 * milliseconds / 1000;
        for (int i = 0; i < patients; i++)
        {
            frames[i].CheckContinuity();
            // Every sample that went in came out, in its place.
            float[] shown = [.. frames[i].All.SelectMany(f => f.Measured(Modality.Ppg).ToArray())];
            Assert.InRange(shown.Length, ward.Sent(i) - 125 - 25, ward.Sent(i));
            Assert.Equal([.. Enumerable.Range(0, shown.Length).Select(k => (float)(10 * Math.Sin(k / 15.0)) + (k / 1000f))], shown);
            Assert.Equal(sessions[i].Counts.SkippedHops, frames[i].All.Count(f => f.WasSkipped));
            Assert.True(sessions[i].Counts.SkippedHops > 0);
            // A session is served once a round of all; its newest hop is younger than a hop then, and what it jumped over goes out with it.
            double round = patients * milliseconds / 1000.0;
            Assert.All(frames[i].All, f => Assert.InRange(f.ComputeDelay.TotalSeconds, 0, (2 * round) + 1));
            // Skipped hops whose samples the newer window reaches are generated all the same.
            if (round < 3)
                Assert.Equal(0, sessions[i].Counts.LostHops);
        }
        Assert.True(load > 1.9);
    }

    // The engine hangs for a minute while samples come in: they wait, in bounded numbers, and go out in order without what was to be
    // generated.
    [Fact]
    public void AStuckEngineLosesNoSample()
    {
        (Ward ward, StreamingSession[] sessions, Frames[] frames) = Open(2);
        int runs = 0;
        _backend.OnRun = _ =>
        {
            if (++runs == 3)
                ward.Pass(TimeSpan.FromSeconds(60));
        };
        Run(ward, 80);
        for (int i = 0; i < 2; i++)
        {
            frames[i].CheckContinuity();
            float[] shown = [.. frames[i].All.SelectMany(f => f.Measured(Modality.Ppg).ToArray())];
            Assert.Equal([.. Enumerable.Range(0, shown.Length).Select(k => (float)(10 * Math.Sin(k / 15.0)) + (k / 1000f))], shown);
            Assert.InRange(sessions[i].Counts.LostHops, 50, 120);
            Assert.Contains(frames[i].All, f => f.Status(Modality.Bp).NoSignal == NoSignalReason.Overload);
            // It continues afterwards as if nothing had been.
            Assert.Equal(Provenance.Translated, frames[i].All[^1].Status(Modality.Bp).Provenance);
            Assert.Null(sessions[i].Fault);
        }
    }

    [Fact]
    public void OneWindowThatFailsSpoilsNoOther()
    {
        // The second patient's PPG has a mean that the network does not survive.
        _backend.Level = mean => mean > 0.2f ? float.NaN : mean;
        Frames[] frames = [new(), new(), new()];
        StreamingSession[] sessions = [.. frames.Select(f => _host.Open(BpMissing, f.Handle))];
        for (int i = 0; i < 30; i++)
        {
            for (int s = 0; s < 3; s++)
            {
                float[] block = [.. Enumerable.Range(0, 25).Select(k => (float)Math.Sin(((25 * i) + k) / 15.0))];
                sessions[s].Push(Modality.Ppg, TimeSpan.FromMilliseconds(200 * i), s == 1
                    ? [.. block.Select(x => x < -0.8f ? x / 100 : 1 + (x / 100))] : block);
            }
            _host.RunPending();
        }
        Assert.Equal([0, 5, 0], sessions.Select(s => s.Counts.FailedWindows));
        Assert.Equal((Provenance.NoSignal, NoSignalReason.ComputeFailed),
            (frames[1].All[^1].Status(Modality.Bp).Provenance, frames[1].All[^1].Status(Modality.Bp).NoSignal));
        Assert.Equal(Provenance.Translated, frames[0].All[^1].Status(Modality.Bp).Provenance);
        Assert.IsType<NonFiniteResultException>(_host.Failure);
    }

    [Fact]
    public void CancellingLeavesTheBatchForTheNextCall()
    {
        var frames = new Frames();
        using StreamingSession session = _host.Open(BpMissing, frames.Handle);
        for (int i = 0; i < 25; i++)
            session.Push(Modality.Ppg, TimeSpan.FromMilliseconds(200 * i),
                [.. Enumerable.Range(0, 25).Select(k => (float)Math.Sin(((25 * i) + k) / 15.0))]);
        using var cancel = new CancellationTokenSource();
        _backend.OnRun = _ => cancel.Cancel();
        int before = frames.All.Count;
        Assert.Throws<OperationCanceledException>(() => _host.RunPending(cancel.Token));
        Assert.Equal(before, frames.All.Count);
        _backend.OnRun = null;
        Assert.Equal(3, _host.RunPending());
        Assert.Equal((3, 0), (session.Counts.Windows, session.Counts.FailedWindows));
        frames.CheckContinuity();
    }

    // Sessions of the engine are kept within a number of bytes; the fake ones have 1 MiB and some buffers each.
    [Fact]
    public void ComputeMemoryIsBounded()
    {
        _host.Dispose();
        _host = Make.Host(_engine, _time, new StreamingHostOptions { MaxBatch = 4, MaxComputeBytes = 16 << 20 });
        long held = _host.WarmUp(sampling: Make.Quick);
        Assert.InRange(held, 15 << 20, 16 << 20);
        Assert.InRange(_backend.Executors, 12, 16);
        using StreamingSession session = _host.Open(BpMissing with { Sampling = Make.Quick with { Draws = 7 } });
        for (int i = 0; i < 25; i++)
            session.Push(Modality.Ppg, TimeSpan.FromMilliseconds(200 * i),
                [.. Enumerable.Range(0, 25).Select(k => (float)Math.Sin(((25 * i) + k) / 15.0))]);
        _host.RunPending();
        Assert.Equal(3, session.Counts.Windows);
        Assert.InRange(_backend.Executors, 12, 16);
    }

    private void SetSpeed(Ward ward, double perWindow) => _backend.OnRun = plan =>
        ward.Pass(TimeSpan.FromMilliseconds(perWindow * plan.Windows));
}
