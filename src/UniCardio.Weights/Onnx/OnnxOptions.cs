using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;

namespace UniCardio.Weights.Onnx;

/// <summary>What an ONNX file is of.</summary>
public sealed record OnnxOptions
{
    /// <summary>Conditions and target: one file serves one task.</summary>
    public CardioTask Task { get; init; } = CardioTask.Translate(ModalitySet.Ppg, Modality.Ecg);

    /// <summary>Windows W of a call, 1 to <see cref="InferencePlan.MaxBatch"/>; null leaves them to the host, call by call.</summary>
    public int? Windows { get; init; }

    /// <summary>Draws N a window, 1 to <see cref="InferencePlan.MaxBatch"/>; null leaves them to the host, call by call.</summary>
    public int? Draws { get; init; }

    /// <summary>Sampler whose rows the metadata holds; <see cref="SamplerOptions.Default"/> stands for the network's own.</summary>
    public SamplerOptions Sampler { get; init; } = SamplerOptions.Default;

    /// <summary>Checks task, windows and draws.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ConfigurationException">One is out of range; it is named.</exception>
    public OnnxOptions Validate(ModelConfiguration configuration)
    {
        _ = new InferencePlan(configuration, Task, Windows ?? 1, Draws ?? 1);
        return this;
    }
}
