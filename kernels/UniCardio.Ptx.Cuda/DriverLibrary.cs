using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace UniCardio.Ptx.Cuda;

/// <summary>The <c>libcuda.so</c> that a program loads: a trampoline made by the machine's C compiler, a line a function.</summary>
internal static unsafe class DriverLibrary
{
    /// <summary>Arguments that every function hands on: as many as the longest, cuLaunchKernel, has.</summary>
    public const int Arguments = 11;

    /// <summary>Compiles and loads the library.</summary>
    /// <param name="directory">Where it goes; the program must look for libraries there.</param>
    /// <param name="functions">Names, in the order of the numbers that <paramref name="dispatch"/> is given.</param>
    /// <param name="dispatch">Takes a function's number and its arguments, returns a CUresult.</param>
    /// <exception cref="PlatformNotSupportedException">There is no C compiler, or it failed; the message says which.</exception>
    public static void Load(string directory, IReadOnlyList<string> functions, delegate* unmanaged<int, long*, int> dispatch)
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            throw new PlatformNotSupportedException("the simulated CUDA driver needs Linux on x86-64");
        // A program that runs already may hold the file of before: a name of its own, then renamed.
        string path = System.IO.Path.Combine(directory, "libcuda.so"), part = $"{path}.{Environment.ProcessId}";
        Compile(Source(functions), part);
        File.Move(part, path, overwrite: true);
        nint library = NativeLibrary.Load(path);
        ((delegate* unmanaged<void*, void>)NativeLibrary.GetExport(library, "unicardio_connect"))(dispatch);
    }

    // Integers and pointers travel in the same registers and stack slots whatever their width, so that one signature serves all: a function
    // with fewer parameters hands on what else is there, and nobody reads it.
    private static string Source(IReadOnlyList<string> functions)
    {
        string[] names = [.. Enumerable.Range(0, Arguments).Select(i => $"a{i}")];
        string parameters = string.Join(", ", names.Select(n => "long " + n)), values = string.Join(", ", names);
        var text = new StringBuilder(
            "typedef int (*dispatch)(int, const long *);\nstatic dispatch to;\nvoid unicardio_connect(void *f) { to = (dispatch)f; }\n");
        for (int i = 0; i < functions.Count; i++)
            text.Append($"int {functions[i]}({parameters}) {{ const long a[] = {{ {values} }}; return to ? to({i}, a) : 3; }}\n");
        return text.ToString();
    }

    private static void Compile(string source, string target)
    {
        try
        {
            using var compiler = Process.Start(
                new ProcessStartInfo("cc", ["-shared", "-fPIC", "-O1", "-Wl,-soname,libcuda.so", "-x", "c", "-", "-o", target])
            {
                RedirectStandardInput = true,
                RedirectStandardError = true,
            })!;
            compiler.StandardInput.Write(source);
            compiler.StandardInput.Close();
            string errors = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            if (compiler.ExitCode != 0)
                throw new PlatformNotSupportedException($"the C compiler refused the trampoline: {errors.Trim()}");
        }
        catch (Win32Exception e)
        {
            throw new PlatformNotSupportedException($"the simulated CUDA driver needs a C compiler named cc: {e.Message}", e);
        }
    }
}
