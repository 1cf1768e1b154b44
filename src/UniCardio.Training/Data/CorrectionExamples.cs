using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Training.Data;

/// <summary>
/// Windows with a gap in which a proposal stands: the patient's own beat, made from 64 s of a synthetic subject by the estimators that the
/// product uses, with the faults that they have. For networks that correct proposals (<see cref="PredictionKind.Correction"/>).
/// </summary>
/// <remarks>
/// Subjects are those of <see cref="LivingSubject"/>, whose beats' shapes nothing but their other beats can tell. All windows have a
/// proposal but those of which none can be made (<see cref="Proposal.IsMissing"/>): with a tenth without, filling a gap from nothing was
/// all that was learned. Sixteen windows are of one subject, but no two of sixteen that follow each other, so that a batch averages over
/// people and not over the minutes of one; a window is a function of (seed, index, task) all the same. Imputation only.
/// </remarks>
internal sealed class CorrectionExamples : IExampleSource
{
    /// <summary>Seconds of a subject.</summary>
    public const int Seconds = 64;

    private const int WindowsPerSubject = 16, SubjectsInTurn = 16;
    private const double ByRhythm = 0.15;
    private readonly ulong _seed;
    private readonly ConcurrentDictionary<ulong, LivingSubject> _idle = [];

    /// <summary>Creates the source.</summary>
    /// <param name="seed">Another seed gives other subjects.</param>
    /// <param name="slotSamples">Samples S of a window at 125 Hz, at least 125 and at most a quarter of a subject.</param>
    public CorrectionExamples(ulong seed, int slotSamples)
    {
        if (slotSamples is < 125 or > 2000)
            throw new ArgumentOutOfRangeException(nameof(slotSamples), slotSamples, "A window has 125 to 2000 samples.");
        (_seed, SlotSamples) = (seed, slotSamples);
        Identity = FormattableString.Invariant(
            $"proposals seed={seed} samples={slotSamples} windows={Fingerprint()}");
    }

    /// <inheritdoc/>
    public string Identity { get; }

    /// <inheritdoc/>
    public int SlotSamples { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The task is not an imputation, or the batch has windows of another length.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The index is negative, or the place is not in the batch.</exception>
    public void Fill(long index, CardioTask task, TrainingBatch batch, int place)
    {
        ExampleBuilder.Check(index, task, batch, place, SlotSamples);
        if (task.Kind != TaskKind.Impute)
            throw new ArgumentException($"Proposals stand in gaps: '{task}' has none.", nameof(task));
        ulong subject = SubjectOf(index);
        if (!_idle.TryRemove(subject, out LivingSubject? made))
            made = new LivingSubject(_seed, subject, Seconds);
        var random = new CounterRandom(CounterRandom.Derive(CounterRandom.Derive(_seed, (ulong)index), ExampleBuilder.Number(task)), 5);
        Fill(made, task, ref random, batch, place);
        _idle.TryAdd(subject, made);
        if (_idle.Count > 3 * SubjectsInTurn)
            Forget(subject);
    }

    /// <summary>The subject of a window: sixteen take turns for sixteen windows each.</summary>
    /// <param name="index">The window's number.</param>
    internal static ulong SubjectOf(long index)
    {
        const int Block = WindowsPerSubject * SubjectsInTurn;
        return (ulong)((index / Block * SubjectsInTurn) + (index % SubjectsInTurn));
    }

    // Those that had their turn.
    private void Forget(ulong current)
    {
        foreach (ulong number in _idle.Keys)
        {
            if (number + SubjectsInTurn < current || number > current + (2 * SubjectsInTurn))
                _idle.TryRemove(number, out _);
        }
    }

    private void Fill(LivingSubject subject, CardioTask task, ref CounterRandom random, TrainingBatch batch, int place)
    {
        const double Rate = NetworkSignal.Rate;
        ChannelKind target = NetworkSignal.KindOf(task.Output);

        // 0.4 to 3 s, all ratios alike; at least a quarter of the window is left.
        int longest = 3 * SlotSamples / 4, length = (int)Math.Min(longest, 0.4 * Rate * Math.Pow(7.5, random.NextDouble()));
        var window = new SampleRange((int)(random.NextDouble() * (subject.Length - SlotSamples)), SlotSamples);
        var gap = new SampleRange(window.Start + (int)(random.NextDouble() * (SlotSamples - length)), length);
        PatientSignals hidden = subject.Signals.Hide(target, gap);
        // One number is passed over, so that windows are those of the run that weights/STUDIES.md tells of.
        _ = random.NextDouble();
        double[]? proposal = Propose(hidden, task, gap, ref random);
        batch.Tasks[place] = task;
        foreach (Modality modality in Modalities.All)
        {
            Span<float> condition = batch.Condition(place, modality);
            condition.Clear();
            if (!task.Conditions.Contains(modality))
                continue;
            ReadOnlySpan<float> signal = hidden[NetworkSignal.KindOf(modality)];
            AffineScale scale = WindowScale.Of(modality, signal, window);
            scale.Forward(signal.Slice(window.Start, window.Length), condition);
            if (modality != task.Output)
                continue;
            var inside = new SampleRange(gap.Start - window.Start, gap.Length);
            Span<float> proposed = condition.Slice(inside.Start, inside.Length);
            if (proposal is null)
                proposed.Fill(AffineScale.Missing);
            else
                Proposal.Scale(proposal, scale, task.Output, proposed);
            scale.Forward(subject.Truth(modality).AsSpan(window.Start, window.Length), batch.CleanTarget(place));
            Span<float> weight = batch.Weight(place);
            weight.Clear();
            weight.Slice(inside.Start, inside.Length).Fill(1);
        }
    }

    // The own beat as it would be placed: mostly by another signal of the task, now and then by rhythm alone; null where none can be made.
    private static double[]? Propose(PatientSignals hidden, CardioTask task, SampleRange gap, ref CounterRandom random)
    {
        Modality[] others = [.. Modalities.All.Where(m => m != task.Output && task.Conditions.Contains(m))];
        bool byRhythm = random.NextDouble() < ByRhythm;
        int which = (int)(random.NextDouble() * Math.Max(1, others.Length));
        ChannelKind? source = byRhythm || others.Length == 0 ? null : NetworkSignal.KindOf(others[which]);
        IReadOnlyList<GapEstimate> all = new GapEstimators(hidden, NetworkSignal.KindOf(task.Output), source is { } s ? [s] : [])
            .Estimate(gap);
        return (all.FirstOrDefault(e => e.Kind == EstimatorKind.Beat && e.Source == source)
            ?? all.FirstOrDefault(e => e.Kind == EstimatorKind.Beat))?.Wave;
    }

    private string Fingerprint()
    {
        CardioTask[] tasks = [.. CardioTask.All.Where(t => t.Kind == TaskKind.Impute)];
        var batch = new TrainingBatch(tasks.Length, SlotSamples);
        for (int place = 0; place < batch.Count; place++)
            Fill(place, tasks[place], batch, place);
        byte[] all = [.. MemoryMarshal.AsBytes<float>(batch.Conditions), .. MemoryMarshal.AsBytes<float>(batch.Clean)];
        return Convert.ToHexStringLower(SHA256.HashData(all))[..16];
    }
}
