using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace UniCardio.Ptx.Cuda;

/// <summary>A launch that the simulated device executed.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Grid">Groups.</param>
/// <param name="Group">Threads of a group.</param>
/// <param name="Counts">What was counted, where the device's options ask for a profile.</param>
internal sealed record DriverLaunch(PtxKernel Kernel, PtxDim Grid, PtxDim Group, LaunchCounts? Counts);

/// <summary>
/// A CUDA driver for this process: the functions of <c>libcuda.so</c> that ILGPU, streams and graphs need, carried out by the PTX
/// simulator.
/// </summary>
/// <remarks>
/// Work of a stream waits until somebody asks for its end, and copies to and from page-locked memory with it, as they may on a device:
/// what the host reads without waiting is old. A fault of a kernel loses its context, as a GPU's does: every call in it fails from then on.
/// Safe to use from several threads; calls take turns.
/// </remarks>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA1001", Justification =
    "Lives as long as the process, as a driver does.")]
internal sealed unsafe partial class SimulatedDriver
{
    private static readonly Lock s_lock = new();
    private static SimulatedDriver? s_current;

    [ThreadStatic]
    private static long s_context;

    private readonly (string Name, Func<nint, CudaResult> Call)[] _functions;
    private readonly Dictionary<nint, string> _messages = [];
    private readonly Lock _turn = new();
    private readonly List<DriverLaunch> _launches = [];
    private readonly HashSet<long> _contexts = [];
    private readonly HashSet<long> _lost = [];
    private PtxDevice _device;

    private SimulatedDriver(SimulatedGpu gpu)
    {
        Gpu = gpu;
        _device = new PtxDevice(gpu.Options);
        _functions = [.. Devices(), .. Memory(), .. Streams(), .. Modules(), .. Graphs()];
    }

    /// <summary>What the device is.</summary>
    public SimulatedGpu Gpu { get; private set; }

    /// <summary>Why the context that was lost last was; null if none was.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>Why the last call that was refused was; empty if none was. Error strings carry it.</summary>
    public string LastRefusal { get; private set; } = "";

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

    /// <summary>Once it is cancelled, launches are passed over: no exception crosses the driver's native calls, so whoever cancels looks at
    /// the token when its call returns.</summary>
    public CancellationToken Cancellation { get; set; }

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
            if (_device.AllocatedBytes == 0 || _device.Options != gpu.Options)
                _device = new PtxDevice(gpu.Options);
        }
    }

    /// <summary>The newest context answers no more, as after a fault of the device's memory; older and new ones work.</summary>
    public void LoseNewest()
    {
        lock (_turn)
        {
            Fault = new CudaException(CudaResult.IllegalAddress, "the device was lost on purpose");
            _lost.Add(_contexts.Max());
        }
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
        name is "cuGetErrorString" or "cuInit" or "cuDriverGetVersion" or "cuCtxSetCurrent" or "cuCtxCreate_v2" or "cuCtxDestroy_v2"
            || name.StartsWith("cuDevice", StringComparison.Ordinal);

    private CudaResult Call(int function, nint arguments)
    {
        (string name, Func<nint, CudaResult> call) = _functions[function];
        lock (_turn)
        {
            if (_lost.Contains(s_context) && !SurvivesLoss(name))
                return CudaResult.IllegalAddress;
            try
            {
                return call(arguments);
            }
            catch (CudaException e)
            {
                LastRefusal = e.Message;
                return e.Result;
            }
            catch (PtxFaultException e)
            {
                LastRefusal = e.Message;
                Lose(e);
                return e.Kind switch
                {
                    PtxFaultKind.Bounds or PtxFaultKind.Alignment => CudaResult.IllegalAddress,
                    _ => CudaResult.LaunchFailed,
                };
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Nothing may cross the native caller.
                LastRefusal = e.Message;
                Lose(e);
                return CudaResult.Unknown;
            }
        }
    }

    private void Lose(Exception cause)
    {
        Fault = cause;
        _lost.Add(s_context);
    }

    private long CreateContext()
    {
        s_context = NextHandle();
        _contexts.Add(s_context);
        return s_context;
    }

    // A context takes its memory along, whatever became of it.
    private void Destroy(long context)
    {
        foreach (ulong address in _allocations.Where(a => a.Value.Context == context).Select(a => a.Key).ToArray())
        {
            _allocations.Remove(address);
            _device.Free(address);
        }

        _contexts.Remove(context);
        _lost.Remove(context);
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
        ("cuCtxCreate_v2", a => Done(() => Return(a, 0, CreateContext()))),
        ("cuCtxDestroy_v2", a => Done(() => Destroy(Argument(a, 0)))),
        ("cuCtxSetCurrent", a => Done(() => s_context = Argument(a, 0))),
        ("cuCtxSynchronize", _ => Done(RunAll)),
        ("cuCtxGetCacheConfig", a => Done(() => Return(a, 0, 0))),
        ("cuCtxSetCacheConfig", _ => CudaResult.Success),
        ("cuCtxGetSharedMemConfig", a => Done(() => Return(a, 0, 0))),
        ("cuCtxSetSharedMemConfig", _ => CudaResult.Success),
    ];

    private CudaResult GetErrorString(nint a)
    {
        nint code = (nint)(int)Argument(a, 0);
        string text = $"simulated driver: {(CudaResult)(int)code}: {(LastRefusal.Length > 0 ? LastRefusal : Fault?.Message)}";
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
