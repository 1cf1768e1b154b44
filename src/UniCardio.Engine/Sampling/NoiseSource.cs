using UniCardio.Engine.Plan;

namespace UniCardio.Engine.Sampling;

/// <summary>
/// Where a run's noise comes from: Philox4x32-10 keyed by (seed, window, draw, step), or values given by the caller.
/// </summary>
/// <remarks>
/// Draw 0 of the noise is the initial state x_T; row <see cref="SamplerStep.NoiseIndex"/> i takes draw i. Keyed noise depends
/// on nothing but its key: not on batch, thread count or order (<see cref="PhiloxNormal"/>).
/// </remarks>
public readonly ref struct NoiseSource
{
    private readonly ulong _seed;

    private NoiseSource(ulong seed, ReadOnlySpan<ulong> seeds, ReadOnlySpan<uint> windows, uint firstDraw, ReadOnlySpan<float> values)
    {
        _seed = seed;
        Seeds = seeds;
        Windows = windows;
        FirstDraw = firstDraw;
        Values = values;
    }

    /// <summary>[W] Philox key of each window. Empty where all windows share one, or values are given.</summary>
    public ReadOnlySpan<ulong> Seeds { get; }

    /// <summary>[W] identity of each window of the batch, the second part of the key. Empty where values are given.</summary>
    public ReadOnlySpan<uint> Windows { get; }

    /// <summary>Identity of the batch's draw 0, so that the draws of a window can be cut into several batches.</summary>
    public uint FirstDraw { get; }

    /// <summary>[noise draws, W N, S] given values. Empty where the noise is keyed.</summary>
    public ReadOnlySpan<float> Values { get; }

    /// <summary>Whether the caller gave the values.</summary>
    public bool IsExplicit => !Values.IsEmpty;

    /// <summary>Noise keyed by (seed, window, draw, step).</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="windows">[W] identity of each window, e.g. its number in the recording.</param>
    /// <param name="firstDraw">Identity of the batch's draw 0.</param>
    public static NoiseSource Philox(ulong seed, ReadOnlySpan<uint> windows, uint firstDraw = 0) =>
        new(seed, default, windows, firstDraw, default);

    /// <summary>Noise keyed by (seed, window, draw, step), each window with a seed of its own: windows of several recordings or patients in
    /// one batch.</summary>
    /// <param name="seeds">[W] seed of each window.</param>
    /// <param name="windows">[W] identity of each window.</param>
    /// <param name="firstDraw">Identity of the batch's draw 0.</param>
    /// <exception cref="ArgumentException">There are not as many seeds as windows.</exception>
    public static NoiseSource Philox(ReadOnlySpan<ulong> seeds, ReadOnlySpan<uint> windows, uint firstDraw = 0) =>
        seeds.Length == windows.Length
        ? new(0, seeds, windows, firstDraw, default)
        : throw new ArgumentException($"{seeds.Length} seeds were given for {windows.Length} windows", nameof(seeds));

    /// <summary>Noise given by the caller.</summary>
    /// <param name="values">[noise draws, W N, S].</param>
    public static NoiseSource Explicit(ReadOnlySpan<float> values) => new(0, default, default, 0, values);

    /// <summary>Philox key of a window of the batch.</summary>
    /// <param name="window">The window, 0 to W - 1.</param>
    public ulong SeedOf(int window) => Seeds.IsEmpty ? _seed : Seeds[window];

    /// <summary>Fills a stretch of one draw's noise; executors on the host take all their noise from here.</summary>
    /// <param name="plan">The batch.</param>
    /// <param name="index">Index of the noise draw, 0 for x_T.</param>
    /// <param name="batchDraw">Draw of the batch, window * N + draw.</param>
    /// <param name="destination">Samples <paramref name="first"/> and on; [S] for the whole batchDraw.</param>
    /// <param name="first">First sample.</param>
    /// <exception cref="ArgumentException">The source does not hold what was asked for.</exception>
    public void Fill(InferencePlan plan, int index, int batchDraw, Span<float> destination, int first = 0)
    {
        int samples = plan.Configuration.SlotSamples;
        if (index < 0 || batchDraw < 0 || batchDraw >= plan.BatchDraws || first < 0 || destination.Length > samples - first)
            throw new ArgumentException(
                $"noise {index}, draw {batchDraw}, samples {first} to {first + destination.Length} are not in a batch of "
                + $"{plan.BatchDraws} draws of {samples} samples");
        if (IsExplicit)
        {
            long at = ((((long)index * plan.BatchDraws) + batchDraw) * samples) + first;
            if (at + destination.Length > Values.Length)
                throw new ArgumentException(
                    $"noise draw {index} was asked for, but the {Values.Length} values given hold {Values.Length / plan.StateSamples} "
                    + $"draws of [{plan.BatchDraws}, {samples}]");
            Values.Slice((int)at, destination.Length).CopyTo(destination);
            return;
        }

        int window = batchDraw / plan.Draws;
        if (Windows.Length != plan.Windows)
            throw new ArgumentException($"{Windows.Length} window identities were given for a batch of {plan.Windows} windows");
        PhiloxNormal.Fill(SeedOf(window), Windows[window], FirstDraw + (uint)(batchDraw - (window * plan.Draws)), (uint)index,
            destination, first);
    }
}
