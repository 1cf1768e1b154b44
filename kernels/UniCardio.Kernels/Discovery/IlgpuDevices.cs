using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using UniCardio.Engine.Backends;

namespace UniCardio.Kernels;

/// <summary>Finds ILGPU's devices: CUDA first, then OpenCL; its CPU device only where it is asked for by name.</summary>
public static class IlgpuDevices
{
    // ILGPU's CPU device gives each thread of a group an OS thread: enough of them for the widest strip kernel of a small network.
    private const int CpuThreadsPerWarp = 4;
    private const int CpuWarps = 64;

    private static readonly DeviceCache s_devices = new(Open);

    /// <summary>Every device found, and one line for each kind of which none is usable, with the reason.</summary>
    public static IReadOnlyList<BackendDevice> List()
    {
        var found = new List<BackendDevice>();
        foreach (string kind in (string[])["cuda", "opencl"])
        {
            try
            {
                using Context context = Create(kind);
                Device[] devices = [.. Of(context, kind)];
                found.AddRange(devices.Select(d => new BackendDevice(kind, d.Name, null)));
                if (devices.Length == 0)
                    found.Add(new BackendDevice(kind, "", Missing(kind)));
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                found.Add(new BackendDevice(kind, "", e.GetBaseException().Message));
            }
        }

        return found;
    }

    /// <summary>Opens a device of its own, which nobody else uses.</summary>
    /// <param name="kind"><c>cuda</c>, <c>opencl</c> or <c>cpu</c>.</param>
    /// <exception cref="BackendUnavailableException">There is none; the message says why.</exception>
    public static GpuDevice Open(string kind)
    {
        Context? context = null;
        try
        {
            context = Create(kind);
            Device device = Of(context, kind).FirstOrDefault() ?? throw new BackendUnavailableException("gpu", $"{kind}: {Missing(kind)}");
            return new GpuDevice(context, device, ownsContext: true);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            context?.Dispose();
            if (e is BackendUnavailableException)
                throw;
            throw new BackendUnavailableException("gpu", $"{kind}: {e.GetBaseException().Message}", e);
        }
    }

    /// <summary>Starts something on the process's device of a kind.</summary>
    /// <param name="kind"><c>cuda</c>, <c>opencl</c> or <c>cpu</c>; null for the first of CUDA and OpenCL that it starts on.</param>
    /// <param name="start">Takes over the lease, unless it throws.</param>
    /// <exception cref="BackendUnavailableException">It starts on none; the message says why.</exception>
    internal static T Start<T>(string? kind, Func<DeviceLease, T> start) => s_devices.Start(kind is null ? ["cuda", "opencl"] : [kind], start);

    // ILGPU passes over what it cannot use without a word.
    private static string Missing(string kind) => kind switch
    {
        "cuda" => "no CUDA driver or no device",
        "opencl" => "no OpenCL library (libOpenCL.so) or no device with OpenCL C 2.0 or later and a generic address space",
        _ => "no device",
    };

    // A context always holds ILGPU's CPU device too.
    private static IEnumerable<Device> Of(Context context, string kind) => context.Devices.Where(d => d.AcceleratorType == kind switch
    {
        "cuda" => AcceleratorType.Cuda,
        "opencl" => AcceleratorType.OpenCL,
        _ => AcceleratorType.CPU,
    });

    private static Context Create(string kind) => Context.Create(b =>
    {
        b.EnableAlgorithms().Optimize(OptimizationLevel.O2);
        switch (kind)
        {
            case "cuda":
                b.Cuda();
                break;
            case "opencl":
                b.OpenCL();
                break;
            default:
                b.CPU(new CPUDevice(CpuThreadsPerWarp, CpuWarps, 1));
                break;
        }
    });
}
