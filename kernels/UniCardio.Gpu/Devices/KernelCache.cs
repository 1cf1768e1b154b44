using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using UniCardio.Files;

namespace UniCardio.Gpu.Devices;

/// <summary>PTX that ILGPU wrote, kept on disk, so that the next process only loads it.</summary>
/// <remarks>
/// <para>An entry's name is the SHA-256 of all that the text depends on: this assembly, ILGPU and its algorithms (by module version, which
/// a deterministic build makes of their content), the kernel, its largest group, the device's architecture and the driver's instruction
/// set. So an entry is never out of date, only unused. It begins with the SHA-256 of the rest: one that was cut, changed or is of another
/// kind is written anew.</para>
/// <para>A folder that cannot be read or written only costs the compilation. Safe to use from several processes: entries are written
/// beside and renamed.</para>
/// </remarks>
internal static class KernelCache
{
    private const string Kind = "// unicardio kernel 1";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>A kernel of a CUDA device, from the folder if it is there, compiled and kept there otherwise.</summary>
    /// <param name="accelerator">The device.</param>
    /// <param name="method">The kernel.</param>
    /// <param name="specialization">Its largest group.</param>
    /// <param name="folder">Where entries are.</param>
    public static CompiledKernel Take(CudaAccelerator accelerator, MethodInfo method, in KernelSpecialization specialization, string folder)
    {
        EntryPointDescription entry = EntryPointDescription.FromExplicitlyGroupedKernel(method);
        string path = Path.Combine(folder, Name(accelerator.Backend, method, specialization) + ".ptx");
        if (Read(path) is var (shared, ptx))
            return Make(accelerator.Context, MakeEntry(in entry, in shared, in specialization), null, ptx);
        CompiledKernel compiled = accelerator.Backend.Compile(entry, specialization);
        if (compiled is PTXCompiledKernel made)
            Write(path, EntryOf(made).SharedMemory, made.PTXAssembly);
        return compiled;
    }

    /// <summary>The folder of a user's caches, and this program's in it.</summary>
    public static string UserFolder()
    {
        string? caches = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (string.IsNullOrEmpty(caches) && !OperatingSystem.IsWindows())
            caches = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        if (string.IsNullOrEmpty(caches))
            caches = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        return Path.Combine(caches, "unicardio", "kernels");
    }

    private static string Name(PTXBackend backend, MethodInfo method, in KernelSpecialization specialization)
    {
        string all = string.Join(
            '\n', Kind, Version(typeof(KernelCache)), Version(typeof(Context)), Version(typeof(XMath)), method.DeclaringType, method.Name,
            specialization.MaxNumThreadsPerGroup?.ToString(CultureInfo.InvariantCulture), backend.Architecture, backend.InstructionSet);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)));
    }

    private static Guid Version(Type type) => type.Module.ModuleVersionId;

    private static (SharedMemorySpecification Shared, string Ptx)? Read(string path)
    {
        try
        {
            string[] parts = File.ReadAllText(path).Split('\n', 2);
            // "// unicardio kernel 1 SHA-256 bytes-of-shared-memory has-dynamic"
            if (parts is not [string head, string ptx] || head.Split(' ') is not [.. string[] kind, string hash, string bytes, string more]
                || string.Join(' ', kind) != Kind || hash != Hash($"{bytes} {more}\n{ptx}")
                || !int.TryParse(bytes, NumberStyles.None, CultureInfo.InvariantCulture, out int size))
                return null;
            return (new SharedMemorySpecification(size, more == "1"), ptx);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void Write(string path, SharedMemorySpecification shared, string ptx)
    {
        string sizes = string.Create(CultureInfo.InvariantCulture, $"{shared.StaticSize} {(shared.HasDynamicMemory ? 1 : 0)}");
        string text = $"{Kind} {Hash($"{sizes}\n{ptx}")} {sizes}\n{ptx}";
        try
        {
            string folder = Path.GetDirectoryName(path)!;
            if (OperatingSystem.IsWindows())
                Directory.CreateDirectory(folder);
            else
                Directory.CreateDirectory(folder, Private);
            AtomicFile.Write(path, Encoding.UTF8.GetBytes(text));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is compiled again next time.
        }
    }

    internal static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    // ILGPU makes kernels of its own compilations only: these are its constructors.
    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern PTXCompiledKernel Make(Context context, EntryPoint entry, CompiledKernel.KernelInfo? info, string ptx);

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern EntryPoint MakeEntry(in EntryPointDescription description, in SharedMemorySpecification shared,
        in KernelSpecialization specialization);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_EntryPoint")]
    private static extern EntryPoint EntryOf(CompiledKernel kernel);
}
