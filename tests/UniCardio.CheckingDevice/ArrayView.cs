using System.Runtime.CompilerServices;
using UniCardio.CheckingDevice;

namespace ILGPU;

/// <summary>A stretch of device memory; every access is checked.</summary>
public readonly struct ArrayView<T> : ICheckedView
    where T : unmanaged
{
    private readonly CheckedMemory? _memory;
    private readonly long _offset;

    internal ArrayView(CheckedMemory memory, long byteOffset, long length)
    {
        _memory = memory;
        _offset = byteOffset;
        Length = length;
        // Vector loads need the address to be a multiple of the vector.
        int size = Unsafe.SizeOf<T>();
        if (size is 2 or 4 or 8 or 16 && byteOffset % size != 0)
            throw KernelFault.Here(FaultKind.Alignment, $"a view of {typeof(T).Name} starts at byte {byteOffset} of {memory.Name}, which is not a multiple of {size}");
    }

    public long Length { get; }

    public int IntLength => checked((int)Length);

    public bool IsValid => _memory is not null;

    CheckedMemory? ICheckedView.Memory => _memory;

    internal CheckedMemory Memory => _memory ?? throw KernelFault.Here(FaultKind.Bounds, "a view without memory was used");

    internal long ByteOffset => _offset;

    internal long ByteLength => Length * Unsafe.SizeOf<T>();

    public ref T this[int index] => ref this[(long)index];

    public ref T this[Index1D index] => ref this[(long)index.X];

    public ref T this[long index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if ((ulong)index >= (ulong)Length)
                throw Outside(index);
            return ref _memory!.At<T>(_offset + (index * Unsafe.SizeOf<T>()));
        }
    }

    public ArrayView<T> SubView(long index) => SubView(index, Length - index);

    public ArrayView<T> SubView(int index, int length) => SubView((long)index, length);

    public ArrayView<T> SubView(long index, long length)
    {
        if (index < 0 || length < 0 || index > Length - length)
            throw KernelFault.Here(FaultKind.Bounds, $"elements {index} to {index + length} were cut out of {Length} of {typeof(T).Name} of {_memory?.Name}");
        return new ArrayView<T>(Memory, _offset + (index * Unsafe.SizeOf<T>()), length);
    }

    public ArrayView<TOther> Cast<TOther>()
        where TOther : unmanaged => new(Memory, _offset, ByteLength / Unsafe.SizeOf<TOther>());

    private KernelFault Outside(long index) =>
        KernelFault.Here(FaultKind.Bounds, $"element {index} of a view of {Length} {typeof(T).Name} of {_memory?.Name ?? "no memory"}");
}

/// <summary>A dense one-dimensional view, as buffers give it.</summary>
public readonly struct ArrayView1D<T, TStride> : ICheckedView
    where T : unmanaged
    where TStride : struct
{
    internal ArrayView1D(ArrayView<T> view) => BaseView = view;

    public ArrayView<T> BaseView { get; }

    public long Length => BaseView.Length;

    public int IntLength => BaseView.IntLength;

    CheckedMemory? ICheckedView.Memory => ((ICheckedView)BaseView).Memory;

    public ref T this[Index1D index] => ref BaseView[(long)index.X];

    public ArrayView1D<T, TStride> SubView(Index1D index, Index1D length) => new(BaseView.SubView(index.X, length.X));

    public ArrayView<T> AsContiguous() => BaseView;

    public static implicit operator ArrayView<T>(ArrayView1D<T, TStride> view) => view.BaseView;
}

/// <summary>Strides of one-dimensional views.</summary>
public static class Stride1D
{
    /// <summary>Neighbouring elements are neighbours in memory.</summary>
    public readonly struct Dense;
}

public readonly record struct Index1D(int X)
{
    public static implicit operator Index1D(int x) => new(x);

    public static implicit operator int(Index1D index) => index.X;
}

public readonly record struct Index2D(int X, int Y);

public readonly record struct Index3D(int X, int Y, int Z)
{
    public long Size => (long)X * Y * Z;
}
