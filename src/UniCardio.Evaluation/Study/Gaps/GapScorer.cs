using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Measures;
using UniCardio.Pipeline;
using UniCardio.Pipeline.Patient;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Study.Gaps;

/// <summary>Scores what was put into the gaps of one signal against what was measured there.</summary>
internal sealed class GapScorer
{
    private const double PeakSeconds = 2, RhythmSeconds = 5, AboutSeconds = 10;
    private readonly float[] _truth;
    private readonly Modality _target;
    private readonly IReadOnlyList<SampleRange> _gaps;

    /// <param name="recording">The recording.</param>
    /// <param name="target">The signal.</param>
    /// <param name="gaps">The gaps.</param>
    public GapScorer(EvaluationRecording recording, Modality target, IReadOnlyList<SampleRange> gaps) =>
        (_truth, _target, _gaps) = (recording.Signal(target).ToArray(), target, gaps);

    /// <param name="name">Name of the way.</param>
    /// <param name="waves">[gap][length] in the signal's unit.</param>
    /// <param name="bands">The bands, or null.</param>
    public GapScore Score(string name, IReadOnlyList<double[]> waves, IReadOnlyList<GapFill>? bands)
    {
        double squares = 0, inside = 0, samples = 0;
        for (int g = 0; g < _gaps.Count; g++)
        {
            SampleRange gap = _gaps[g];
            double half = HalfRange(gap), sum = 0;
            for (int t = 0; t < gap.Length; t++)
            {
                double x = _truth[gap.Start + t], e = (waves[g][t] - x) / half;
                sum += e * e;
                inside += bands is not null && x >= bands[g].Low[t] && x <= bands[g].High[t] ? 1 : 0;
            }

            squares += sum / gap.Length;
            samples += gap.Length;
        }

        double seconds = _gaps[0].Length / NetworkSignal.Rate;
        (double? f1, double? rate, double? rmssd) = _target == Modality.Ecg && seconds >= PeakSeconds
            ? Rhythm(waves, seconds >= RhythmSeconds) : (null, null, null);
        return new GapScore(name, Math.Sqrt(squares / _gaps.Count), bands is null ? null : inside / samples, f1, rate, rmssd);
    }

    // A unit of the network about the gap: 50 mmHg, else half the range of the 4 s about its middle.
    private double HalfRange(SampleRange gap)
    {
        int window = (int)(4 * NetworkSignal.Rate), middle = gap.Start + (gap.Length / 2);
        SampleRange about = SampleRange.Between(Math.Max(0, middle - (window / 2)), Math.Min(_truth.Length, middle + (window / 2)));
        return WindowScale.Of(_target, _truth, about).HalfRange;
    }

    private (double? F1, double? Rate, double? Rmssd) Rhythm(IReadOnlyList<double[]> waves, bool intervals)
    {
        PeakCounts counts = default;
        double rate = 0, rmssd = 0;
        int told = 0;
        for (int g = 0; g < _gaps.Count; g++)
        {
            SampleRange gap = _gaps[g];
            int around = (int)(AboutSeconds * NetworkSignal.Rate);
            SampleRange about = SampleRange.Between(Math.Max(0, gap.Start - around), Math.Min(_truth.Length, gap.End + around));
            float[] truth = _truth[about.Start..about.End], made = [.. truth];
            for (int t = 0; t < gap.Length; t++)
                made[gap.Start - about.Start + t] = (float)waves[g][t];
            int[] Inside(float[] ecg) => [.. Beats.Detect(Modality.Ecg, ecg)
                .Where(b => b >= gap.Start - about.Start && b < gap.End - about.Start)];
            int[] expected = Inside(truth), found = Inside(made);
            counts += PeakCounts.Compare(
                expected, found, new SampleRange(0, truth.Length), NetworkSignal.Rate, BeatAgreement.StrictTolerance);
            if (!intervals || expected.Length < 3)
                continue;
            // Nothing found is a rate of 0 and no variability.
            rate += Math.Abs(Rate(found) - Rate(expected));
            rmssd += Math.Abs(Rmssd(found) - Rmssd(expected));
            told++;
        }

        return (counts.F1, told > 0 ? rate / told : null, told > 0 ? rmssd / told : null);
    }

    private static double Rate(int[] beats) =>
        beats.Length < 2 ? 0 : 60 * NetworkSignal.Rate * (beats.Length - 1) / (beats[^1] - beats[0]);

    private static double Rmssd(int[] beats)
    {
        double sum = 0;
        for (int k = 2; k < beats.Length; k++)
        {
            double d = (beats[k] - (2.0 * beats[k - 1]) + beats[k - 2]) / NetworkSignal.Rate * 1000;
            sum += d * d;
        }

        return beats.Length < 3 ? 0 : Math.Sqrt(sum / (beats.Length - 2));
    }
}
