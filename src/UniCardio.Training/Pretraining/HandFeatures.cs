using UniCardio.Signals;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Quality;

namespace UniCardio.Training.Pretraining;

/// <summary>Arm G: what a person would compute of ten seconds.</summary>
internal static class HandFeatures
{
    private const int PerSignal = 10;
    private static readonly ChannelKind[] s_kinds = [ChannelKind.Ppg, ChannelKind.BloodPressure, ChannelKind.Ecg];

    /// <summary>Features: of each signal rate, spread and successive differences of intervals, level and height of beats, their likeness,
    /// kurtosis, skewness, band; and delays from R peaks to feet. Zeros for a signal that is missing.</summary>
    /// <param name="window">The window.</param>
    /// <param name="present">Signals that are shown, by bit.</param>
    public static double[] Of(MaskedWindow window, int present)
    {
        const int N = MaskedConfiguration.Samples, Rate = QualityTrack.WorkRate;
        double[] features = new double[(3 * PerSignal) + 2];
        var series = new BeatSeries?[3];
        for (int m = 0; m < 3; m++)
        {
            if ((present >> m & 1) == 0)
                continue;
            float[] signal = window.Raw[(m * N)..((m + 1) * N)];
            BeatSeries found = BeatSeries.Of(signal, Rate, s_kinds[m], m == 1 ? SignalUnit.MillimetresOfMercury : "", assumesRhythm: true);
            series[m] = found;
            PublishedIndices indices = PublishedIndices.Of(signal, found)[^1];
            Span<double> to = features.AsSpan(m * PerSignal, PerSignal);
            (to[6], to[7], to[8], to[9]) = (Math.Min(indices.Kurtosis, 30), indices.Skewness, indices.BandShare, indices.Template);
            double[] intervals = [.. found.Beats.Zip(found.Beats.Skip(1), (a, b) => (b.Sample - a.Sample) / (double)Rate)];
            if (intervals.Length < 2)
                continue;
            double mean = intervals.Average();
            to[0] = 60 / mean;
            to[1] = Math.Sqrt(intervals.Average(i => (i - mean) * (i - mean))) / mean;
            to[2] = Math.Sqrt(intervals.Zip(intervals.Skip(1), (a, b) => (b - a) * (b - a)).Average()) / mean;
            to[3] = found.Beats.Average(b => b.Value);
            to[4] = found.Beats.Average(b => b.OnsetValue);
            to[5] = found.Beats.Average(b => b.Quality);
        }

        for (int m = 0; m < 2; m++)
            features[(3 * PerSignal) + m] = series[2] is { } ecg && series[m] is { } pulse ? Delay(ecg, pulse) : 0;
        return features;
    }

    // Median time from an R peak to the next foot, within 0.6 s; 0 without any.
    private static double Delay(BeatSeries ecg, BeatSeries pulse)
    {
        var delays = new List<double>();
        foreach (Beat beat in ecg.Beats)
        {
            double delay = pulse.Beats.Select(p => (p.Onset - beat.Sample) / (double)QualityTrack.WorkRate).Where(d => d is > 0 and < 0.6)
                .DefaultIfEmpty(double.NaN).First();
            if (!double.IsNaN(delay))
                delays.Add(delay);
        }

        delays.Sort();
        return delays.Count == 0 ? 0 : delays[delays.Count / 2];
    }
}
