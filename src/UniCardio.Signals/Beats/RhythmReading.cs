using UniCardio.Signals.Quality;

namespace UniCardio.Signals.Beats;

/// <summary>Rhythms that are told apart.</summary>
internal enum RhythmKind
{
    /// <summary>Sinus rhythm, or one as regular.</summary>
    Sinus,

    /// <summary>Atrial fibrillation.</summary>
    AtrialFibrillation,

    /// <summary>Ectopic beats in an otherwise regular rhythm.</summary>
    Ectopy,

    /// <summary>A row of five wide, fast beats and more: like ventricular tachycardia.</summary>
    VentricularRun,
}

/// <summary>What a window's rhythm is, or why none is told.</summary>
/// <param name="Start">Start of the window, seconds.</param>
/// <param name="End">Its end.</param>
/// <param name="Shares">[4] probabilities by <see cref="RhythmKind"/>; empty where it abstains for want of beats or quality.</param>
/// <param name="Quality">Share of the window's seconds of which a rhythm can be read.</param>
/// <param name="Abstained">Why no rhythm is told; "" where one is.</param>
internal sealed record RhythmReading(double Start, double End, double[] Shares, double Quality, string Abstained)
{
    // Least probability at which a rhythm is told, set beforehand; on synthetic hearts 184 of 206 windows told from an ECG are then right.
    internal const double MinShare = 0.6, MinQuality = 0.6;

    /// <summary>What <see cref="Abstained"/> says where the samples were made.</summary>
    public const string Generated = "generated";

    // Largest share of a window's samples that may be made: a second of ten.
    private const double MaxGenerated = 0.1;

    // A run whose beats are less alike is noise (RhythmFeatures.RunLikeness).
    private const double MinRunLikeness = 0.75;

    /// <summary>Whether the beats go steadily, never as fast as a run for long: what speaks against a run that another signal
    /// shows.</summary>
    public bool IsSlowAndSteady { get; init; }

    /// <summary>The likeliest rhythm; null where it abstains.</summary>
    public RhythmKind? Kind => Abstained.Length > 0 ? null : (RhythmKind)Array.IndexOf(Shares, Shares.Max());

    /// <summary>Its probability.</summary>
    public double Score => Shares.Length == 0 ? 0 : Shares.Max();

    /// <summary>Reads one signal.</summary>
    /// <param name="track">Its beats and quality.</param>
    /// <param name="signal">[n] the signal at <see cref="QualityTrack.WorkRate"/>, NaN where missing.</param>
    /// <param name="windowSeconds">10 to 60 s.</param>
    /// <param name="stepSeconds">From one window to the next, at least 1 s.</param>
    /// <exception cref="ArgumentOutOfRangeException">A length is out of range.</exception>
    public static IReadOnlyList<RhythmReading> Of(QualityTrack track, ReadOnlySpan<float> signal, int windowSeconds = 30,
        int stepSeconds = 10)
    {
        ArgumentNullException.ThrowIfNull(track);
        if (windowSeconds is < 10 or > 60)
            throw new ArgumentOutOfRangeException(nameof(windowSeconds), windowSeconds, "A rhythm is read from 10 to 60 s.");
        ArgumentOutOfRangeException.ThrowIfLessThan(stepSeconds, 1);
        float[] bridged = QualityFeatures.Bridge(signal);
        var readings = new List<RhythmReading>();
        Beat[] beats = [.. track.Beats.Beats];
        double[] features = new double[RhythmFeatures.Count];
        for (int from = 0; from + windowSeconds <= track.Seconds; from += stepSeconds)
        {
            int to = from + windowSeconds;
            Beat[] own = [.. beats.Where(b => b.Sample >= from * QualityTrack.WorkRate && b.Sample < to * QualityTrack.WorkRate)];
            // A second's statement is of the ten seconds before it.
            int first = Math.Min(to - 1, from + PublishedIndices.WindowSeconds - 1);
            double quality = Enumerable.Range(first, to - first).Average(s => track.HeartRateReadable(s)
                && track.Indices[s].Agreement >= 0.7 ? 1.0 : 0.0);
            bool enough = RhythmFeatures.Write(own, bridged, QualityTrack.WorkRate, track.Beats.Kind == ChannelKind.Ecg, features);
            double[] shares = enough ? RhythmModel.For(track.Beats.Kind).Shares(features) : [];
            bool isEcg = track.Beats.Kind == ChannelKind.Ecg;
            bool isRun = enough && Array.IndexOf(shares, shares.Max()) == (int)RhythmKind.VentricularRun;
            string why = !enough ? "too few beats" : quality < MinQuality ? "poor signal" : shares.Max() < MinShare ? "undecided"
                : isRun && isEcg && RhythmFeatures.RunLikeness(own, bridged, QualityTrack.WorkRate) < MinRunLikeness ? "noise"
                : "";
            readings.Add(new RhythmReading(from, to, quality < MinQuality || why == "noise" ? [] : shares, quality, why)
            {
                IsSlowAndSteady = enough && quality >= MinQuality && RhythmFeatures.IsSlowAndSteady(features, own.Length),
            });
        }

        return readings;
    }

    /// <summary>Takes the rhythm off windows of which more than a tenth was made up (translated, imputed or bridged; denoised samples were
    /// measured): a network draws a plausible rhythm, not the patient's.</summary>
    /// <param name="readings">A channel's readings.</param>
    /// <param name="stretches">What no sensor measured, of that channel.</param>
    public static IReadOnlyList<RhythmReading> WithoutGenerated(IReadOnlyList<RhythmReading> readings,
        IEnumerable<UnmeasuredStretch> stretches)
    {
        ArgumentNullException.ThrowIfNull(readings);
        UnmeasuredStretch[] made = [.. stretches.Where(s => s.Origin != "denoised")];
        return [.. readings.Select(r => made.Sum(s => Math.Max(0, Math.Min(r.End, s.StartSeconds + s.DurationSeconds)
            - Math.Max(r.Start, s.StartSeconds))) > MaxGenerated * (r.End - r.Start)
            ? r with { Shares = [], Abstained = Generated, IsSlowAndSteady = false } : r)];
    }

    /// <summary>One reading of several signals' readings of the same windows: the product of their probabilities, those of a pulse counted
    /// half (it shows an interval, not where the beat came from); signals that abstain for want of beats or quality are left out. A run
    /// that any readable signal contradicts by slow, steady beats is not told.</summary>
    /// <param name="readings">An ECG's and a pulse's readings, window by window.</param>
    /// <param name="isEcg">Which of them are of an ECG.</param>
    /// <exception cref="ArgumentException">The windows differ.</exception>
    public static IReadOnlyList<RhythmReading> Fuse(IReadOnlyList<IReadOnlyList<RhythmReading>> readings, IReadOnlyList<bool> isEcg)
    {
        ArgumentNullException.ThrowIfNull(readings);
        ArgumentNullException.ThrowIfNull(isEcg);
        if (readings.Count == 0 || readings.Count != isEcg.Count)
            throw new ArgumentException("Fusion needs at least one signal's readings, each with its kind.", nameof(readings));
        int windows = readings.Min(r => r.Count);
        var fused = new List<RhythmReading>();
        for (int w = 0; w < windows; w++)
        {
            double[] log = new double[4];
            double quality = 0, weights = 0;
            RhythmReading any = readings[0][w];
            for (int k = 0; k < readings.Count; k++)
            {
                RhythmReading own = readings[k][w];
                if (own.Start != any.Start || own.End != any.End)
                    throw new ArgumentException("The signals' windows differ.", nameof(readings));
                quality = Math.Max(quality, own.Quality);
                if (own.Shares.Length == 0)
                    continue;
                double weight = isEcg[k] ? 1 : 0.5;
                weights += weight;
                for (int c = 0; c < log.Length; c++)
                    log[c] += weight * Math.Log(own.Shares[c] + 1e-3);
            }

            double[] shares = weights == 0 ? [] : RhythmModel.Softmax([.. log.Select(l => l / Math.Max(1, weights))]);
            bool isRun = weights > 0 && Array.IndexOf(shares, shares.Max()) == (int)RhythmKind.VentricularRun;
            bool steady = readings.Any(r => r[w].IsSlowAndSteady);
            fused.Add(new RhythmReading(any.Start, any.End, shares, quality,
                weights == 0 ? readings.All(r => r[w].Abstained == Generated) ? Generated : "poor signal"
                    : shares.Max() < MinShare ? "undecided" : isRun && steady ? "contradicted" : "")
            {
                IsSlowAndSteady = steady,
            });
        }

        return fused;
    }
}
