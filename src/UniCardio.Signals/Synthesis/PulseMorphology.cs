namespace UniCardio.Signals.Synthesis;

/// <summary>
/// Shape of a pulse wave out of an ejection, a quick and a slow runoff and up to three waves after it. Heights are relative to the rise
/// that one mean stroke gives the slow runoff, times in seconds at an RR interval of 1 s; those of systole shrink with the root of the
/// interval.
/// </summary>
// Constants without a source beside them are chosen.
public sealed record PulseMorphology
{
    /// <summary>Duration of ejection, 0.15 to 0.6 s.</summary>
    public double Ejection { get; init; } = 0.3;

    /// <summary>Power with which ejection begins, 1 (a sharp foot) to 3 (a rounded one).</summary>
    public int Onset { get; init; } = 1;

    /// <summary>Power with which ejection ends, 1 to 4.</summary>
    public int Offset { get; init; } = 2;

    /// <summary>Share of the quick runoff, whose wave is a systolic crest that is over soon after ejection, 0 to 1.</summary>
    public double QuickShare { get; init; } = 0.4;

    /// <summary>Time constant of the quick runoff, 0.01 to 0.4 s.</summary>
    public double QuickDecay { get; init; } = 0.05;

    /// <summary>Time constant of the slow runoff, the decay of diastole, 0.1 to 8 s.</summary>
    public double SlowDecay { get; init; } = 1;

    /// <summary>Height of the wave that is reflected during systole, -0.5 to 0.8.</summary>
    public double Reflection { get; init; }

    /// <summary>When it peaks, in ejection durations after the foot, 0.3 to 1.3.</summary>
    public double ReflectionDelay { get; init; } = 0.8;

    /// <summary>Depth of the dicrotic notch, 0 to 0.6.</summary>
    public double Notch { get; init; }

    /// <summary>Height of the dicrotic wave, 0 to 0.8.</summary>
    public double Dicrotic { get; init; }

    /// <summary>When it peaks after the notch, 0.04 to 0.4 s.</summary>
    public double DicroticDelay { get; init; } = 0.085;

    /// <summary>Width of the dicrotic wave (standard deviation), 0.015 to 0.2 s.</summary>
    public double DicroticWidth { get; init; } = 0.04;

    internal void Validate()
    {
        ParameterRange.Require(nameof(Ejection), Ejection, 0.15, 0.6);
        ParameterRange.Require(nameof(Onset), Onset, 1, 3);
        ParameterRange.Require(nameof(Offset), Offset, 1, 4);
        ParameterRange.Require(nameof(QuickShare), QuickShare, 0, 1);
        ParameterRange.Require(nameof(QuickDecay), QuickDecay, 0.01, 0.4);
        ParameterRange.Require(nameof(SlowDecay), SlowDecay, 0.1, 8);
        ParameterRange.Require(nameof(Reflection), Reflection, -0.5, 0.8);
        ParameterRange.Require(nameof(ReflectionDelay), ReflectionDelay, 0.3, 1.3);
        ParameterRange.Require(nameof(Notch), Notch, 0, 0.6);
        ParameterRange.Require(nameof(Dicrotic), Dicrotic, 0, 0.8);
        ParameterRange.Require(nameof(DicroticDelay), DicroticDelay, 0.04, 0.4);
        ParameterRange.Require(nameof(DicroticWidth), DicroticWidth, 0.015, 0.2);
    }
}
