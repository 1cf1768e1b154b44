using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Beats;

namespace UniCardio.Restoration;

/// <summary>What a translated pressure stands at: no other signal tells a network, cuff readings do.</summary>
internal static class TranslationLevel
{
    /// <summary>Levels a translated pressure by cuff readings: every beat's foot and peak come to stand at the readings, carried on and
    /// drawn out between them.</summary>
    /// <param name="made">The translation; changed to mmHg.</param>
    /// <param name="cuffs">The readings, at least one.</param>
    /// <returns>Whether it has beats to level.</returns>
    public static bool ByCuff(RestoredSignal made, IReadOnlyList<CuffReading> cuffs)
    {
        float[] wave = new float[made.Center.Length];
        for (int i = 0; i < wave.Length; i++)
            wave[i] = made.Weight[i] > 0 ? made.Center[i] / made.Weight[i] : float.NaN;
        IReadOnlyList<Beat> pulses = BeatSeries.Of(wave, NetworkSignal.Rate, ChannelKind.BloodPressure, assumesRhythm: true).Beats;
        if (pulses.Count < 2)
            return false;
        double[] heights = [.. pulses.Select(p => (double)p.Value - p.OnsetValue).Order()];
        double usual = heights[heights.Length / 2];
        CuffReading[] readings = [.. cuffs.OrderBy(c => c.TimeSeconds)];
        bool band = made.Low.Length > 0;
        int foot = 0, peak = 0;
        for (int i = 0; i < wave.Length; i++)
        {
            made.Weight[i] = float.IsNaN(wave[i]) ? 0 : 1;
            if (float.IsNaN(wave[i]))
                continue;
            double low = At(pulses, i, ref foot, p => ((int)p.Onset, p.OnsetValue)),
                high = At(pulses, i, ref peak, p => ((int)p.Sample, p.Value));
            double height = Math.Max(high - low, 0.25 * usual), seconds = i / NetworkSignal.Rate;
            (double systolic, double diastolic, double age) = Reading(readings, seconds);
            double gain = (systolic - diastolic) / height, value = diastolic + ((wave[i] - low) * gain);
            double below = band ? Math.Max((wave[i] - made.Low[i]) * gain, MinBand) : MinBand, above = band
                ? Math.Max((made.High[i] - wave[i]) * gain, MinBand) : MinBand;
            made.Center[i] = (float)value;
            if (band)
                (made.Low[i], made.High[i]) = ((float)(value - (below * CalibrationReport.CuffWidening(age, below))),
                    (float)(value + (above * CalibrationReport.CuffWidening(age, above))));
        }

        return true;
    }

    // A cuff errs by 8 mmHg as a standard lets it (ISO 81060-2: standard deviation), and so does what is levelled by it.
    private const double MinBand = 8;

    // Linear between the feet, or peaks, of pulses; the first and the last one carried on. next: where the last search ended.
    private static double At(IReadOnlyList<Beat> pulses, int sample, ref int next, Func<Beat, (int Sample, float Value)> of)
    {
        while (next < pulses.Count && of(pulses[next]).Sample < sample)
            next++;
        if (next == 0 || next == pulses.Count)
            return of(pulses[next == 0 ? 0 : next - 1]).Value;
        (int from, float before) = of(pulses[next - 1]);
        (int to, float after) = of(pulses[next]);
        return before + ((after - before) * (sample - from) / (double)Math.Max(1, to - from));
    }

    private static (double Systolic, double Diastolic, double Age) Reading(CuffReading[] readings, double seconds)
    {
        int next = 0;
        while (next < readings.Length && readings[next].TimeSeconds <= seconds)
            next++;
        if (next == 0)
            return (readings[0].Systolic, readings[0].Diastolic, readings[0].TimeSeconds - seconds);
        CuffReading last = readings[next - 1];
        double age = seconds - last.TimeSeconds;
        if (next == readings.Length)
            return (last.Systolic, last.Diastolic, age);
        double share = age / Math.Max(1e-9, readings[next].TimeSeconds - last.TimeSeconds);
        return (last.Systolic + (share * (readings[next].Systolic - last.Systolic)),
            last.Diastolic + (share * (readings[next].Diastolic - last.Diastolic)), Math.Min(age, readings[next].TimeSeconds - seconds));
    }
}
