using UniCardio.Signals.Quality;

namespace UniCardio.Streaming;

/// <summary>
/// How good the input of one modality is: the share of a window's samples that can be used and what became of the rest, which sum to 1;
/// and the product's one index of the signal.
/// </summary>
/// <remarks>
/// A sample at 125 Hz is looked at in this order: muted or without a sensor; missing (no sample came, NaN, late); out of the plausible
/// range; flat; clipped; in a window that spans too little, which counts as implausible too; else usable. It is clipped or flat if either
/// of the input samples beside it is. Limits: <see cref="ChannelOptions"/>. For a technician's attention, not a diagnosis.
/// </remarks>
/// <param name="Usable">Usable share of the window, 0 to 1.</param>
/// <param name="Missing">Share of samples that are not there, muted and sensorless ones included.</param>
/// <param name="Flat">Share of samples in flat stretches.</param>
/// <param name="Clipped">Share of samples at an end of the range.</param>
/// <param name="Implausible">Share of implausible samples.</param>
/// <param name="Absence">Why the newest sample of the hop is absent; <see cref="AbsenceReason.None"/> if it is there.</param>
public readonly record struct ModalityQuality(float Usable, float Missing, float Flat, float Clipped, float Implausible,
    AbsenceReason Absence)
{
    /// <summary>The estimated probability, 0 to 1, that the heart rate of ten seconds of the input is right to 5 bpm
    /// (<c>unicardio quality</c> gives the same); the ten seconds end 5 s before the window. Null before 15 s have come, without a
    /// sensor, and where the session judges none (<see cref="StreamingSessionOptions.MinIndex"/>).</summary>
    public float? Index { get; init; }

    /// <summary>Why it is low.</summary>
    public QualityReasons Reasons { get; init; }

    /// <summary>Whether the input was looked at as a whole and no heart rate can be read off it.</summary>
    internal bool IsUnreadable(double minIndex) => Index < minIndex && (Reasons & QualityReasons.Missing) == 0;
}
