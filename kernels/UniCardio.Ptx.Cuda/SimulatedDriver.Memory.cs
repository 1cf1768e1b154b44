using System.Runtime.InteropServices;

namespace UniCardio.Ptx.Cuda;

/// <content>Memory of the device and page-locked memory of the host.</content>
internal sealed unsafe partial class SimulatedDriver
{
    private readonly Dictionary<ulong, (ulong Bytes, long Context)> _allocations = [];
    private readonly Dictionary<ulong, ulong> _pinned = [];

    private IEnumerable<(string Name, Func<nint, CudaResult> Call)> Memory() =>
    [
        ("cuMemGetInfo_v2", a => Done(() =>
        {
            Return(a, 0, Math.Min(FreeBytes, Gpu.Options.MemoryBytes - _device.AllocatedBytes));
            Return(a, 1, Gpu.Options.MemoryBytes);
        })),
        ("cuMemAlloc_v2", Allocate),
        ("cuMemFree_v2", a => Done(() =>
        {
            RunAll();
            ulong address = (ulong)Argument(a, 0);
            if (!_allocations.Remove(address))
                throw new CudaException(CudaResult.InvalidValue, "not an allocation");
            _device.Free(address);
        })),
        ("cuMemAllocHost_v2", a => Done(() =>
        {
            void* memory = NativeMemory.AlignedAlloc((nuint)Math.Max(1, Argument(a, 1)), 4096);
            _pinned[(ulong)memory] = (ulong)Argument(a, 1);
            Return(a, 0, (nint)memory);
        })),
        ("cuMemFreeHost", a => Done(() =>
        {
            RunAll();
            if (!_pinned.Remove((ulong)Argument(a, 0)))
                throw new CudaException(CudaResult.InvalidValue, "not page-locked memory");
            NativeMemory.AlignedFree((void*)Argument(a, 0));
        })),
        ("cuMemHostRegister_v2", a => Done(() => _pinned[(ulong)Argument(a, 0)] = (ulong)Argument(a, 1))),
        ("cuMemHostUnregister", a => Done(() =>
        {
            RunAll();
            _pinned.Remove((ulong)Argument(a, 0));
        })),
        ("cuMemHostGetDevicePointer_v2", a => Done(() => Return(a, 0, Argument(a, 1)))),
        ("cuPointerGetAttribute", a => Done(() => Return(a, 0, Argument(a, 2)))),
        ("cuMemcpyAsync", a => Done(() => Copy((ulong)Argument(a, 0), (ulong)Argument(a, 1), Argument(a, 2), Stream(Argument(a, 3))))),
        ("cuMemcpyHtoDAsync_v2", a =>
            Done(() => Copy((ulong)Argument(a, 0), (ulong)Argument(a, 1), Argument(a, 2), Stream(Argument(a, 3))))),
        ("cuMemcpyDtoHAsync_v2", a =>
            Done(() => Copy((ulong)Argument(a, 0), (ulong)Argument(a, 1), Argument(a, 2), Stream(Argument(a, 3))))),
        ("cuMemcpyDtoDAsync_v2", a =>
            Done(() => Copy((ulong)Argument(a, 0), (ulong)Argument(a, 1), Argument(a, 2), Stream(Argument(a, 3))))),
        ("cuMemsetD8Async", a => Done(() =>
        {
            (ulong address, byte value, long bytes) = ((ulong)Argument(a, 0), (byte)Argument(a, 1), Argument(a, 2));
            Stream(Argument(a, 3)).Add(() => _device.Fill(address, value, bytes));
        })),
    ];

    private CudaResult Allocate(nint a)
    {
        long bytes = Argument(a, 1);
        if (bytes <= 0)
            return CudaResult.InvalidValue;
        if (bytes > FreeBytes || bytes > Gpu.Options.MemoryBytes - _device.AllocatedBytes)
            return CudaResult.OutOfMemory;
        if (FreeBytes != long.MaxValue)
            FreeBytes -= bytes;
        ulong address = _device.Allocate(bytes);
        _allocations[address] = ((ulong)bytes, s_context);
        Return(a, 0, address);
        return CudaResult.Success;
    }

    private bool IsDevice(ulong address) => _allocations.Any(a => address >= a.Key && address - a.Key < a.Value.Bytes);

    private static bool Holds(IEnumerable<KeyValuePair<ulong, ulong>> ranges, ulong address) =>
        ranges.Any(r => address >= r.Key && address - r.Key < r.Value);

    private void Copy(ulong target, ulong source, long bytes, DriverStream stream)
    {
        bool toDevice = IsDevice(target), fromDevice = IsDevice(source);
        if (toDevice && fromDevice)
        {
            stream.Add(() => _device.Copy(target, source, bytes));
        }
        else if (toDevice && Holds(_pinned, source))
        {
            stream.Add(() => _device.Write(target, new ReadOnlySpan<byte>((void*)source, checked((int)bytes))));
        }
        else if (toDevice)
        {
            // Memory that the system may page out is staged before the call returns.
            byte[] staged = new ReadOnlySpan<byte>((void*)source, checked((int)bytes)).ToArray();
            stream.Add(() => _device.Write(target, staged));
        }
        else if (fromDevice)
        {
            stream.Add(() => _device.Read(source, new Span<byte>((void*)target, checked((int)bytes))));
            if (!Holds(_pinned, target))
                Run(stream);
        }
        else
        {
            throw new CudaException(CudaResult.InvalidValue, "neither end of a copy is on the device");
        }
    }
}
