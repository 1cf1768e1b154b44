using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Training.Data;

/// <summary>
/// Makes a training window out of a stretch of clean signals: corrupts it first and scales it afterwards, by the rule that restoration uses
/// (<see cref="WindowScale"/>), so that the network meets what it will meet in use. Not for two threads at once.
/// </summary>
internal sealed class ExampleBuilder
{
    private const double Rate = NetworkSignal.Rate;
    private readonly double _dirt;

    /// <param name="slotSamples">Samples S of a window.</param>
    /// <param name="conditionDirt">How often conditions are dirty, relative to the usual share.</param>
    public ExampleBuilder(int slotSamples, double conditionDirt)
    {
        _dirt = conditionDirt;
        Stretch = new SignalStretch(3 * slotSamples);
        SlotSamples = slotSamples;
    }

    /// <summary>Samples S of a window.</summary>
    public int SlotSamples { get; }

    /// <summary>To be filled with clean signals between <see cref="Begin"/> and <see cref="Finish"/>.</summary>
    public SignalStretch Stretch { get; }

    /// <summary>The gaps that <see cref="Begin"/> drew.</summary>
    public GapPlan Gaps { get; } = new();

    /// <summary>A number for a task that is the same in every version: to draw what happens to a window.</summary>
    public static ulong Number(CardioTask task) => ((ulong)task.Kind << 5) | ((ulong)task.Conditions << 2) | (ulong)task.Output;

    /// <summary>Checks what a source is asked for.</summary>
    /// <exception cref="ArgumentException">The task is not valid, or the batch has windows of another length.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The index is negative, or the place is not in the batch.</exception>
    public static void Check(long index, CardioTask task, TrainingBatch batch, int place, int slotSamples)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentOutOfRangeException.ThrowIfNegative(place);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(place, batch.Count);
        if (!task.IsValid)
            throw new ArgumentException("The task names no condition.", nameof(task));
        if (batch.SlotSamples != slotSamples)
            throw new ArgumentException($"The batch has windows of {batch.SlotSamples} samples; expected {slotSamples}.", nameof(batch));
    }

    /// <summary>Draws the gaps and lays out <see cref="Stretch"/>: the window, with its surroundings where its scale needs them.</summary>
    /// <param name="task">The task.</param>
    /// <param name="seed">Seed of this window and task.</param>
    /// <param name="before">Samples there are before the window, at most S.</param>
    /// <param name="after">Samples there are after it, at most S.</param>
    public void Begin(CardioTask task, ulong seed, int before, int after)
    {
        bool surrounded = false;
        if (task.Kind == TaskKind.Impute)
        {
            var random = new CounterRandom(seed, 1);
            Gaps.Draw(SlotSamples, Rate, ref random);
            surrounded = Gaps.LeavesLittle(SlotSamples);
        }

        if (!surrounded)
            before = after = 0;
        Stretch.Resize(before + SlotSamples + after, new SampleRange(before, SlotSamples));
    }

    /// <summary>Corrupts and scales what <see cref="Stretch"/> holds.</summary>
    public void Finish(CardioTask task, ulong seed, TrainingBatch batch, int place)
    {
        batch.Tasks[place] = task;
        foreach (Modality modality in (ReadOnlySpan<Modality>)[Modality.Ppg, Modality.Bp, Modality.Ecg])
        {
            Span<float> condition = batch.Condition(place, modality);
            if (!task.Conditions.Contains(modality))
            {
                condition.Clear();
                continue;
            }

            bool restored = task.Kind != TaskKind.Translate && modality == task.Output;
            ulong own = CounterRandom.Derive(seed, (ulong)modality);
            if (restored && task.Kind == TaskKind.Denoise)
                AddNoise(modality, own);
            else
                Soil(modality, restored, own);
            AffineScale scale =
                WindowScale.Of(modality, Stretch.Dirty(modality), Stretch.Window, isNoisy: restored && task.Kind == TaskKind.Denoise);
            SampleRange window = Stretch.Window;
            scale.Forward(Stretch.Dirty(modality).Slice(window.Start, window.Length), condition);
            if (restored)
                FinishTarget(task, scale, batch, place);
        }

        // A translated PPG or ECG has no amplitude reference: its own extremes are -1 and 1.
        if (task.Kind == TaskKind.Translate)
            FinishTarget(task, WindowScale.Of(task.Output, Stretch.Clean(task.Output), Stretch.Window), batch, place);
    }

    private void AddNoise(Modality modality, ulong seed)
    {
        var random = new CounterRandom(seed, 2);
        Span<float> dirty = Stretch.Dirty(modality);
        Stretch.Clean(modality).CopyTo(dirty);
        SignalCorruption.Apply(dirty, Rate, NoiseDraw.ToRemove(modality, ref random), seed);
    }

    // Wander belongs to what is measured, so an imputed signal has it in its gaps too; noise and steps do not.
    private void Soil(Modality modality, bool imputed, ulong seed)
    {
        var random = new CounterRandom(seed, 3);
        double wander = NoiseDraw.Wander(modality, _dirt, ref random);
        NoiseParameters? noise = NoiseDraw.Mild(modality, _dirt, ref random);
        Span<float> clean = Stretch.Clean(modality), dirty = Stretch.Dirty(modality);
        clean.CopyTo(dirty);
        if (wander > 0)
            SignalCorruption.Apply(dirty, Rate, new NoiseParameters { BaselineWander = wander }, seed);
        if (imputed)
            dirty.CopyTo(clean);
        if (noise is not null)
            SignalCorruption.Apply(dirty, Rate, noise, seed);
        if (imputed)
            CutGaps(dirty);
        else
            DropOut(dirty, ref random);
        KeepSomething(modality);
    }

    private void CutGaps(Span<float> dirty)
    {
        foreach (SampleRange gap in Gaps.Gaps)
            dirty.Slice(Stretch.Window.Start + gap.Start, gap.Length).Fill(float.NaN);
    }

    // A recording may have nothing else to take a scale from than what was cut out: then the window's first half comes back.
    private void KeepSomething(Modality modality)
    {
        Span<float> dirty = Stretch.Dirty(modality);
        if (GapFinder.CountMeasured(dirty) > 0)
            return;
        ReadOnlySpan<float> clean = Stretch.Clean(modality);
        int half = Stretch.Window.Start + SlotSamples / 2;
        for (int i = 0; i < clean.Length && (i < half || GapFinder.CountMeasured(dirty) == 0); i++)
            dirty[i] = clean[i];
    }

    // A sensor that comes off for a while: at most half of the window.
    private void DropOut(Span<float> dirty, ref CounterRandom random)
    {
        bool any = random.NextDouble() < 0.06 * _dirt;
        double share = random.NextUniform(0.03, 0.5), place = random.NextDouble();
        if (!any)
            return;
        int length = (int)(share * SlotSamples);
        dirty.Slice(Stretch.Window.Start + (int)(place * (SlotSamples - length + 1)), length).Fill(float.NaN);
    }

    private void FinishTarget(CardioTask task, AffineScale scale, TrainingBatch batch, int place)
    {
        SampleRange window = Stretch.Window;
        ReadOnlySpan<float> clean = Stretch.Clean(task.Output).Slice(window.Start, window.Length);
        Span<float> target = batch.CleanTarget(place), weight = batch.Weight(place);
        ReadOnlySpan<float> dirty = Stretch.Dirty(task.Output).Slice(window.Start, window.Length);
        bool imputed = task.Kind == TaskKind.Impute;
        for (int i = 0; i < clean.Length; i++)
        {
            bool known = !float.IsNaN(clean[i]);
            target[i] = known ? scale.Forward(clean[i]) : 0;
            weight[i] = known && (!imputed || float.IsNaN(dirty[i])) ? 1 : 0;
        }
    }
}
