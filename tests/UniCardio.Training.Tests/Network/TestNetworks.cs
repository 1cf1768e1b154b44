using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Training.Data;
using UniCardio.Training.Network;
using UniCardio.Weights;

namespace UniCardio.Training.Tests.Network;

/// <summary>Small networks with odd sizes, and batches for them.</summary>
internal static class TestNetworks
{
    /// <summary>No size is a multiple of a vector: 60 channels, heads of 15, 11 hidden, 4 or 8 tokens a slot.</summary>
    public static ModelConfiguration Configuration(int samplesPerToken, PositionKind positions) => new ModelConfiguration
    {
        Channels = 60,
        Heads = 4,
        Blocks = 3,
        FeedForward = 11,
        Embedding = 10,
        SlotSamples = samplesPerToken == 1 ? 8 : 20,
        SamplesPerToken = samplesPerToken,
        Positions = positions,
    }.Validate();

    public static TrainingNetwork Create(ModelConfiguration configuration, CpuInstructionSet set, int threads = 2, double dropout = 0,
        int lanes = 3)
    {
        var network = new TrainingNetwork(
            configuration, new TrainingNetworkOptions { Threads = threads, InstructionSet = set, Dropout = dropout, Lanes = lanes });
        using ModelWeights weights = new WeightRecipe(11, configuration).Create();
        network.Layout.Read(weights, network.Parameters);
        network.ParametersChanged();
        return network;
    }

    public static TrainingBatch Batch(ModelConfiguration configuration, IReadOnlyList<CardioTask> tasks, int seed)
    {
        var random = new Random(seed);
        var batch = new TrainingBatch(tasks.Count, configuration.SlotSamples);
        for (int i = 0; i < tasks.Count; i++)
        {
            batch.Tasks[i] = tasks[i];
            batch.Steps[i] = random.Next(configuration.DiffusionSteps);
        }

        for (int i = 0; i < batch.Inputs.Length; i++)
            batch.Inputs[i] = (float)((2 * random.NextDouble()) - 1);
        return batch;
    }

    /// <summary>Half the squared prediction, tilted by the sample's place: every output has a gradient of its own.</summary>
    public static double Loss(int window, ReadOnlySpan<float> prediction, Span<float> gradient)
    {
        double loss = 0;
        for (int i = 0; i < prediction.Length; i++)
        {
            double tilt = 1 + (0.1 * i) + window;
            loss += tilt * prediction[i] * prediction[i] / 2;
            gradient[i] = (float)(tilt * prediction[i]);
        }

        return loss;
    }
}
