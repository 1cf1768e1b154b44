using UniCardio.Engine;
using UniCardio.Engine.Model;

namespace UniCardio.Streaming.State;

/// <summary>A session's options in a checkpoint.</summary>
internal static class OptionsCheckpoint
{
    public static void Write(CheckpointWriter writer, StreamingSessionOptions options)
    {
        foreach (Modality modality in Modalities.All)
        {
            ChannelOptions? channel = options.Channel(modality);
            writer.Write(channel is not null);
            if (channel is not null)
                Write(writer, channel);
        }
        writer.Write((byte)options.Generate);
        writer.Write((byte)options.Denoise);
        writer.Write(options.Sampling);
        writer.Write(unchecked((long)options.Seed));
        foreach (TimeSpan time in (ReadOnlySpan<TimeSpan>)[options.Window!.Value, options.Hop, options.Fade, options.MaximumLateness,
            options.ClockJump, options.MaxBlock, options.ImputeFor, options.BridgedGap, options.Deadline])
            writer.Write(time);
        writer.Write(options.MinCoverage);
        writer.Write(options.MinIndex);
        writer.Write(options.FrameQueue);
        writer.Write(options.OwnSignals);
    }

    /// <summary>Reads options. They are checked, but for how they go together, which opening a session does.</summary>
    public static StreamingSessionOptions Read(CheckpointReader reader)
    {
        ChannelOptions? ppg = Channel(reader), bp = Channel(reader), ecg = Channel(reader);
        return new StreamingSessionOptions
        {
            Ppg = ppg,
            Bp = bp,
            Ecg = ecg,
            Generate = (ModalitySet)reader.Byte(7),
            Denoise = (ModalitySet)reader.Byte(7),
            Sampling = reader.Sampling(),
            Seed = reader.ULong(),
            Window = reader.Span(),
            Hop = reader.Span(),
            Fade = reader.Span(),
            MaximumLateness = reader.Span(),
            ClockJump = reader.Span(),
            MaxBlock = reader.Span(),
            ImputeFor = reader.Span(),
            BridgedGap = reader.Span(),
            Deadline = reader.Span(),
            MinCoverage = reader.Double(),
            MinIndex = reader.Double(),
            FrameQueue = reader.Int(1, 4096, "frame queue"),
            OwnSignals = reader.Bool(),
        };
    }

    private static void Write(CheckpointWriter writer, ChannelOptions channel)
    {
        writer.Write(channel.SampleRate);
        writer.Write(channel.MinValue!.Value);
        writer.Write(channel.MaxValue!.Value);
        writer.Write(channel.MinSpan!.Value);
        writer.Write(channel.FlatSeconds);
        writer.Write(channel.FlatTolerance);
        writer.Write(channel.ClippedSeconds);
        writer.Write(channel.ClippedOnceSeconds);
        writer.Write(channel.JitterSeconds!.Value);
    }

    private static ChannelOptions? Channel(CheckpointReader reader) => !reader.Bool() ? null : new ChannelOptions
    {
        SampleRate = reader.Double(),
        MinValue = reader.Float(),
        MaxValue = reader.Float(),
        MinSpan = reader.Float(),
        FlatSeconds = reader.Double(),
        FlatTolerance = reader.Float(),
        ClippedSeconds = reader.Double(),
        ClippedOnceSeconds = reader.Double(),
        JitterSeconds = reader.Double(),
    };
}
