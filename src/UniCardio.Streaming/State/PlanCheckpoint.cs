using System.Runtime.InteropServices;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Quality;

namespace UniCardio.Streaming.State;

/// <summary>A hop that was not delivered, in a checkpoint. What a batch under way has of it is computed again.</summary>
internal static class PlanCheckpoint
{
    public static void Write(CheckpointWriter writer, HopPlan plan)
    {
        foreach (long number in (ReadOnlySpan<long>)[plan.Index, plan.Segment, plan.Origin, plan.WindowEnd, plan.FrameStart, plan.FrameEnd,
            plan.NewestTime])
            writer.Write(number);
        foreach (bool flag in (ReadOnlySpan<bool>)[plan.IsLast, plan.EndsSession, plan.IsForced])
            writer.Write(flag);
        writer.Write((byte)plan.State);
        writer.Write((byte)plan.Done);
        writer.Write((byte)plan.Failed);
        writer.Write(plan.Sampling);
        for (int m = 0; m < HopPlan.Modalities; m++)
        {
            writer.Write(plan.Signal[m].AsSpan());
            writer.Write(MemoryMarshal.AsBytes(plan.Source[m].AsSpan()));
            WriteTarget(writer, plan.Targets[m]);
            WriteQuality(writer, plan.Quality[m]);
            WriteOwn(writer, plan, m);
            if (!plan.HasResult(m))
                continue;
            writer.Write(plan.Center[m].AsSpan());
            writer.Write(plan.Low[m].AsSpan());
            writer.Write(plan.High[m].AsSpan());
        }
    }

    public static void Read(CheckpointReader reader, HopPlan plan, HopTiming timing)
    {
        plan.Clear();
        plan.Index = reader.Index("hop");
        plan.Segment = (int)reader.Long(0, int.MaxValue, "segment");
        plan.Origin = reader.Time("origin");
        (plan.WindowEnd, plan.FrameStart, plan.FrameEnd) =
            (reader.Index("end of a window"), reader.Index("start of a frame"), reader.Index("end of a frame"));
        plan.NewestTime = reader.Time("newest sample");
        reader.Require(plan.FrameStart <= plan.FrameEnd && plan.FrameEnd <= plan.WindowEnd
            && plan.FrameEnd - plan.FrameStart <= timing.MaxFrame
            && plan.WindowEnd - timing.SlotSamples <= plan.FrameStart, "a frame is not inside its window");
        (plan.IsLast, plan.EndsSession, plan.IsForced) = (reader.Bool(), reader.Bool(), reader.Bool());
        plan.State = (HopState)reader.Byte((int)HopState.Skipped);
        (plan.Done, plan.Failed) = (reader.Byte(7), reader.Byte(7));
        plan.Sampling = reader.Sampling();
        for (int m = 0; m < HopPlan.Modalities; m++)
            ReadModality(reader, plan, m);
        int settled = plan.Done | plan.Failed;
        bool isSound = (settled & ~plan.Wanted) == 0 && (plan.Done & plan.Failed) == 0 && plan.State switch
        {
            HopState.Passive => plan.Wanted == 0,
            HopState.Waiting => plan.Wanted != 0 && settled == 0,
            HopState.Started => plan.Open != 0,
            HopState.Done => plan.Wanted != 0 && plan.Open == 0,
            _ => plan.Wanted != 0,
        };
        reader.Require(isSound,
            $"a hop cannot be {plan.State} with targets {plan.Wanted}, of which {plan.Done} are computed and {plan.Failed} failed");
    }

    private static void ReadModality(CheckpointReader reader, HopPlan plan, int m)
    {
        reader.Signal(plan.Signal[m]);
        ReadOnlySpan<Provenance> source = MemoryMarshal.Cast<byte, Provenance>(reader.Bytes(plan.Source[m].Length));
        for (int i = 0; i < source.Length; i++)
            reader.Require(source[i] <= Provenance.Bridged && float.IsNaN(plan.Signal[m][i]) == (source[i] == Provenance.NoSignal),
                "a sample's origin does not go with its value");
        source.CopyTo(plan.Source[m]);
        plan.Targets[m] = ReadTarget(reader);
        CardioTask task = plan.TaskOf(m);
        reader.Require(!task.IsValid || (int)task.Output == m, $"the task {task} stands at modality {m}");
        plan.Quality[m] = ReadQuality(reader);
        ReadOwn(reader, plan, m);
        if (!plan.HasResult(m))
            return;
        reader.Signal(plan.Center[m]);
        reader.Require(!plan.Center[m].AsSpan().Contains(float.NaN), "a result is not a number");
        reader.Signal(plan.Low[m]);
        reader.Signal(plan.High[m]);
    }

    private static void WriteTarget(CheckpointWriter writer, TargetPlan target)
    {
        writer.Write(target.Task);
        writer.Write((byte)target.Reason);
        writer.Write(target.IsNormalized);
        if (!target.IsWanted)
            return;
        writer.Write(target.Scale.Center);
        writer.Write(target.Scale.HalfRange);
    }

    private static TargetPlan ReadTarget(CheckpointReader reader)
    {
        CardioTask task = reader.Task();
        var reason = (NoSignalReason)reader.Byte((int)NoSignalReason.ComputeFailed);
        bool isNormalized = reader.Bool();
        return new TargetPlan(task, task.IsValid ? reader.Scale() : default(AffineScale), isNormalized, reason);
    }

    private static void WriteOwn(CheckpointWriter writer, HopPlan plan, int m)
    {
        writer.Write(plan.OwnShare[m]);
        if (!(plan.OwnShare[m] > 0))
            return;
        writer.Write(plan.OwnBand[m]);
        writer.Write(plan.Own[m].AsSpan());
    }

    private static void ReadOwn(CheckpointReader reader, HopPlan plan, int m)
    {
        plan.OwnShare[m] = reader.Float();
        reader.Require(plan.OwnShare[m] is >= 0 and <= 1, $"{plan.OwnShare[m]} is no share");
        if (!(plan.OwnShare[m] > 0))
            return;
        plan.OwnBand[m] = reader.Float();
        reader.Require(plan.OwnBand[m] is >= 0 and < 1e9f, $"{plan.OwnBand[m]} is no width");
        reader.Signal(plan.Own[m]);
    }

    private static void WriteQuality(CheckpointWriter writer, ModalityQuality quality)
    {
        foreach (float share in (ReadOnlySpan<float>)[quality.Usable, quality.Missing, quality.Flat, quality.Clipped, quality.Implausible])
            writer.Write(share);
        writer.Write((byte)quality.Absence);
        writer.Write(quality.Index ?? float.NaN);
        writer.Write((uint)quality.Reasons);
    }

    private static ModalityQuality ReadQuality(CheckpointReader reader)
    {
        Span<float> shares = stackalloc float[5];
        reader.Signal(shares);
        foreach (float share in shares)
            reader.Require(share is >= 0 and <= 1, $"{share} is not a share");
        var absence = (AbsenceReason)reader.Byte((int)AbsenceReason.Muted);
        float index = reader.Float();
        reader.Require(float.IsNaN(index) || index is >= 0 and <= 1, $"{index} is no index");
        uint reasons = reader.UInt();
        reader.Require(reasons < 2 * (uint)QualityReasons.Damped, $"{reasons} are no reasons");
        return new ModalityQuality(shares[0], shares[1], shares[2], shares[3], shares[4], absence)
        {
            Index = float.IsNaN(index) ? null : index, Reasons = (QualityReasons)reasons,
        };
    }
}
