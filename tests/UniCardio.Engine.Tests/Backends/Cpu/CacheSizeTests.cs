using UniCardio.Engine.Backends.Cpu;

namespace UniCardio.Engine.Tests.Backends.Cpu;

/// <summary>The second-level cache as the system tells it, and the strip that follows from it.</summary>
public sealed class CacheSizeTests
{
    [Theory]
    [InlineData("1024K", 1L << 20)]
    [InlineData("2M", 2L << 20)]
    [InlineData("65536", 65536L)]
    [InlineData("", null)]
    [InlineData("K", null)]
    [InlineData("-1K", null)]
    [InlineData("0K", null)]
    [InlineData("999999999999M", null)]
    [InlineData("many", null)]
    public void SizesAreParsedOrRefused(string text, long? bytes) => Assert.Equal(bytes, CacheSize.Parse(text));

    [Theory]
    [InlineData(128L << 10, 96)]
    [InlineData(512L << 10, 256)]
    [InlineData(1L << 20, 512)]
    [InlineData(2L << 20, 512)]
    [InlineData(1L << 30, 512)]
    public void StripsFollowTheCache(long level2, int rows) => Assert.Equal(rows, CacheSize.StripRows(level2));

    [Fact]
    public void TheTablesAreReadWhateverElseStandsThere()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            Assert.Null(CacheSize.FromSystem(folder));
            Assert.Null(CacheSize.FromSystem(Path.Combine(folder, "missing")));
            Write(folder, "index0", "1", "Data", "32K");
            Write(folder, "index1", "2", "Unified", "512K");
            Assert.Equal(512L << 10, CacheSize.FromSystem(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void ThisMachineHasACacheOfABelievableSize() => Assert.InRange(CacheSize.Level2, 64L << 10, 1L << 30);

    private static void Write(string folder, string index, string level, string type, string size)
    {
        string path = Directory.CreateDirectory(Path.Combine(folder, index)).FullName;
        File.WriteAllText(Path.Combine(path, "level"), level + "\n");
        File.WriteAllText(Path.Combine(path, "type"), type + "\n");
        File.WriteAllText(Path.Combine(path, "size"), size + "\n");
    }
}
