using UniCardio.Engine;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;

namespace UniCardio.Kernels;

/// <summary>How the GPU backend launches.</summary>
public sealed record GpuOptions
{
    /// <summary>Everything of a block behind attention in one launch, the next block's queries, keys and values with it.</summary>
    public bool FuseBlocks { get; init; } = true;

    /// <summary>Rows of a strip / 4, 1 to 8; 0: as many as leave no multiprocessor without a strip.</summary>
    public int GroupRows { get; init; }
}

/// <summary>The network on a GPU. Weights are uploaded once and shared by all executors; one stream.</summary>
public sealed class GpuBackend : IBackend
{
    private readonly GpuDevice _device;
    private readonly bool _ownsDevice;
    private readonly DeviceNetwork _network;

    /// <summary>Uploads a network.</summary>
    /// <param name="device">The device.</param>
    /// <param name="weights">The weights; not needed afterwards.</param>
    /// <param name="options">How to launch.</param>
    /// <param name="ownsDevice">Whether the device goes with this.</param>
    /// <exception cref="ConfigurationException">The network is larger than the kernels' tiles.</exception>
    public GpuBackend(GpuDevice device, ModelWeights weights, GpuOptions? options = null, bool ownsDevice = false)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(weights);
        Options = options ?? new GpuOptions();
        if (Options.GroupRows is < 0 or > Strip.MaxRows / Strip.RowsPerThread)
            throw new ConfigurationException("group_rows", $"{Options.GroupRows} is not between 0 and {Strip.MaxRows / Strip.RowsPerThread}");
        _device = device;
        _ownsDevice = ownsDevice;
        Configuration = weights.Configuration;
        _network = new DeviceNetwork(device.Accelerator, weights);
        int threads = Math.Max(4, _network.Layout.Quads);
        if (threads > device.Accelerator.MaxNumThreadsPerGroup)
            throw new ConfigurationException("channels", $"{Configuration.Channels} channels need groups of {threads} threads, {device.Name} has {device.Accelerator.MaxNumThreadsPerGroup}");
    }

    /// <inheritdoc/>
    public string Name => $"gpu {_device.Name}";

    /// <inheritdoc/>
    public ModelConfiguration Configuration { get; }

    /// <summary>How it launches.</summary>
    public GpuOptions Options { get; }

    /// <inheritdoc/>
    public IExecutor CreateExecutor(InferencePlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (plan.Configuration != Configuration)
            throw new ConfigurationException("plan", "its configuration is not the one that the weights were loaded with");
        return new GpuExecutor(_device, _network, plan, Options);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _network.Dispose();
        if (_ownsDevice)
            _device.Dispose();
    }
}
