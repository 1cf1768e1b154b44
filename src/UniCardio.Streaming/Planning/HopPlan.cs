using UniCardio.Engine.Model;
using UniCardio.Pipeline;

namespace UniCardio.Streaming.Planning;

/// <summary>Where a hop stands between its samples being there and its frame being delivered.</summary>
internal enum HopState : byte
{
    /// <summary>Nothing is to be computed for it.</summary>
    Passive,

    /// <summary>Waits for its computation to begin.</summary>
    Waiting,

    /// <summary>Some of it is computed or being computed.</summary>
    Started,

    /// <summary>All of it is computed.</summary>
    Done,

    /// <summary>Will not be computed.</summary>
    Skipped,
}

/// <summary>
/// One hop of one session: the windows as they were when the hop was complete, what is to be computed, and what came of it.
/// </summary>
internal sealed class HopPlan
{
    public const int Modalities = 3;

    public HopPlan(int slotSamples)
    {
        float[][] Rows() => [.. Enumerable.Range(0, Modalities).Select(_ => new float[slotSamples])];
        (Signal, Center, Low, High, Own) = (Rows(), Rows(), Rows(), Rows(), Rows());
        Source = [.. Enumerable.Range(0, Modalities).Select(_ => new Provenance[slotSamples])];
    }

    /// <summary>Number of the hop since the session was opened, from 0.</summary>
    public long Index { get; set; }

    public int Segment { get; set; }

    /// <summary>Time of the segment's sample 0, in ticks.</summary>
    public long Origin { get; set; }

    /// <summary>The sample after the window's last one.</summary>
    public long WindowEnd { get; set; }

    /// <summary>First sample of the frame.</summary>
    public long FrameStart { get; set; }

    /// <summary>The sample after the frame's last one.</summary>
    public long FrameEnd { get; set; }

    /// <summary>Whether it ends its segment.</summary>
    public bool IsLast { get; set; }

    /// <summary>Whether nothing follows.</summary>
    public bool EndsSession { get; set; }

    /// <summary>End of the newest sample that had come when the hop was complete, in ticks.</summary>
    public long NewestTime { get; set; }

    /// <summary>When the hop was complete, and until when its computation has to begin, on the host's clock.</summary>
    public long ReadyTimestamp { get; set; }

    public long Deadline { get; set; }

    public LiveSampling Sampling { get; set; } = null!;

    public HopState State { get; set; }

    /// <summary>Modalities computed, by bit.</summary>
    public int Done { get; set; }

    /// <summary>Modalities whose computation failed, by bit.</summary>
    public int Failed { get; set; }

    /// <summary>Modalities in the batch under way, by bit.</summary>
    public int InBatch { get; set; }

    /// <summary>Whether it goes out as it is.</summary>
    public bool IsForced { get; set; }

    /// <summary>Whether what is measured of it has gone out as a preliminary frame, or needs not to.</summary>
    public bool IsShown { get; set; }

    /// <summary>Whether it has gone out, and only a batch still holds it.</summary>
    public bool IsDelivered { get; set; }

    /// <summary>[3][S] usable samples, NaN elsewhere.</summary>
    public float[][] Signal { get; }

    /// <summary>[3][S] measured, bridged or no signal.</summary>
    public Provenance[][] Source { get; }

    /// <summary>[3][S] median of the draws and the edges of their band, in the output's units; of computed modalities only.</summary>
    public float[][] Center { get; }

    public float[][] Low { get; }

    public float[][] High { get; }

    /// <summary>[3][S] what the patient's own signals say of the gap of a modality that is imputed, in its unit, NaN elsewhere; only where
    /// <see cref="OwnShare"/> is above 0.</summary>
    public float[][] Own { get; }

    /// <summary>[3] its part, 0 to 1.</summary>
    public float[] OwnShare { get; } = new float[Modalities];

    /// <summary>[3] half the width of its band of 5 to 95%.</summary>
    public float[] OwnBand { get; } = new float[Modalities];

    public TargetPlan[] Targets { get; } = new TargetPlan[Modalities];

    public ModalityQuality[] Quality { get; } = new ModalityQuality[Modalities];

    /// <summary>Modalities to compute, by bit.</summary>
    public int Wanted => (Targets[0].IsWanted ? 1 : 0) | (Targets[1].IsWanted ? 2 : 0) | (Targets[2].IsWanted ? 4 : 0);

    /// <summary>Modalities still to be put into a batch, by bit.</summary>
    public int Open => Wanted & ~(Done | Failed | InBatch);

    /// <summary>Whether the window of this hop reaches back to a sample.</summary>
    public bool Covers(HopPlan earlier) => earlier.Segment == Segment && WindowEnd - Signal[0].Length <= earlier.FrameStart;

    /// <summary>Makes it as good as new, but for its arrays.</summary>
    public void Clear()
    {
        (Done, Failed, InBatch) = (0, 0, 0);
        (IsForced, IsShown, IsDelivered, IsLast, EndsSession) = (false, false, false, false, false);
        Targets.AsSpan().Clear();
        OwnShare.AsSpan().Clear();
    }

    /// <summary>Whether a modality was computed.</summary>
    public bool HasResult(int modality) => (Done & (1 << modality)) != 0;

    /// <summary>The task that ran, or an invalid one.</summary>
    public CardioTask TaskOf(int modality) => Targets[modality].Task;
}
