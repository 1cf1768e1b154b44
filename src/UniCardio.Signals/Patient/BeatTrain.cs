using UniCardio.Signals.Beats;
using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Patient;

/// <summary>Instants of a signal's beats: R peaks of an ECG, the steepest point of a pulse's upstroke, between samples.</summary>
/// <remarks>
/// The upstroke, not the peak: a rounded peak wanders by tens of milliseconds with a pulse's shape, the steepest point by few (Chiu et al.,
/// "Determination of pulse wave velocities with computerized algorithms", Am Heart J 121, 1991).
/// </remarks>
internal sealed class BeatTrain
{
    private readonly double[] _instants;

    private BeatTrain(double[] instants, double interval)
    {
        _instants = instants;
        Interval = interval;
    }

    /// <summary>The instants in samples, ascending.</summary>
    public ReadOnlySpan<double> Instants => _instants;

    /// <summary>Number of beats.</summary>
    public int Count => _instants.Length;

    /// <summary>Instant of a beat, in samples.</summary>
    /// <param name="beat">Its number.</param>
    public double this[int beat] => _instants[beat];

    /// <summary>Median interval between beats that follow each other, in samples; NaN below two beats.</summary>
    public double Interval { get; }

    /// <summary>Finds the beats of a signal.</summary>
    /// <param name="kind">Which of the three it is.</param>
    /// <param name="signal">The signal, [n], NaN where missing.</param>
    /// <param name="sampleRate">Samples a second, at least 50.</param>
    public static BeatTrain Detect(ChannelKind kind, ReadOnlySpan<float> signal, double sampleRate) => kind == ChannelKind.Ecg
        ? From(RPeaks(signal, sampleRate))
        : From(Upstrokes(kind, signal, sampleRate));

    /// <summary>A train of given instants.</summary>
    /// <param name="instants">In samples; put in order, instants that are not finite left out.</param>
    public static BeatTrain From(IEnumerable<double> instants)
    {
        double[] ordered = [.. instants.Where(double.IsFinite).Order()];
        double[] intervals = [.. Enumerable.Range(0, Math.Max(0, ordered.Length - 1)).Select(k => ordered[k + 1] - ordered[k]).Order()];
        return new BeatTrain(ordered, intervals.Length == 0 ? double.NaN : intervals[intervals.Length / 2]);
    }

    /// <summary>The beats of a stretch, counted from its start.</summary>
    /// <param name="stretch">The stretch.</param>
    internal BeatTrain Within(SampleRange stretch) =>
        From(_instants[FirstFrom(stretch.Start)..FirstFrom(stretch.End)].Select(b => b - stretch.Start));

    /// <summary>Number of the first beat at or after an instant; <see cref="Count"/> if there is none.</summary>
    /// <param name="instant">In samples.</param>
    public int FirstFrom(double instant)
    {
        int at = Array.BinarySearch(_instants, instant);
        return at >= 0 ? at : ~at;
    }

    // A window of some seconds is too short to prove that its beats are beats.
    private static BeatSeries Find(ChannelKind kind, ReadOnlySpan<float> signal, double sampleRate) =>
        BeatSeries.Of(signal, sampleRate, kind, assumesRhythm: signal.Length <= 8 * sampleRate);

    private static List<double> RPeaks(ReadOnlySpan<float> ecg, double sampleRate)
    {
        var instants = new List<double>();
        foreach (Beat beat in Find(ChannelKind.Ecg, ecg, sampleRate).Beats)
            instants.Add(beat.Sample + Vertex(ecg, (int)beat.Sample));
        return instants;
    }

    private static List<double> Upstrokes(ChannelKind kind, ReadOnlySpan<float> wave, double sampleRate)
    {
        var instants = new List<double>();
        BeatSeries found = Find(kind, wave, sampleRate);
        float sign = found.IsInverted ? -1 : 1;
        foreach (Beat pulse in found.Beats)
        {
            int peak = (int)pulse.Sample;
            // The steepest point within half a second before the peak: a foot found far back belongs to a pause.
            int from = Math.Max(Math.Max(1, (int)pulse.Onset), peak - (int)(0.5 * sampleRate)), steepest = from;
            for (int i = from; i < peak; i++)
            {
                if (sign * (wave[i + 1] - wave[i - 1]) > sign * (wave[steepest + 1] - wave[steepest - 1]))
                    steepest = i;
            }

            double before = Slope(wave, steepest - 1), here = Slope(wave, steepest), after = Slope(wave, steepest + 1);
            instants.Add(steepest + Vertex(before, here, after));
        }

        return instants;
    }

    private static double Slope(ReadOnlySpan<float> wave, int at) =>
        at < 1 || at >= wave.Length - 1 ? double.NaN : (double)wave[at + 1] - wave[at - 1];

    private static double Vertex(ReadOnlySpan<float> signal, int at) =>
        at < 1 || at >= signal.Length - 1 ? 0 : Vertex(signal[at - 1], signal[at], signal[at + 1]);

    // Where the parabola through three samples turns, from the middle one; 0 where it does not.
    private static double Vertex(double before, double here, double after)
    {
        double bend = before - (2 * here) + after;
        double shift = 0.5 * (before - after) / bend;
        return double.IsFinite(shift) && Math.Abs(shift) <= 0.5 ? shift : 0;
    }
}
