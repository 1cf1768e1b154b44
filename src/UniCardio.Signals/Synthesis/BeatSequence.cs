using System.Runtime.InteropServices;

namespace UniCardio.Signals.Synthesis;

/// <summary>One ventricular beat as the generator plans it. Times in seconds from the first sample.</summary>
/// <param name="Time">R peak.</param>
/// <param name="Interval">RR interval before it.</param>
/// <param name="Next">RR interval after it.</param>
/// <param name="Stroke">Stroke volume relative to the mean.</param>
/// <param name="Transit">Factor of the pulse's delay behind the R peak.</param>
/// <param name="IsVentricular">Whether it is a premature ventricular beat.</param>
internal readonly record struct PlannedBeat(double Time, double Interval, double Next, double Stroke, double Transit, bool IsVentricular)
{
    /// <summary>When the pulse's foot arrives.</summary>
    /// <param name="delay">Mean delay behind the R peak, seconds.</param>
    public double Foot(double delay) => Time + delay * Transit;
}

/// <summary>The rhythm: R peaks from well before the first sample to after the last one. Reused from window to window without allocating.</summary>
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
        RespiratoryPhase = random.NextDouble();
        SlowPhase = random.NextDouble();
        _beats.Clear();
        double mean = 60 / p.HeartRate;
        double interval = mean;
        double time = -LeadIn - random.NextDouble() * mean;
        bool premature = false, afterPremature = false;
        while (time < duration + 1)
        {
            bool nextPremature = !premature && random.NextDouble() < p.VentricularEctopy / (1 - p.VentricularEctopy);
            double sinus = NextInterval(p, mean, time, ref random);
            double next = nextPremature ? random.NextUniform(0.55, 0.72) * sinus
                // The sinus node is not reset: premature interval and pause make two intervals together.
                : premature ? Math.Max(2 * sinus - interval, sinus)
                : sinus;
            next = Math.Max(next, 0.24);
            // Pulses travel faster while the pressure is high; a premature beat takes longer to open the valve.
            double transit = 1 - 0.02 * Respiration(p, time) - 0.02 * SlowWave(time) + (premature ? 0.12 : 0);
            _beats.Add(new PlannedBeat(time, interval, next, Stroke(p, mean, interval, time, premature, afterPremature), transit, premature));
            time += next;
            interval = next;
            afterPremature = premature;
            premature = nextPremature;
        }
    }

    public double Respiration(SynthesisParameters p, double time) => PortableMath.SinTurns(RespiratoryPhase + time * p.RespiratoryRate / 60);

    public double SlowWave(double time) => PortableMath.SinTurns(SlowPhase + time * SlowFrequency);

    private double NextInterval(SynthesisParameters p, double mean, double time, ref CounterRandom random)
    {
        double g = random.NextGaussian();
        if (p.AtrialFibrillation)
            return Math.Max(mean * Math.Clamp(1 + 0.22 * g, 0.5, 1.8), 0.28);
        double variation = p.RespiratorySinusArrhythmia * Respiration(p, time) + p.SlowVariability * SlowWave(time)
            + p.RandomVariability * Math.Clamp(g, -3, 3);
        return mean * Math.Clamp(1 + variation, 0.5, 1.6);
    }

    // Filling approaches its end exponentially: a short interval before the beat ejects less. A ventricular beat contracts out of order, and the
    // beat after it more strongly than its filling alone would make it (post-extrasystolic potentiation).
    private double Stroke(SynthesisParameters p, double mean, double interval, double time, bool premature, bool afterPremature)
    {
        double filling = (1 - PortableMath.Exp(-1.6 * interval / mean)) / (1 - PortableMath.Exp(-1.6));
        return filling * (1 - 0.03 * Respiration(p, time)) * (premature ? 0.6 : afterPremature ? 1.15 : 1);
    }
}
