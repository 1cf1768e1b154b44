namespace UniCardio.Evaluation.Cases;

/// <summary>What a window to be denoised is spoiled with.</summary>
internal enum NoiseKind
{
    /// <summary>White Gaussian noise.</summary>
    White,

    /// <summary>Baseline wander: sines at 0.05 to 0.4 Hz.</summary>
    Wander,

    /// <summary>Motion: bursts of 0.5 to 8 Hz, each of 0.4 to 3 s.</summary>
    Motion,

    /// <summary>Muscle noise: high-pass noise that swells and fades.</summary>
    Muscle,

    /// <summary>Motion of an electrode as recorded: without a pause, most of it 0.8 to 3.2 Hz.</summary>
    Electrode,
}
