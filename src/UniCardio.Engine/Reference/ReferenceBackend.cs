using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;

namespace UniCardio.Engine.Reference;

/// <summary>The reference network as a backend: live slots only, everything in double, results rounded to float32 once when they are read.</summary>
/// <remarks>For checking, not for speed: tens of times slower than the CPU backend.</remarks>
public sealed class ReferenceBackend : IBackend
{
    private readonly ReferenceNetwork _network;

    /// <summary>Creates the backend over a copy of the weights in double.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="threads">Most threads at a time; 0 for as many as the machine has. Results do not depend on it.</param>
    /// <param name="pattern">Which tokens of a readable slot are seen; the default, all of them, is the official network.</param>
    public ReferenceBackend(ModelWeights weights, int threads = 0, AttentionPattern pattern = default)
    {
        _network = new ReferenceNetwork(weights, threads, pattern);
    }

    /// <inheritdoc/>
    public string Name => "reference";

    /// <inheritdoc/>
    public ModelConfiguration Configuration => _network.Configuration;

    /// <summary>The network behind the backend, e.g. for its dense form and its intermediate values.</summary>
    public ReferenceNetwork Network => _network;

    /// <inheritdoc/>
    public IExecutor CreateExecutor(InferencePlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (plan.Configuration != Configuration)
            throw new ConfigurationException("plan", "its configuration is not the one that the weights were loaded with");
        return new ReferenceExecutor(_network, plan);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
