using System.IO.Compression;
using UniCardio.Weights.Torch;

namespace UniCardio.Weights.Tests.Torch;

public class ZipBadInputTests
{
    private static List<(string Name, byte[] Data)> Entries => TorchBuilder.Of(
        new PickleBuilder().Op('}').Text("w").Tensor("FloatStorage", "0", 6, 0, [6], [1]).Op('s').Stop(), ("0", new byte[24])).Entries;

    [Fact]
    public void TheSoundArchiveThatTheOthersAreMadeFromIsRead() =>
        TorchCheckpoint.FromBytes("w", new ZipBuilder().Write(Entries)).Dispose();

    [Fact]
    public void AZipBombIsRefusedUnopened()
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            using Stream entry = zip.CreateEntry("archive/data.pkl", CompressionLevel.SmallestSize).Open();
            entry.Write(new byte[64 << 20]);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        TorchBadInputTests.Refused("is compressed (method 8)", stream.ToArray());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData("../data.pkl")]
    [InlineData("/archive/data.pkl")]
    [InlineData("archive/../data.pkl")]
    [InlineData("archive/./data.pkl")]
    [InlineData("archive//data.pkl")]
    [InlineData("archive\\data.pkl")]
    [InlineData("C:/data.pkl")]
    [InlineData("archive/data\n.pkl")]
    [InlineData("archive//")]
    [InlineData("")]
    public void PathTricks(string name) =>
        TorchBadInputTests.Refused("not a plain relative path", new ZipBuilder().Write([.. Entries, (name, [])]));

    [Fact]
    public void NamesTwice() => TorchBadInputTests.Refused("twice", new ZipBuilder().Write([.. Entries, Entries[1]]));

    [Fact]
    public void AFolderOfItsOwnIsLeftAloneUnlessItHoldsBytes()
    {
        TorchCheckpoint.FromBytes("w", new ZipBuilder().Write([("archive/", []), .. Entries])).Dispose();
        TorchBadInputTests.Refused("a folder of 1 bytes", new ZipBuilder().Write([("archive/", [1]), .. Entries]));
    }

    // Fields of the zip directory's entry 1 (the storage): position, size, value.
    [Theory]
    [InlineData(8, 2, 0x0801, "encrypted")]
    [InlineData(10, 2, 8, "compressed (method 8)")]
    [InlineData(10, 2, 99, "compressed (method 99)")]
    [InlineData(20, 4, 23, "claims 23 bytes packed and 24 unpacked")]
    [InlineData(24, 4, 1 << 30, "claims 24 bytes packed and 1073741824 unpacked")]
    [InlineData(24, 4, 0xFFFFFFFF, "zip64 field that is not there")]
    [InlineData(28, 2, 0xFFFF, "reaches past its end")]
    [InlineData(28, 2, 13, "")]
    [InlineData(32, 2, 0xFFFF, "reaches past its end")]
    [InlineData(34, 2, 1, "another volume")]
    [InlineData(42, 4, 0, "differs between its local header")]
    [InlineData(42, 4, 1, "no local header at byte 1")]
    [InlineData(42, 4, 0x7FFFFFFF, "no local header")]
    [InlineData(0, 4, 0x04034B50, "breaks off")]
    public void DirectoryEntriesThatLie(int at, int size, long value, string expected) =>
        TorchBadInputTests.Refused(
            expected, new ZipBuilder { ChangeCentral = (entry, i) => Change(entry, i == 1, at, size, value) }.Write(Entries));

    [Theory]
    [InlineData(0, 4, 0, "no local header")]
    [InlineData(6, 2, 0x0801, "differs")]
    [InlineData(8, 2, 8, "differs")]
    [InlineData(22, 4, 23, "has 23 bytes by its local header")]
    [InlineData(26, 2, 3, "differs")]
    [InlineData(26, 2, 0xFFFF, "the zip directory starts at")]
    [InlineData(28, 2, 0xFFFF, "the zip directory starts at")]
    public void LocalHeadersThatLie(int at, int size, long value, string expected) =>
        TorchBadInputTests.Refused(
            expected, new ZipBuilder { ChangeLocal = (header, i) => Change(header, i == 1, at, size, value) }.Write(Entries));

    [Fact]
    public void EntriesThatOverlap()
    {
        // Both sizes of the pickle's entry reach over the storage after it.
        int size = Entries[0].Data.Length + 10;
        void Grow(byte[] header, int at)
        {
            ZipBuilder.Put(header, at, size, 4);
            ZipBuilder.Put(header, at + 4, size, 4);
        }

        byte[] bytes = new ZipBuilder
        {
            ChangeCentral = (entry, i) => { if (i == 0) Grow(entry, 20); },
            ChangeLocal = (header, i) => { if (i == 0) Grow(header, 18); },
        }.Write(Entries);
        TorchBadInputTests.Refused("overlaps the entry after it", bytes);
    }

    // The zip64 end record (0 to 55), its locator (56 to 75) and the plain end record (76 to 97).
    [Theory]
    [InlineData(0, 4, 0, "zip64 end record is not where")]
    [InlineData(4, 8, 45, "zip64 end record is not where")]
    [InlineData(4, 8, -1, "zip64 end record is not where")]
    [InlineData(24, 8, 1, "disagree")]
    [InlineData(32, 8, 3, "disagree")]
    [InlineData(40, 8, 0, "disagree")]
    [InlineData(48, 8, 0, "disagree")]
    [InlineData(64, 8, 0, "zip64 end record is not where")]
    [InlineData(64, 8, -1, "zip64 end record is not where")]
    [InlineData(76, 4, 0, "does not end with its end record")]
    [InlineData(80, 2, 1, "several volumes")]
    [InlineData(84, 2, 1, "several volumes")]
    [InlineData(86, 2, 1, "several volumes")]
    [InlineData(88, 4, 1, "disagree")]
    [InlineData(92, 4, 1, "disagree")]
    [InlineData(96, 2, 5, "comment of 5 bytes")]
    public void EndRecordsThatLie(int at, int size, long value, string expected) =>
        TorchBadInputTests.Refused(expected, new ZipBuilder { ChangeEnd = end => ZipBuilder.Put(end, at, value, size) }.Write(Entries));

    [Theory]
    [InlineData(32, -1L)]
    [InlineData(32, 10_000_000L)]
    [InlineData(40, -1L)]
    [InlineData(48, long.MaxValue)]
    public void Zip64CountsBeyondTheFileAreRefusedAtOnce(int at, long value)
    {
        byte[] bytes = new ZipBuilder
        {
            ChangeEnd = end =>
            {
                // The plain record gives way to the wide one where it is all ones.
                ZipBuilder.Put(end, 84, 0xFFFFFFFF, 4);
                ZipBuilder.Put(end, 88, -1, 8);
                ZipBuilder.Put(end, at, value, 8);
                if (at == 32)
                    ZipBuilder.Put(end, 24, value, 8);
            },
        }.Write(Entries);
        TorchBadInputTests.Refused("claims", bytes);
    }

    [Fact]
    public void APlainEndRecordThatGivesWayToTheWideOneIsRead()
    {
        byte[] bytes = new ZipBuilder
        {
            ChangeEnd = end =>
            {
                ZipBuilder.Put(end, 84, 0xFFFFFFFF, 4);
                ZipBuilder.Put(end, 88, -1, 8);
            },
        }.Write(Entries);
        TorchCheckpoint.FromBytes("w", bytes).Dispose();
    }

    [Theory]
    [InlineData(8, 1, "breaks off")]
    [InlineData(8, 3, "breaks off")]
    [InlineData(12, 1, "should end")]
    [InlineData(16, 1, "should end")]
    public void PlainEndRecordsThatLie(int at, int value, string expected)
    {
        byte[] bytes = new ZipBuilder
        {
            Zip64End = false,
            ChangeEnd = end =>
            {
                ZipBuilder.Put(end, at, value, at == 8 ? 2 : 4);
                if (at == 8)
                    ZipBuilder.Put(end, 10, value, 2);
            },
        }.Write(Entries);
        TorchBadInputTests.Refused(value == 1 && at == 8 ? "after its 1 entries" : expected, bytes);
    }

    [Theory]
    [InlineData(-2)]
    [InlineData(2)]
    public void ArchivesCutShortOrExtended(int change)
    {
        byte[] bytes = new ZipBuilder().Write(Entries);
        Array.Resize(ref bytes, bytes.Length + change);
        TorchBadInputTests.Refused("cut short, or something was added", bytes);
    }

    private static void Change(byte[] record, bool it, int at, int size, long value)
    {
        if (it)
            ZipBuilder.Put(record, at, value, size);
    }
}
