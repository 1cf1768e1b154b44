using UniCardio.Engine;
using UniCardio.Serving;

namespace UniCardio.Hosting;

/// <summary>How the model and its addresses run in a host's application. Bound from configuration, checked when it starts.</summary>
public sealed class UniCardioOptions
{
    /// <summary>A file of weights, or a recipe text for untrained ones; null for those that the package ships.</summary>
    public string? Weights { get; set; }

    /// <summary>Lets untrained weights be served, whose output is noise.</summary>
    public bool AllowUntrained { get; set; }

    /// <summary>Threads of the CPU backend; 0 for all cores.</summary>
    public int Threads { get; set; }

    /// <summary>Folder of recordings that clients may have replayed by name; null for none.</summary>
    public string? Recordings { get; set; }

    /// <summary>Folder where live sessions are kept over a restart; null for none.</summary>
    public string? Checkpoints { get; set; }

    /// <summary>Origins of browser pages that may use the addresses beside the application's own.</summary>
    public IList<string> Origins { get; set; } = [];

    /// <summary>Draws where a request or session asks for none, 1 to <see cref="MaxDraws"/>.</summary>
    public int Draws { get; set; } = 8;

    /// <summary>Most draws of a window.</summary>
    public int MaxDraws { get; set; } = 64;

    /// <summary>Most patients with a live session.</summary>
    public int MaxPatients { get; set; } = 64;

    /// <summary>Most live connections and event streams.</summary>
    public int MaxConnections { get; set; } = 256;

    /// <summary>Most bytes of an infer request's body.</summary>
    public long MaxBodyBytes { get; set; } = 16L << 20;

    /// <summary>Memory of bodies, results and replays together, in bytes.</summary>
    public long MaxMemoryBytes { get; set; } = 512L << 20;

    /// <summary>Longest time from an infer request's arrival to its result.</summary>
    public TimeSpan RequestTime { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest time that stopping waits for what is in flight.</summary>
    public TimeSpan DrainTime { get; set; } = TimeSpan.FromSeconds(20);

    // Address, port, token and certificates are the application's own affair.
    internal ServerOptions ToServer() => new ServerOptions
    {
        Recordings = Recordings,
        Checkpoints = Checkpoints,
        Origins = [.. Origins],
        Draws = Draws,
        MaxDraws = MaxDraws,
        Live = new Streaming.LiveSampling { Draws = Draws },
        MaxPatients = MaxPatients,
        MaxConnections = MaxConnections,
        MaxBodyBytes = MaxBodyBytes,
        MaxMemoryBytes = MaxMemoryBytes,
        RequestTime = RequestTime,
        DrainTime = DrainTime,
    }.Validate();

    internal CardioModel Load()
    {
        var engine = new Engine.Sessions.EngineOptions { Threads = Threads };
        CardioModel model = Weights is null ? CardioModel.Load(engine) : CardioModel.Load(Weights, engine);
        if (!model.IsUntrained || AllowUntrained)
            return model;
        model.Dispose();
        throw new ConfigurationException(nameof(Weights),
            "they are untrained: their output is noise; AllowUntrained serves them all the same");
    }
}
