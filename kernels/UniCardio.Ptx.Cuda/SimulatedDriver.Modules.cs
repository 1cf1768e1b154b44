using System.Runtime.InteropServices;

namespace UniCardio.Ptx.Cuda;

/// <content>Modules and launches.</content>
internal sealed unsafe partial class SimulatedDriver
{
    private readonly Dictionary<long, PtxModule> _modules = [];
    private readonly Dictionary<long, PtxKernel> _kernels = [];

    private IEnumerable<(string Name, Func<nint, CudaResult> Call)> Modules() =>
    [
        ("cuModuleLoadData", a => LoadModule(a)),
        ("cuModuleLoadDataEx", a => LoadModule(a)),
        ("cuModuleUnload", a => Done(() => _modules.Remove(Argument(a, 0)))),
        ("cuModuleGetFunction", GetFunction),
        ("cuFuncGetAttribute", a => Done(() => Return(a, 0, FunctionAttribute((int)Argument(a, 1), Kernel(Argument(a, 2)))))),
        ("cuFuncSetAttribute", _ => CudaResult.Success),
        ("cuOccupancyMaxActiveBlocksPerMultiprocessor", a =>
            Done(() => Return(a, 0, Math.Max(1, 2048 / Math.Max(1, (int)Argument(a, 2)))))),
        ("cuLaunchKernel", Launch),
    ];

    private CudaResult LoadModule(nint a)
    {
        string text = Marshal.PtrToStringUTF8((nint)Argument(a, 1)) ?? "";
        if (RefusedKernel is { } refused && text.Contains(refused, StringComparison.Ordinal))
            return CudaResult.InvalidImage;
        PtxModule module;
        try
        {
            module = PtxModule.Parse(text);
        }
        catch (PtxException e)
        {
            throw new CudaException(CudaResult.InvalidImage, e.Message);
        }

        long handle = NextHandle();
        _modules[handle] = module;
        ModulesLoaded++;
        Return(a, 0, handle);
        return CudaResult.Success;
    }

    private CudaResult GetFunction(nint a)
    {
        PtxModule module = _modules.GetValueOrDefault(Argument(a, 1)) ?? throw new CudaException(CudaResult.InvalidHandle, "not a module");
        PtxKernel kernel = module.Find(Marshal.PtrToStringUTF8((nint)Argument(a, 2)) ?? "")
            ?? throw new CudaException(CudaResult.NotFound, "no such kernel");
        long handle = NextHandle();
        _kernels[handle] = kernel;
        Return(a, 0, handle);
        return CudaResult.Success;
    }

    private PtxKernel Kernel(long handle) =>
        _kernels.GetValueOrDefault(handle) ?? throw new CudaException(CudaResult.InvalidHandle, "not a kernel");

    // CUfunction_attribute: most threads of a group, shared, constant and local bytes, registers.
    private int FunctionAttribute(int attribute, PtxKernel kernel) => attribute switch
    {
        0 => kernel.MaxThreads > 0 ? kernel.MaxThreads : Math.Min(1024, Gpu.Registers / Registers(kernel) / 32 * 32),
        1 => kernel.SharedBytes,
        3 => kernel.LocalBytes,
        4 => Registers(kernel),
        _ => 0,
    };

    // Registers are allotted by 8 a thread. An assembler that knows the group (.maxntid) makes the kernel fit.
    private static int Registers(PtxKernel kernel) => (kernel.LiveRegisters + 7) / 8 * 8;

    private CudaResult Launch(nint a)
    {
        PtxKernel kernel = Kernel(Argument(a, 0));
        var grid = new PtxDim((int)Argument(a, 1), (int)Argument(a, 2), (int)Argument(a, 3));
        var group = new PtxDim((int)Argument(a, 4), (int)Argument(a, 5), (int)Argument(a, 6));
        int dynamic = (int)Argument(a, 7);
        if (grid.X < 1 || grid.Y is < 1 or > 65535 || grid.Z is < 1 or > 65535 || group.Count is < 1
            || group.Count > Gpu.Options.GroupThreads || group.Z > 64)
            return CudaResult.InvalidValue;
        if (kernel.MaxThreads > 0 ? group.Count > kernel.MaxThreads : (group.Count + 31) / 32 * 32 * Registers(kernel) > Gpu.Registers)
            return CudaResult.LaunchOutOfResources;
        if (kernel.SharedBytes + dynamic > Gpu.Options.SharedBytes)
            return CudaResult.InvalidValue;
        byte[] parameters = Parameters(kernel, (void**)Argument(a, 9), (void**)Argument(a, 10));
        Stream(Argument(a, 8)).Add(() =>
        {
            if (Cancellation.IsCancellationRequested)
                return;
            LaunchCounts? counts = _device.Launch(kernel, grid, group, parameters, dynamic);
            _launches.Add(new DriverLaunch(kernel, grid, group, counts));
        });
        return CudaResult.Success;
    }

    private static byte[] Parameters(PtxKernel kernel, void** values, void** extra)
    {
        byte[] result = new byte[kernel.ParameterBytes];
        if (values is not null)
        {
            for (int i = 0; i < kernel.Parameters.Count; i++)
                new ReadOnlySpan<byte>(values[i], kernel.Parameters[i].Bytes).CopyTo(result.AsSpan(kernel.Parameters[i].Offset));
            return result;
        }

        void* buffer = null;
        long bytes = 0;
        // Pairs of a key and a value: 1 the buffer, 2 where its size is; 0 ends them.
        for (int i = 0; extra is not null && extra[i] is not null; i += 2)
        {
            if ((nint)extra[i] == 1)
                buffer = extra[i + 1];
            else if ((nint)extra[i] == 2)
                bytes = *(long*)extra[i + 1];
        }

        if (bytes < result.Length)
            throw new CudaException(CudaResult.InvalidValue,
                $"{kernel.Name} takes {result.Length} bytes of parameters, {bytes} were given");
        new ReadOnlySpan<byte>(buffer, result.Length).CopyTo(result);
        return result;
    }
}
