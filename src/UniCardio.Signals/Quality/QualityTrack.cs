using UniCardio.Signals.Beats;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Quality;

/// <summary>How good a signal is, second by second: the product's one index, why it is low, and what can be read.</summary>
/// <remarks>
/// <para>The index, 0 to 1, is the estimated probability that the heart rate of the ten seconds that end with the second is right to 5
/// bpm: a logistic function of what is measured, of the beats' likeness, evenness and cover (<see cref="BeatQuality"/>) and of the
/// <see cref="PublishedIndices"/>, whose weights were fitted on synthetic recordings alone (<c>evaluate --study quality --fit</c>). The
/// truth there is the generator's, no index.</para>
/// <para>Everything is computed at <see cref="WorkRate"/>; seconds are those of the recording.</para>
/// </remarks>
/// <param name="Beats">The beats, samples at <see cref="WorkRate"/>.</param>
/// <param name="Heart">Rate, index and deviation each second.</param>
/// <param name="Indices">[seconds] published indices.</param>
/// <param name="Reasons">[seconds] why.</param>
internal sealed record QualityTrack(BeatSeries Beats, BeatQuality Heart, PublishedIndices[] Indices, QualityReasons[] Reasons)
{
    /// <summary>Samples a second that quality is computed at.</summary>
    public const int WorkRate = 125;

    /// <summary>Index from which a heart rate is read.</summary>
    public const double Readable = FusedHeartRate.MinIndex;

    // Rhythm needs every beat at its time: both detectors agree and the beats are alike.
    private const double RhythmIndex = 0.8, RhythmAgreement = 0.9;

    // Least share of the recording's usual pulse pressure; below it the line is damped (ours).
    internal const double MinPulse = 0.4;

    /// <summary>[n] the signal at <see cref="WorkRate"/> that was judged, NaN where missing.</summary>
    internal float[] Work { get; private init; } = [];

    // A normalised pressure has beats and no level.
    private bool HasLevel { get; init; } = true;

    /// <summary>Number of whole seconds.</summary>
    public int Seconds => Indices.Length;

    /// <summary>The index of each second.</summary>
    public double[] Index => Heart.Index;

    /// <summary>Whether the heart rate of the ten seconds that end with a second can be read.</summary>
    /// <param name="second">The second, from 0.</param>
    public bool HeartRateReadable(int second) => Index[second] >= Readable && !double.IsNaN(Heart.Rate[second]);

    /// <summary>Whether every beat of those seconds can be trusted, as a statement on rhythm needs.</summary>
    /// <param name="second">The second, from 0.</param>
    public bool RhythmReadable(int second) => Index[second] >= RhythmIndex && Indices[second].Agreement >= RhythmAgreement;

    /// <summary>Whether systolic and diastolic pressure can be read: a pressure with beats, not normalised, in an artery's range, neither
    /// flushed nor damped nor clipped.</summary>
    /// <param name="second">The second, from 0.</param>
    public bool PressureReadable(int second) => Beats.Kind == ChannelKind.BloodPressure && HasLevel && HeartRateReadable(second)
        && (Reasons[second] & (QualityReasons.Implausible | QualityReasons.Damped | QualityReasons.Clipped | QualityReasons.Flat)) == 0;

    /// <summary>Judges a channel.</summary>
    /// <param name="channel">An ECG, a PPG or an arterial pressure.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="ArgumentOutOfRangeException">The channel is of another kind, or its rate is too low.</exception>
    public static QualityTrack Of(Channel channel, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(channel);
        return Of(channel.Kind, channel.Samples.Span, channel.SampleRate, channel.Unit, cancellation);
    }

    /// <summary>Judges a signal.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="signal">[n], NaN where missing.</param>
    /// <param name="sampleRate">Samples a second.</param>
    /// <param name="unit">Its unit; "" where it is unknown or the signal is normalised.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="ArgumentOutOfRangeException">The kind has no beats, or the rate is too low.</exception>
    public static QualityTrack Of(ChannelKind kind, ReadOnlySpan<float> signal, double sampleRate, string unit = "",
        CancellationToken cancellation = default)
    {
        // Beats are found at the signal's own rate, which tells R peaks apart better.
        BeatSeries series = BeatSeries.Of(signal, sampleRate, kind, unit, cancellation: cancellation);
        if (sampleRate == WorkRate)
            return Of(series, signal.ToArray(), unit);
        double scale = WorkRate / sampleRate;
        series = series with
        {
            SampleRate = WorkRate,
            Beats = [.. series.Beats.Select(b => b with
            {
                Sample = (long)Math.Round(b.Sample * scale), Onset = (long)Math.Round(b.Onset * scale),
            })],
        };
        return Of(series, AtWorkRate(signal, sampleRate, cancellation), unit);
    }

    /// <summary>A signal at <see cref="WorkRate"/>; a copy if it is so already.</summary>
    internal static float[] AtWorkRate(ReadOnlySpan<float> signal, double sampleRate, CancellationToken cancellation) =>
        sampleRate == WorkRate ? signal.ToArray() : new Resampler(sampleRate, WorkRate).Resample(signal, cancellation);

    /// <summary>Judges a signal whose beats are known.</summary>
    internal static QualityTrack Of(BeatSeries series, float[] work, string unit)
    {
        QualityFeatures[] features = QualityFeatures.Of(series, work, unit, out BeatQuality heart, out PublishedIndices[] indices);
        var reasons = new QualityReasons[features.Length];
        double usual = UsualPulse(series);
        for (int s = 0; s < reasons.Length; s++)
        {
            heart.Index[s] = QualityModel.For(series.Kind).Index(features[s]);
            reasons[s] = ReasonsOf(series.Kind, features[s], indices[s], s + 1 >= PublishedIndices.WindowSeconds);
        }

        if (series.Kind == ChannelKind.BloodPressure)
            AddDamping(series, usual, reasons);
        return new QualityTrack(series, heart, indices, reasons) { Work = work, HasLevel = unit != SignalUnit.Normalized };
    }

    /// <summary>Why a second is not good, damping aside.</summary>
    /// <param name="kind">What the signal is.</param>
    /// <param name="f">The second's features.</param>
    /// <param name="p">Its published indices.</param>
    /// <param name="whole">Whether ten seconds were there to look at.</param>
    internal static QualityReasons ReasonsOf(ChannelKind kind, in QualityFeatures f, in PublishedIndices p, bool whole)
    {
        QualityReasons reasons = QualityReasons.None;
        void Add(bool holds, QualityReasons reason) => reasons |= holds ? reason : QualityReasons.None;
        Add(f.Measured < 0.8, QualityReasons.Missing);
        Add(f.Flat > 0.1, QualityReasons.Flat);
        Add(f.Clipped > 0.02, QualityReasons.Clipped);
        Add(f.HasRate < 1, QualityReasons.NoBeats);
        Add(f.HasRate > 0 && p.Agreement < 0.8, QualityReasons.DetectorsDisagree);
        Add(f.HasRate > 0 && p.Template < (kind == ChannelKind.Ecg ? 0.66 : 0.86), QualityReasons.Noisy);
        // The first, shorter windows cannot tell a slow wave from a level.
        Add(whole && p.BaselineShare < 0.5, QualityReasons.Wandering);
        Add(f.Implausible > 0.02, QualityReasons.Implausible);
        return reasons;
    }

    private static double UsualPulse(BeatSeries series)
    {
        if (series.Kind != ChannelKind.BloodPressure || series.Beats.Count == 0)
            return 0;
        double[] heights = [.. series.Beats.Select(b => (double)b.Value - b.OnsetValue).Order()];
        return heights[heights.Length / 2];
    }

    private static void AddDamping(BeatSeries series, double usual, QualityReasons[] reasons)
    {
        int first = 0;
        for (int s = 0; s < reasons.Length; s++)
        {
            double to = (s + 1.0) * WorkRate, from = to - (3 * WorkRate), largest = double.NegativeInfinity;
            while (first < series.Beats.Count && series.Beats[first].Sample < from)
                first++;
            for (int b = first; b < series.Beats.Count && series.Beats[b].Sample < to; b++)
                largest = Math.Max(largest, series.Beats[b].Value - (double)series.Beats[b].OnsetValue);
            if (largest < MinPulse * usual)
                reasons[s] |= QualityReasons.Damped;
        }
    }
}
