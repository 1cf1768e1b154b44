using System.Runtime.InteropServices;

namespace UniCardio.Signals.Synthesis;

/// <summary>One ventricular beat as the generator plans it. Times in seconds from the first sample.</summary>
internal readonly record struct PlannedBeat
{
    /// <summary>R peak.</summary>
    public required double Time { get; init; }

    /// <summary>RR interval before it.</summary>
    public required double Interval { get; init; }

    /// <summary>RR interval after it.</summary>
    public required double Next { get; init; }

    /// <summary>Stroke volume relative to the mean.</summary>
    public required double Stroke { get; init; }

    /// <summary>Factor of the pulse's delay after the R peak.</summary>
    public required double Transit { get; init; }

    /// <summary>Where it comes from.</summary>
    public required BeatKind Kind { get; init; }

    /// <summary>Factor of the pulse's height in the finger beyond <see cref="Stroke"/>.</summary>
    public required double Perfusion { get; init; }

    /// <summary>Factor of the ECG's waves.</summary>
    public required double Size { get; init; }

    /// <summary>Height of the pulse relative to the mean, in the artery or in the skin.</summary>
    public double Height(bool peripheral) => peripheral ? Stroke * Perfusion : Stroke;

    public bool IsVentricular => Kind == BeatKind.Ventricular;

    /// <summary>When the pulse's foot arrives.</summary>
    /// <param name="delay">Mean delay after the R peak, seconds.</param>
    public double Foot(double delay) => Time + delay * Transit;
}

/// <summary>The rhythm: R peaks from well before the first sample to after the last one. Reused from window to window without
/// allocating.</summary>
// Constants without a source beside them are chosen.
internal sealed class BeatSequence
{
    // Long enough for the pressure's memory of earlier beats (time constant about a second) to fade, whatever the delay.
    private const double LeadIn = 8;
    private readonly List<PlannedBeat> _beats = [];

    public ReadOnlySpan<PlannedBeat> Beats => CollectionsMarshal.AsSpan(_beats);

    /// <summary>Phase of respiration at time 0, in turns.</summary>
    public double RespiratoryPhase { get; private set; }

    /// <summary>Phase of the slow waves at time 0, in turns.</summary>
    public double SlowPhase { get; private set; }

    public static double SlowFrequency => 0.1;

    public void Plan(SynthesisParameters p, double duration, ulong seed)
    {
        var random = new CounterRandom(seed, 1);
        // Random numbers of its own, so that what is drawn here leaves the rhythm as it is.
        var variation = new CounterRandom(seed, 3);
        RespiratoryPhase = random.NextDouble();
        SlowPhase = random.NextDouble();
        double stepTime = variation.NextUniform(-1, duration + 1);
        _beats.Clear();
        double mean = 60 / p.HeartRate;
        double interval = mean;
        double time = -LeadIn - random.NextDouble() * mean;
        BeatKind kind = BeatKind.Normal, before = BeatKind.Normal;
        while (time < duration + 1)
        {
            BeatKind following = NextKind(p, kind, ref random, ref variation);
            double sinus = NextInterval(p, mean, time, ref random);
            double next = Math.Max(Coupling(p, kind, following, interval, sinus, ref random, ref variation), 0.24);
            bool ventricular = kind == BeatKind.Ventricular;
            // Pulses travel faster while the pressure is high; a premature beat takes longer to open the valve.
            double transit = 1 - 0.02 * Respiration(p, time) - 0.02 * SlowWave(time) + (ventricular ? 0.12 : 0);
            double stroke =
                Stroke(p, mean, interval, time, kind, before) * (1 + p.StrokeVariability * Math.Clamp(variation.NextGaussian(), -3, 3));
            _beats.Add(new PlannedBeat
            {
                Time = time, Interval = interval, Next = next, Stroke = stroke, Transit = transit, Kind = kind,
                Perfusion = Perfusion(p, time, stepTime), Size = EcgSize(p, time),
            });
            time += next;
            interval = next;
            before = kind;
            kind = following;
        }
    }

    public double Respiration(SynthesisParameters p, double time) =>
        PortableMath.SinTurns(RespiratoryPhase + time * p.RespiratoryRate / 60);

    public double SlowWave(double time) => PortableMath.SinTurns(SlowPhase + time * SlowFrequency);

    // A premature beat follows a normal one; only runs of ventricular beats put several in a row.
    private static BeatKind NextKind(SynthesisParameters p, BeatKind kind, ref CounterRandom random, ref CounterRandom variation)
    {
        if (kind == BeatKind.Ventricular)
            return p.VentricularRun > 0 && variation.NextDouble() < p.VentricularRun ? BeatKind.Ventricular : BeatKind.Normal;
        if (random.NextDouble() < p.VentricularEctopy / (1 - p.VentricularEctopy))
            return BeatKind.Ventricular;
        return kind == BeatKind.Normal && p.AtrialEctopy > 0 && variation.NextDouble() < p.AtrialEctopy / (1 - p.AtrialEctopy)
            ? BeatKind.Atrial : BeatKind.Normal;
    }

    private static double Coupling(
        SynthesisParameters p, BeatKind kind, BeatKind following, double interval, double sinus, ref CounterRandom random,
        ref CounterRandom variation)
    {
        if (kind == BeatKind.Ventricular && following == BeatKind.Ventricular)
            return 60 / p.VentricularRate * (1 + 0.03 * Math.Clamp(variation.NextGaussian(), -3, 3));
        if (following == BeatKind.Ventricular)
            return random.NextUniform(0.55, 0.72) * sinus;
        if (following == BeatKind.Atrial)
            return variation.NextUniform(0.6, 0.85) * sinus;
        // The sinus node is not reset by a ventricular beat: premature interval and pause make two intervals together. An atrial one resets
        // it.
        return kind switch
        {
            BeatKind.Ventricular => Math.Max(2 * sinus - interval, sinus),
            BeatKind.Atrial => 1.08 * sinus,
            _ => sinus,
        };
    }

    private double NextInterval(SynthesisParameters p, double mean, double time, ref CounterRandom random)
    {
        double g = random.NextGaussian();
        if (p.AtrialFibrillation)
            return Math.Max(mean * Math.Clamp(1 + p.FibrillatoryIrregularity * g, 0.5, 1.8), 0.28);
        double variation = p.RespiratorySinusArrhythmia * Respiration(p, time) + p.SlowVariability * SlowWave(time)
            + p.RandomVariability * Math.Clamp(g, -3, 3);
        return mean * Math.Clamp(1 + variation, 0.5, 1.6);
    }

    // Filling approaches its end exponentially: a short interval before the beat ejects less. A ventricular beat contracts out of order,
    // and the beat after it more strongly than its filling alone would make it (post-extrasystolic potentiation).
    private double Stroke(SynthesisParameters p, double mean, double interval, double time, BeatKind kind, BeatKind before)
    {
        double filling = (1 - PortableMath.Exp(-1.6 * interval / mean)) / (1 - PortableMath.Exp(-1.6));
        double contraction = kind == BeatKind.Ventricular ? 0.6 : before == BeatKind.Ventricular ? 1.15 : 1;
        return filling * (1 - p.RespiratoryStroke * Respiration(p, time)) * contraction;
    }

    // Vessels of the skin narrow within a few beats (a deep breath, pain) or open again.
    private double Perfusion(SynthesisParameters p, double time, double stepTime)
    {
        double step = 1 / (1 + PortableMath.Exp(-(time - stepTime) / 0.6));
        return (1 + p.PpgPulseRespiration * Respiration(p, time)) * (1 - p.PpgPulseLoss * step);
    }

    // Breathing turns the heart's axis a little.
    private double EcgSize(SynthesisParameters p, double time) => 1 + p.EcgRespiration * Respiration(p, time);
}
