using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Cases;

/// <summary>Which windows of a recording are measured on.</summary>
/// <param name="Windows">The windows, in order of time; they do not overlap.</param>
/// <param name="Candidates">Windows that were looked at.</param>
/// <param name="Clean">Those that were clean enough to serve as truth.</param>
internal sealed record WindowSelection(IReadOnlyList<SampleRange> Windows, int Candidates, int Clean)
{
    private const double SlowestRate = 30, FastestRate = 220;
    private const double MinPressure = 20, MaxPressure = 300, MinPulsePressure = 10;

    /// <summary>Chooses windows spread evenly over the clean ones.</summary>
    /// <remarks>
    /// Candidates lie end to end from the start of the recording. A window is clean if every signal of the recording is measured
    /// throughout, nowhere flat for a second or clipped, and holds two beats at 30 to 220 a minute; blood pressure stays within 20 to 300
    /// mmHg and moves by 10 at least. All tasks of a recording share its windows, so that their errors can be compared.
    /// </remarks>
    /// <param name="recording">The recording.</param>
    /// <param name="windowSamples">Samples of a window, S.</param>
    /// <param name="max">Most windows.</param>
    public static WindowSelection Choose(EvaluationRecording recording, int windowSamples, int max)
    {
        ArgumentNullException.ThrowIfNull(recording);
        ArgumentOutOfRangeException.ThrowIfLessThan(windowSamples, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(max, 1);
        var clean = new List<SampleRange>();
        int candidates = 0;
        for (int start = 0; start + windowSamples <= recording.Length; start += windowSamples, candidates++)
        {
            var window = new SampleRange(start, windowSamples);
            if (recording.Signals.Members().All(m => IsClean(recording, m, window)))
                clean.Add(window);
        }

        int count = Math.Min(max, clean.Count);
        SampleRange[] chosen = [.. Enumerable.Range(0, count).Select(i => clean[(int)((i + 0.5) * clean.Count / count)])];
        return new WindowSelection(chosen, candidates, clean.Count);
    }

    private static bool IsClean(EvaluationRecording recording, Modality modality, SampleRange window)
    {
        ReadOnlySpan<float> signal = recording.Signal(modality);
        if (window.End > signal.Length || recording.FlawsOf(modality).Any(f => f.Overlaps(window)))
            return false;
        float low = float.PositiveInfinity, high = float.NegativeInfinity;
        foreach (float x in signal.Slice(window.Start, window.Length))
        {
            if (!float.IsFinite(x))
                return false;
            (low, high) = (Math.Min(low, x), Math.Max(high, x));
        }

        if (modality == Modality.Bp && !(low >= MinPressure && high <= MaxPressure && high - low >= MinPulsePressure))
            return false;
        int[] beats = [.. recording.BeatsOf(modality).Where(window.Contains)];
        return Measures.RateReading.OfBeats(beats, NetworkSignal.Rate) is >= SlowestRate and <= FastestRate;
    }
}
