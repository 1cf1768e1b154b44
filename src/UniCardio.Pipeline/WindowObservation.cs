using UniCardio.Engine.Model;
using UniCardio.Signals.Processing;

namespace UniCardio.Pipeline;

/// <summary>
/// What is observed of one window before anything is made: the signals about it, where it lies in them, and what keys its noise.
/// </summary>
/// <remarks>
/// Signals are at 125 Hz on one time axis in the network's physical units (blood pressure in mmHg), NaN where missing, and empty where
/// there are none. What lies about the window is looked at only to scale a window of which little is measured (<see cref="WindowScale"/>).
/// </remarks>
/// <param name="Ppg">[n] or empty.</param>
/// <param name="Bp">[n] or empty.</param>
/// <param name="Ecg">[n] or empty.</param>
/// <param name="Window">The window in them, S samples.</param>
internal readonly record struct WindowObservation(ReadOnlyMemory<float> Ppg, ReadOnlyMemory<float> Bp, ReadOnlyMemory<float> Ecg,
    SampleRange Window)
{
    /// <summary>Signals by modality.</summary>
    /// <param name="signals">[3] in slot order; null or empty where there is none.</param>
    /// <param name="window">The window in them.</param>
    public WindowObservation(IReadOnlyList<float[]?> signals, SampleRange window)
        : this(signals[(int)Modality.Ppg], signals[(int)Modality.Bp], signals[(int)Modality.Ecg], window)
    {
    }

    /// <summary>Key of the noise, with <see cref="Identity"/>.</summary>
    public ulong Seed { get; init; }

    /// <summary>Number of the window under its seed.</summary>
    public uint Identity { get; init; }

    /// <summary>
    /// The map of the result, which the restored signal's own slot shares, where more than the window tells it; null for the rule's own.
    /// </summary>
    public AffineScale? ResultScale { get; init; }

    /// <summary>Standard deviation of the target's white noise in its unit, for an estimate; null to measure it in the window.</summary>
    public double? NoiseLevel { get; init; }

    /// <summary>What a measured level is multiplied by (<see cref="WhiteNoise.ResamplingFactor"/>).</summary>
    public double NoiseFactor { get; init; } = 1;

    /// <summary>A signal, [n], or empty.</summary>
    /// <param name="modality">Which.</param>
    public ReadOnlySpan<float> Signal(Modality modality) => modality switch
    {
        Modality.Ppg => Ppg.Span,
        Modality.Bp => Bp.Span,
        _ => Ecg.Span,
    };

    /// <summary>The window of a signal, [S].</summary>
    /// <param name="modality">Which.</param>
    public ReadOnlySpan<float> Given(Modality modality) => Signal(modality).Slice(Window.Start, Window.Length);
}
