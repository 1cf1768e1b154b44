using UniCardio.Signals;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Quality;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Quality;

/// <summary>What became of alarms of a ventricular run, with some signals there and others not.</summary>
/// <param name="Signals">Signals that were there.</param>
/// <param name="TrueAlarms">Windows with an alarm and a run.</param>
/// <param name="Kept">Of them, those in which a run is told.</param>
/// <param name="TrueAbstained">Of them, those in which nothing is told.</param>
/// <param name="FalseAlarms">Windows with an alarm and no run.</param>
/// <param name="Confirmed">Of them, those in which a run is told all the same.</param>
/// <param name="FalseAbstained">Of them, those in which nothing is told.</param>
internal sealed record AlarmLine(string Signals, int TrueAlarms, int Kept, int TrueAbstained, int FalseAlarms, int Confirmed,
    int FalseAbstained);

/// <summary>False alarms of ventricular tachycardia: synthetic hearts of 30 s of which a simple detector that never abstains counts five
/// fast beats in a row, as a monitor alarms; read with ECG, PPG and pressure present or missing.</summary>
/// <remarks>A quarter of the hearts has runs, a fifth fibrillates fast, the others are in sinus rhythm of 45 to 150 a minute. Three in five
/// ECGs are spoiled for half of the time, three in ten pulses for a third: each by motion, electrodes, muscle, gaps.</remarks>
internal static class AlarmStudy
{
    private const int Seconds = 30, Row = 5;
    private const double FastInterval = 0.6;
    private static readonly (string Name, int Mask)[] s_present =
        [("ECG", 1), ("PPG", 2), ("pressure", 4), ("ECG, PPG", 3), ("ECG, pressure", 5), ("ECG, PPG, pressure", 7)];

    /// <summary>Runs the study.</summary>
    /// <param name="hearts">Hearts to draw; not all raise an alarm.</param>
    /// <param name="seed">Of the hearts.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static IReadOnlyList<AlarmLine> Run(int hearts, ulong seed, CancellationToken cancellation = default)
    {
        var told = s_present.Select(_ => new List<(bool IsTrue, RhythmKind? Kind)>()).ToArray();
        for (int i = 0; i < hearts; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            ulong own = CounterRandom.Derive(seed, (ulong)i);
            var random = new CounterRandom(own, 0x71);
            SyntheticRecording heart =
                new CardiovascularSynthesizer().Generate(Draw(own, ref random), Seconds * QualityTrack.WorkRate, own);
            float[][] signals = Spoil(heart, own, ref random);
            if (!Alarms(signals[0]))
                continue;
            bool isTrue = RhythmDraw.TruthOf(heart, 0, Seconds * QualityTrack.WorkRate) == RhythmKind.VentricularRun;
            RhythmReading[] read = [.. signals.Select((s, k) => Read(k, s))];
            for (int p = 0; p < s_present.Length; p++)
            {
                int[] there = [.. Enumerable.Range(0, 3).Where(k => (s_present[p].Mask >> k & 1) != 0)];
                RhythmReading one = there.Length == 1 ? read[there[0]]
                    : RhythmReading.Fuse([.. there.Select(k => (IReadOnlyList<RhythmReading>)[read[k]])],
                        [.. there.Select(k => k == 0)])[0];
                told[p].Add((isTrue, one.Kind));
            }
        }

        return [.. s_present.Select((p, k) => new AlarmLine(p.Name, told[k].Count(t => t.IsTrue),
            told[k].Count(t => t.IsTrue && t.Kind == RhythmKind.VentricularRun), told[k].Count(t => t.IsTrue && t.Kind is null),
            told[k].Count(t => !t.IsTrue), told[k].Count(t => !t.IsTrue && t.Kind == RhythmKind.VentricularRun),
            told[k].Count(t => !t.IsTrue && t.Kind is null)))];
    }

    private static ChannelKind KindOf(int signal) => signal switch { 0 => ChannelKind.Ecg, 1 => ChannelKind.Ppg, _ =>
        ChannelKind.BloodPressure };

    private static RhythmReading Read(int signal, float[] samples)
    {
        QualityTrack track = QualityTrack.Of(KindOf(signal), samples, QualityTrack.WorkRate);
        return RhythmReading.Of(track, samples, Seconds)[0];
    }

    private static SynthesisParameters Draw(ulong seed, ref CounterRandom random)
    {
        double kind = random.NextDouble(), rate = random.NextUniform(45, 150), size = random.NextDouble();
        SynthesisParameters calm = SynthesisParameters.Draw(seed, QualityTrack.WorkRate) with
        {
            AtrialFibrillation = false, VentricularEctopy = 0, VentricularRun = 0, AtrialEctopy = 0, HeartRate = rate,
        };
        return kind < 0.25 ? calm with { HeartRate = Math.Min(rate, 100), VentricularEctopy = 0.15, VentricularRun = 0.9 + (0.09 * size),
                VentricularRate = 110 + (100 * size) }
            : kind < 0.45 ? calm with { AtrialFibrillation = true, HeartRate = 90 + (60 * size) } : calm;
    }

    private static float[][] Spoil(SyntheticRecording heart, ulong seed, ref CounterRandom random)
    {
        float[][] signals = [[.. heart.Ecg], [.. heart.Ppg], [.. heart.BloodPressure]];
        for (int k = 0; k < signals.Length; k++)
        {
            ulong own = CounterRandom.Derive(seed, (ulong)(k + 1));
            SignalCorruption.Apply(signals[k], QualityTrack.WorkRate, new NoiseParameters
            {
                SignalToNoiseDecibels = random.NextUniform(12, 35),
            }, own);
            if (random.NextDouble() < (k == 0 ? 0.6 : 0.3))
                CorruptionEpisodes.Apply(signals[k], KindOf(k), QualityTrack.WorkRate, k == 0 ? 0.5 : 0.33, 6, own);
        }

        return signals;
    }

    private static bool Alarms(float[] ecg)
    {
        int[] beats = TwoAverageDetector.Find(QualityFeatures.Bridge(ecg), QualityTrack.WorkRate, ChannelKind.Ecg, false);
        int fast = 0;
        for (int i = 1; i < beats.Length; i++)
        {
            fast = beats[i] - beats[i - 1] < FastInterval * QualityTrack.WorkRate ? fast + 1 : 0;
            if (fast >= Row)
                return true;
        }

        return false;
    }
}
