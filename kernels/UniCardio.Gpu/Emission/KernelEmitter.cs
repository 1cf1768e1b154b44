using System.Reflection;
using System.Text;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Backends;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using ILGPU.Runtime;
using ILGPU;
using UniCardio.Engine;
using UniCardio.Files;

namespace UniCardio.Gpu.Emission;

/// <summary>Writes the code that ILGPU makes of the kernels, without a device.</summary>
internal static class KernelEmitter
{
    // The lowest instruction set that knows the architecture.
    private static readonly (string Name, CudaArchitecture Architecture, CudaInstructionSet Instructions)[] s_architectures =
    [
        ("SM_75", CudaArchitecture.SM_75, CudaInstructionSet.ISA_70),
        ("SM_80", CudaArchitecture.SM_80, CudaInstructionSet.ISA_70),
        ("SM_90", CudaArchitecture.SM_90, CudaInstructionSet.ISA_78),
    ];

    /// <summary>Architectures that PTX can be written for.</summary>
    public static IReadOnlyList<string> Architectures { get; } = [.. s_architectures.Select(a => a.Name)];

    /// <summary>The code of one kernel.</summary>
    /// <param name="kernel">The kernel's entry point.</param>
    /// <param name="language"><c>ptx</c> or <c>opencl</c>.</param>
    /// <param name="architecture">For PTX: one of <see cref="Architectures"/>.</param>
    /// <exception cref="ConfigurationException">Language or architecture is unknown.</exception>
    public static string Emit(MethodInfo kernel, string language, string architecture)
    {
        // A failed compilation can spoil its context, so each has its own.
        using Context context = Context.Create(b => b.EnableAlgorithms().Optimize(OptimizationLevel.O2));
        EntryPointDescription entry = EntryPointDescription.FromExplicitlyGroupedKernel(kernel);
        if (string.Equals(language, "opencl", StringComparison.OrdinalIgnoreCase))
        {
            using var cl =
                new CLBackend(context, new CLCapabilityContext(false, false, true, false, false), CLDeviceVendor.Other, CLCVersion.CL30);
            return ((CLCompiledKernel)cl.Compile(entry, KernelSpecialization.Empty)).Source;
        }

        if (!string.Equals(language, "ptx", StringComparison.OrdinalIgnoreCase))
            throw new ConfigurationException("emit", $"'{language}' is not ptx or opencl");
        (string? name, CudaArchitecture arch, CudaInstructionSet instructions) =
            s_architectures.FirstOrDefault(a => string.Equals(a.Name, architecture, StringComparison.OrdinalIgnoreCase));
        if (name is null)
            throw new ConfigurationException("arch", $"'{architecture}' is none of {string.Join(", ", Architectures)}");
        using var ptx = new PTXBackend(context, new CudaCapabilityContext(arch), arch, instructions, null!);
        return ((PTXCompiledKernel)ptx.Compile(entry, KernelSpecialization.Empty)).PTXAssembly;
    }

    /// <summary>Writes every kernel's code and a table of its instructions.</summary>
    /// <param name="language"><c>ptx</c> or <c>opencl</c>.</param>
    /// <param name="architecture">For PTX: one of <see cref="Architectures"/>.</param>
    /// <param name="directory">Where the files go; made if absent.</param>
    /// <param name="table">Takes the table, a line a kernel (for PTX; OpenCL C is listed by length only).</param>
    /// <param name="cancellation">Looked at before each kernel is compiled, that is before any file is written.</param>
    public static void Emit(string language, string architecture, string directory, TextWriter table,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(table);
        // All of it before the first file, so that nothing is left of a kernel that does not compile.
        bool isPtx = string.Equals(language, "ptx", StringComparison.OrdinalIgnoreCase);
        // What has tensor cores for tf32: compute capability 8.0 and later.
        bool hasTensors = isPtx && !string.Equals(architecture, "SM_75", StringComparison.OrdinalIgnoreCase);
        (string Name, string Code)[] codes =
        [
            .. KernelCatalog.All.Concat(hasTensors ? KernelCatalog.Tensor : [])
                .Select(k =>
                {
                    cancellation.ThrowIfCancellationRequested();
                    return (k.Name, Emit(k.Method, language, architecture));
                }),
        ];
        Directory.CreateDirectory(directory);
        table.WriteLine(isPtx ? PtxStatistics.Header : "kernel                          lines");
        foreach ((string name, string code) in codes)
        {
            string path = Path.Combine(directory, name + (isPtx ? ".ptx" : ".cl"));
            AtomicFile.Write(path, Encoding.UTF8.GetBytes(code));
            table.WriteLine(isPtx ? PtxStatistics.Of(code).Line(name) : $"{name,-30}  {code.Count(c => c == '\n'),5}");
        }
    }
}
