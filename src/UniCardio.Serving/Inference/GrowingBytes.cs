using System.Runtime.InteropServices;

namespace UniCardio.Serving.Inference;

/// <summary>
/// Bytes outside the managed heap that grow by doubling and are the system's again the moment they are freed.
/// </summary>
/// <remarks>
/// Large blocks are mapped by hand on Linux. glibc's malloc does not give them back: once a mapped block has been freed it takes the next
/// ones of that size from its arenas, which shrink at their ends only. Three waves of 100 POSTs of 16 MB, of which 512 MiB are held:
/// resident 675, 963 and 1,332 MiB, and 174, 730 and 847 when each had gone; mapped, 666, 676 and 684, and 164, 173 and 179 (140 before).
/// </remarks>
internal sealed unsafe partial class GrowingBytes : IDisposable
{
    // What malloc itself maps at first.
    private const nuint MappedFrom = 128 << 10;
    private const int ReadAndWrite = 3, PrivateAnonymous = 0x22, MayMove = 1;
    private static readonly nint Failed = -1;

    private bool _isMapped;

    public byte* Pointer { get; private set; }

    public nuint Capacity { get; private set; }

    /// <exception cref="OutOfMemoryException">The system has no such block.</exception>
    public void GrowTo(nuint capacity)
    {
        if (capacity <= Capacity)
            return;
        if (!OperatingSystem.IsLinux() || capacity < MappedFrom)
            Pointer = (byte*)NativeMemory.Realloc(Pointer, capacity);
        else if (_isMapped)
            // Its pages move, not their contents.
            Pointer = Checked(Remap(Pointer, Capacity, capacity, MayMove));
        else
        {
            byte* mapped = Checked(Map(null, capacity, ReadAndWrite, PrivateAnonymous, -1, 0));
            NativeMemory.Copy(Pointer, mapped, Capacity);
            NativeMemory.Free(Pointer);
            Pointer = mapped;
            _isMapped = true;
        }
        Capacity = capacity;
    }

    public void Dispose()
    {
        if (_isMapped)
            _ = Unmap(Pointer, Capacity);
        else
            NativeMemory.Free(Pointer);
        Pointer = null;
        (Capacity, _isMapped) = (0, false);
    }

    private static byte* Checked(void* mapped) => (nint)mapped != Failed ? (byte*)mapped : throw new InsufficientMemoryException();

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mremap")]
    private static partial void* Remap(void* address, nuint length, nuint newLength, int flags);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);
}
