using UniCardio.Signals.Beats;

namespace UniCardio.Signals.Synthesis;

/// <summary>Draws rhythms to be told apart: 35% sinus, 30% fibrillation, 20% ectopy, 15% runs of ventricular beats.</summary>
// Constants without a source beside them are chosen.
internal static class RhythmDraw
{
    /// <summary>A drawn subject with another rhythm.</summary>
    /// <param name="drawn">The subject.</param>
    /// <param name="random">Where chance comes from.</param>
    public static SynthesisParameters Draw(SynthesisParameters drawn, ref CounterRandom random)
    {
        ArgumentNullException.ThrowIfNull(drawn);
        double kind = random.NextDouble(), rate = random.NextUniform(45, 120), fast = random.NextUniform(55, 160),
            size = random.NextDouble(), often = random.NextDouble(), run = random.NextDouble();
        SynthesisParameters calm = drawn with
        {
            AtrialFibrillation = false, VentricularEctopy = 0, VentricularRun = 0, AtrialEctopy = 0, HeartRate = drawn.HeartRate,
        };
        return kind switch
        {
            // Every third heart in sinus rhythm breathes deeply: uneven, but not without rule.
            < 0.35 => often < 0.33 ? calm with { RespiratorySinusArrhythmia = 0.05 + (0.2 * size), HeartRate = rate,
                RandomVariability = 0.05 * run } : calm,
            < 0.65 => calm with { AtrialFibrillation = true, HeartRate = fast, FibrillatoryIrregularity = 0.12 + (0.2 * size),
                FibrillatoryWave = 0.15 * often * often },
            < 0.85 => run < 0.7 ? calm with { HeartRate = rate, VentricularEctopy = 0.03 + (0.3 * often * often), VentricularRun =
                    0.3 * size * size, VentricularRate = 110 + (70 * size) }
                : calm with { HeartRate = rate, AtrialEctopy = 0.04 + (0.3 * often) },
            _ => calm with { HeartRate = rate, VentricularEctopy = 0.03 + (0.3 * often), VentricularRun = 0.9 + (0.09 * size),
                VentricularRate = 105 + (110 * run) },
        };
    }

    /// <summary>The rhythm that a window shows: a run is five ventricular beats in a row.</summary>
    /// <param name="heart">The recording.</param>
    /// <param name="from">First sample.</param>
    /// <param name="to">The sample after the last.</param>
    public static RhythmKind TruthOf(SyntheticRecording heart, int from, int to)
    {
        ArgumentNullException.ThrowIfNull(heart);
        int ectopic = 0, run = 0, longest = 0;
        foreach (SyntheticBeat beat in heart.Beats)
        {
            if (beat.Sample < from || beat.Sample >= to)
                continue;
            ectopic += beat.Kind == BeatKind.Normal ? 0 : 1;
            run = beat.Kind == BeatKind.Ventricular ? run + 1 : 0;
            longest = Math.Max(longest, run);
        }

        return longest >= 5 ? RhythmKind.VentricularRun : heart.Parameters.AtrialFibrillation ? RhythmKind.AtrialFibrillation
            : ectopic > 0 ? RhythmKind.Ectopy : RhythmKind.Sinus;
    }
}
