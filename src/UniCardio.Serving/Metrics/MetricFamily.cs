using System.Diagnostics.Metrics;
using System.Globalization;

namespace UniCardio.Serving.Metrics;

/// <summary>All series of one instrument.</summary>
internal sealed class MetricFamily
{
    private const int MaxSeries = 512;
    private static readonly double[] Seconds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60];
    private static readonly double[] Numbers = [0, 1, 2, 4, 8, 16, 32, 64, 128, 1024, 16384, 262144, 4194304];

    private readonly Lock _lock = new();
    private readonly List<Series> _series = [];

    public MetricFamily(Instrument instrument)
    {
        Instrument = instrument;
        Kind = KindOf(instrument);
        Bounds = Kind != MetricKind.Histogram ? [] : instrument.Unit == "s" ? Seconds : Numbers;
        Name = NameOf(instrument, Kind);
    }

    public Instrument Instrument { get; }

    public MetricKind Kind { get; }

    /// <summary>Name in the exposition, with unit and kind after it as Prometheus's conventions have it.</summary>
    public string Name { get; }

    /// <summary>Upper bounds of a histogram's buckets but the last, which has none.</summary>
    public double[] Bounds { get; }

    /// <summary>Sum over all series.</summary>
    public double Total
    {
        get
        {
            lock (_lock)
                return _series.Sum(s => s.Sum);
        }
    }

    /// <summary>Takes a measurement.</summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_lock)
        {
            Series? series = Find(tags);
            if (series is null)
                return;
            series.Count++;
            // Observable instruments report their state, others what is new.
            series.Sum = Instrument.IsObservable ? value : series.Sum + value;
            if (Kind == MetricKind.Histogram)
                series.Buckets[BucketOf(value)]++;
        }
    }

    /// <summary>Hands out every series, while nothing is recorded.</summary>
    public void ForEach(Action<Series> action)
    {
        lock (_lock)
            _series.ForEach(action);
    }

    private int BucketOf(double value)
    {
        int at = Array.BinarySearch(Bounds, value);
        return at >= 0 ? at : ~at;
    }

    private Series? Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (Series series in _series)
        {
            if (series.Has(tags))
                return series;
        }
        // Tags are few and closed; if one ever is not, memory stays bounded all the same.
        if (_series.Count == MaxSeries)
            return null;
        var added = new Series(tags.ToArray(), Kind == MetricKind.Histogram ? Bounds.Length + 1 : 0);
        _series.Add(added);
        return added;
    }

    private static MetricKind KindOf(Instrument instrument)
    {
        string type = instrument.GetType().Name;
        return type.StartsWith("Histogram", StringComparison.Ordinal) ? MetricKind.Histogram
            : type.StartsWith("Counter", StringComparison.Ordinal) || type.StartsWith("ObservableCounter", StringComparison.Ordinal)
                ? MetricKind.Counter
            : MetricKind.Gauge;
    }

    private static string NameOf(Instrument instrument, MetricKind kind)
    {
        string name = string.Concat(instrument.Name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
        string unit = instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
        return string.Create(CultureInfo.InvariantCulture,
            $"{name}{(name.EndsWith(unit, StringComparison.Ordinal) ? "" : unit)}{(kind == MetricKind.Counter ? "_total" : "")}");
    }
}

/// <summary>Kinds of metric in the exposition.</summary>
internal enum MetricKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>What was measured with one set of tags.</summary>
internal sealed class Series(KeyValuePair<string, object?>[] tags, int buckets)
{
    public KeyValuePair<string, object?>[] Tags { get; } = tags;

    public double Sum { get; set; }

    public long Count { get; set; }

    public long[] Buckets { get; } = new long[buckets];

    public bool Has(ReadOnlySpan<KeyValuePair<string, object?>> others)
    {
        if (others.Length != Tags.Length)
            return false;
        for (int i = 0; i < Tags.Length; i++)
        {
            if (others[i].Key != Tags[i].Key || !Equals(others[i].Value, Tags[i].Value))
                return false;
        }
        return true;
    }
}
