using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Diagnostics.Tracing;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Engine.Tests.Sessions;

namespace UniCardio.Engine.Tests.Diagnostics;

/// <summary>Listeners hear every session of the process: these tests run beside no others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProcessWideListeners
{
    public const string Name = "Process-wide listeners";
}

/// <summary>Meter and event source as a host sees them.</summary>
[Collection(ProcessWideListeners.Name)]
public sealed class SessionDiagnosticsTests
{
    private const int S = 100;

    [Fact]
    public void TheMeterCountsRunsStepsCallsAndFailures()
    {
        CardioTask task = CardioTask.Parse("impute ecg | bp");
        var seen = new ConcurrentQueue<(string Name, double Value, string? Error)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == "UniCardio.Engine")
                l.EnableMeasurementEvents(instrument);
        };
        void Record(string name, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var all = tags.ToArray().ToDictionary(t => t.Key, t => t.Value);
            if (Equals(all.GetValueOrDefault("unicardio.task"), task.ToString()) && Equals(all["unicardio.backend"], "fake"))
                seen.Enqueue((name, value, (string?)all.GetValueOrDefault("error.type")));
        }

        listener.SetMeasurementEventCallback<double>((i, v, tags, _) => Record(i.Name, v, tags));
        listener.SetMeasurementEventCallback<long>((i, v, tags, _) => Record(i.Name, v, tags));
        listener.Start();

        using var engine = new InferenceEngine(Fake());
        using InferenceSession session = engine.CreateSession(task, new() { Draws = 3, Sampler = SamplerOptions.Parse("ddim:4") });
        float[] conditions = new float[2 * S], results = new float[3 * S];
        session.Run(conditions, results);
        session.Run(conditions, results);
        Assert.Throws<TimeoutException>(() =>
            session.Run(conditions, results, observer: (in StepObservation _) => throw new TimeoutException()));

        Assert.Equal(3, seen.Count(m => m.Name == "unicardio.engine.run.duration" && m.Value > 0));
        Assert.Equal(9, seen.Count(m => m.Name == "unicardio.engine.step.duration" && m.Value > 0));
        Assert.Equal([12.0, 12, 3], seen.Where(m => m.Name == "unicardio.engine.network.calls").Select(m => m.Value));
        Assert.Equal(3, seen.Count(m => m.Name == "unicardio.engine.run.allocated"));
        Assert.Equal("System.TimeoutException", Assert.Single(seen, m => m.Name == "unicardio.engine.run.failures").Error);
    }

    [Fact]
    public void TheMeterKnowsTheSessionsAlive()
    {
        long sessions = 0, bytes = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == EngineMetrics.MeterName && instrument.IsObservable)
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((i, v, _, _) => _ = i.Name == "unicardio.engine.sessions" ? sessions = v : bytes = v);
        listener.Start();
        using var engine = new InferenceEngine(Fake());
        using InferenceSession session = engine.CreateSession(CardioTask.Parse("ppg->ecg"), new() { Draws = 7 });
        listener.RecordObservableInstruments();
        Assert.InRange(sessions, 1, long.MaxValue);
        Assert.InRange(bytes, session.ArenaBytes, long.MaxValue);
        long before = bytes;
        session.Dispose();
        listener.RecordObservableInstruments();
        Assert.Equal(before - session.ArenaBytes, bytes);
    }

    [Fact]
    public void TheEventSourceTellsOfRunsAndSteps()
    {
        using var listener = new Listener();
        using var engine = new InferenceEngine(Fake());
        CardioTask task = CardioTask.Parse("denoise bp | ecg");
        using InferenceSession session = engine.CreateSession(task, new() { Windows = 2, Sampler = SamplerOptions.Parse("ddim:3") });
        float[] conditions = new float[4 * S], results = new float[2 * S];
        int thread = Environment.CurrentManagedThreadId;
        session.Run(conditions, results);
        conditions[5] = float.NaN;
        Assert.Throws<ConditionValueException>(() => session.Run(conditions, results));

        EventWrittenEventArgs[] mine = [.. listener.Events.Where(e => e.Thread == thread).Select(e => e.Event)];
        Assert.Equal(["RunStart", "StepStop", "StepStop", "StepStop", "RunStop", "RunStart", "RunFailed", "RunStop"],
            mine.Select(e => e.EventName));
        Assert.Equal([task.ToString(), "fake", 2, 1, 3], mine[0].Payload!);
        Assert.Equal([0, 49], mine[1].Payload!.Take(2));
        Assert.Equal(2, mine[3].Payload![0]);
        Assert.True((double)mine[4].Payload![0]! > 0);
        Assert.Contains("sample 5", (string)mine[6].Payload![2]!, StringComparison.Ordinal);
    }

    [Fact]
    public void MeasuringAllocatesNothingEither()
    {
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == EngineMetrics.MeterName)
                l.EnableMeasurementEvents(instrument);
        };
        double sum = 0;
        listener.SetMeasurementEventCallback<double>((_, v, _, _) => sum += v);
        listener.Start();
        using var engine = new InferenceEngine(Fake());
        using InferenceSession session = engine.CreateSession(CardioTask.Parse("ppg->ecg"));
        float[] conditions = new float[S], results = new float[S];
        session.Run(conditions, results);
        Assert.Equal(0, Allocations.Of(() => session.Run(conditions, results)));
        Assert.NotEqual(0, sum);
    }

    private static FakeBackend Fake() => new(ModelConfiguration.Tiny, (x, c, t) => MathF.Sin(x + c + t));

    private sealed class Listener : EventListener
    {
        public ConcurrentQueue<(int Thread, EventWrittenEventArgs Event)> Events { get; } = new();

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "UniCardio-Engine")
                EnableEvents(eventSource, EventLevel.Verbose, EventKeywords.All);
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            if (eventData.EventSource.Name == "UniCardio-Engine")
                Events.Enqueue((Environment.CurrentManagedThreadId, eventData));
        }
    }
}
