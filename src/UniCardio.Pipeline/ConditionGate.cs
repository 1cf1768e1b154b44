using UniCardio.Engine.Model;
using UniCardio.Signals;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Quality;

namespace UniCardio.Pipeline;

/// <summary>Which seconds of a condition are too poor to work from: a hard gate, a bad condition counts as absent there.</summary>
/// <remarks>
/// The quality index (<see cref="QualityTrack"/>) judges ten seconds; a second takes the mean of the five judgements about the ten that it
/// stands in the middle of, so that a lucky one among bad ones does not let noise in. Below
/// <see cref="MinIndex"/> its samples are taken for missing, so that the windows, estimators and filters that would use it do without it as
/// they do in a gap. The first and last five seconds take the nearest whole ten. What is shorter than <see cref="MinSeconds"/> is not
/// judged.
/// </remarks>
internal static class ConditionGate
{
    /// <summary>Least index that is worked from: that from which a heart rate is read.</summary>
    public const double MinIndex = FusedHeartRate.MinIndex;

    /// <summary>Seconds that a judgement needs.</summary>
    public const int MinSeconds = 20;

    private const int Ahead = 5, Smooth = 2, Whole = (int)PublishedIndices.WindowSeconds;

    /// <summary>Takes a condition's poor seconds for missing.</summary>
    /// <param name="modality">Which signal it is.</param>
    /// <param name="signal">[n] at 125 Hz in the network's unit, NaN where missing; poor seconds become NaN.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The seconds that were measured, at least in part, and are taken for missing.</returns>
    public static IReadOnlyList<int> Apply(Modality modality, Span<float> signal, CancellationToken cancellation = default)
    {
        int rate = (int)NetworkSignal.Rate;
        if (signal.Length < MinSeconds * rate)
            return [];
        QualityTrack track = QualityTrack.Of(NetworkSignal.KindOf(modality), signal, rate,
            modality == Modality.Bp ? SignalUnit.MillimetresOfMercury : "", cancellation);
        var poor = new List<int>();
        for (int s = 0; s < track.Seconds; s++)
        {
            double index = 0;
            for (int k = -Smooth; k <= Smooth; k++)
                index += track.Index[Math.Clamp(s + Ahead + k, Whole - 1, track.Seconds - 1)] / ((2 * Smooth) + 1);
            if (index >= MinIndex)
                continue;
            // The last second takes the samples after it along.
            int to = s + 1 == track.Seconds ? signal.Length : (s + 1) * rate;
            Span<float> second = signal[(s * rate)..to];
            if (GapFinder.CountMeasured(second) == 0)
                continue;
            second.Fill(float.NaN);
            poor.Add(s);
        }

        return poor;
    }
}
