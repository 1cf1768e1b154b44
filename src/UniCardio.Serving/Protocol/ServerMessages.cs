using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace UniCardio.Serving.Protocol;

/// <summary>Rate of a sensor.</summary>
internal sealed record ChannelState(double Rate);

/// <summary>An open session as clients see it.</summary>
internal sealed record SessionState
{
    public required long Session { get; init; }

    /// <summary><c>device</c>, <c>replay</c> or <c>demo</c>.</summary>
    public required string Source { get; init; }

    public string? Recording { get; init; }

    public double? Speed { get; init; }

    public required IReadOnlyDictionary<string, ChannelState> Channels { get; init; }

    public required string[] Generate { get; init; }

    public required string[] Denoise { get; init; }

    public required string[] Muted { get; init; }

    public required int Draws { get; init; }

    public required string Sampler { get; init; }

    public required int Steps { get; init; }

    /// <summary>Text: 64 bits are more than a JavaScript number holds.</summary>
    public required string Seed { get; init; }

    public required double Window { get; init; }

    public required double Hop { get; init; }

    public required double Lateness { get; init; }

    public required bool OwnSignals { get; init; }

    public required double MinIndex { get; init; }

    public required double AlgorithmicDelay { get; init; }

    public required double? Time { get; init; }
}

/// <summary>The first message on a connection.</summary>
internal sealed record HelloMessage
{
    public required string Type { get; init; }
    public required int Protocol { get; init; }
    public required string Patient { get; init; }
    public required bool Ready { get; init; }
    public required string? Weights { get; init; }
    public required string Remark { get; init; }
    public required double SampleRate { get; init; }
    public required double Window { get; init; }
    public required SessionState? Session { get; init; }
    public required string? Network { get; init; }
    public required bool? Untrained { get; init; }
}

/// <summary>What became of pushed samples.</summary>
internal sealed record PushedMessage(string Type, JsonNode? Id, int Taken, int Repeated, int Late, int SetAside);

/// <summary>The end of a session.</summary>
internal sealed record EndedMessage(string Type, string Reason, string Message, JsonNode? Id);

/// <summary>A problem.</summary>
internal sealed record ErrorMessage(string Type, string Code, string Message, JsonNode? Id);

/// <summary>One patient in the list.</summary>
internal sealed record PatientState
{
    public required string Patient { get; init; }

    public required long Session { get; init; }

    public required string Source { get; init; }

    public required string? Recording { get; init; }

    public required string[] Channels { get; init; }

    public required string[] Generate { get; init; }

    public required string[] Denoise { get; init; }

    public required string[] Muted { get; init; }

    public required double? Time { get; init; }

    public required int Segment { get; init; }

    public required double? AlgorithmicDelay { get; init; }

    public required double? ComputeDelay { get; init; }

    public required long Hops { get; init; }

    public required long SkippedHops { get; init; }

    public required long LostHops { get; init; }

    public required int Connections { get; init; }
}

/// <summary>The list of patients.</summary>
internal sealed record PatientList(IReadOnlyList<PatientState> Patients, int MaxPatients);

/// <summary>The recordings that can be replayed.</summary>
internal sealed record RecordingList(IReadOnlyList<string> Recordings);

/// <summary>JSON as the protocol has it: snake_case names.</summary>
internal static class ProtocolJson
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static byte[] Bytes<T>(T message) => JsonSerializer.SerializeToUtf8Bytes(message, Options);
}
