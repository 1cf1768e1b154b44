using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;

namespace UniCardio.Engine.Backends.Cpu;

/// <summary>The network on this machine's processors: hand-written float32 SIMD kernels on a team of threads of its own.</summary>
/// <remarks>
/// Weights are folded in double and packed once, at construction; the tensors are not needed afterwards. Results are the same
/// bits for any number of threads and from run to run on one instruction set. Safe to use from several threads: executors of one
/// backend take turns on its team.
/// </remarks>
public sealed class CpuBackend : IBackend
{
    private readonly PackedNetwork _network;
    private readonly ThreadTeam _team;
    private int _disposed;

    /// <summary>Folds and packs the weights and starts the team.</summary>
    /// <param name="weights">The network; may be disposed afterwards.</param>
    /// <param name="options">Threads and instruction set; null for the defaults.</param>
    /// <exception cref="ConfigurationException">An option is out of range, or the instruction set is not available.</exception>
    public CpuBackend(ModelWeights weights, CpuBackendOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        Options = (options ?? new CpuBackendOptions()).Resolve();
        Configuration = weights.Configuration;
        _network = new PackedNetwork(new FoldedNetwork(weights), CpuInstructionSets.Lanes(Options.InstructionSet), Options.Threads);
        _team = new ThreadTeam(Options.Threads);
    }

    /// <summary>The options in force: every default replaced by what it stands for here.</summary>
    public CpuBackendOptions Options { get; }

    /// <inheritdoc/>
    public string Name =>
        $"cpu {CpuInstructionSets.Name(Options.InstructionSet)} x {Options.Threads} thread{(Options.Threads == 1 ? string.Empty : "s")}";

    /// <inheritdoc/>
    public ModelConfiguration Configuration { get; }

    /// <summary>Bytes of packed weights and of the tables filled so far.</summary>
    public long PackedBytes => _network.Bytes;

    /// <inheritdoc/>
    public IExecutor CreateExecutor(InferencePlan plan) => CreateExecutor(plan, null);

    /// <summary>Allocates everything that a plan needs, with every kernel timed.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="profile">Receives the spans of every step; its lists need a member for each thread. Null times nothing and costs
    /// nothing.</param>
    /// <exception cref="ConfigurationException">The plan is for another configuration.</exception>
    internal IExecutor CreateExecutor(InferencePlan plan, CpuProfile? profile)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        if (plan.Configuration != Configuration)
            throw new ConfigurationException("plan", "it was made for another model configuration");
        return CpuInstructionSets.Run<Executor, IExecutor>(Options.InstructionSet,
            new Executor(plan, _network, _team, profile, Options.StripRows));
    }

    /// <summary>Stops the team and frees the packed weights.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _team.Dispose();
        _network.Dispose();
    }

    private sealed record Executor(InferencePlan Plan, PackedNetwork Network, ThreadTeam Team, CpuProfile? Profile, int StripRows)
        : ISimdCode<IExecutor>
    {
        public IExecutor Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct => Profile is null
                ? new CpuExecutor<S, V, ProbeOff>(Plan, Network, Team, null, StripRows)
                : new CpuExecutor<S, V, ProbeOn>(Plan, Network, Team, Profile, StripRows);
    }
}
