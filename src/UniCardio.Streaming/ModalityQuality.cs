namespace UniCardio.Streaming;

/// <summary>
/// A simple quality index of one modality over a window: the share of its samples that can be used, and what became of the rest. The
/// shares sum to 1.
/// </summary>
/// <remarks>
/// A sample at 125 Hz is looked at in this order: muted or without a sensor; missing (no sample came, NaN, late); out of the plausible
/// range; flat; clipped; in a window that spans too little, which counts as implausible too; else usable. It is clipped or flat if either
/// of the input samples beside it is. Limits: <see cref="ChannelOptions"/>. An index for a technician's attention, not a diagnosis.
/// </remarks>
/// <param name="Index">Usable share of the window, 0 to 1.</param>
/// <param name="Missing">Share of samples that are not there, muted and sensorless ones included.</param>
/// <param name="Flat">Share of samples in flat stretches.</param>
/// <param name="Clipped">Share of samples at an end of the range.</param>
/// <param name="Implausible">Share of implausible samples.</param>
/// <param name="Absence">Why the newest sample of the hop is absent; <see cref="AbsenceReason.None"/> if it is there.</param>
public readonly record struct ModalityQuality(float Index, float Missing, float Flat, float Clipped, float Implausible,
    AbsenceReason Absence);
