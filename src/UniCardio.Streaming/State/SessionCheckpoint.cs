using System.Numerics;
using System.Runtime.InteropServices;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;

namespace UniCardio.Streaming.State;

/// <summary>A session's checkpoint: the bytes "UCST", version, options, state, CRC-32C of all that; numbers are little-endian.</summary>
internal static class SessionCheckpoint
{
    private const uint Magic = 0x54534355;
    private const int Version = 3;
    private const int MaxPlans = 1 << 16;

    /// <summary>Writes a session. Its lock and the host's gate are held.</summary>
    public static byte[] Write(StreamingSession session)
    {
        var writer = new CheckpointWriter();
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write(session.Timing.SlotSamples);
        OptionsCheckpoint.Write(writer, session.Options);
        WriteIntake(writer, session);
        session.Tally.Visit(writer);
        for (int m = 0; m < HopPlan.Modalities; m++)
            WriteTail(writer, session.Assembler.Tail(m));
        writer.Write(session.Queue.Count);
        for (int i = 0; i < session.Queue.Count; i++)
            PlanCheckpoint.Write(writer, session.Queue[i]);
        writer.Write(Checksum(writer.Written));
        return writer.Written.ToArray();
    }

    /// <summary>Makes a session of a checkpoint; nobody else knows it yet.</summary>
    public static StreamingSession Read(ReadOnlySpan<byte> checkpoint, StreamingHost host, FrameHandler? handler, TimeProvider time)
    {
        var reader = new CheckpointReader(checkpoint.ToArray());
        reader.Require(reader.UInt() == Magic, "it is not a checkpoint: expected the letters UCST");
        reader.Int(Version, Version, "version");
        int body = checkpoint.Length - sizeof(uint);
        reader.Require(body >= reader.Offset && Checksum(checkpoint[..body]) == MemoryMarshal.Read<uint>(checkpoint[body..]),
            "its checksum does not match: it is cut short or damaged");
        reader.Int(host.SlotSamples, host.SlotSamples, "samples of the network's window");
        StreamingSession session = Open(reader, host, handler, time);
        try
        {
            ReadState(reader, session);
            return session;
        }
        catch
        {
            // Hops that it has queued already are not going to be computed.
            session.Dispose();
            throw;
        }
    }

    internal static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }

    private static StreamingSession Open(CheckpointReader reader, StreamingHost host, FrameHandler? handler, TimeProvider time)
    {
        StreamingSessionOptions options = OptionsCheckpoint.Read(reader);
        try
        {
            return new StreamingSession(host, options, handler, time);
        }
        catch (ConfigurationException problem)
        {
            throw reader.Problem($"its options do not hold together: {problem.Message}", problem);
        }
    }

    private static void ReadState(CheckpointReader reader, StreamingSession session)
    {
        ReadIntake(reader, session);
        session.Tally.Visit(reader);
        for (int m = 0; m < HopPlan.Modalities; m++)
            ReadTail(reader, session.Assembler.Tail(m));
        ReadPlans(reader, session);
        reader.Bytes(sizeof(uint));
        reader.Require(reader.IsAtEnd, "something follows its end");
    }

    private static void WriteIntake(CheckpointWriter writer, StreamingSession session)
    {
        SignalIntake intake = session.Intake;
        writer.Write((byte)intake.Generate);
        writer.Write((byte)intake.Denoise);
        writer.Write(intake.Sampling);
        writer.Write(intake.Clock.HasStarted);
        foreach (long number in (ReadOnlySpan<long>)[intake.Clock.Newest, intake.Clock.End, intake.Origin, intake.Segment, intake.Hops,
            intake.SegmentHops])
            writer.Write(number);
        foreach (AffineScale? scale in intake.Policy.LastScales)
        {
            writer.Write(scale is not null);
            writer.Write(scale?.Center ?? 0);
            writer.Write(scale?.HalfRange ?? 1);
        }
        for (int m = 0; m < HopPlan.Modalities; m++)
        {
            intake.Tally(m).Visit(writer);
            intake.Channel(m)?.Save(writer, NextWindow(session));
        }
        intake.Patient?.Save(writer);
    }

    private static void ReadIntake(CheckpointReader reader, StreamingSession session)
    {
        SignalIntake intake = session.Intake;
        (intake.Generate, intake.Denoise) = ((ModalitySet)reader.Byte(7), (ModalitySet)reader.Byte(7));
        intake.Sampling = reader.Sampling();
        session.Require(intake.Sampling, reader);
        bool hasStarted = reader.Bool();
        long newest = reader.Time("newest block"), end = reader.Time("end of samples");
        intake.Origin = reader.Time("origin");
        intake.Segment = (int)reader.Long(0, int.MaxValue, "segment");
        (intake.Hops, intake.SegmentHops) = (reader.Index("hops"), reader.Index("hops of the segment"));
        reader.Require(intake.SegmentHops <= long.MaxValue / 2 / session.Timing.HopTicks / (long)NetworkSignal.Rate,
            "there are more hops than a segment can have");
        reader.Require(newest - end <= session.Timing.JumpTicks
            && end - newest <= session.Timing.MaxBlockTicks + TimeSpan.TicksPerSecond, "the clock's times do not go together");
        if (hasStarted)
            intake.Clock.GoTo(newest, end);
        for (int m = 0; m < HopPlan.Modalities; m++)
        {
            bool isKnown = reader.Bool();
            AffineScale scale = reader.Scale();
            intake.Policy.LastScales[m] = isKnown ? scale : null;
        }
        ReadChannels(reader, session, hasStarted ? newest : intake.Origin, hasStarted ? Math.Max(newest, end) : intake.Origin);
        intake.Patient?.Load(reader);
    }

    private static void ReadChannels(CheckpointReader reader, StreamingSession session, long newest, long end)
    {
        SignalIntake intake = session.Intake;
        long ready = long.MaxValue;
        for (int m = 0; m < HopPlan.Modalities; m++)
        {
            intake.Tally(m).Visit(reader);
            if (intake.Channel(m) is not { } channel)
                continue;
            channel.Load(reader, intake.Origin, NextWindow(session), newest, end, session.Timing.LatenessTicks);
            ready = Math.Min(ready, channel.Produced);
        }
        HopTiming timing = session.Timing;
        reader.Require(timing.Boundary(intake.SegmentHops) <= ready && ready < timing.Boundary(intake.SegmentHops + 1),
            "the hops are not where the samples are");
    }

    // Of the earliest window that can follow: a signal that ends now has a last one that is hardly further than the one before.
    private static long NextWindow(StreamingSession session) =>
        session.Timing.Boundary(session.Intake.SegmentHops) - session.Timing.SlotSamples;

    private static void WriteTail(CheckpointWriter writer, WindowTail tail)
    {
        writer.Write(tail.IsSet);
        if (!tail.IsSet)
            return;
        writer.Write(tail.Start);
        writer.Write((byte)tail.Provenance);
        writer.Write(tail.IsNormalized);
        writer.Write(tail.Center.AsSpan());
        writer.Write(tail.Low.AsSpan());
        writer.Write(tail.High.AsSpan());
    }

    private static void ReadTail(CheckpointReader reader, WindowTail tail)
    {
        tail.IsSet = reader.Bool();
        if (!tail.IsSet)
            return;
        tail.Start = reader.Index("start of a tail");
        tail.Provenance = (Provenance)reader.Byte((int)Provenance.Translated);
        reader.Require(tail.Provenance >= Provenance.Imputed, $"a tail cannot be {tail.Provenance}");
        tail.IsNormalized = reader.Bool();
        reader.Signal(tail.Center);
        reader.Signal(tail.Low);
        reader.Signal(tail.High);
    }

    private static void ReadPlans(CheckpointReader reader, StreamingSession session)
    {
        int count = reader.Int(0, MaxPlans, "hops");
        for (int i = 0; i < count; i++)
        {
            HopPlan plan = session.Queue.Rent();
            PlanCheckpoint.Read(reader, plan, session.Timing);
            session.Require(plan.Sampling, reader);
            session.Requeue(plan);
        }
    }
}
