using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Beats;

/// <summary>
/// Finds R peaks by two moving averages of the squared 8 to 20 Hz band: M. Elgendi, "Fast QRS detection with an optimized knowledge-based
/// method: evaluation on 11 standard ECG databases", PLoS ONE 8(9), e73557, 2013, with the window lengths (97 and 611 ms) and offset (8%)
/// given there.
/// </summary>
/// <remarks>
/// Three things differ: the filter runs both ways, so that it has no delay; the offset is that share of the energy within ten seconds rather
/// than of the whole recording; and of two peaks less than 200 ms apart the weaker goes, as does a peak of less than 3% of the median energy of
/// its neighbours (17% of their amplitude): noise in the pauses of a slow heart. A peak is the sample of largest deflection
/// of the filtered signal, in either direction. Gaps part the signal; stretches of less than half a second are passed over.
/// For research: a detector, not a diagnosis.
/// </remarks>
public static class RPeakDetector
{
    private const double LowEdge = 8, HighEdge = 20, EventSeconds = 0.097, BeatSeconds = 0.611, Offset = 0.08;
    private const double RefractorySeconds = 0.2, ShortestSeconds = 0.5;
    private const int Neighbours = 8;
    private const double LeastEnergy = 0.03;

    /// <summary>Lowest sample rate (Hz) at which the band fits with room above it.</summary>
    public const double LowestRate = 50;

    /// <summary>The R peaks of an ECG.</summary>
    /// <param name="ecg">The ECG in any unit, [n], NaN where missing.</param>
    /// <param name="sampleRate">Samples a second, at least <see cref="LowestRate"/>.</param>
    /// <param name="cancellationToken">Stops the work between measured stretches.</param>
    /// <returns>Samples, in order.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The sample rate is too low or not finite.</exception>
    public static IReadOnlyList<int> Detect(ReadOnlySpan<float> ecg, double sampleRate, CancellationToken cancellationToken = default)
    {
        if (!double.IsFinite(sampleRate) || sampleRate < LowestRate)
            throw new ArgumentOutOfRangeException(nameof(sampleRate), sampleRate, $"R peaks need at least {LowestRate} Hz.");
        var peaks = new List<int>();
        foreach (SampleRange run in GapFinder.FindMeasured(ecg))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (run.Length >= ShortestSeconds * sampleRate)
                DetectRun(ecg.Slice(run.Start, run.Length), sampleRate, run.Start, peaks);
        }
        return peaks;
    }

    private static void DetectRun(ReadOnlySpan<float> ecg, double sampleRate, int start, List<int> peaks)
    {
        double[] energy = ZeroPhaseFilter.BandPass(ecg, sampleRate, LowEdge, HighEdge);
        for (int i = 0; i < energy.Length; i++)
            energy[i] *= energy[i];
        List<int> found = Candidates(energy, sampleRate);
        var around = new double[2 * Neighbours + 1];
        for (int k = 0; k < found.Count; k++)
        {
            int from = Math.Max(0, k - Neighbours), to = Math.Min(found.Count, k + Neighbours + 1);
            for (int j = from; j < to; j++)
                around[j - from] = energy[found[j]];
            Array.Sort(around, 0, to - from);
            if (energy[found[k]] >= LeastEnergy * around[(to - from) / 2])
                peaks.Add(start + found[k]);
        }
    }

    private static List<int> Candidates(double[] energy, double sampleRate)
    {
        var found = new List<int>();
        foreach (SampleRange block in EventBlocks.Find(energy, sampleRate, EventSeconds, BeatSeconds, Offset))
        {
            int peak = block.Start;
            for (int i = block.Start; i < block.End; i++)
                peak = energy[i] > energy[peak] ? i : peak;
            if (found.Count > 0 && peak - found[^1] < RefractorySeconds * sampleRate)
            {
                if (energy[peak] <= energy[found[^1]])
                    continue;
                found.RemoveAt(found.Count - 1);
            }
            found.Add(peak);
        }
        return found;
    }
}
