using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Sessions;

/// <summary>A network made ready to run: loaded once, shared between threads, the source of sessions.</summary>
/// <remarks>
/// Safe to use from several threads. Sessions may outlive <see cref="Dispose"/>: the backend goes with the last of them.
/// Research software, not a medical device.
/// </remarks>
public sealed class InferenceEngine : IDisposable
{
    private readonly SharedLifetime _life;
    private readonly bool _ownsBackend;
    private readonly ModelWeights? _ownedWeights;

    /// <summary>Makes an engine of weights.</summary>
    /// <param name="weights">The weights; the backend packs its own copy of what it needs, but may keep reading them.</param>
    /// <param name="options">What computes, with how many threads; null for the CPU and all of them.</param>
    /// <param name="ownsWeights">Whether disposing the engine disposes the weights.</param>
    /// <exception cref="ConfigurationException">An option is out of range.</exception>
    public InferenceEngine(ModelWeights weights, EngineOptions? options = null, bool ownsWeights = false)
        : this((options ?? new EngineOptions()).Validate().CreateBackend(weights ?? throw new ArgumentNullException(nameof(weights))))
    {
        _ownedWeights = ownsWeights ? weights : null;
    }

    /// <summary>Makes an engine of a backend from elsewhere, e.g. of a GPU.</summary>
    /// <param name="backend">What computes.</param>
    /// <param name="ownsBackend">Whether disposing the engine disposes the backend.</param>
    public InferenceEngine(IBackend backend, bool ownsBackend = true)
    {
        ArgumentNullException.ThrowIfNull(backend);
        Backend = backend;
        _ownsBackend = ownsBackend;
        _life = new SharedLifetime(Free);
    }

    /// <summary>What computes.</summary>
    public IBackend Backend { get; }

    /// <summary>The network's sizes.</summary>
    public ModelConfiguration Configuration => Backend.Configuration;

    /// <summary>Allocates everything that repeated runs of one task need.</summary>
    /// <param name="task">Conditions, target and decoder.</param>
    /// <param name="options">Windows, draws, sampler and seed; null for one window, one draw and the default sampler.</param>
    /// <exception cref="ConfigurationException">An option is out of range or the sampler does not fit the task.</exception>
    /// <exception cref="ObjectDisposedException">The engine is disposed.</exception>
    public InferenceSession CreateSession(CardioTask task, SessionOptions? options = null)
    {
        options ??= new SessionOptions();
        if (options.Sampler is null)
            throw new ConfigurationException("sampler", "no sampler given");
        if (!Configuration.Knows(task))
            throw new ConfigurationException("task", $"'{task}' is none that these weights learned ({Configuration.OwnTasks})");
        var plan = new InferencePlan(Configuration, task, options.Windows, options.Draws);
        var table = SamplerTable.Create(options.Sampler, Configuration, task);
        return _life.Use(this, () => new InferenceSession(this, Backend.CreateExecutor(plan), table, options.Seed));
    }

    /// <summary>Refuses new sessions and frees the backend, at once or with the last session.</summary>
    public void Dispose() => _life.End();

    /// <summary>A session has freed its executor.</summary>
    internal void Release() => _life.Release();

    private void Free()
    {
        if (_ownsBackend)
            Backend.Dispose();
        _ownedWeights?.Dispose();
    }
}
