using UniCardio.Engine.Model;

namespace UniCardio.Pipeline;

/// <summary>Where a sample of a result comes from. The values are those of checkpoints and of the live protocol.</summary>
public enum Provenance : byte
{
    /// <summary>Neither measured nor generated: NaN.</summary>
    NoSignal,

    /// <summary>As it came in, or resampled from what came in.</summary>
    Measured,

    /// <summary>On the straight line over a gap too short for the network.</summary>
    Bridged,

    /// <summary>
    /// Made by the network in a gap of the signal, from what is measured of it nearby and from the other signals that are given.
    /// </summary>
    Imputed,

    /// <summary>Measured, with its noise taken off by the network.</summary>
    Denoised,

    /// <summary>Made by the network from other signals.</summary>
    Translated,
}

/// <summary>The rule of what is kept: imputation and translation change no given sample, denoising fills no gap.</summary>
internal static class Provenances
{
    /// <summary>Whether the network made it.</summary>
    /// <param name="provenance">Where a sample comes from.</param>
    public static bool IsGenerated(this Provenance provenance) => provenance >= Provenance.Imputed;

    /// <summary>Where what a task makes comes from.</summary>
    /// <param name="kind">What the task does.</param>
    public static Provenance Of(TaskKind kind) => kind switch
    {
        TaskKind.Impute => Provenance.Imputed,
        TaskKind.Denoise => Provenance.Denoised,
        _ => Provenance.Translated,
    };

    /// <summary>Where a sample of a task's result comes from, given what there was.</summary>
    /// <param name="kind">What the task does.</param>
    /// <param name="given"><see cref="Provenance.NoSignal"/>, <see cref="Provenance.Measured"/> or
    /// <see cref="Provenance.Bridged"/>.</param>
    /// <returns><paramref name="given"/> where the given sample, or its absence, is kept; else what the network made.</returns>
    public static Provenance Of(TaskKind kind, Provenance given) => (given == Provenance.NoSignal) == (kind == TaskKind.Denoise) ? given
        : Of(kind);

    /// <summary>Keeps of a window what the task does not change.</summary>
    /// <param name="kind">What the task does; translation keeps nothing, its target is not looked at.</param>
    /// <param name="given">[S] the target as given, NaN where missing.</param>
    /// <param name="made">[S] what the network made, in the same unit.</param>
    public static void Keep(TaskKind kind, ReadOnlySpan<float> given, Span<float> made)
    {
        if (kind == TaskKind.Translate)
            return;
        for (int i = 0; i < made.Length; i++)
        {
            if (!Of(kind, float.IsNaN(given[i]) ? Provenance.NoSignal : Provenance.Measured).IsGenerated())
                made[i] = given[i];
        }
    }
}
