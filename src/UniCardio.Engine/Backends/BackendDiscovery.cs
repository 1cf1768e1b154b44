using System.Reflection;
using UniCardio.Engine.Model;

namespace UniCardio.Engine.Backends;

/// <summary>A device that a backend could run on.</summary>
/// <param name="Kind">For example <c>cuda</c> or <c>opencl</c>.</param>
/// <param name="Name">The device's own name; empty where none was found.</param>
/// <param name="Refusal">Why it cannot be used; null where it can.</param>
public sealed record BackendDevice(string Kind, string Name, string? Refusal);

/// <summary>What the assembly with the GPU backend offers; the engine does not refer to it.</summary>
public interface IGpuProvider
{
    /// <summary>Every device found, and why others were refused.</summary>
    IReadOnlyList<BackendDevice> Devices();

    /// <summary>Makes a network ready on a device.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="kind"><c>cuda</c> or <c>opencl</c>; null for the first usable, CUDA before OpenCL.</param>
    /// <exception cref="BackendUnavailableException">No usable device.</exception>
    IBackend Create(ModelWeights weights, string? kind = null);

    /// <summary>Writes the code of every kernel and a table of its instructions; needs no device.</summary>
    /// <param name="language"><c>ptx</c> or <c>opencl</c>.</param>
    /// <param name="architecture">For PTX, e.g. <c>SM_90</c>.</param>
    /// <param name="directory">Where the files go.</param>
    /// <param name="table">Takes the table.</param>
    void EmitKernels(string language, string architecture, string directory, TextWriter table);
}

/// <summary>A backend that was asked for and cannot run here; the message says why.</summary>
public sealed class BackendUnavailableException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="backend">The backend, e.g. <c>gpu</c>.</param>
    /// <param name="reason">Why it cannot run.</param>
    /// <param name="inner">The cause, if another exception led here.</param>
    public BackendUnavailableException(string backend, string reason, Exception? inner = null)
        : base($"the {backend} backend is not available: {reason}", inner)
    {
        Backend = backend;
        Reason = reason;
    }

    /// <summary>The backend.</summary>
    public string Backend { get; }

    /// <summary>Why it cannot run.</summary>
    public string Reason { get; }
}

/// <summary>Finds the GPU backend's assembly beside the engine, if it was built.</summary>
public static class BackendDiscovery
{
    /// <summary>Name of the assembly.</summary>
    public const string AssemblyName = "UniCardio.Kernels";

    private const string ProviderName = AssemblyName + ".GpuBackendProvider";

    private static readonly Lazy<(IGpuProvider? Provider, string Reason)> s_gpu = new(Find);

    /// <summary>The GPU backend; null where this build has none.</summary>
    public static IGpuProvider? Gpu => s_gpu.Value.Provider;

    /// <summary>Why there is no GPU backend; empty where there is one.</summary>
    public static string GpuReason => s_gpu.Value.Reason;

    /// <summary>Makes a network ready on the GPU.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="kind"><c>cuda</c> or <c>opencl</c>; null for the first usable.</param>
    /// <exception cref="BackendUnavailableException">This build has no GPU backend, or there is no usable device.</exception>
    public static IBackend CreateGpu(ModelWeights weights, string? kind = null) =>
        Gpu is { } gpu ? gpu.Create(weights, kind) : throw new BackendUnavailableException("gpu", GpuReason);

    private static (IGpuProvider? Provider, string Reason) Find()
    {
        try
        {
            Type? type = Assembly.Load(AssemblyName).GetType(ProviderName);
            return type is null
                ? (null, $"{AssemblyName} has no {ProviderName}")
                : ((IGpuProvider)Activator.CreateInstance(type)!, "");
        }
        catch (Exception e) when (e is IOException or BadImageFormatException or TypeLoadException or TargetInvocationException or InvalidCastException)
        {
            string reason = e is FileNotFoundException
                ? "this build was made without ILGPU (build with -p:UseIlgpu=true)"
                : e.GetBaseException().Message;
            return (null, reason);
        }
    }
}
