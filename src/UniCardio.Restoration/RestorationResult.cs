using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Pipeline.Patient;
using UniCardio.Signals;
using UniCardio.Signals.Plotting;
using UniCardio.Signals.Processing;

namespace UniCardio.Restoration;

/// <summary>The quantile band of the draws, in unit, rate and length of the restored channel; NaN where nothing was generated.</summary>
/// <remarks>Quantiles of overlapping windows are crossfaded like the signal itself.</remarks>
/// <param name="LowQuantile">Quantile of the lower edge.</param>
/// <param name="HighQuantile">Quantile of the upper edge.</param>
/// <param name="Low">Lower edge, [n].</param>
/// <param name="High">Upper edge, [n], nowhere below <paramref name="Low"/>.</param>
public sealed record RestorationBand(double LowQuantile, double HighQuantile, ReadOnlyMemory<float> Low, ReadOnlyMemory<float> High);

/// <summary>What a run made, and what it took.</summary>
public sealed class RestorationResult
{
    /// <summary>What stands beside every number that a clinician could read.</summary>
    public const string Remark = SignalPlot.Disclaimer;

    /// <summary>What stands beside every translated ECG: the RMSSD of one was 266 to 426 ms where 6 to 9 was right.</summary>
    public const string NotForRhythm = "A translated ECG is not for rhythm analysis: take beats from the signal that it was made from.";

    /// <summary>Why a translated pressure has no figures.</summary>
    public const string NoLevel =
        "A pressure translated from other signals has no level of its own (its systolic pressure says nothing of the true one): it is "
        + "normalised, and no SBP or DBP can be read from it. Calibrate it by paired seconds or a cuff reading.";

    internal RestorationResult()
    {
    }

    /// <summary>The task.</summary>
    public required CardioTask Task { get; init; }

    /// <summary>
    /// The recording given, with the restored channel in place of its dirty one, or the translated channel (<c>ecg_translated</c> and the
    /// like) after the others; the band's two channels last, if asked for (<c>ABP_p5</c>, <c>ABP_p95</c>). A comment says how it was made.
    /// </summary>
    public required Recording Recording { get; init; }

    /// <summary>The restored or translated channel, in <see cref="Recording"/> too.</summary>
    public required Channel Channel { get; init; }

    /// <summary>The band, or null for a single draw.</summary>
    public required RestorationBand? Band { get; init; }

    /// <summary>Where each sample of <see cref="Channel"/> comes from, [n].</summary>
    public required ReadOnlyMemory<Provenance> Provenance { get; init; }

    /// <summary>The gaps at 125 Hz and what each was filled from, where more than the network took part
    /// (<see cref="RestorationOptions.Estimator"/>); else empty.</summary>
    public required IReadOnlyList<GapFill> Fills { get; init; }

    /// <summary>What the filled gaps were made of: shares of their samples by estimator in words, such as "own beat by ecg", largest
    /// first.</summary>
    public IReadOnlyList<(string Estimator, double Share)> Estimators
    {
        get
        {
            double samples = Fills.Sum(f => (double)f.Gap.Length);
            return [.. Fills.SelectMany(f =>
                f.Parts.Select(p => (Name: GapFill.NameOf(p.Kind, p.Source), Share: p.Weight * f.Gap.Length / samples)))
                .GroupBy(p => p.Name).Select(g => (g.Key, g.Sum(p => p.Share))).OrderByDescending(p => p.Item2)];
        }
    }

    /// <summary>How a translation was calibrated, or null.</summary>
    public required CalibrationReport? Calibration { get; init; }

    /// <summary>Windows that cover the recording.</summary>
    public required int Windows { get; init; }

    /// <summary>Windows that were computed.</summary>
    public required int WindowsComputed { get; init; }

    /// <summary>Windows that needed no work or held nothing to work from.</summary>
    public int WindowsSkipped => Windows - WindowsComputed;

    /// <summary>Evaluations of the network: computed windows times draws times sampler steps.</summary>
    public required long NetworkCalls { get; init; }

    /// <summary>Time spent in the network.</summary>
    public required TimeSpan ComputeTime { get; init; }

    /// <summary>Time of the whole run.</summary>
    public required TimeSpan TotalTime { get; init; }

    /// <summary>The recording's own warnings, then those about the signals and about windows that lacked something; no one twice.</summary>
    public required IReadOnlyList<SignalWarning> Warnings { get; init; }

    /// <summary>How many samples of <see cref="Channel"/> the network made.</summary>
    public int GeneratedCount => GeneratedRanges.Sum(r => r.Length);

    /// <summary>The stretches of <see cref="Channel"/> that the network made, in order of time.</summary>
    public IReadOnlyList<SampleRange> GeneratedRanges => Ranges(Provenances.Of(Task.Kind));

    /// <summary>How many samples of <see cref="Channel"/> come from <paramref name="provenance"/>.</summary>
    /// <param name="provenance">Where from.</param>
    public int Count(Provenance provenance) => Provenance.Span.Count(provenance);

    /// <summary>The stretches of <see cref="Channel"/> that come from <paramref name="provenance"/>, in order of time.</summary>
    /// <param name="provenance">Where from.</param>
    public IReadOnlyList<SampleRange> Ranges(Provenance provenance)
    {
        var ranges = new List<SampleRange>();
        ReadOnlySpan<Provenance> all = Provenance.Span;
        for (int i = 0; i < all.Length;)
        {
            int start = i;
            while (i < all.Length && all[i] == all[start])
                i++;
            if (all[start] == provenance)
                ranges.Add(SampleRange.Between(start, i));
        }
        return ranges;
    }
}
