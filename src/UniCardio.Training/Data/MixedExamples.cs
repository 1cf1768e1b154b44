using UniCardio.Engine.Model;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Training.Data;

/// <summary>Windows of recordings among synthetic ones: fine-tuning on a few subjects that forgets nothing of the many.</summary>
internal sealed class MixedExamples : IExampleSource
{
    private readonly IExampleSource _synthetic;
    private readonly RecordingExamples _recordings;
    private readonly double _share;
    private readonly ulong _seed;

    /// <summary>Creates the mixture.</summary>
    /// <param name="synthetic">Where the rest comes from, and every window of a task that the recordings lack signals for.</param>
    /// <param name="recordings">Windows of recordings.</param>
    /// <param name="share">Share of windows that are of recordings, 0 to 1.</param>
    /// <param name="seed">Decides which windows are.</param>
    /// <exception cref="ArgumentException">The sources have windows of different lengths.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The share is not 0 to 1.</exception>
    public MixedExamples(IExampleSource synthetic, RecordingExamples recordings, double share, ulong seed = 1)
    {
        ArgumentNullException.ThrowIfNull(synthetic);
        ArgumentNullException.ThrowIfNull(recordings);
        if (!(share >= 0 && share <= 1))
            throw new ArgumentOutOfRangeException(nameof(share), share, "The share of windows that are of recordings is 0 to 1.");
        if (synthetic.SlotSamples != recordings.SlotSamples)
            throw new ArgumentException(
                $"The recordings' windows have {recordings.SlotSamples} samples and the others {synthetic.SlotSamples}; expected the "
                + $"same number.", nameof(recordings));
        (_synthetic, _recordings, _share, _seed) = (synthetic, recordings, share, seed);
        Identity = FormattableString.Invariant($"mixed share={share:R} seed={seed} [{synthetic.Identity}] [{recordings.Identity}]");
    }

    /// <inheritdoc/>
    public string Identity { get; }

    /// <inheritdoc/>
    public int SlotSamples => _synthetic.SlotSamples;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The task is not valid, or the batch has windows of another length.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The index is negative, or the place is not in the batch.</exception>
    public void Fill(long index, CardioTask task, TrainingBatch batch, int place)
    {
        bool recorded = new CounterRandom(_seed, (ulong)index).NextDouble() < _share && _recordings.Supports(task);
        (recorded ? _recordings : _synthetic).Fill(index, task, batch, place);
    }
}
