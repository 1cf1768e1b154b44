using System.Globalization;
using System.Text;

namespace UniCardio.Serving.Metrics;

/// <summary>The text exposition format of Prometheus, version 0.0.4.</summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static string Of(IReadOnlyList<MetricFamily> families)
    {
        var text = new StringBuilder();
        string? last = null;
        foreach (MetricFamily family in families)
        {
            if (family.Name == last)
                continue;
            last = family.Name;
            text.Append(CultureInfo.InvariantCulture,
                $"# HELP {family.Name} {Help(family.Instrument.Description)}\n# TYPE {family.Name} {Kind(family.Kind)}\n");
            family.ForEach(series => Write(text, family, series));
        }
        return text.ToString();
    }

    private static void Write(StringBuilder text, MetricFamily family, Series series)
    {
        if (family.Kind != MetricKind.Histogram)
        {
            Line(text, family.Name, series, null, series.Sum);
            return;
        }
        long below = 0;
        for (int i = 0; i < series.Buckets.Length; i++)
        {
            below += series.Buckets[i];
            Line(text, family.Name + "_bucket", series, i < family.Bounds.Length ? Number(family.Bounds[i]) : "+Inf", below);
        }
        Line(text, family.Name + "_sum", series, null, series.Sum);
        Line(text, family.Name + "_count", series, null, series.Count);
    }

    private static void Line(StringBuilder text, string name, Series series, string? bound, double value)
    {
        text.Append(name);
        char separator = '{';
        foreach ((string key, object? tag) in series.Tags)
        {
            text.Append(separator).Append(Label(key)).Append("=\"")
                .Append(Escape(Convert.ToString(tag, CultureInfo.InvariantCulture) ?? "")).Append('"');
            separator = ',';
        }
        if (bound is not null)
        {
            text.Append(separator).Append("le=\"").Append(bound).Append('"');
            separator = ',';
        }
        if (separator == ',')
            text.Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Kind(MetricKind kind) =>
        kind switch { MetricKind.Counter => "counter", MetricKind.Gauge => "gauge", _ => "histogram" };

    private static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf"
        : value.ToString("R", CultureInfo.InvariantCulture);

    private static string Label(string key) => string.Concat(key.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    private static string Help(string? text) => (text ?? "").Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\n", " ", StringComparison.Ordinal);

    private static string Escape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
