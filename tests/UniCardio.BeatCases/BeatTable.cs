using UniCardio.Signals;
using UniCardio.Signals.Beats;

namespace UniCardio.BeatCases;

/// <summary>A row of the table: a family's cases taken together, by ANSI/AAMI EC57 (150 ms).</summary>
/// <param name="Family">The family.</param>
/// <param name="Cases">How many cases.</param>
/// <param name="Beats">True beats of all of them.</param>
/// <param name="Missed">Of them, those not found.</param>
/// <param name="False">Beats found where none is.</param>
/// <param name="Below">Cases with less than 99% sensitivity or predictivity, or with any beat where there is none.</param>
/// <param name="Worst">The worst case, and what it scored.</param>
public sealed record BeatRow(string Family, int Cases, int Beats, int Missed, int False, int Below, string Worst)
{
    public double? Sensitivity => Beats == 0 ? null : (Beats - Missed) / (double)Beats;

    public double? Predictivity => Beats - Missed + False == 0 ? null : (Beats - Missed) / (double)(Beats - Missed + False);
}

/// <summary>Measures families.</summary>
public static class BeatTable
{
    /// <summary>Measures a family.</summary>
    public static BeatRow Of(BeatFamily family, int count, int first = 0)
    {
        int beats = 0, missed = 0, wrong = 0, below = 0;
        double least = 2;
        string worst = "";
        object gate = new();
        Parallel.ForEach(family.Cases(count, first), new ParallelOptions { MaxDegreeOfParallelism = 2 }, c =>
        {
            BeatAgreement a = Agreement(c);
            double score = a.F1 ?? 1;
            lock (gate)
            {
                beats += c.Truth.Length;
                missed += a.FalseNegatives;
                wrong += a.FalsePositives;
                below += c.Truth.Length == 0 ? (a.FalsePositives > 0 ? 1 : 0) : a.Sensitivity >= 0.99 && a.Precision >= 0.99 ? 0 : 1;
                double rank = c.Truth.Length == 0 ? -a.FalsePositives : score;
                if (rank < least)
                    (least, worst) = (rank, $"{c.Name}: {a.FalseNegatives} of {c.Truth.Length} missed, {a.FalsePositives} false");
            }
        });
        return new BeatRow(family.Name, count, beats, missed, wrong, below, worst);
    }

    internal static BeatAgreement Agreement(BeatCase c) =>
        BeatAgreement.Compare(c.Truth, BeatSeries.Of(c.Samples, c.Rate, c.Kind, c.Unit).Times(), BeatAgreement.UsualTolerance);

    // With other constants than those of the detector.
    internal static BeatAgreement Agreement(BeatCase c, BeatSettings settings)
    {
        var detector = new BeatDetector(c.Kind, c.Rate, c.Unit, assumesRhythm: false, settings);
        var times = new List<double>();
        for (int at = 0; at < c.Samples.Length; at += 4096)
        {
            detector.Push(c.Samples.AsSpan(at, Math.Min(4096, c.Samples.Length - at)));
            Read();
        }
        detector.Complete();
        Read();
        return BeatAgreement.Compare(c.Truth, [.. times], BeatAgreement.UsualTolerance);

        void Read()
        {
            while (detector.TryRead(out Beat beat))
                times.Add((c.Kind == ChannelKind.Ecg ? beat.Sample : beat.Onset) / c.Rate);
        }
    }
}
