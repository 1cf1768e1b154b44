using UniCardio.Engine.Model;

namespace UniCardio.Training.Network;

/// <summary>Inputs of the network for several windows; each may have a task and a diffusion step of its own.</summary>
public sealed class NetworkBatch
{
    /// <summary>Allocates a batch.</summary>
    /// <param name="configuration">The network's sizes.</param>
    /// <param name="count">Windows; at least 1.</param>
    public NetworkBatch(ModelConfiguration configuration, int count)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Count = count;
        SlotSamples = configuration.SlotSamples;
        Tasks = new CardioTask[count];
        Steps = new int[count];
        Inputs = new float[checked(count * ModelConfiguration.SlotCount * SlotSamples)];
    }

    /// <summary>Windows.</summary>
    public int Count { get; }

    /// <summary>Samples S of a slot.</summary>
    public int SlotSamples { get; }

    /// <summary>[count] conditions, target and decoder of each window.</summary>
    public CardioTask[] Tasks { get; }

    /// <summary>[count] diffusion step t of each window, 0 to T - 1.</summary>
    public int[] Steps { get; }

    /// <summary>[count, 4, S] slots A, B, C, D; the target's slot holds x_t, dead slots are not read.</summary>
    public float[] Inputs { get; }

    /// <summary>[S] one slot of one window.</summary>
    public Span<float> Slot(int window, int slot) => Inputs.AsSpan(((window * ModelConfiguration.SlotCount) + slot) * SlotSamples, SlotSamples);
}
