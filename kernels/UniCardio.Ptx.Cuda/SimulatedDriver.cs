using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace UniCardio.Ptx.Cuda;

/// <summary>A launch that the simulated device executed.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Grid">Groups.</param>
/// <param name="Group">Threads of a group.</param>
/// <param name="Counts">What was counted, where the device's options ask for a profile.</param>
public sealed record DriverLaunch(PtxKernel Kernel, PtxDim Grid, PtxDim Group, LaunchCounts? Counts);

/// <summary>
/// A CUDA driver for this process: the functions of <c>libcuda.so</c> that ILGPU, streams and graphs need, carried out by the PTX simulator.
/// </summary>
/// <remarks>
/// Work of a stream waits until somebody asks for its end, and copies to and from page-locked memory with it, as they may on a device:
/// what the host reads without waiting is old. A fault of a kernel loses the device, as a GPU's does: every call fails from then on, until
/// <see cref="Restart"/>. Safe to use from several threads; calls take turns.
/// </remarks>
public sealed unsafe partial class SimulatedDriver
{
    private static readonly Lock s_lock = new();
    private static SimulatedDriver? s_current;

    private readonly (string Name, Func<nint, CudaResult> Call)[] _functions;
    private readonly Dictionary<nint, string> _messages = [];
    private readonly Lock _turn = new();
    private readonly List<DriverLaunch> _launches = [];
    private PtxDevice _device;

    private SimulatedDriver(SimulatedGpu gpu)
    {
        Gpu = gpu;
        _device = new PtxDevice(gpu.Options);
        _functions = [.. Devices(), .. Memory(), .. Streams(), .. Modules(), .. Graphs()];
    }

    /// <summary>What the device is.</summary>
    public SimulatedGpu Gpu { get; private set; }

    /// <summary>Why the device is lost; null while it works.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>Bytes that are allocated on the device.</summary>
    public long AllocatedBytes => _device.AllocatedBytes;

    /// <summary>Modules loaded since the start, that is kernels compiled.</summary>
    public int ModulesLoaded { get; private set; }

    /// <summary>Launches since <see cref="ClearLaunches"/>, in the order of their execution.</summary>
    public IReadOnlyList<DriverLaunch> Launches
    {
        get
        {
            lock (_turn)
                return [.. _launches];
        }
    }

    /// <summary>Bytes that may still be allocated before the device calls itself full.</summary>
    public long FreeBytes { get; set; } = long.MaxValue;

    /// <summary>Name of a kernel, or a part of it, whose module the driver refuses to load; null for none.</summary>
    public string? RefusedKernel { get; set; }

    /// <summary>Makes the driver this process's: compiles its library, where it was not done before, and loads it.</summary>
    /// <param name="gpu">The device.</param>
    /// <param name="directory">Where the library goes; null for the program's own folder, in which libraries are looked for first.</param>
    /// <exception cref="PlatformNotSupportedException">There is no C compiler.</exception>
    public static SimulatedDriver Start(SimulatedGpu gpu, string? directory = null)
    {
        ArgumentNullException.ThrowIfNull(gpu);
        lock (s_lock)
        {
            if (s_current is { } running)
            {
                running.Restart(gpu);
                return running;
            }

            var driver = new SimulatedDriver(gpu);
            DriverLibrary.Load(directory ?? AppContext.BaseDirectory, [.. driver._functions.Select(f => f.Name)], &Dispatch);
            return s_current = driver;
        }
    }

    /// <summary>A device as new; what was on the one before is gone, and its users get errors.</summary>
    public void Restart(SimulatedGpu gpu)
    {
        ArgumentNullException.ThrowIfNull(gpu);
        lock (_turn)
        {
            Gpu = gpu;
            Fault = null;
            FreeBytes = long.MaxValue;
            RefusedKernel = null;
            _launches.Clear();
            foreach (DriverStream stream in _streams.Values)
                stream.Drop();
            if (_device.AllocatedBytes == 0 || _device.Options != gpu.Options)
                _device = new PtxDevice(gpu.Options);
        }
    }

    /// <summary>The device answers no more, as after a fault of its memory.</summary>
    public void Lose()
    {
        lock (_turn)
            Fault ??= new CudaException(CudaResult.IllegalAddress, "the device was lost on purpose");
    }

    /// <summary>Forgets the launches.</summary>
    public void ClearLaunches()
    {
        lock (_turn)
            _launches.Clear();
    }

    [UnmanagedCallersOnly(CallConvs = [])]
    private static int Dispatch(int function, long* arguments)
    {
        SimulatedDriver? driver = s_current;
        return driver is null ? (int)CudaResult.Unknown : (int)driver.Call(function, (nint)arguments);
    }

    // Calls that a lost context still answers.
    private static bool SurvivesLoss(string name) =>
        name is "cuGetErrorString" or "cuInit" or "cuDriverGetVersion" or "cuCtxSetCurrent" or "cuCtxCreate_v2" || name.StartsWith("cuDevice", StringComparison.Ordinal);

    private CudaResult Call(int function, nint arguments)
    {
        (string name, Func<nint, CudaResult> call) = _functions[function];
        lock (_turn)
        {
            if (Fault is not null && !SurvivesLoss(name))
                return name.StartsWith("cuCtxDestroy", StringComparison.Ordinal) ? Forget() : CudaResult.IllegalAddress;
            try
            {
                return call(arguments);
            }
            catch (CudaException e)
            {
                return e.Result;
            }
            catch (PtxFaultException e)
            {
                Fault = e;
                return e.Kind switch
                {
                    PtxFaultKind.Bounds or PtxFaultKind.Alignment => CudaResult.IllegalAddress,
                    _ => CudaResult.LaunchFailed,
                };
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Nothing may cross the native caller.
                Fault = e;
                return CudaResult.Unknown;
            }
        }
    }

    // A lost context that is destroyed takes its memory along; the next one finds the device as new.
    private CudaResult Forget()
    {
        _device.Dispose();
        _device = new PtxDevice(Gpu.Options);
        _streams.Clear();
        Fault = null;
        return CudaResult.Success;
    }

    private static long Argument(nint arguments, int i) => ((long*)arguments)[i];

    private static void Return<T>(nint arguments, int i, T value)
        where T : unmanaged
    {
        if (Argument(arguments, i) == 0)
            throw new CudaException(CudaResult.InvalidValue, "a null pointer to a result");
        Unsafe.WriteUnaligned((void*)Argument(arguments, i), value);
    }

    private static CudaResult Done(Action action)
    {
        action();
        return CudaResult.Success;
    }

    private IEnumerable<(string Name, Func<nint, CudaResult> Call)> Devices() =>
    [
        ("cuInit", _ => CudaResult.Success),
        ("cuDriverGetVersion", a => Done(() => Return(a, 0, 12020))),
        ("cuGetErrorString", GetErrorString),
        ("cuDeviceGetCount", a => Done(() => Return(a, 0, 1))),
        ("cuDeviceGet", a => Done(() => Return(a, 0, (int)Argument(a, 1)))),
        ("cuDeviceGetName", GetName),
        ("cuDeviceGetAttribute", a => Done(() => Return(a, 0, Gpu.Attribute((int)Argument(a, 1))))),
        ("cuDeviceTotalMem_v2", a => Done(() => Return(a, 0, Gpu.Options.MemoryBytes))),
        ("cuDeviceCanAccessPeer", a => Done(() => Return(a, 0, 0))),
        ("cuCtxCreate_v2", a => Done(() => Return(a, 0, (long)NextHandle()))),
        ("cuCtxDestroy_v2", _ => CudaResult.Success),
        ("cuCtxSetCurrent", _ => CudaResult.Success),
        ("cuCtxSynchronize", _ => Done(RunAll)),
        ("cuCtxGetCacheConfig", a => Done(() => Return(a, 0, 0))),
        ("cuCtxSetCacheConfig", _ => CudaResult.Success),
        ("cuCtxGetSharedMemConfig", a => Done(() => Return(a, 0, 0))),
        ("cuCtxSetSharedMemConfig", _ => CudaResult.Success),
    ];

    private CudaResult GetErrorString(nint a)
    {
        nint code = (nint)(int)Argument(a, 0);
        string text = Fault is null ? $"simulated driver: {(CudaResult)(int)code}" : $"simulated driver: {(CudaResult)(int)code}: {Fault.Message}";
        // Kept for good: the caller gets a pointer.
        nint message = Marshal.StringToCoTaskMemUTF8(text);
        _messages[message] = text;
        Return(a, 1, message);
        return CudaResult.Success;
    }

    private CudaResult GetName(nint a)
    {
        var target = new Span<byte>((void*)Argument(a, 0), (int)Argument(a, 1));
        target.Clear();
        System.Text.Encoding.ASCII.GetBytes(Gpu.Name.AsSpan(0, Math.Min(Gpu.Name.Length, target.Length - 1)), target);
        return CudaResult.Success;
    }
}
