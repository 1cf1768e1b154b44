using UniCardio.Pipeline;

namespace UniCardio.Streaming;

/// <summary>Why nothing is shown where nothing is measured.</summary>
public enum NoSignalReason : byte
{
    /// <summary>Something is shown.</summary>
    None,

    /// <summary>The live signal is younger than a window.</summary>
    WarmingUp,

    /// <summary>Generating it was not asked for.</summary>
    NotRequested,

    /// <summary>It is gone for longer than it can be imputed, and no other signal is there to translate it from.</summary>
    NothingSupports,

    /// <summary>The machine could not keep up: the hop and those after it whose window would have held it were skipped.</summary>
    Overload,

    /// <summary>The network's result was not finite, or the engine failed; the rest of the session continues.</summary>
    ComputeFailed,

    /// <summary>It is to be generated, and the frame is a preliminary one.</summary>
    Pending,
}

/// <summary>Why input does not count as a signal.</summary>
public enum AbsenceReason : byte
{
    /// <summary>It does.</summary>
    None,

    /// <summary>There is no such sensor in the session's options.</summary>
    NoSensor,

    /// <summary>No samples came, or they came as NaN, or too late.</summary>
    Missing,

    /// <summary>It does not move.</summary>
    Flat,

    /// <summary>It stands at an end of its range.</summary>
    Clipped,

    /// <summary>Its values, or the distance between highest and lowest, are not those of a working sensor.</summary>
    Implausible,

    /// <summary>It was switched off by <see cref="StreamingSession.Muted"/>.</summary>
    Muted,
}
