namespace UniCardio.Signals.Synthesis;

/// <summary>Shape of a pulse wave. Sizes relative to the rise that one mean stroke gives the Windkessel, times in seconds.</summary>
/// <param name="Decay">Time constant of diastole.</param>
/// <param name="Impedance">Share of flow that adds to the pressure directly, in seconds (pressure rise times time over flow).</param>
/// <param name="Ejection">Duration of ejection at an RR interval of 1 s.</param>
/// <param name="Reflection">Size of the reflected wave.</param>
/// <param name="ReflectionDelay">When it peaks, in ejection durations after the foot.</param>
/// <param name="Notch">Depth of the dicrotic notch.</param>
/// <param name="Dicrotic">Height of the dicrotic wave.</param>
// Constants without a source beside them are chosen.
internal readonly record struct PulseShape(
    double Decay, double Impedance, double Ejection, double Reflection, double ReflectionDelay, double Notch, double Dicrotic)
{
    // Rise that a stroke gives the quick runoff when it lasts as long as ejection does.
    private const double UsualEjection = 0.3;

    /// <summary>Powers of ejection's beginning and end.</summary>
    public (int Onset, int Offset) Powers { get; init; } = (1, 2);

    /// <summary>Share of the slow runoff (<see cref="Decay"/>).</summary>
    public double SlowShare { get; init; } = 1;

    /// <summary>Time constant of the quick runoff.</summary>
    public double QuickDecay { get; init; } = 0.05;

    /// <summary>When the dicrotic wave peaks after the notch.</summary>
    public double DicroticDelay { get; init; } = 0.085;

    /// <summary>Widths of the dicrotic wave.</summary>
    public (double Rise, double Fall) DicroticWidths { get; init; } = (0.032, 0.055);

    /// <summary>What the quick runoff adds to the pressure, as a multiple of its share of the volume over its time constant.</summary>
    public double QuickGain => (1 - SlowShare) * UsualEjection / QuickDecay / 1.7;

    /// <summary>Ejection lasts with the root of the interval before it.</summary>
    public double EjectionAfter(double interval) => Ejection * Math.Sqrt(Math.Clamp(interval, 0.3, 1.4));

    /// <summary>Flow at share <paramref name="u"/> of the ejection: none outside 0 to 1; its integral is 1.</summary>
    /// <remarks>A beta density; by default 12 u (1 - u)^2, quick rise, slower fall, with its peak, 16 / 9, at a third.</remarks>
    public double Flow(double u)
    {
        if (u is not (> 0 and < 1))
            return 0;
        double flow = Norm(Powers.Onset, Powers.Offset);
        for (int k = 0; k < Powers.Onset; k++)
            flow *= u;
        for (int k = 0; k < Powers.Offset; k++)
            flow *= 1 - u;
        return flow;
    }

    public static PulseShape From(PulseMorphology m) =>
        new(m.SlowDecay, 0, m.Ejection, m.Reflection, m.ReflectionDelay, m.Notch, m.Dicrotic)
    {
        Powers = (m.Onset, m.Offset),
        SlowShare = 1 - m.QuickShare,
        QuickDecay = m.QuickDecay,
        DicroticDelay = m.DicroticDelay,
        DicroticWidths = (m.DicroticWidth, 1.4 * m.DicroticWidth),
    };

    // 1 / B(a + 1, b + 1) = (a + b + 1)! / (a! b!)
    private static double Norm(int a, int b)
    {
        double norm = 1;
        for (int k = 1; k <= b + 1; k++)
            norm *= a + k;
        for (int k = 2; k <= b; k++)
            norm /= k;
        return norm;
    }
}
