using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace UniCardio.Weights.Torch;

/// <summary>An entry of a zip archive, stored without compression.</summary>
internal sealed record ZipEntry(string Name, long Offset, long Length, uint Crc);

/// <summary>
/// The entries of a zip archive as torch.save writes it: stored, not compressed, so each is a view of the file and a small file cannot
/// unfold into a large one. Source: PKWARE APPNOTE 6.3, sections 4.3 to 4.5. Zip64 records are read because torch always writes one.
/// </summary>
/// <remarks>All that the directory claims is held against the file and against the local headers: archives whose two tables of contents
/// disagree, whose entries overlap, repeat or point elsewhere are refused.</remarks>
internal sealed class ZipDirectory
{
    public const int MaxEntries = 65_536;

    private const uint LocalSignature = 0x04034B50, CentralSignature = 0x02014B50, EndSignature = 0x06054B50, End64Signature = 0x06064B50,
        Locator64Signature = 0x07064B50;
    private const int LocalLength = 30, CentralLength = 46, EndLength = 22, End64Length = 56, Locator64Length = 20;

    private readonly FileContent _content;
    private readonly List<(ZipEntry Entry, long Start)> _entries = [];

    private ZipDirectory(FileContent content) => _content = content;

    /// <summary>Entries by name, in no order.</summary>
    public Dictionary<string, ZipEntry> Entries { get; } = new(StringComparer.Ordinal);

    public static ZipDirectory Read(FileContent content)
    {
        var directory = new ZipDirectory(content);
        (long start, long length, long count) = directory.FindCentralDirectory();
        directory.ReadCentralDirectory(start, length, count);
        directory.CheckOverlap(start);
        return directory;
    }

    private (long Start, long Length, long Count) FindCentralDirectory()
    {
        long end = _content.Length - EndLength;
        if (end < 0 || U32(end) != EndSignature)
            throw Problem("the zip archive does not end with its end record; it is cut short, or something was added to it", end < 0
                ? null : end);
        if (U16(end + 20) != 0)
            throw Problem($"the zip archive claims a comment of {U16(end + 20)} bytes that is not there", end + 20);
        if (U16(end + 4) != 0 || U16(end + 6) != 0 || U16(end + 8) != U16(end + 10))
            throw Problem("the zip archive is one of several volumes", end);
        long count = U16(end + 10), length = U32(end + 12), start = U32(end + 16), stop = end;
        long locator = end - Locator64Length;
        if (locator >= 0 && U32(locator) == Locator64Signature)
        {
            ulong at = U64(locator + 8);
            if (at > (ulong)locator || locator - (long)at != End64Length || U32((long)at) != End64Signature
                || U64((long)at + 4) != End64Length - 12)
                throw Problem("the zip64 end record is not where its locator says", locator);
            stop = (long)at;
            ulong count64 = U64(stop + 32), length64 = U64(stop + 40), start64 = U64(stop + 48);
            if (U64(stop + 24) != count64 || !Agree(count, ushort.MaxValue, count64) || !Agree(length, uint.MaxValue, length64)
                || !Agree(start, uint.MaxValue, start64))
                throw Problem("the zip64 end record and the plain one disagree", stop);
            if (count64 > MaxEntries || length64 > (ulong)stop || start64 > (ulong)stop)
                throw Problem(
                    $"the zip64 end record claims {count64} entries in {length64} bytes at {start64}; the file has {_content.Length} "
                    + $"bytes and {MaxEntries} entries are read at most", stop);
            (count, length, start) = ((long)count64, (long)length64, (long)start64);
        }

        if (start + length != stop)
            throw Problem($"the zip directory should end at byte {stop}, it claims {length} bytes at {start}", stop);
        return (start, length, count);
    }

    private static bool Agree(long plain, long escape, ulong wide) => plain == escape || (ulong)plain == wide;

    private void ReadCentralDirectory(long start, long length, long count)
    {
        long at = start, stop = start + length;
        for (long i = 0; i < count; i++)
        {
            if (stop - at < CentralLength || U32(at) != CentralSignature)
                throw Problem($"the zip directory breaks off at entry {i} of {count}", at);
            int nameLength = U16(at + 28), extraLength = U16(at + 30), commentLength = U16(at + 32);
            long next = at + CentralLength + nameLength + extraLength + commentLength;
            if (next > stop)
                throw Problem($"entry {i} of the zip directory reaches past its end", at);
            string name = Name(at + CentralLength, nameLength);
            Add(name, at, at + CentralLength + nameLength, extraLength, start);
            at = next;
        }

        if (at != stop)
            throw Problem($"the zip directory holds {stop - at} bytes after its {count} entries", at);
    }

    private void Add(string name, long at, long extra, int extraLength, long dataEnd)
    {
        int flags = U16(at + 8), method = U16(at + 10);
        if ((flags & 1) != 0)
            throw Problem("is encrypted", at, name);
        if (method != 0)
            throw Problem(
                $"is compressed (method {method}); torch.save stores its entries as they are. Save it again with torch.save", at, name);
        (long size, long packed, long local) = (U32(at + 24), U32(at + 20), U32(at + 42));
        if (size == uint.MaxValue || packed == uint.MaxValue || local == uint.MaxValue)
            (size, packed, local) = ReadZip64(name, extra, extraLength, size, packed, local);
        if (size != packed)
            throw Problem($"is stored, yet claims {packed} bytes packed and {size} unpacked", at, name);
        if (U16(at + 34) != 0)
            throw Problem("is on another volume", at, name);
        long data = CheckLocalHeader(name, local, size, flags, dataEnd);
        var entry = new ZipEntry(name, data, size, U32(at + 16));
        if (name.EndsWith('/') && size != 0)
            throw Problem($"is a folder of {size} bytes", at, name);
        if (!Entries.TryAdd(name, entry))
            throw Problem("is in the archive twice", at, name);
        _entries.Add((entry, local));
    }

    // Fields are there in this order, each only where the plain one is all ones.
    private (long Size, long Packed, long Local) ReadZip64(string name, long at, int length, long size, long packed, long local)
    {
        long stop = at + length;
        while (stop - at >= 4)
        {
            int id = U16(at), fieldLength = U16(at + 2);
            long field = at + 4, fieldStop = field + fieldLength;
            if (fieldStop > stop)
                break;
            if (id == 1)
                return (Wide(size), Wide(packed), Wide(local));
            at = fieldStop;

            long Wide(long plain)
            {
                if (plain != uint.MaxValue)
                    return plain;
                if (fieldStop - field < 8)
                    throw Problem("has a zip64 field that is too short", field, name);
                ulong value = U64(field);
                field += 8;
                return value <= (ulong)_content.Length ? (long)value
                    : throw Problem($"claims {value} in its zip64 field, the file has {_content.Length} bytes", field - 8, name);
            }
        }

        throw Problem("claims a zip64 field that is not there", at, name);
    }

    private long CheckLocalHeader(string name, long local, long size, int flags, long dataEnd)
    {
        if (local > dataEnd - LocalLength || U32(local) != LocalSignature)
            throw Problem($"has no local header at byte {local}", local, name);
        int nameLength = U16(local + 26);
        long data = local + LocalLength + nameLength + U16(local + 28);
        if (data > dataEnd || size > dataEnd - data)
            throw Problem($"claims {size} bytes at {data}, the zip directory starts at {dataEnd}", local, name);
        if (Name(local + LocalLength, nameLength) != name || U16(local + 8) != 0 || ((U16(local + 6) ^ flags) & 1) != 0)
            throw Problem("differs between its local header and the zip directory", local, name);
        // With bit 3 the local sizes follow the data and stand here as 0 or all ones.
        uint localSize = U32(local + 22);
        bool follows = (U16(local + 6) & 8) != 0;
        if (localSize != size && localSize != uint.MaxValue && !(follows && localSize == 0))
            throw Problem($"has {localSize} bytes by its local header and {size} by the zip directory", local, name);
        return data;
    }

    private void CheckOverlap(long dataEnd)
    {
        _entries.Sort((a, b) => a.Start.CompareTo(b.Start));
        for (int i = 0; i < _entries.Count; i++)
        {
            long next = i + 1 < _entries.Count ? _entries[i + 1].Start : dataEnd;
            if (_entries[i].Entry.Offset + _entries[i].Entry.Length > next)
                throw Problem("overlaps the entry after it", _entries[i].Start, _entries[i].Entry.Name);
        }
    }

    private string Name(long at, int length)
    {
        ReadOnlySpan<byte> bytes = _content.Slice(at, length);
        if (!Utf8.IsValid(bytes))
            throw Problem("an entry's name is not UTF-8", at);
        string name = Encoding.UTF8.GetString(bytes);
        // A folder's own entry ends in '/', so only the last step may be empty.
        string[] steps = name.TrimEnd('/').Split('/');
        bool isPlain = !name.EndsWith("//", StringComparison.Ordinal) && !steps.Any(s => s is "" or "." or "..")
            && !name.Any(c => c is '\\' or ':' || char.IsControl(c));
        return isPlain ? name : throw Problem("an entry's name is not a plain relative path", at, name);
    }

    private ushort U16(long at) => BinaryPrimitives.ReadUInt16LittleEndian(_content.Slice(at, 2));

    private uint U32(long at) => BinaryPrimitives.ReadUInt32LittleEndian(_content.Slice(at, 4));

    private ulong U64(long at) => BinaryPrimitives.ReadUInt64LittleEndian(_content.Slice(at, 8));

    private WeightFormatException Problem(string problem, long? offset, string? entry = null) => new(_content.Name, problem, entry, offset);
}
