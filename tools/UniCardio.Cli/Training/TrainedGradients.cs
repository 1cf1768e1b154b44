using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Golden;
using UniCardio.Training.Network;

namespace UniCardio.Cli.Training;

/// <summary>Gradients for golden files from the network that training runs on.</summary>
internal sealed class TrainedGradients : IGoldenGradients
{
    private readonly TrainingNetwork _network;

    /// <summary>Takes over the weights.</summary>
    /// <param name="weights">The network's parameters.</param>
    /// <param name="options">Threads and instructions; dropout has to be 0 for golden files.</param>
    /// <exception cref="Engine.ConfigurationException">The options do not hold on this machine.</exception>
    public TrainedGradients(ModelWeights weights, TrainingNetworkOptions options)
    {
        _network = new TrainingNetwork(weights.Configuration, options);
        _network.Layout.Read(weights, _network.Parameters);
        _network.ParametersChanged();
    }

    public string Name => $"training network {CpuInstructionSets.Name(_network.InstructionSet)} x {_network.Threads} thread{(_network.Threads == 1 ? "" : "s")}";

    public GoldenGradients Compute(CardioTask task, IReadOnlyList<int> steps, ReadOnlyMemory<float> inputs, ReadOnlyMemory<float> targets)
    {
        int samples = _network.Configuration.SlotSamples;
        var batch = new NetworkBatch(_network.Configuration, steps.Count);
        inputs.Span.CopyTo(batch.Inputs);
        for (int window = 0; window < batch.Count; window++)
            (batch.Tasks[window], batch.Steps[window]) = (task, steps[window]);
        double[] losses = new double[batch.Count];
        _network.Accumulate(batch, (window, prediction, gradient) =>
            Loss(prediction, targets.Span.Slice(window * samples, samples), gradient), 0, losses);
        var parameters = new Dictionary<string, ReadOnlyMemory<float>>(StringComparer.Ordinal);
        foreach (ParameterSlice slice in _network.Layout.Slices)
            parameters[slice.Name[ParameterCatalog.Prefix.Length..]] = _network.Gradients.Slice(slice.Offset, slice.Count).ToArray();
        return new GoldenGradients(losses.Sum(), parameters);
    }

    public void Dispose() => _network.Dispose();

    // sum((target - prediction)^2) / (4S): the official loss divides by all four slots, of which three are masked.
    private static double Loss(ReadOnlySpan<float> prediction, ReadOnlySpan<float> target, Span<float> gradient)
    {
        double loss = 0, share = 1.0 / (ModelConfiguration.SlotCount * prediction.Length);
        for (int i = 0; i < prediction.Length; i++)
        {
            double difference = prediction[i] - target[i];
            loss += share * difference * difference;
            gradient[i] = (float)(2 * share * difference);
        }

        return loss;
    }
}
