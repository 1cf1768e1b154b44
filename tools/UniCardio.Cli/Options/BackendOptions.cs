using System.CommandLine;
using UniCardio.Engine;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Quality;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sessions;
using UniCardio.Gpu.Backend;
using UniCardio.Gpu.Devices;
using UniCardio.Gpu.Quality;

namespace UniCardio.Cli.Options;

/// <summary>What a command can compute on.</summary>
internal enum BackendChoice
{
    Cpu,
    Reference,
    Auto,
    Gpu,
    Cuda,
    OpenCl,
}

/// <summary>What computes: <c>--threads</c>, <c>--isa</c> and, where it can be chosen, <c>--backend</c>.</summary>
internal sealed class BackendOptions
{
    private readonly Option<BackendChoice>? _backend;
    private readonly Option<int> _device =
        Bounded.Number("--device", "Number of the cuda or opencl device, as 'devices' lists them.", 0, 63, 0);
    private readonly Option<int> _threads = Bounded.Number("--threads",
        "Threads; 0 for as many as the machine has. Results do not depend on it.", 0, EngineOptions.MaxThreads, 0);
    private readonly KernelCacheOption _kernelCache = new();
    private readonly Option<GpuPrecision>? _precision;
    private readonly Option<CpuInstructionSet> _isa =
        new("--isa")
        {
            Description = "Vector instructions: avx512, avx2, vector128 or scalar; auto measures which is fastest ('devices' says which)."
                + " Bits differ between them, not between machines with one.",
        };

    public BackendOptions(bool choosesBackend = true, bool choosesPrecision = false)
    {
        if (choosesPrecision)
            _precision = new Option<GpuPrecision>("--precision")
                { Description = "On a GPU: what matrix products are computed with; automatic by the device." };
        if (choosesBackend)
            _backend = new Option<BackendChoice>("--backend")
                { Description =
                    "cpu (float32, vectorised), reference (double, slow), gpu (cuda, else opencl on a GPU; see 'devices'), cuda or "
                    + "opencl by name (a CPU seen through OpenCL runs only so), auto (gpu, or cpu where there is none)." };
    }

    public void AddTo(Command command)
    {
        if (_backend is not null)
        {
            command.Add(_backend);
            command.Add(_device);
            if (_precision is not null)
                command.Add(_precision);
            _kernelCache.AddTo(command);
        }

        command.Add(_threads);
        command.Add(_isa);
    }

    private GpuOptions How(ParseResult parsed) =>
        new() { Precision = _precision is null ? GpuPrecision.Automatic : parsed.GetValue(_precision) };

    public int Threads(ParseResult parsed) => parsed.GetValue(_threads);

    private int Device(ParseResult parsed) => parsed.GetValue(_device);

    public CpuInstructionSet InstructionSet(ParseResult parsed) => parsed.GetValue(_isa);

    /// <summary>Makes the chosen backend ready for weights.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="note">Takes a line where another backend than the first choice runs.</param>
    /// <exception cref="UniCardioException">It cannot run here.</exception>
    public IBackend Create(ParseResult parsed, ModelWeights weights, Action<string> note) =>
        Create(parsed, weights, note, device => GpuBackend.Create(weights, device, How(parsed)));

    /// <summary>The same for a server: a GPU backend is warm when it is ready, and made anew after its device failed.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="weights">The weights; must outlive the backend.</param>
    /// <param name="note">Takes a line where another backend than the first choice runs.</param>
    /// <exception cref="UniCardioException">It cannot run here.</exception>
    public IBackend CreateLasting(ParseResult parsed, ModelWeights weights, Action<string> note) =>
        Create(parsed, weights, note, device =>
            RecoveringGpuBackend.Create(weights, device, new GpuOptions { WarmUp = true }));

    private IBackend Create(ParseResult parsed, ModelWeights weights, Action<string> note, Func<DeviceSelector?, IBackend> onGpu)
    {
        if (_backend is not null)
            _kernelCache.Apply(parsed);
        return CreateChosen(parsed, weights, note, onGpu);
    }

    private IBackend CreateChosen(ParseResult parsed, ModelWeights weights, Action<string> note, Func<DeviceSelector?, IBackend> onGpu) =>
        (_backend is null ? BackendChoice.Cpu : parsed.GetValue(_backend)) switch
    {
        BackendChoice.Reference => new ReferenceBackend(weights, Threads(parsed)),
        BackendChoice.Gpu => onGpu(null),
        BackendChoice.Cuda => onGpu(new DeviceSelector("cuda", Device(parsed))),
        BackendChoice.OpenCl => onGpu(new DeviceSelector("opencl", Device(parsed))),
        BackendChoice.Auto => CreateAny(parsed, weights, note, onGpu),
        _ => CreateCpu(parsed, weights),
    };

    /// <summary>Makes a network of the quality family ready; <c>auto</c> is the CPU.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="weights">The weights; must outlive the network.</param>
    /// <exception cref="UniCardioException">It cannot run here.</exception>
    public IQualityNetwork CreateQuality(ParseResult parsed, QualityWeights weights)
    {
        if (_backend is not null)
            _kernelCache.Apply(parsed);
        return (_backend is null ? BackendChoice.Cpu : parsed.GetValue(_backend)) switch
        {
            BackendChoice.Reference => QualityNetwork.Reference(weights),
            BackendChoice.Gpu => GpuQualityNetwork.Create(weights, null, How(parsed)),
            BackendChoice.Cuda => GpuQualityNetwork.Create(weights, new DeviceSelector("cuda", Device(parsed)), How(parsed)),
            BackendChoice.OpenCl => GpuQualityNetwork.Create(weights, new DeviceSelector("opencl", Device(parsed)), How(parsed)),
            _ => QualityNetwork.Cpu(weights, new CpuBackendOptions { Threads = Threads(parsed), InstructionSet = InstructionSet(parsed) }),
        };
    }

    private CpuBackend CreateCpu(ParseResult parsed, ModelWeights weights) =>
        new(weights, new CpuBackendOptions { Threads = Threads(parsed), InstructionSet = InstructionSet(parsed) });

    private IBackend CreateAny(ParseResult parsed, ModelWeights weights, Action<string> note, Func<DeviceSelector?, IBackend> onGpu)
    {
        try
        {
            return onGpu(null);
        }
        catch (Exception e) when (e is BackendUnavailableException or ConfigurationException)
        {
            // No device, or a network that the kernels do not hold.
            note($"{e.Message}; running on the CPU");
            return CreateCpu(parsed, weights);
        }
    }
}
