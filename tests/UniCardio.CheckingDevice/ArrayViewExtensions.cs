using UniCardio.CheckingDevice;

namespace ILGPU.Runtime;

/// <summary>Copies between host and device, on the caller's thread; the host may not read what nobody wrote.</summary>
public static class ArrayViewExtensions
{
    public static void CopyFromCPU<T>(this ArrayView<T> view, T[] data)
        where T : unmanaged => Write(view, data);

    public static void CopyFromCPU<T>(this ArrayView<T> view, AcceleratorStream stream, T[] data)
        where T : unmanaged => Write(view, data);

    public static void CopyToCPU<T>(this ArrayView<T> view, T[] data)
        where T : unmanaged => Read(view, data);

    public static void CopyToCPU<T>(this ArrayView<T> view, AcceleratorStream stream, T[] data)
        where T : unmanaged => Read(view, data);

    public static void CopyFromPageLockedAsync<T>(this ArrayView1D<T, Stride1D.Dense> view, AcceleratorStream stream, PageLockedArray1D<T> data)
        where T : unmanaged => Write(view, data.Span);

    public static void CopyToPageLockedAsync<T>(this ArrayView1D<T, Stride1D.Dense> view, AcceleratorStream stream, PageLockedArray1D<T> data)
        where T : unmanaged => Read(view, data.Span);

    public static void MemSetToZero<T>(this ArrayView<T> view, AcceleratorStream stream)
        where T : unmanaged
    {
        for (long i = 0; i < view.Length; i++)
            view[i] = default;
        view.Memory.MarkWritten(view.ByteOffset, view.ByteLength);
    }

    public static PageLockedArray1D<T> AllocatePageLocked1D<T>(this Accelerator accelerator, long extent, bool uninitialized)
        where T : unmanaged
    {
        accelerator.Bind();
        return new PageLockedArray1D<T>(extent);
    }

    private static unsafe void Write<T>(ArrayView<T> view, ReadOnlySpan<T> data)
        where T : unmanaged
    {
        if (data.Length > view.Length)
            throw new KernelFault(FaultKind.Bounds, $"a copy of {data.Length} elements to {view.Length} of {view.Memory.Name}");
        data.CopyTo(new Span<T>(view.Memory.Pointer + view.ByteOffset, view.IntLength));
        view.Memory.MarkWritten(view.ByteOffset, data.Length * (long)sizeof(T));
    }

    private static unsafe void Read<T>(ArrayView<T> view, Span<T> data)
        where T : unmanaged
    {
        if (data.Length > view.Length)
            throw new KernelFault(FaultKind.Bounds, $"a copy of {data.Length} elements from {view.Length} of {view.Memory.Name}");
        long at = view.Memory.FirstUnwritten(view.ByteOffset, data.Length * (long)sizeof(T));
        if (at >= 0)
            throw new KernelFault(FaultKind.Unwritten, $"element {at / sizeof(T)} of {view.Memory.Name} was read by the host before anything wrote it");
        new ReadOnlySpan<T>(view.Memory.Pointer + view.ByteOffset, data.Length).CopyTo(data);
    }
}
