namespace UniCardio.Engine.Sampling;

/// <summary>
/// Where a run's noise comes from: Philox4x32-10 keyed by (seed, window, draw, step), or values given by the caller.
/// </summary>
/// <remarks>
/// Draw 0 of the noise is the initial state x_T; row <see cref="SamplerStep.NoiseIndex"/> i takes draw i. Keyed noise depends
/// on nothing but its key: not on batch, thread count or order.
/// </remarks>
public readonly ref struct NoiseSource
{
    private NoiseSource(ulong seed, ReadOnlySpan<uint> windows, ReadOnlySpan<float> values)
    {
        Seed = seed;
        Windows = windows;
        Values = values;
    }

    /// <summary>Philox key.</summary>
    public ulong Seed { get; }

    /// <summary>[W] identity of each window of the batch, the second part of the key. Empty where values are given.</summary>
    public ReadOnlySpan<uint> Windows { get; }

    /// <summary>[noise draws, W N, S] given values. Empty where the noise is keyed.</summary>
    public ReadOnlySpan<float> Values { get; }

    /// <summary>Whether the caller gave the values.</summary>
    public bool IsExplicit => !Values.IsEmpty;

    /// <summary>Noise keyed by (seed, window, draw, step).</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="windows">[W] identity of each window, e.g. its number in the recording.</param>
    public static NoiseSource Philox(ulong seed, ReadOnlySpan<uint> windows) => new(seed, windows, default);

    /// <summary>Noise given by the caller.</summary>
    /// <param name="values">[noise draws, W N, S].</param>
    public static NoiseSource Explicit(ReadOnlySpan<float> values) => new(0, default, values);
}
