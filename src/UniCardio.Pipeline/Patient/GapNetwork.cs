using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Signals.Processing;

namespace UniCardio.Pipeline.Patient;

/// <summary>What a network makes of stretches that are hidden from it, each in a window of its own about the stretch.</summary>
/// <param name="pool">Sessions of the network.</param>
/// <param name="draws">Draws a window.</param>
/// <param name="sampler">The sampler.</param>
/// <param name="summary">How draws become one signal.</param>
/// <param name="seed">Key of the noise.</param>
internal sealed class GapNetwork(SessionPool pool, int draws, SamplerOptions sampler, DrawSummary summary, ulong seed)
{
    // The schedule's windows are numbered from 0: hidden ones have noise of their own.
    private const uint FirstIdentity = 1u << 30;
    private readonly WindowSeries _series = new(pool);

    /// <summary>Longest stretch that a window restores, in samples: beyond it too little of the target is left to restore from.</summary>
    public int MaxLength { get; } = MaxLengthOf(pool.Engine.Configuration.SlotSamples);

    /// <summary>Longest stretch that a window restores, in samples.</summary>
    /// <param name="windowSamples">Samples of a window, S.</param>
    public static int MaxLengthOf(int windowSamples) => (int)(0.75 * windowSamples);

    /// <summary>Evaluations of the network so far.</summary>
    public long NetworkCalls => _series.NetworkCalls;

    /// <summary>Time in the network so far.</summary>
    public TimeSpan ComputeTime => _series.ComputeTime;

    /// <summary>Runs the network on stretches.</summary>
    /// <param name="signals">[3] in slot order at 125 Hz, [n] or null, NaN where missing, BP in mmHg.</param>
    /// <param name="target">The signal to make.</param>
    /// <param name="sources">Other signals to make it from.</param>
    /// <param name="stretches">The stretches to hide, each at most <see cref="MaxLength"/>.</param>
    /// <param name="progress">Told the share done.</param>
    /// <param name="cancellation">Looked at before every network call.</param>
    /// <returns>[stretch] for each in the target's unit; null where no window holds it, or the network goes out of range.</returns>
    public double[]?[] Run(IReadOnlyList<float[]?> signals, Modality target, ModalitySet sources, IReadOnlyList<SampleRange> stretches,
        Action<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(signals);
        ArgumentNullException.ThrowIfNull(stretches);
        int window = pool.Engine.Configuration.SlotSamples, n = signals[(int)target]!.Length;
        var made = new double[]?[stretches.Count];
        int done = 0;
        foreach (IGrouping<CardioTask, int> group in Enumerable.Range(0, stretches.Count)
            .Where(i => stretches[i].Length <= MaxLength && n >= window)
            .GroupBy(i => CardioTask.Impute(target, Measured(signals, sources, Place(stretches[i], window, n)))))
        {
            int[] places = [.. group];
            int before = done;
            var center = new float[window];
            _series.Run(new WindowShape(group.Key, draws, sampler), places.Length, i =>
                Observe(signals, target, stretches[places[i]], window, (uint)places[i]), (i, drawn) =>
            {
                SampleRange stretch = stretches[places[i]], at = Place(stretch, window, n);
                drawn.Summarize(summary, center);
                made[places[i]] = [.. center[(stretch.Start - at.Start)..(stretch.End - at.Start)].Select(x => (double)x)];
            }, (_, work) => progress?.Invoke((before + work) / stretches.Count), cancellation);
            done += places.Length;
        }

        return made;
    }

    private static SampleRange Place(SampleRange stretch, int window, int n) =>
        new(Math.Clamp(stretch.Start + (stretch.Length / 2) - (window / 2), 0, n - window), window);

    private static ModalitySet Measured(IReadOnlyList<float[]?> signals, ModalitySet sources, SampleRange window)
    {
        ModalitySet set = ModalitySet.None;
        foreach (Modality source in sources.Members())
        {
            if (signals[(int)source] is { } signal && GapFinder.CountMeasured(signal.AsSpan(window.Start, window.Length)) > 0)
                set |= source.ToSet();
        }

        return set;
    }

    // The window and one more on either side, which scales it where little of it is measured.
    private WindowObservation Observe(IReadOnlyList<float[]?> signals, Modality target, SampleRange stretch, int window, uint number)
    {
        int n = signals[(int)target]!.Length;
        SampleRange at = Place(stretch, window, n);
        int from = Math.Max(0, at.Start - window), to = Math.Min(n, at.End + window);
        float[]?[] near = [.. signals.Select(s => s?[from..to])];
        near[(int)target].AsSpan(stretch.Start - from, stretch.Length).Fill(float.NaN);
        return new WindowObservation(near, new SampleRange(at.Start - from, window)) { Seed = seed, Identity = FirstIdentity + number };
    }
}
