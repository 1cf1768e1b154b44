using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Cases;

/// <summary>One instant a beat for any signal: the R peak of an ECG, the systolic peak of a pulse.</summary>
internal static class Beats
{
    public static IReadOnlyList<int> Detect(Modality modality, ReadOnlySpan<float> signal) =>
        [.. Find(modality, signal).Select(b => (int)b.Sample)];

    /// <summary>The beats of a signal in network units, so without the floors that belong to a unit.</summary>
    public static IReadOnlyList<Beat> Find(Modality modality, ReadOnlySpan<float> signal) =>
        BeatSeries.Of(signal, NetworkSignal.Rate, NetworkSignal.KindOf(modality), assumesRhythm: signal.Length <= ShortWindow).Beats;

    // A window of four seconds or so holds too few beats to prove that they are beats.
    private const int ShortWindow = (int)(8 * NetworkSignal.Rate);
}
