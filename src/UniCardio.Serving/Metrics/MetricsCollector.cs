using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using UniCardio.Engine.Diagnostics;
using UniCardio.Streaming;

namespace UniCardio.Serving.Metrics;

/// <summary>
/// Listens to the meters of the process and keeps what a scrape needs. Measuring allocates only where a set of tags is new.
/// </summary>
internal sealed class MetricsCollector : IDisposable
{
    // Meters that hold nothing of a patient; ASP.NET's name routes, not paths.
    private static readonly string[] Meters = [EngineMetrics.MeterName, StreamingMetrics.MeterName, ServingMetrics.MeterName,
        "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime"];

    private readonly ConcurrentDictionary<Instrument, MetricFamily> _families = new();
    private readonly MeterListener _listener = new();

    public MetricsCollector()
    {
        _listener.InstrumentPublished = Publish;
        _listener.SetMeasurementEventCallback<double>(Record);
        _listener.SetMeasurementEventCallback<float>((i, v, t, s) => Record(i, v, t, s));
        _listener.SetMeasurementEventCallback<long>((i, v, t, s) => Record(i, v, t, s));
        _listener.SetMeasurementEventCallback<int>((i, v, t, s) => Record(i, v, t, s));
        _listener.Start();
    }

    /// <summary>Delays of the last frames, algorithmic and compute together.</summary>
    public RecentValues Delays { get; } = new(1024);

    /// <summary>Compute delays of the last frames.</summary>
    public RecentValues ComputeDelays { get; } = new(1024);

    /// <summary>What is known now, in the order of the names.</summary>
    public IReadOnlyList<MetricFamily> Collect()
    {
        _listener.RecordObservableInstruments();
        return [.. _families.Values.OrderBy(f => f.Name, StringComparer.Ordinal)];
    }

    /// <summary>The sum of a counter over all its tags.</summary>
    public double Sum(string instrument) => _families.Values.Where(f => f.Instrument.Name == instrument).Sum(f => f.Total);

    public void Dispose() => _listener.Dispose();

    private void Publish(Instrument instrument, MeterListener listener)
    {
        if (!Meters.Contains(instrument.Meter.Name))
            return;
        // Two meters of a name make instruments of a name: one family for both, as a scrape allows a name once.
        MetricFamily family = _families.Values.FirstOrDefault(f => f.Instrument.Name == instrument.Name) ?? new MetricFamily(instrument);
        _families.TryAdd(instrument, family);
        listener.EnableMeasurementEvents(instrument, family);
    }

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        ((MetricFamily)state!).Record(value, tags);
        if (instrument.Name == "unicardio.streaming.delay")
            Delays.Add(value);
        else if (instrument.Name == "unicardio.streaming.delay.compute")
            ComputeDelays.Add(value);
    }
}
