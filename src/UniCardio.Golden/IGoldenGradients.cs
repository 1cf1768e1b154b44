using UniCardio.Engine.Model;

namespace UniCardio.Golden;

/// <summary>A network that can be differentiated. Golden files know no training; who has a network that trains gives it to the verifier.</summary>
public interface IGoldenGradients : IDisposable
{
    /// <summary>What computes, for the report.</summary>
    string Name { get; }

    /// <summary>Loss sum((targets - prediction)^2) / (4S) over B windows without dropout, and its gradients.</summary>
    /// <param name="task">Conditions, target and decoder of every window.</param>
    /// <param name="steps">[B] diffusion step of each window.</param>
    /// <param name="inputs">[B, 4S], x_t in the target's slot; dead slots are not read.</param>
    /// <param name="targets">[B, S] what the network should predict.</param>
    GoldenGradients Compute(CardioTask task, IReadOnlyList<int> steps, ReadOnlyMemory<float> inputs, ReadOnlyMemory<float> targets);
}

/// <summary>A loss and its gradients.</summary>
/// <param name="Loss">Sum over the windows.</param>
/// <param name="Parameters">Gradient of every parameter of the network, row-major, by name without <see cref="ParameterCatalog.Prefix"/>; zeros where the loss does not depend on it.</param>
public sealed record GoldenGradients(double Loss, IReadOnlyDictionary<string, ReadOnlyMemory<float>> Parameters);
