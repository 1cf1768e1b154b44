using System.Globalization;
using System.Text;
using System.Net;
using UniCardio.Engine;
using UniCardio.Engine.Sampling;
using UniCardio.Serving.Hosting;

namespace UniCardio.Serving;

/// <summary>One setting of a server: its name in a file, in the environment and on the command line, and what it does.</summary>
internal sealed class ServerSetting
{
    private readonly Func<ServerOptions, string, ServerOptions> _apply;

    private ServerSetting(string key, string? value, string description, Func<ServerOptions, string, ServerOptions> apply)
    {
        Key = key;
        ValueName = value;
        Description = description;
        _apply = apply;
    }

    /// <summary>Every setting, in the order in which help shows them.</summary>
    public static IReadOnlyList<ServerSetting> All { get; } =
    [
        new("address", "IP", "Address to listen on (127.0.0.1). Any but a loopback address needs a token.", (o, v) =>
            o with { Address = IPAddress.TryParse(v, out IPAddress? address) ? address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address
            : throw new FormatException($"'{v}' is not an IP address") }),
        new("port", "PORT", "Port (8080); 0 for any that is free.", (o, v) => o with { Port = Integer(v) }),
        new("health_port", "PORT",
            "A second port for health probes alone, which answers whatever happens on the first; left out, there is none.", (o, v) =>
            o with { HealthPort = Integer(v) }),
        new("grpc_port", "PORT", "A port for gRPC, the Open Inference Protocol v2 over HTTP/2; left out, there is none.", (o, v) =>
            o with { GrpcPort = Integer(v) }),
        new("token_file", "FILE", "File that holds the bearer token which requests must carry. UNICARDIO_TOKEN may hold the token itself.",
            (o, v) => o with { Token = ReadToken(v) }),
        new("certificate", "PEM", "Certificate, for HTTPS.", (o, v) => o with { Certificate = v }),
        new("certificate_key", "PEM", "The certificate's key, if it is a file of its own.", (o, v) => o with { CertificateKey = v }),
        new("origins", "URLS", "Origins of browser pages that may use the server beside its own, parted by commas.", (o, v) =>
            o with { Origins = v.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) }),
        new("recordings", "DIR", "Folder of recordings that clients may have replayed, by name.", (o, v) => o with { Recordings = v }),
        new("checkpoints", "DIR", "Folder where live sessions are kept over a restart.", (o, v) => o with { Checkpoints = v }),
        new("checkpoint_seconds", "S", "Time between checkpoints of a session (2).", (o, v) => o with { CheckpointEvery = Seconds(v) }),
        new("draws", "N", "Draws of an infer request that asks for none (8).", (o, v) => o with { Draws = Integer(v) }),
        new("sampler", "SAMPLER", $"Sampler of an infer request that asks for none ({SamplerOptions.Default}).", (o, v) =>
            o with { Sampler = SamplerOptions.Parse(v) }),
        new("live_draws", "N", "Draws of a live session that asks for none (8).", (o, v) =>
            o with { Live = o.Live with { Draws = Integer(v) } }),
        new("live_sampler", "SAMPLER", $"Sampler of a live session that asks for none ({SamplerOptions.Default}).", (o, v) =>
            o with { Live = o.Live with { Sampler = SamplerOptions.Parse(v) } }),
        new("own_signals", "true|false", "Whether live sessions that do not say fill gaps by the patient's own last minute too (false).",
            (o, v) => o with { OwnSignals = bool.TryParse(v, out bool own) ? own : throw new FormatException(
                $"'{v}' is neither true nor false") }),
        new("min_index", "INDEX", "Least quality index, 0 to 1, of a signal that live sessions that do not say make another one from: 0.5 "
            + "is where a heart rate can be read, 0 lets any (0).", (o, v) => o with { MinIndex = Number(v) }),
        new("max_patients", "N", "Most patients with a live session (64).", (o, v) => o with { MaxPatients = Integer(v) }),
        new("max_load", "SHARE", "Share of the measured capacity that live sessions may ask for before new ones are refused (1).", (o, v) =>
            o with { MaxLoad = Number(v) }),
        new("max_connections", "N", "Most live connections and event streams (256).", (o, v) => o with { MaxConnections = Integer(v) }),
        new("max_connections_of_an_address", "N", "Most TCP connections of one remote address (256).", (o, v) =>
            o with { MaxConnectionsOfAnAddress = Integer(v) }),
        new("max_memory_bytes", "N", "Memory of bodies, results and replays together (536870912); beyond it 503.", (o, v) =>
            o with { MaxMemoryBytes = Long(v) }),
        new("max_body_bytes", "N", "Most bytes of a request's body (16777216).", (o, v) => o with { MaxBodyBytes = Long(v) }),
        new("max_message_bytes", "N", "Most bytes of a live message (1048576).", (o, v) => o with { MaxMessageBytes = Integer(v) }),
        new("max_waiting", "N", "Most infer requests that wait (32).", (o, v) => o with { MaxWaiting = Integer(v) }),
        new("max_windows", "N", "Most windows of an infer request (64).", (o, v) => o with { MaxWindows = Integer(v) }),
        new("max_draws", "N", "Most draws of a window (64).", (o, v) => o with { MaxDraws = Integer(v) }),
        new("max_waiting_frames", "N", "Frames that wait for a slow reader before the oldest is dropped (64).", (o, v) =>
            o with { MaxWaitingFrames = Integer(v) }),
        new("max_compute_bytes", "N", "Working memory of infer and of live sessions, each (1073741824).", (o, v) =>
            o with { MaxComputeBytes = Long(v) }),
        new("max_batch", "N", "Most live windows of a batch (4).", (o, v) => o with { MaxBatch = Integer(v) }),
        new("first_request_seconds", "S", "How long a connection may take to come to its first request (5).", (o, v) =>
            o with { FirstRequest = Seconds(v) }),
        new("request_seconds", "S", "Longest time of an infer request (60).", (o, v) => o with { RequestTime = Seconds(v) }),
        new("slow_seconds", "S", "How long a reader may stand still (20).", (o, v) => o with { SlowReader = Seconds(v) }),
        new("linger_seconds", "S", "How long a session stays without a pushing connection (30).", (o, v) => o with { Linger = Seconds(v) }),
        new("drain_seconds", "S", "Longest time that shutting down takes for what is in flight (20).", (o, v) =>
            o with { DrainTime = Seconds(v) }),
    ];

    /// <summary>Name in a configuration file.</summary>
    public string Key { get; }

    /// <summary>What stands for the value in help.</summary>
    public string? ValueName { get; }

    /// <summary>What it does, with its default.</summary>
    public string Description { get; }

    /// <summary>Name on the command line.</summary>
    public string Flag => "--" + Key.Replace('_', '-');

    /// <summary>Name in the environment.</summary>
    public string Variable => ServerConfiguration.VariablePrefix + Key.ToUpperInvariant();

    /// <summary>Options with this setting.</summary>
    /// <param name="options">The options so far.</param>
    /// <param name="value">The value as text.</param>
    /// <param name="from">Where the value stands, for messages.</param>
    /// <exception cref="ConfigurationException">The text is no such value.</exception>
    public ServerOptions Apply(ServerOptions options, string value, string from)
    {
        ArgumentNullException.ThrowIfNull(options);
        try
        {
            return _apply(options, value);
        }
        catch (Exception problem) when (problem is FormatException or OverflowException or IOException or UnauthorizedAccessException
            or ArgumentException)
        {
            throw new ConfigurationException(from, problem.Message);
        }
    }

    /// <summary>The token that a file holds: its text without white space around it.</summary>
    internal static string ReadToken(string path)
    {
        try
        {
            string text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(RegularFile.Read(path, 4096));
            return text.TrimStart('\uFEFF').Trim();
        }
        catch (Exception problem) when (problem is FormatException or ArgumentException)
        {
            throw new FormatException($"{path}: {problem.Message}; expected a token and nothing else", problem);
        }
    }

    private static int Integer(string text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) ? value
            : throw new FormatException($"'{text}' is not a whole number");

    private static long Long(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value
            : throw new FormatException($"'{text}' is not a whole number");

    private static double Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value
            : throw new FormatException($"'{text}' is not a number");

    private static TimeSpan Seconds(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && Math.Abs(value) < 1e9
            ? TimeSpan.FromSeconds(value) : throw new FormatException($"'{text}' is not a number of seconds");
}
