using System.Text.Json.Nodes;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Streaming;

namespace UniCardio.Serving.Protocol;

/// <summary>What a client says.</summary>
/// <param name="Id">Comes back in the reply; null if none was given.</param>
internal abstract record ClientMessage(JsonNode? Id);

/// <summary>Settings of a session; null where a message says nothing.</summary>
internal sealed record LiveSettings
{
    public ModalitySet? Generate { get; init; }

    public ModalitySet? Denoise { get; init; }

    public ModalitySet? Muted { get; init; }

    public int? Draws { get; init; }

    public SamplerOptions? Sampler { get; init; }

    public int? Steps { get; init; }

    public ulong? Seed { get; init; }

    public TimeSpan? Hop { get; init; }

    public TimeSpan? Window { get; init; }

    public TimeSpan? Lateness { get; init; }

    public bool? OwnSignals { get; init; }

    public double? MinIndex { get; init; }

    /// <summary>Draws and sampler with what these settings say of them.</summary>
    public LiveSampling ApplyTo(LiveSampling sampling)
    {
        SamplerOptions sampler = Sampler ?? sampling.Sampler;
        return sampling with { Draws = Draws ?? sampling.Draws, Sampler = Steps is null ? sampler : sampler with { Steps = Steps } };
    }
}

/// <summary>Opens a session, or continues it.</summary>
internal sealed record OpenMessage(JsonNode? Id, IReadOnlyDictionary<Modality, ChannelOptions> Channels, LiveSettings Settings,
    bool Restart, bool Wait) : ClientMessage(Id);

/// <summary>A block of samples.</summary>
/// <param name="Id">See <see cref="ClientMessage"/>.</param>
/// <param name="Modality">What they measure.</param>
/// <param name="Time">Time of the first.</param>
/// <param name="Samples">[n], NaN where missing; valid until the next message is read.</param>
internal sealed record SamplesMessage(JsonNode? Id, Modality Modality, TimeSpan Time, ReadOnlyMemory<float> Samples) : ClientMessage(Id);

/// <summary>The clock has come to a time.</summary>
internal sealed record AdvanceMessage(JsonNode? Id, TimeSpan Time) : ClientMessage(Id);

/// <summary>Changes settings.</summary>
internal sealed record SetMessage(JsonNode? Id, LiveSettings Settings) : ClientMessage(Id);

/// <summary>Replays a recording.</summary>
internal sealed record ReplayMessage(JsonNode? Id, string Recording, double Speed, bool Loop, LiveSettings Settings) : ClientMessage(Id);

/// <summary>Ends a session once all that came is out.</summary>
internal sealed record CompleteMessage(JsonNode? Id) : ClientMessage(Id);

/// <summary>Ends a session at once.</summary>
internal sealed record StopMessage(JsonNode? Id) : ClientMessage(Id);

/// <summary>Asks for counts.</summary>
internal sealed record CountsRequest(JsonNode? Id) : ClientMessage(Id);
