using ILGPU.Runtime.Cuda;
using ILGPU.Runtime;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sessions;
using UniCardio.Engine;
using UniCardio.Gpu.Devices;
using UniCardio.Gpu.Kernels;

namespace UniCardio.Gpu.Backend;

/// <summary>What the GPU backend computes matrix products with.</summary>
public enum GpuPrecision
{
    /// <summary>
    /// By the time model: <see cref="ThreeTf32"/> where the device gains by it (compute capability 8.0, 9.0 and 10.0),
    /// <see cref="SingleTiles"/> on other CUDA devices from 8.0 on, otherwise <see cref="Single"/>.
    /// </summary>
    Automatic,

    /// <summary>Float32 multiply-adds on strips of rows, on every device.</summary>
    Single,

    /// <summary>
    /// Float32 multiply-adds in tiles of 64 x 64 for the four large matrix products; attention, the feed-forward layer and the decoder as
    /// in <see cref="ThreeTf32"/>, whose kernels wait less. CUDA devices of compute capability 8.0 and later.
    /// </summary>
    SingleTiles,

    /// <summary>Tensor cores, each product as three of tf32 parts: float32's precision. CUDA devices of compute capability 8.0 and
    /// later.</summary>
    ThreeTf32,

    /// <summary>
    /// Tensor cores, the large matrix products in tf32: inputs rounded to 11 bits, sums in float32. Attention and the feed-forward layer
    /// stay at three products. Not within the golden tolerance; the kernels' page says what it costs. The same devices.
    /// </summary>
    OneTf32,

    /// <summary>The same with inputs rounded to bf16, 8 bits: products in half the time again, 8 times the error.</summary>
    BFloat16,
}

/// <summary>How the GPU backend launches.</summary>
public sealed record GpuOptions
{
    /// <summary>Everything of a block after attention in one launch, the next block's queries, keys and values with it.</summary>
    public bool FuseBlocks { get; init; } = true;

    /// <summary>Rows of a strip / 4, 1 to 8; 0: as many as leave no multiprocessor without a strip.</summary>
    public int GroupRows { get; init; }

    /// <summary>What matrix products are computed with.</summary>
    public GpuPrecision Precision { get; init; }

    /// <summary>
    /// With <see cref="GpuPrecision.ThreeTf32"/>: plans of so few rows of tokens that the device would idle take kernels of their own, two
    /// launches a block besides attention. Their sums have another order than larger plans', so a window's last bits depend on how many
    /// run with it; off, they do not.
    /// </summary>
    public bool FewRows { get; init; } = true;

    /// <summary>
    /// On tensor cores: the four large maps of every block stay in 16 bits where these hold all their weights exactly, as in f16 and bf16
    /// files: fewer bytes, and two products in place of three. The same network in float32's precision; last bits differ, since constants
    /// that are otherwise in the weights are applied to the sums. Off, weights are widened.
    /// </summary>
    public bool KeepsHalfWeights { get; init; } = true;

    /// <summary>
    /// On CUDA devices: a step that a session is asked for again, with the same row, is recorded as a graph and launched as one. The same
    /// kernels, so the same bits. Off, every kernel is launched by itself.
    /// </summary>
    public bool Graphs { get; init; } = true;

    /// <summary>
    /// Runs one call when the backend is made: what a process does once (launchers, the driver's lazy loading) and the tables of every
    /// slot's positions are there when the first session asks. Seconds at full size; off by default.
    /// </summary>
    public bool WarmUp { get; init; }

    /// <summary>Which tokens of a slot are seen; the default, all of them, is UniCardio.</summary>
    public AttentionPattern Attention { get; init; }
}

/// <summary>The network on a GPU. Weights are uploaded once and shared by all executors; one stream.</summary>
/// <remarks>
/// Safe to use from several threads: executors, and backends on one device, take turns. Executors may outlive <see cref="Dispose"/>: the
/// weights on the device go with the last of them. When the device fails, whoever asks it next gets
/// <see cref="BackendUnavailableException"/>; a new backend starts on a fresh device.
/// </remarks>
public sealed class GpuBackend : IBackend
{
    private readonly SharedLifetime _life;
    private readonly GpuDevice _device;
    private readonly IDisposable? _lease;
    private readonly DeviceNetwork _network;

    /// <summary>Compiles the kernels that the network needs, if they are not yet, and uploads it.</summary>
    /// <param name="device">The device.</param>
    /// <param name="weights">The weights; not needed afterwards.</param>
    /// <param name="options">How to launch.</param>
    /// <param name="lease">Disposed with this, e.g. the use of a shared device.</param>
    /// <exception cref="ConfigurationException">The network is larger than the kernels' tiles, or an option is out of range.</exception>
    /// <exception cref="BackendUnavailableException">A kernel does not compile, or the device has no room.</exception>
    public GpuBackend(GpuDevice device, ModelWeights weights, GpuOptions? options = null, IDisposable? lease = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(weights);
        Options = options ?? new GpuOptions();
        if (Options.GroupRows is < 0 or > Strip.MaxRows / Strip.RowsPerThread)
            throw new ConfigurationException(
                "group_rows", $"{Options.GroupRows} is not between 0 and {Strip.MaxRows / Strip.RowsPerThread}");
        Options.Attention.Validate();
        if (Options.Precision == GpuPrecision.Automatic)
            Options = Options with { Precision = ProductRates.Choice(device.Accelerator) };
        _device = device;
        _lease = lease;
        _life = new SharedLifetime(Free);
        Configuration = weights.Configuration;
        var layout = new DeviceLayout(Configuration, KeptAs(weights));
        int threads = Math.Max(4, layout.Quads);
        if (threads > device.Accelerator.MaxNumThreadsPerGroup)
            throw new ConfigurationException(
                "channels",
                $"{Configuration.Channels} channels need groups of {threads} threads, {device.Name} has "
                + $"{device.Accelerator.MaxNumThreadsPerGroup}");
        lock (device.Turn)
        {
            bool usesTensors = UsesTensors(device, Options.Precision);
            device.Kernels.Prepare(layout, Options);
            try
            {
                _network = new DeviceNetwork(device, layout, weights, usesTensors,
                    Options is { FewRows: true, Precision: GpuPrecision.ThreeTf32 });
            }
            catch (AcceleratorException e)
            {
                throw device.Failed("uploading the weights", e);
            }
        }

        if (Options.WarmUp)
            Warm();
    }

    /// <summary>Makes a network ready on a device that the process keeps open.</summary>
    /// <param name="weights">The weights; not needed afterwards.</param>
    /// <param name="device">Which; null for the first that it starts on of <see cref="DeviceSelector.Automatic"/>.</param>
    /// <param name="options">How to launch.</param>
    /// <exception cref="ConfigurationException">The network is larger than the kernels' tiles, or an option is out of range.</exception>
    /// <exception cref="BackendUnavailableException">It starts on none; the message says why.</exception>
    public static GpuBackend Create(ModelWeights weights, DeviceSelector? device = null, GpuOptions? options = null) =>
        GpuDevices.Start(device, lease => new GpuBackend(lease.Device, weights, options, lease));

    /// <inheritdoc/>
    public string Name => $"gpu {_device.Name}";

    /// <inheritdoc/>
    public ModelConfiguration Configuration { get; }

    /// <summary>How it launches.</summary>
    public GpuOptions Options { get; }

    /// <summary>Bits of a weight of a block's large maps in tiles (few rows take 32):
    /// 32, or 16 with <see cref="GpuOptions.KeepsHalfWeights"/>.</summary>
    public int WeightBits => _network.Layout.Weights == WeightKind.Single ? 32 : 16;

    /// <summary>Whether its device failed: nothing made of this works any more.</summary>
    public bool HasFailed => _device.HasFailed;

    /// <inheritdoc/>
    public IExecutor CreateExecutor(InferencePlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (plan.Configuration != Configuration)
            throw new ConfigurationException("plan", "its configuration is not the one that the weights were loaded with");
        return _life.Use(this, () => new GpuExecutor(_device, _network, plan, Options, _life.Release));
    }

    /// <summary>Refuses new executors and frees the weights on the device, at once or with the last executor.</summary>
    public void Dispose() => _life.End();

    // All but strips take instructions of compute capability 8.0.
    internal static bool UsesTensors(GpuDevice device, GpuPrecision precision)
    {
        if (precision == GpuPrecision.Single)
            return false;
        if (device.Accelerator is not CudaAccelerator { Architecture.Major: >= 8 })
            throw new ConfigurationException(
                "precision", $"{device.Name} has no tensor cores for tf32, which CUDA devices of compute capability 8.0 and later have");
        return true;
    }

    // One product of bf16 takes bf16 weights as they are; one of tf32, and float32 multiply-adds, have no text for them.
    private WeightKind KeptAs(ModelWeights weights)
    {
        if (!Options.KeepsHalfWeights || Options.Precision is not (GpuPrecision.ThreeTf32 or GpuPrecision.BFloat16))
            return WeightKind.Single;
        WeightKind kind = WeightKinds.Of(weights);
        return Options.Precision == GpuPrecision.BFloat16 && kind == WeightKind.Half ? WeightKind.Single : kind;
    }

    // Three conditions and the fourth slot as target: every table of positions.
    private void Warm()
    {
        try
        {
            var plan = new InferencePlan(Configuration, CardioTask.Parse("impute bp | ppg,ecg"));
            using IExecutor executor = CreateExecutor(plan);
            executor.SetConditions(new float[plan.ConditionSamples]);
            executor.SetState(new float[plan.StateSamples]);
            executor.Predict(0, new float[plan.StateSamples]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private void Free()
    {
        lock (_device.Turn)
            _network.Dispose();
        _lease?.Dispose();
    }
}
