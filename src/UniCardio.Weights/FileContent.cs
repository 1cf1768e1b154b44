using System.Buffers;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace UniCardio.Weights;

/// <summary>The bytes of a file at a fixed address: mapped, or read into memory of its own.</summary>
/// <remarks>
/// Not disposed, a mapping stays until the process ends: views outlive their owner rather than point at unmapped pages.
/// </remarks>
internal sealed unsafe class FileContent : IDisposable
{
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _start;
    private int _disposed;

    private FileContent(string name, long length)
    {
        Name = name;
        Length = length;
    }

    private FileContent(string name, MemoryMappedFile file, MemoryMappedViewAccessor view, long length)
        : this(name, length)
    {
        _file = file;
        _view = view;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += view.PointerOffset;
    }

    private FileContent(string name, byte* start, long length)
        : this(name, length) => _start = start;

    /// <summary>The file as it was named.</summary>
    public string Name { get; }

    /// <summary>Bytes of the file.</summary>
    public long Length { get; }

    /// <summary>Opens a file of at least one byte.</summary>
    /// <exception cref="WeightFormatException">The file is empty, or a pipe or device.</exception>
    public static FileContent Open(string path, bool memoryMap)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var named = new FileInfo(path);
        FileInfo info = named.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? named;
        if (Directory.Exists(path))
            throw new WeightFormatException(path, "is a folder, expected a weight file");
        // A pipe or a device has no length: asked before opening, because opening a pipe waits for its other end.
        if (info.Length == 0)
            throw new WeightFormatException(path, "is empty, or not a regular file");
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        long length = RandomAccess.GetLength(handle);
        if (length == 0)
            throw new WeightFormatException(path, "is empty, or not a regular file");
        if (!memoryMap)
            return Read(path, handle, length);
        MemoryMappedFile file =
            MemoryMappedFile.CreateFromFile(handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        try
        {
            return new FileContent(path, file, file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read), length);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A copy of bytes in memory.</summary>
    public static FileContent Copy(string name, ReadOnlySpan<byte> bytes)
    {
        byte* start = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(1, bytes.Length), 64);
        bytes.CopyTo(new Span<byte>(start, bytes.Length));
        return new FileContent(name, start, bytes.Length);
    }

    /// <summary>A view of part of the file.</summary>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    public ReadOnlySpan<byte> Slice(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return new ReadOnlySpan<byte>(_start + offset, length);
    }

    /// <summary>Whether float32 values at the offset can be viewed where they lie.</summary>
    public bool IsFloatAligned(long offset) => BitConverter.IsLittleEndian && ((nuint)(_start + offset) & 3) == 0;

    /// <summary>A view of float32 values where they lie; the offset is aligned.</summary>
    public ReadOnlyMemory<float> Floats(long offset, int count)
    {
        _ = Slice(offset, checked(count * sizeof(float)));
        return count == 0 ? ReadOnlyMemory<float>.Empty : new FloatView(this, offset, count).Memory;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        if (_view is null)
        {
            NativeMemory.AlignedFree(_start);
            return;
        }

        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file!.Dispose();
    }

    private static FileContent Read(string path, Microsoft.Win32.SafeHandles.SafeFileHandle handle, long length)
    {
        byte* start = (byte*)NativeMemory.AlignedAlloc((nuint)length, 64);
        long done = 0;
        try
        {
            while (done < length)
            {
                int read = RandomAccess.Read(handle, new Span<byte>(start + done, (int)Math.Min(length - done, 1 << 24)), done);
                if (read == 0)
                    throw new WeightFormatException(path, $"ended at byte {done} of {length} while it was read");
                done += read;
            }

            return new FileContent(path, start, length);
        }
        catch
        {
            NativeMemory.AlignedFree(start);
            throw;
        }
    }

    // Asks on every use whether the file is still open: a view of a closed one throws instead of touching unmapped memory.
    private sealed class FloatView(FileContent content, long offset, int count) : MemoryManager<float>
    {
        public override Span<float> GetSpan()
        {
            _ = content.Slice(offset, count * sizeof(float));
            return new Span<float>(content._start + offset, count);
        }

        public override MemoryHandle Pin(int elementIndex = 0)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)count);
            _ = content.Slice(offset, count * sizeof(float));
            return new MemoryHandle((float*)(content._start + offset) + elementIndex, default, this);
        }

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
