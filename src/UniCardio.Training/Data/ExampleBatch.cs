using UniCardio.Engine.Model;

namespace UniCardio.Training.Data;

/// <summary>Windows to learn from: conditions as the network meets them in use, the clean target, and where the loss counts.</summary>
public sealed class ExampleBatch
{
    /// <summary>Allocates a batch.</summary>
    /// <param name="count">Windows; at least 1.</param>
    /// <param name="slotSamples">Samples S of a window at 125 Hz.</param>
    public ExampleBatch(int count, int slotSamples)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(slotSamples, 1);
        Count = count;
        SlotSamples = slotSamples;
        Tasks = new CardioTask[count];
        Conditions = new float[checked(count * 3 * slotSamples)];
        Clean = new float[checked(count * slotSamples)];
        LossWeight = new float[checked(count * slotSamples)];
    }

    /// <summary>Windows.</summary>
    public int Count { get; }

    /// <summary>Samples S of a window.</summary>
    public int SlotSamples { get; }

    /// <summary>[count] the task of each window.</summary>
    public CardioTask[] Tasks { get; }

    /// <summary>[count, 3, S] scaled PPG, BP, ECG as conditions (dirty where the task restores); slots that are no condition are 0.</summary>
    public float[] Conditions { get; }

    /// <summary>[count, S] the clean target in the target's scale.</summary>
    public float[] Clean { get; }

    /// <summary>[count, S] 1 where the loss counts, 0 elsewhere (imputation: the gaps).</summary>
    public float[] LossWeight { get; }

    /// <summary>[S] a condition of one window.</summary>
    public Span<float> Condition(int window, Modality modality) => Conditions.AsSpan(((window * 3) + (int)modality) * SlotSamples, SlotSamples);

    /// <summary>[S] the clean target of one window.</summary>
    public Span<float> CleanTarget(int window) => Clean.AsSpan(window * SlotSamples, SlotSamples);

    /// <summary>[S] where the loss of one window counts.</summary>
    public Span<float> Weight(int window) => LossWeight.AsSpan(window * SlotSamples, SlotSamples);
}
