using System.CommandLine;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using UniCardio.Cli.Output;
using UniCardio.Serving.Metrics;
using UniCardio.Streaming;

namespace UniCardio.Cli.Options;

/// <summary>Logs, traces and metrics of a server: <c>--log</c>, <c>--traces</c>.</summary>
internal sealed class LoggingOptions
{
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private readonly Option<LogLevel> _log = new(
        "--log") { Description =
            "Least level of what is logged, one JSON object a line on the error stream: trace, debug, information (default), warning, "
            + "error or none.", DefaultValueFactory = _ => LogLevel.Information, HelpName = "LEVEL" };
    private readonly Option<Uri?> _traces = new("--traces")
        { Description =
            $"Where traces and metrics go: an OTLP collector that takes HTTP, e.g. http://localhost:4318 (else what {EndpointVariable} "
            + $"and its kin say, else nowhere).", HelpName = "URL", CustomParser = ReadAddress };

    public void AddTo(Command command)
    {
        command.Add(_log);
        command.Add(_traces);
    }

    public void Configure(ParseResult parsed, ILoggingBuilder logging, Terminal terminal)
    {
        logging.SetMinimumLevel(parsed.GetValue(_log));
        logging.AddProvider(new JsonLog(terminal.Error));
    }

    private static Uri? ReadAddress(System.CommandLine.Parsing.ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address.Scheme is ("http" or "https"))
            return address;
        result.AddError($"'{text}' is not an address that starts with http:// or https://");
        return null;
    }

    /// <summary>Begins to send traces and metrics if somebody takes them; to be disposed at the end, which sends the last.</summary>
    public IDisposable? Traces(ParseResult parsed)
    {
        Uri? endpoint = parsed.GetValue(_traces);
        if (endpoint is null && string.IsNullOrEmpty(Environment.GetEnvironmentVariable(EndpointVariable)))
            return null;
        return new Telemetry(
            Sdk.CreateTracerProviderBuilder().ConfigureResource(Name).AddSource(ServingMetrics.MeterName)
                .AddOtlpExporter(exporter => Aim(exporter, endpoint, "v1/traces")).Build(),
            Sdk.CreateMeterProviderBuilder().ConfigureResource(Name).AddMeter(ServingMetrics.MeterName, StreamingMetrics.MeterName)
                .AddOtlpExporter(exporter => Aim(exporter, endpoint, "v1/metrics")).Build());
    }

    private static void Name(ResourceBuilder resource) =>
        resource.AddService("unicardio", serviceVersion: typeof(LoggingOptions).Assembly.GetName().Version?.ToString(3));

    private static void Aim(OtlpExporterOptions exporter, Uri? endpoint, string path)
    {
        if (endpoint is null)
            return;
        exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
        exporter.Endpoint = new Uri(endpoint, path);
    }

    private sealed record Telemetry(TracerProvider? Traces, MeterProvider? Metrics) : IDisposable
    {
        public void Dispose()
        {
            Traces?.Dispose();
            Metrics?.Dispose();
        }
    }
}
