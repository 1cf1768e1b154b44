namespace UniCardio.Signals.Synthesis;

/// <summary>What <see cref="SynthesisParameters.Draw"/> leaves out of its mixture of subjects.</summary>
[Flags]
public enum SubjectLimits
{
    /// <summary>Nothing: the whole mixture.</summary>
    None = 0,

    /// <summary>Delays that monitors add to a channel; those of the vessels stay.</summary>
    NoMonitorDelay = 1,

    /// <summary>Leads whose main deflection points down, and broad complexes: what is left looks like lead II of a usual heart.</summary>
    UprightLead = 2,

    /// <summary>Seven tenths of the spread of the time that pulses take to arrive, at equal pressure.</summary>
    UsualTransit = 4,
}
