using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Beats;

/// <summary>One pulse of a pressure or PPG wave.</summary>
/// <param name="Onset">The sample of its foot: the lowest between the pulse before and its own peak.</param>
/// <param name="Peak">The sample of its systolic peak.</param>
/// <param name="OnsetValue">The signal there: diastolic pressure in mmHg for a pressure wave.</param>
/// <param name="PeakValue">The signal there: systolic pressure in mmHg for a pressure wave.</param>
public readonly record struct Pulse(int Onset, int Peak, float OnsetValue, float PeakValue);

/// <summary>
/// Finds pulses by two moving averages of the squared positive part of the 0.5 to 8 Hz band: M. Elgendi et al., "Systolic peak detection in
/// acceleration photoplethysmograms measured from emergency responders in tropical conditions", PLoS ONE 8(10), e76585, 2013, with the window
/// lengths (111 and 667 ms) and offset (2%) given there.
/// </summary>
/// <remarks>
/// The filter runs both ways; the offset is that share of the energy within ten seconds. Peak and foot are those of the signal itself, not of
/// the filtered one. A pulse whose foot or peak is cut off by a gap or an end of the signal is left out, as is one that rises by less than an
/// eighth of the median pulse. For research: no pressure read off here is fit for care.
/// </remarks>
public static class PulseDetector
{
    private const double LowEdge = 0.5, HighEdge = 8, EventSeconds = 0.111, BeatSeconds = 0.667, Offset = 0.02;
    private const double ShortestSeconds = 1;

    /// <summary>Lowest sample rate (Hz) at which the band fits with room above it.</summary>
    public const double LowestRate = 25;

    /// <summary>The pulses of a wave.</summary>
    /// <param name="wave">Pressure or PPG in any unit, pulses pointing up, [n], NaN where missing.</param>
    /// <param name="sampleRate">Samples a second, at least <see cref="LowestRate"/>.</param>
    /// <param name="cancellationToken">Stops the work between measured stretches.</param>
    /// <exception cref="ArgumentOutOfRangeException">The sample rate is too low or not finite.</exception>
    public static IReadOnlyList<Pulse> Detect(ReadOnlySpan<float> wave, double sampleRate, CancellationToken cancellationToken = default)
    {
        if (!double.IsFinite(sampleRate) || sampleRate < LowestRate)
            throw new ArgumentOutOfRangeException(nameof(sampleRate), sampleRate, $"Pulses need at least {LowestRate} Hz.");
        var pulses = new List<Pulse>();
        foreach (SampleRange run in GapFinder.FindMeasured(wave))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (run.Length >= ShortestSeconds * sampleRate)
                DetectRun(wave.Slice(run.Start, run.Length), sampleRate, run.Start, pulses);
        }
        if (pulses.Count == 0)
            return pulses;
        float[] rises = [.. pulses.Select(p => p.PeakValue - p.OnsetValue).Order()];
        pulses.RemoveAll(p => p.PeakValue - p.OnsetValue < rises[rises.Length / 2] / 8);
        return pulses;
    }

    private static void DetectRun(ReadOnlySpan<float> wave, double sampleRate, int start, List<Pulse> pulses)
    {
        double[] energy = ZeroPhaseFilter.BandPass(wave, sampleRate, LowEdge, HighEdge);
        for (int i = 0; i < energy.Length; i++)
            energy[i] = energy[i] > 0 ? energy[i] * energy[i] : 0;
        int before = 0;
        foreach (SampleRange block in EventBlocks.Find(energy, sampleRate, EventSeconds, BeatSeconds, Offset))
        {
            int peak = block.Start, onset = before;
            for (int i = block.Start; i < block.End; i++)
                peak = wave[i] > wave[peak] ? i : peak;
            for (int i = before; i <= peak; i++)
                onset = wave[i] <= wave[onset] ? i : onset;
            // A foot at the stretch's first sample was cut off, as was a peak at its last.
            if (onset > 0 && peak < wave.Length - 1 && onset < peak)
                pulses.Add(new Pulse(start + onset, start + peak, wave[onset], wave[peak]));
            before = peak;
        }
    }
}
