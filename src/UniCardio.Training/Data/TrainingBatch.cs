using UniCardio.Engine.Model;

namespace UniCardio.Training.Data;

/// <summary>
/// Everything that one step needs of its windows: conditions as the network meets them in use, the clean target, where the loss counts,
/// and, once an objective has prepared it, noise, steps and the network's inputs.
/// </summary>
public sealed class TrainingBatch
{
    /// <summary>Allocates a batch.</summary>
    /// <param name="count">Windows; at least 1.</param>
    /// <param name="slotSamples">Samples S of a window at 125 Hz.</param>
    public TrainingBatch(int count, int slotSamples)
        : this(count, slotSamples, 1)
    {
    }

    /// <summary>Allocates a batch of windows that come several times each, for several draws.</summary>
    /// <param name="count">Windows, each draw counted; at least 1.</param>
    /// <param name="slotSamples">Samples S of a window at 125 Hz.</param>
    /// <param name="draws">Windows that follow each other and are the same but for their noise; divides <paramref name="count"/>.</param>
    internal TrainingBatch(int count, int slotSamples, int draws)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(slotSamples, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(draws, 1);
        if (count % draws != 0)
            throw new ArgumentException($"{count} windows are not whole groups of {draws} draws", nameof(draws));
        Count = count;
        Draws = draws;
        SlotSamples = slotSamples;
        Tasks = new CardioTask[count];
        Steps = new int[count];
        Scale = new double[count];
        Conditions = new float[checked(count * 3 * slotSamples)];
        Inputs = new float[checked(count * ModelConfiguration.SlotCount * slotSamples)];
        Clean = new float[count * slotSamples];
        LossWeight = new float[Clean.Length];
        Noise = new float[Clean.Length];
        Peaks = new float[Clean.Length];
        Predictions = new float[Clean.Length];
    }

    /// <summary>Windows.</summary>
    public int Count { get; }

    /// <summary>Samples S of a window.</summary>
    public int SlotSamples { get; }

    /// <summary>Windows that follow each other and are draws of one condition.</summary>
    internal int Draws { get; }

    /// <summary>The step of training that the batch is for.</summary>
    public long Step { get; set; }

    /// <summary>[count] the task of each window: conditions, target and decoder.</summary>
    public CardioTask[] Tasks { get; }

    /// <summary>[count, 3, S] scaled PPG, BP, ECG as conditions (dirty where the task restores); slots that are no condition are
    /// 0.</summary>
    public float[] Conditions { get; }

    /// <summary>[count, S] the clean target in the target's scale.</summary>
    public float[] Clean { get; }

    /// <summary>[count, S] 1 where the loss counts, 0 elsewhere (imputation: the gaps).</summary>
    public float[] LossWeight { get; }

    /// <summary>[count] diffusion step t of each window, 0 to T - 1.</summary>
    public int[] Steps { get; }

    /// <summary>[count, 4, S] what the network sees: slots A, B, C, D; the target's slot holds x_t, dead slots are not read.</summary>
    public float[] Inputs { get; }

    /// <summary>[count, S] eps.</summary>
    public float[] Noise { get; }

    /// <summary>[count] factor of a window's sum of counted squared errors in the batch's loss.</summary>
    public double[] Scale { get; }

    /// <summary>[count, S] weights of peaks and valleys; 1 where the loss does not ask for them.</summary>
    public float[] Peaks { get; }

    /// <summary>[count, S] what the network predicts, known for all draws of a window before its loss is asked for.</summary>
    internal float[] Predictions { get; }

    /// <summary>[S] a condition of one window.</summary>
    public Span<float> Condition(int window, Modality modality) =>
        Conditions.AsSpan(((window * 3) + (int)modality) * SlotSamples, SlotSamples);

    /// <summary>[S] the clean target of one window.</summary>
    public Span<float> CleanTarget(int window) => Clean.AsSpan(window * SlotSamples, SlotSamples);

    /// <summary>[S] where the loss of one window counts.</summary>
    public Span<float> Weight(int window) => LossWeight.AsSpan(window * SlotSamples, SlotSamples);

    /// <summary>[S] one slot of one window's inputs.</summary>
    public Span<float> Slot(int window, int slot) =>
        Inputs.AsSpan(((window * ModelConfiguration.SlotCount) + slot) * SlotSamples, SlotSamples);

    /// <summary>[S] eps of one window.</summary>
    public Span<float> WindowNoise(int window) => Noise.AsSpan(window * SlotSamples, SlotSamples);

    /// <summary>[S] what the network predicts of one window.</summary>
    internal Span<float> Prediction(int window) => Predictions.AsSpan(window * SlotSamples, SlotSamples);

    /// <summary>Fills the other draws' places with the example of the first.</summary>
    /// <param name="first">The first draw's place.</param>
    internal void Repeat(int first)
    {
        Span<float> conditions = Conditions.AsSpan(first * 3 * SlotSamples, 3 * SlotSamples);
        for (int place = first + 1; place < first + Draws; place++)
        {
            Tasks[place] = Tasks[first];
            conditions.CopyTo(Conditions.AsSpan(place * 3 * SlotSamples));
            CleanTarget(first).CopyTo(CleanTarget(place));
            Weight(first).CopyTo(Weight(place));
        }
    }
}
