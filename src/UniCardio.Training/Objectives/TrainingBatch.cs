using UniCardio.Engine.Model;
using UniCardio.Training.Data;
using UniCardio.Training.Network;

namespace UniCardio.Training.Objectives;

/// <summary>Everything that one step needs: examples, their noise and steps, and the network's inputs made of them.</summary>
public sealed class TrainingBatch
{
    /// <summary>Allocates a batch.</summary>
    /// <param name="configuration">The network's sizes.</param>
    /// <param name="count">Windows; at least 1.</param>
    public TrainingBatch(ModelConfiguration configuration, int count)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        Examples = new ExampleBatch(count, configuration.SlotSamples);
        Inputs = new NetworkBatch(configuration, count);
        Noise = new float[checked(count * configuration.SlotSamples)];
        Scale = new double[count];
        Peaks = new float[Noise.Length];
    }

    /// <summary>The windows.</summary>
    public ExampleBatch Examples { get; }

    /// <summary>What the network sees of them.</summary>
    public NetworkBatch Inputs { get; }

    /// <summary>[count, S] eps.</summary>
    public float[] Noise { get; }

    /// <summary>[count] factor of a window's sum of counted squared errors in the batch's loss.</summary>
    public double[] Scale { get; }

    /// <summary>[count, S] weights of peaks and valleys; 1 where the loss does not ask for them.</summary>
    public float[] Peaks { get; }

    /// <summary>The step that the batch is for.</summary>
    public long Step { get; set; }

    /// <summary>Windows.</summary>
    public int Count => Examples.Count;

    /// <summary>[S] eps of one window.</summary>
    public Span<float> WindowNoise(int window) => Noise.AsSpan(window * Examples.SlotSamples, Examples.SlotSamples);
}
