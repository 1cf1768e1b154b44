using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using UniCardio.Engine.Backends;
using UniCardio.Gpu.Backend;

namespace UniCardio.Gpu.Devices;

/// <summary>A device that the GPU backend could run on.</summary>
/// <param name="Kind"><c>cuda</c> or <c>opencl</c>.</param>
/// <param name="Index">Number among the devices of the kind.</param>
/// <param name="Name">The device's own name; empty where none was found.</param>
/// <param name="Refusal">Why it cannot be used; null where it can.</param>
/// <param name="IsProcessor">A CPU seen through OpenCL: used only where <c>opencl</c> is asked for by name.</param>
/// <param name="Memory">Bytes of memory; 0 where none was found.</param>
internal sealed record GpuDeviceInfo(string Kind, int Index, string Name, string? Refusal, bool IsProcessor = false, long Memory = 0)
{
    /// <summary>What matrix products are computed with where nothing else is asked for.</summary>
    public GpuPrecision Products { get; init; } = GpuPrecision.Single;

    /// <summary>CUDA devices: compute capability, such as 9.0; otherwise empty.</summary>
    public string Capability { get; init; } = "";

    /// <summary>Multiprocessors; 0 where no device was found.</summary>
    public int Multiprocessors { get; init; }
}

/// <summary>Finds ILGPU's devices: CUDA first, then OpenCL; its CPU device only where it is asked for by name.</summary>
internal static class GpuDevices
{
    /// <summary>
    /// Environment variable; <c>1</c> takes OpenCL devices that report no generic address space (PoCL before 4.0), which ILGPU refuses.
    /// None of the kernels needs one. Off by default: it is for tests on a CPU.
    /// </summary>
    public const string GenericSpaceVariable = "UNICARDIO_OPENCL_ASSUME_GENERIC";

    // ILGPU's CPU device gives each thread of a group an OS thread: enough of them for the widest strip kernel of a small network.
    private const int CpuThreadsPerWarp = 4;
    private const int CpuWarps = 64;

    private static readonly DeviceCache s_devices = new(Open);

    /// <summary>Whether OpenCL devices without a generic address space are taken; see <see cref="GenericSpaceVariable"/>.</summary>
    public static bool AssumesGenericSpace { get; set; } = Environment.GetEnvironmentVariable(GenericSpaceVariable) == "1";

    /// <summary>
    /// Environment variable; the folder of <see cref="KernelCacheFolder"/>, <c>off</c> for none.
    /// </summary>
    public const string KernelCacheVariable = "UNICARDIO_KERNEL_CACHE";

    /// <summary>
    /// Folder in which compiled kernels of CUDA devices are kept from one process to the next, made when it is needed; null for none. What
    /// <see cref="KernelCacheVariable"/> says; without it none. A folder that cannot be used costs the compilation and nothing else.
    /// </summary>
    public static string? KernelCacheFolder { get; set; } = CacheFolder(null);

    /// <summary>The folder that an option or <see cref="KernelCacheVariable"/> names; <c>off</c> is none.</summary>
    /// <param name="option">The option's value; null if it was not given.</param>
    /// <param name="isUsual">Whether the user's cache folder is meant where neither says anything.</param>
    internal static string? CacheFolder(string? option, bool isUsual = false) =>
        (option ?? Environment.GetEnvironmentVariable(KernelCacheVariable)) switch
        {
            { Length: > 0 } named => named == "off" ? null : Path.GetFullPath(named),
            _ => isUsual ? KernelCache.UserFolder() : null,
        };

    /// <summary>Every device found, and one line for each kind of which none is usable, with the reason.</summary>
    public static IReadOnlyList<GpuDeviceInfo> List()
    {
        var found = new List<GpuDeviceInfo>();
        foreach (string kind in (string[])["cuda", "opencl"])
        {
            try
            {
                using Context context = Create(kind);
                Device[] devices = [.. Of(context, new DeviceSelector(kind))];
                found.AddRange(devices.Select((d, i) => Info(kind, i, d)));
                if (devices.Length == 0)
                    found.Add(new GpuDeviceInfo(kind, 0, "", Missing(new DeviceSelector(kind))));
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                found.Add(new GpuDeviceInfo(kind, 0, "", e.GetBaseException().Message));
            }
        }

        return found;
    }

    /// <summary>Opens a device of its own, which nobody else uses.</summary>
    /// <exception cref="BackendUnavailableException">There is none; the message says why.</exception>
    public static GpuDevice Open(DeviceSelector selector)
    {
        Context? context = null;
        try
        {
            context = Create(selector.Kind);
            Device device = Of(context, selector).ElementAtOrDefault(selector.Index)
                ?? throw new BackendUnavailableException("gpu", $"{selector}: {Missing(selector)}");
            return new GpuDevice(context, device, ownsContext: true);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            context?.Dispose();
            if (e is BackendUnavailableException)
                throw;
            throw new BackendUnavailableException("gpu", $"{selector}: {e.GetBaseException().Message}", e);
        }
    }

    /// <summary>Starts something on a device of the process.</summary>
    /// <param name="device">Which; null for the first that it starts on of <see cref="DeviceSelector.Automatic"/>.</param>
    /// <param name="start">Takes over the lease, unless it throws.</param>
    /// <exception cref="BackendUnavailableException">It starts on none; the message says why.</exception>
    internal static T Start<T>(DeviceSelector? device, Func<DeviceLease, T> start) =>
        s_devices.Start(device is { } one ? [one] : DeviceSelector.Automatic, start);

    private static GpuDeviceInfo Info(string kind, int index, Device device)
    {
        var info = new GpuDeviceInfo(kind, index, device.Name, null, IsProcessor(device), device.MemorySize)
            { Multiprocessors = device.NumMultiprocessors };
        return device is CudaDevice { Architecture: { } a }
            ? info with { Products = ProductRates.Choice(a.Major, a.Minor), Capability = $"{a.Major}.{a.Minor}" } : info;
    }

    // ILGPU passes over what it cannot use without a word.
    private static string Missing(DeviceSelector selector) => selector switch
    {
        { Index: > 0 } => "there is no device of that number",
        { Kind: "cuda" } => "no CUDA driver or no device",
        { Kind: "opencl", AcceptsProcessors: true } =>
            "no OpenCL library (libOpenCL.so) or no device with OpenCL C 2.0 or later and a generic address space",
        { Kind: "opencl" } =>
            "no OpenCL library (libOpenCL.so) or no GPU with OpenCL C 2.0 or later and a generic address space (a CPU is used only by "
            + "--backend opencl)",
        _ => "no device",
    };

    // A context always holds ILGPU's CPU device too.
    private static IEnumerable<Device> Of(Context context, DeviceSelector selector) => context.Devices.Where(d => selector.Kind switch
    {
        "cuda" => d.AcceleratorType == AcceleratorType.Cuda,
        "opencl" => d.AcceleratorType == AcceleratorType.OpenCL && (selector.AcceptsProcessors || !IsProcessor(d)),
        _ => d.AcceleratorType == AcceleratorType.CPU,
    });

    private static bool IsProcessor(Device device) => device is CLDevice cl && cl.DeviceType.HasFlag(CLDeviceType.CL_DEVICE_TYPE_CPU);

    private static Context Create(string kind) => Context.Create(b =>
    {
        b.EnableAlgorithms().Optimize(OptimizationLevel.O2);
        switch (kind)
        {
            case "cuda":
                // Events are for LaunchClock; asked for or not, they cost nothing until one is recorded.
                b.Profiling().Cuda();
                break;
            case "opencl" when AssumesGenericSpace:
                b.OpenCL(AssumeGenericSpace);
                break;
            case "opencl":
                b.OpenCL();
                break;
            default:
                b.CPU(new CPUDevice(CpuThreadsPerWarp, CpuWarps, 1));
                break;
        }
    });

    // The accelerator asks the same capability again, so it is set on the device and not only passed over. What the device says of its
    // OpenCL C is no use here: PoCL names 1.2, its oldest, and takes 2.0 and later.
    private static bool AssumeGenericSpace(CLDevice device)
    {
        SetGenericAddressSpace(device.Capabilities, true);
        return true;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_GenericAddressSpace")]
    private static extern void SetGenericAddressSpace(CLCapabilityContext capabilities, bool value);
}
