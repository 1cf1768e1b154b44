using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Backends;

namespace UniCardio.Gpu.Devices;

/// <summary>A device in use: its accelerator and the kernels compiled for it, shared by every backend on it.</summary>
/// <remarks>
/// Safe to use from several threads: whoever queues work holds <see cref="Turn"/>, and all work goes to one stream in order. After a
/// failure the device takes no more part: <see cref="DeviceCache"/> opens a fresh one for the next backend.
/// </remarks>
public sealed class GpuDevice : IDisposable
{
    private readonly bool _ownsContext;
    private readonly Context _context;
    private volatile bool _hasFailed;

    /// <summary>Opens a device.</summary>
    /// <param name="context">The context that found it.</param>
    /// <param name="device">The device.</param>
    /// <param name="ownsContext">Whether the context goes with this.</param>
    public GpuDevice(Context context, Device device, bool ownsContext = false)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(device);
        _context = context;
        _ownsContext = ownsContext;
        string kind = device.AcceleratorType switch
        {
            AcceleratorType.Cuda => "cuda",
            AcceleratorType.OpenCL => "opencl",
            _ => "cpu",
        };
        Name = $"{kind} {device.Name}";
        Accelerator = device.CreateAccelerator(context);
        // CUDA's default stream waits for, and holds up, every other of the process, and cannot be recorded into a graph.
        Stream = device.AcceleratorType == AcceleratorType.Cuda ? Accelerator.CreateStream() : Accelerator.DefaultStream;
        Kernels = new CompiledKernels(this);
    }

    /// <summary>Kind and name.</summary>
    public string Name { get; }

    /// <summary>The accelerator.</summary>
    public Accelerator Accelerator { get; }

    internal CompiledKernels Kernels { get; }

    /// <summary>All work goes here, in order; a CUDA device's own, which no other user of the device waits for.</summary>
    internal AcceleratorStream Stream { get; }

    /// <summary>Held while work is queued: OpenCL keeps a launch's arguments in the kernel, which all threads share.</summary>
    internal Lock Turn { get; } = new();

    /// <summary>Whether something went wrong that the context may not have survived.</summary>
    internal bool HasFailed => _hasFailed;

    /// <summary>Lets the device go, after everything that was allocated on it.</summary>
    public void Dispose()
    {
        Accelerator.Dispose();
        if (_ownsContext)
            _context.Dispose();
    }

    /// <summary>Notes that the device is not to be relied on any more.</summary>
    /// <param name="what">What was done, e.g. <c>a step</c>.</param>
    /// <param name="cause">What the device said.</param>
    /// <returns>The exception for the caller.</returns>
    internal BackendUnavailableException Failed(string what, Exception cause)
    {
        _hasFailed = true;
        return new BackendUnavailableException("gpu", $"{what} failed on {Name}: {cause.GetBaseException().Message}", cause);
    }
}
