using System.Collections.Concurrent;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Training.Data;

/// <summary>
/// Examples of which some have a further condition that is of no use: noise, another subject's signal, a straight line, or the signal badly
/// damaged (<see cref="BadSignalKind"/>, all four alike), so that the network learns when not to believe one.
/// </summary>
/// <remarks>
/// A further condition is one beside the restored signal itself; of a translation one beside another that stays good, since from a bad
/// one alone nothing can be told. A PPG or ECG is scaled anew by the usual rule (<see cref="WindowScale"/>), as it would be in use. A
/// function of (seed, index, task).
/// </remarks>
internal sealed class CorruptedConditions : IExampleSource
{
    // The other subject's window: a number that no run comes to.
    private const long Elsewhere = 1L << 48;

    private static readonly BadSignalKind[] s_kinds = Enum.GetValues<BadSignalKind>();

    private readonly IExampleSource _source;
    private readonly double _share;
    private readonly ulong _seed;
    private readonly ConcurrentBag<TrainingBatch> _idle = [];

    /// <summary>Creates the source.</summary>
    /// <param name="source">Where windows come from.</param>
    /// <param name="share">Share of the windows with a further condition of which one is spoiled, 0 to 1.</param>
    /// <param name="seed">Decides which and how.</param>
    /// <exception cref="ConfigurationException">The share is not 0 to 1.</exception>
    public CorruptedConditions(IExampleSource source, double share, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (!(share >= 0 && share <= 1))
            throw new ConfigurationException("condition_corruption", $"{share} is not between 0 and 1");
        (_source, _share, _seed) = (source, share, seed);
        Identity = FormattableString.Invariant($"corrupted share={share:R} seed={seed} [{source.Identity}]");
    }

    /// <inheritdoc/>
    public string Identity { get; }

    /// <inheritdoc/>
    public int SlotSamples => _source.SlotSamples;

    /// <inheritdoc/>
    public void Fill(long index, CardioTask task, TrainingBatch batch, int place)
    {
        _source.Fill(index, task, batch, place);
        var random = new CounterRandom(CounterRandom.Derive(CounterRandom.Derive(_seed, (ulong)index), ExampleBuilder.Number(task)), 6);
        bool spoils = random.NextDouble() < _share;
        Modality[] further = Further(task);
        if (!spoils || further.Length == 0)
            return;
        Modality which = further[(int)(random.NextDouble() * further.Length)];
        BadSignalKind kind = s_kinds[(int)(random.NextDouble() * s_kinds.Length)];
        Span<float> condition = batch.Condition(place, which);
        TrainingBatch? other = null;
        if (kind == BadSignalKind.Foreign)
        {
            if (!_idle.TryTake(out other))
                other = new TrainingBatch(1, SlotSamples);
            _source.Fill(Elsewhere + index, task, other, 0);
        }

        BadSignal.Apply(kind, condition, other is null ? [] : other.Condition(0, which), NetworkSignal.Rate, random.NextBits());
        if (other is not null)
            _idle.Add(other);
        else if (which != Modality.Bp)
            WindowScale.Of(which, condition, new SampleRange(0, condition.Length)).Forward(condition, condition);
    }

    /// <summary>The conditions of a task that may be bad: beside the restored signal itself, and never the only one.</summary>
    /// <param name="task">The task.</param>
    internal static Modality[] Further(CardioTask task) => task.Conditions.Count() > 1 ? [.. task.Others.Members()] : [];
}
