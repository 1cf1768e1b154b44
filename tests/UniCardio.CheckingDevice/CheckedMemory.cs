using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace UniCardio.CheckingDevice;

/// <summary>A block of device memory that knows which of its 4-byte words were ever written.</summary>
/// <remarks>
/// Views hand out references, so a write is not seen when it happens. Words not yet written hold the pass's poison; a word that
/// holds something else after every pass of a launch was written by it.
/// </remarks>
public sealed unsafe class CheckedMemory : IDisposable
{
    // A quiet NaN with a payload, and a huge finite number: whatever reads them, one of the two makes a difference.
    internal const uint PoisonA = 0x7FC0BEEF;
    internal const uint PoisonB = 0x5F5F5F5F;

    private readonly bool[] _written;
    private byte* _pointer;
    private int _unwritten;

    internal CheckedMemory(string name, long bytes)
    {
        if (bytes is < 0 or > int.MaxValue)
            throw new KernelFault(FaultKind.Resources, $"{name}: {bytes} bytes");
        Name = name;
        Bytes = bytes;
        Words = (int)((bytes + 3) / 4);
        _written = new bool[Words];
        _unwritten = Words;
        _pointer = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(16, 4L * Words), 256);
        new Span<uint>(_pointer, Words).Fill(PoisonA);
    }

    ~CheckedMemory() => Free();

    public string Name { get; }

    public long Bytes { get; }

    internal int Words { get; }

    internal byte* Pointer => _pointer != null ? _pointer : throw KernelFault.Here(FaultKind.Disposed, $"{Name} was used after it was disposed");

    internal bool HasUnwritten => _unwritten > 0;

    internal Span<uint> Content => new(Pointer, Words);

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    // Fresh again, as at the start of a group.
    internal void Reset(uint poison)
    {
        Array.Clear(_written);
        _unwritten = Words;
        Content.Fill(poison);
    }

    internal void MarkWritten(long byteOffset, long bytes)
    {
        for (long w = byteOffset / 4; w < (byteOffset + bytes + 3) / 4; w++)
            MarkWord((int)w);
    }

    // First element of the range that nobody wrote, or -1.
    internal long FirstUnwritten(long byteOffset, long bytes)
    {
        for (long w = byteOffset / 4; HasUnwritten && w < (byteOffset + bytes + 3) / 4; w++)
        {
            if (!_written[w])
                return (w * 4) - byteOffset;
        }

        return -1;
    }

    internal void Poison(uint poison)
    {
        if (!HasUnwritten)
            return;
        Span<uint> content = Content;
        for (int w = 0; w < content.Length; w++)
        {
            if (!_written[w])
                content[w] = poison;
        }
    }

    internal bool IsWritten(int word) => _written[word];

    internal void MarkWord(int word)
    {
        if (!_written[word])
        {
            _written[word] = true;
            _unwritten--;
        }
    }

    // After a launch of one pass: unwritten words that no longer hold the poison were written by it.
    internal void Learn(uint poison)
    {
        if (!HasUnwritten)
            return;
        Span<uint> content = Content;
        for (int w = 0; w < content.Length; w++)
        {
            if (!_written[w] && content[w] != poison)
                MarkWord(w);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref T At<T>(long byteOffset)
        where T : unmanaged => ref Unsafe.AsRef<T>(Pointer + byteOffset);

    private void Free()
    {
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
    }
}
