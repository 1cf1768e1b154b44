using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;

namespace UniCardio.Kernels;

/// <summary>What the engine finds this assembly by.</summary>
public sealed class GpuBackendProvider : IGpuProvider
{
    /// <inheritdoc/>
    public IReadOnlyList<BackendDevice> Devices() => IlgpuDevices.List();

    /// <inheritdoc/>
    public IBackend Create(ModelWeights weights, string? kind = null) => IlgpuDevices.Start(kind, lease => new GpuBackend(lease.Device, weights, lease: lease));

    /// <inheritdoc/>
    public void EmitKernels(string language, string architecture, string directory, TextWriter table) => KernelEmitter.Emit(language, architecture, directory, table);
}
