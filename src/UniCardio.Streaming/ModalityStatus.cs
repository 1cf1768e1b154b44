using UniCardio.Engine.Model;
using UniCardio.Pipeline;

namespace UniCardio.Streaming;

/// <summary>What a frame shows of one modality, and why.</summary>
/// <param name="Provenance">Where its newest sample comes from.</param>
/// <param name="NoSignal">Why samples of <see cref="Pipeline.Provenance.NoSignal"/> are there; <see cref="NoSignalReason.None"/> if there
/// are none.</param>
/// <param name="Task">The task that ran for this hop, or an invalid one (<see cref="CardioTask.IsValid"/>) if none did.</param>
/// <param name="Quality">Quality of the input over the hop's window.</param>
/// <param name="IsNormalized">
/// True where generated samples have no unit: a PPG or ECG that was not measured before in this stretch comes in [-1, 1].
/// Otherwise they are in the unit of the input, scaled as the last window in which at least a quarter of it was measured; blood pressure
/// always is in mmHg.
/// </param>
public readonly record struct ModalityStatus(Provenance Provenance, NoSignalReason NoSignal, CardioTask Task, ModalityQuality Quality,
    bool IsNormalized);
