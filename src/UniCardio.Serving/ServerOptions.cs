using System.Net;
using System.Security.Cryptography;
using UniCardio.Engine;
using UniCardio.Engine.Sampling;
using UniCardio.Streaming;

namespace UniCardio.Serving;

/// <summary>How a server runs. Made by hand or by <see cref="ServerConfiguration"/>; checked when the server starts.</summary>
/// <remarks>Every limit answers with a status and a message of its own, listed in README.md.</remarks>
public sealed record ServerOptions
{
    /// <summary>Fewest characters of a token.</summary>
    public const int MinTokenLength = 16;

    /// <summary>Address to listen on. Anything but a loopback address needs a <see cref="Token"/>.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>Port, 0 for any that is free.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>
    /// The bearer token that requests must carry; null for none, which only loopback addresses allow. At least <see cref="MinTokenLength"/>
    /// characters.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>PEM file of a certificate, for HTTPS; null for HTTP.</summary>
    public string? Certificate { get; init; }

    /// <summary>PEM file of the certificate's key; null if it is in the same file.</summary>
    public string? CertificateKey { get; init; }

    /// <summary>Origins of browser pages that may use the server beside its own, e.g. <c>https://ward.example</c>.</summary>
    public IReadOnlyList<string> Origins { get; init; } = [];

    /// <summary>Folder of recordings that clients may have replayed by name; null for none.</summary>
    public string? Recordings { get; init; }

    /// <summary>Folder where sessions are kept over a restart; null for none.</summary>
    public string? Checkpoints { get; init; }

    /// <summary>Time from one checkpoint of a session to the next.</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A recording that is replayed in a loop from the start on, for patient <c>demo</c>; null for none.</summary>
    public string? Demo { get; init; }

    /// <summary>Most bytes of a request's body.</summary>
    public long MaxBodyBytes { get; init; } = 16L << 20;

    /// <summary>Most bytes of a live message.</summary>
    public int MaxMessageBytes { get; init; } = 1 << 20;

    /// <summary>Most patients with a session.</summary>
    public int MaxPatients { get; init; } = 64;

    /// <summary>
    /// Share of what the machine can compute, as measured over the last seconds, that live sessions may ask for before a new one that
    /// generates is refused. What is measured goes out at once whatever the load; beyond 1 generated stretches are skipped.
    /// </summary>
    public double MaxLoad { get; init; } = 1;

    /// <summary>Most live connections and event streams.</summary>
    public int MaxConnections { get; init; } = 256;

    /// <summary>Most TCP connections of one remote address. All together may be 256 more than four times
    /// <see cref="MaxConnections"/>.</summary>
    public int MaxConnectionsOfAnAddress { get; init; } = 256;

    /// <summary>How long a connection may take to come to its first complete request.</summary>
    public TimeSpan FirstRequest { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A second port, for <c>/v2/health</c> alone and with connections of its own, so that probes are answered whatever happens on the
    /// first; null for none, 0 for any that is free.
    /// </summary>
    public int? HealthPort { get; init; }

    /// <summary>
    /// A port for gRPC (the Open Inference Protocol v2 over HTTP/2, with <see cref="Certificate"/> over TLS); null for none, 0 for any that
    /// is free.
    /// </summary>
    public int? GrpcPort { get; init; }

    /// <summary>
    /// Bytes of memory that request bodies under way, results not yet sent and recordings under replay may take together; beyond it
    /// requests are refused with 503.
    /// </summary>
    public long MaxMemoryBytes { get; init; } = 512L << 20;

    /// <summary>Most <c>infer</c> requests that wait for the one that runs.</summary>
    public int MaxWaiting { get; init; } = 32;

    /// <summary>Most windows of an <c>infer</c> request.</summary>
    public int MaxWindows { get; init; } = 64;

    /// <summary>Most draws of a window, in <c>infer</c> and live.</summary>
    public int MaxDraws { get; init; } = 64;

    /// <summary>Longest time from the arrival of an <c>infer</c> request to its result.</summary>
    public TimeSpan RequestTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest time that shutting down waits for what is in flight.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a session stays after its last pushing connection has gone.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Frames that wait for a slow reader; beyond that the oldest is dropped.</summary>
    public int MaxWaitingFrames { get; init; } = 64;

    /// <summary>How long a reader may stand still before its connection is closed.</summary>
    public TimeSpan SlowReader { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Draws and sampler of live sessions that ask for none.</summary>
    public LiveSampling Live { get; init; } = new();

    /// <summary>Whether live sessions that do not say fill gaps by the patient's own last minute too
    /// (<see cref="StreamingSessionOptions.OwnSignals"/>).</summary>
    public bool OwnSignals { get; init; }

    /// <summary>Least quality index, 0 to 1, of a signal from which live sessions that do not say make another one; 0 for any
    /// (<see cref="StreamingSessionOptions.MinIndex"/>).</summary>
    public double MinIndex { get; init; }

    /// <summary>Sampler of <c>infer</c> requests that ask for none.</summary>
    public SamplerOptions Sampler { get; init; } = SamplerOptions.Default;

    /// <summary>Draws of <c>infer</c> requests that ask for none.</summary>
    public int Draws { get; init; } = 8;

    /// <summary>Most live windows of a batch.</summary>
    public int MaxBatch { get; init; } = 4;

    /// <summary>Bytes of working memory for <c>infer</c> and for live sessions, each.</summary>
    public long MaxComputeBytes { get; init; } = 1L << 30;

    /// <summary>Checks every setting.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ConfigurationException">A setting is out of range; it is named.</exception>
    public ServerOptions Validate()
    {
        Require(Port is >= 0 and <= 65535, "port", $"{Port} is not between 0 and 65535");
        Require(Token is null || Token.Length >= MinTokenLength, "token", $"it has fewer than {MinTokenLength} characters");
        Require(Token is null || Token.All(c => c is > ' ' and <= '~'), "token", "it holds a character that is no visible ASCII one");
        Require(Token is not null || IPAddress.IsLoopback(Address), "address",
            $"{Address} can be reached from elsewhere, so a token is needed: name a file with --token-file or set UNICARDIO_TOKEN");
        Require(CertificateKey is null || Certificate is not null, "certificate_key", "there is no certificate to it");
        Require(Origins.All(o => Uri.TryCreate(o, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"), "origins",
            "expected addresses such as https://ward.example");
        InRange("checkpoint_seconds", CheckpointEvery, 0.1, 3600);
        InRange("max_body_bytes", MaxBodyBytes, 1024, 1L << 31);
        InRange("max_message_bytes", MaxMessageBytes, 1024, 64 << 20);
        InRange("max_patients", MaxPatients, 1, 65536);
        Require(MaxLoad is >= 0.05 and <= 1000, "max_load", FormattableString.Invariant($"{MaxLoad} is not between 0.05 and 1000"));
        InRange("max_connections", MaxConnections, 1, 65536);
        InRange("max_connections_of_an_address", MaxConnectionsOfAnAddress, 1, 1 << 20);
        InRange("first_request_seconds", FirstRequest, 0.1, 600);
        InRange("health_port", HealthPort ?? 0, 0, 65535);
        Require(HealthPort is null or 0 || HealthPort != Port, "health_port", "it is the port of everything else");
        InRange("grpc_port", GrpcPort ?? 0, 0, 65535);
        Require(GrpcPort is null or 0 || (GrpcPort != Port && GrpcPort != HealthPort), "grpc_port", "another listener has this port");
        InRange("max_memory_bytes", MaxMemoryBytes, Math.Max(1L << 20, MaxBodyBytes), 1L << 40);
        InRange("max_waiting", MaxWaiting, 0, 65536);
        InRange("max_windows", MaxWindows, 1, 65536);
        InRange("max_draws", MaxDraws, 1, LiveSampling.MaxDraws);
        InRange("request_seconds", RequestTime, 0.01, 86400);
        InRange("drain_seconds", DrainTime, 0, 3600);
        InRange("linger_seconds", Linger, 0, 86400);
        InRange("max_waiting_frames", MaxWaitingFrames, 1, 4096);
        InRange("slow_seconds", SlowReader, 0.1, 3600);
        InRange("draws", Draws, 1, MaxDraws);
        Live.Validate();
        InRange("live_draws", Live.Draws, 1, MaxDraws);
        Require(MinIndex is >= 0 and <= 1, "min_index", FormattableString.Invariant($"{MinIndex} is not between 0 and 1"));
        Sampler.Validate();
        InRange("max_batch", MaxBatch, 1, 64);
        InRange("max_compute_bytes", MaxComputeBytes, 16L << 20, 1L << 40);
        return this;
    }

    /// <summary>By which the silence of connections is measured: the tests have one that they move.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>SHA-256 of the token, so that comparing takes the same time whatever is compared; null without a token.</summary>
    internal byte[]? TokenHash() => Token is null ? null : SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Token));

    private static void InRange(string setting, TimeSpan value, double min, double max) =>
        Require(value.TotalSeconds >= min && value.TotalSeconds <= max, setting,
            FormattableString.Invariant($"{value.TotalSeconds} s is not between {min} and {max} s"));

    private static void InRange(string setting, long value, long min, long max) =>
        Require(value >= min && value <= max, setting, $"{value} is not between {min} and {max}");

    private static void Require(bool holds, string setting, string otherwise)
    {
        if (!holds)
            throw new ConfigurationException(setting, otherwise);
    }
}
