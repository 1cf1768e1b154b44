using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Cases;

/// <summary>One instant a beat for any signal: the R peak of an ECG, the systolic peak of a pulse.</summary>
internal static class Beats
{
    public static IReadOnlyList<int> Detect(Modality modality, ReadOnlySpan<float> signal) => modality == Modality.Ecg
        ? RPeakDetector.Detect(signal, NetworkSignal.Rate)
        : [.. PulseDetector.Detect(signal, NetworkSignal.Rate).Select(p => p.Peak)];
}
