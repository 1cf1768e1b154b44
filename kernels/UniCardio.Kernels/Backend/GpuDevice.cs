using ILGPU;
using ILGPU.Runtime;

namespace UniCardio.Kernels;

/// <summary>A device in use: its accelerator and the kernels compiled for it, kept for the process.</summary>
public sealed class GpuDevice : IDisposable
{
    private readonly bool _ownsContext;
    private readonly Context _context;

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
        Name = $"{(device.AcceleratorType == AcceleratorType.Cuda ? "cuda" : device.AcceleratorType == AcceleratorType.OpenCL ? "opencl" : "cpu")} {device.Name}";
        Accelerator = device.CreateAccelerator(context);
        try
        {
            Kernels = new CompiledKernels(Accelerator);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Kind and name.</summary>
    public string Name { get; }

    /// <summary>The accelerator.</summary>
    public Accelerator Accelerator { get; }

    internal CompiledKernels Kernels { get; } = null!;

    /// <summary>Lets the device go, after everything that was allocated on it.</summary>
    public void Dispose()
    {
        Accelerator.Dispose();
        if (_ownsContext)
            _context.Dispose();
    }
}
