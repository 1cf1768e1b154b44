using System.Reflection;
using System.Runtime.InteropServices;
using UniCardio.Gpu.Emission;

namespace UniCardio.Ptx.Tests.Sanitizing;

/// <summary>A kernel of two views of float, as ILGPU compiles it, on a simulated device.</summary>
internal static class CompiledKernel
{
    public const int Threads = 8;
    public const int Groups = 2;

    /// <summary>Runs it on 16 values and reads 16.</summary>
    public static float[] Run(MethodInfo method, float[] values, PtxDeviceOptions options, int threads = Threads)
    {
        using var device = new PtxDevice(options);
        string text = KernelEmitter.Emit(method, "ptx", "SM_80");
        PtxKernel kernel = Assert.Single(PtxModule.Parse(text).Kernels);
        int bytes = sizeof(float) * values.Length;
        ulong x = device.Allocate(bytes), y = device.Allocate(bytes);
        device.Write(x, MemoryMarshal.AsBytes<float>(values));
        // A view is an address and a length.
        ulong[] views = [x, (ulong)values.Length, y, (ulong)values.Length];
        device.Launch(kernel, new PtxDim(values.Length / threads), new PtxDim(threads), MemoryMarshal.AsBytes<ulong>(views));
        float[] result = new float[values.Length];
        device.Read(y, MemoryMarshal.AsBytes(result.AsSpan()));
        return result;
    }
}
