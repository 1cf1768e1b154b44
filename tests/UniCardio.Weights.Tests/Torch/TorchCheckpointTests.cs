using System.Runtime.InteropServices;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Weights.Torch;

namespace UniCardio.Weights.Tests.Torch;

public class TorchCheckpointTests
{
    private static readonly float[] Six = [0, 1, 2, 3, 4, 5];

    [Fact]
    public void ReadsNamesShapesAndValues()
    {
        using TorchCheckpoint file = Open(TorchBuilder.Of(SmallNetwork.Tensors(7)));
        Assert.Equal(SmallNetwork.Tensors(7).Select(t => t.Name), file.Entries.Select(e => e.Name));
        foreach (ParameterTensor expected in SmallNetwork.Tensors(7))
        {
            ParameterTensor actual = file.Tensor(expected.Name);
            Assert.Equal(expected.Shape, actual.Shape);
            Assert.True(expected.Span.SequenceEqual(actual.Span), expected.Name);
        }
    }

    [Fact]
    public void ViewsAlignedFloatsWithoutCopying()
    {
        using TorchCheckpoint file = Open(TorchBuilder.Of([new("w", [1 << 18], new float[1 << 18])]));
        _ = file.Floats("w");
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(1 << 18, file.Floats("w").Length);
        // 1 MiB of data.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4096);
    }

    public static TheoryData<long, long[], long[], float[]> Views => new()
    {
        { 0, [2, 3], [3, 1], [0, 1, 2, 3, 4, 5] },
        { 0, [3, 2], [1, 3], [0, 3, 1, 4, 2, 5] },
        { 2, [2, 2], [2, 1], [2, 3, 4, 5] },
        { 1, [2], [3], [1, 4] },
        { 5, [], [], [5] },
        { 3, [4], [0], [3, 3, 3, 3] },
        { 0, [1, 6, 1], [99, 1, 77], [0, 1, 2, 3, 4, 5] },
        { 6, [0, 4], [4, 1], [] },
        { 1, [2, 1, 2], [2, 50, 1], [1, 2, 3, 4] },
        { 0, [2, 2, 2], [1, 2, 1], [0, 1, 2, 3, 1, 2, 3, 4] },
    };

    [Theory]
    [MemberData(nameof(Views))]
    public void HonoursStridesAndOffsets(long offset, long[] size, long[] stride, float[] expected)
    {
        byte[] pickle = new PickleBuilder().Op('}').Text("w").Tensor("FloatStorage", "0", 6, offset, size, stride).Op('s').Stop();
        List<(string Name, byte[] Data)> entries = TorchBuilder.Of(pickle, ("0", MemoryMarshal.AsBytes<float>(Six).ToArray())).Entries;
        // At 64 bytes, as torch aligns, and at four places that follow each other, so that three are no multiple of 4.
        for (int shift = -1; shift < 4; shift++)
        {
            entries[0] = (entries[0].Name[..7] + new string('x', Math.Max(0, shift)) + "/data.pkl", pickle);
            entries[1] = (entries[0].Name[..^8] + "data/0", entries[1].Data);
            using TorchCheckpoint file = TorchCheckpoint.FromBytes("w", new ZipBuilder { Alignment = shift < 0 ? 64 : 1 }.Write(entries));
            Assert.Equal(expected, file.Floats("w").ToArray());
            Assert.Equal(size.Select(d => (int)d), file.Tensor("w").Shape);
        }
    }

    [Theory]
    [InlineData("DoubleStorage")]
    [InlineData("HalfStorage")]
    [InlineData("BFloat16Storage")]
    public void ConvertsOtherFloatStorages(string type)
    {
        byte[] data = type switch
        {
            "DoubleStorage" => MemoryMarshal.AsBytes<double>(Six.Select(v => (double)v).ToArray()).ToArray(),
            "HalfStorage" => MemoryMarshal.AsBytes<Half>(Six.Select(v => (Half)v).ToArray()).ToArray(),
            _ => MemoryMarshal.AsBytes<ushort>(Six.Select(v => (ushort)(BitConverter.SingleToUInt32Bits(v) >> 16)).ToArray()).ToArray(),
        };
        byte[] pickle = new PickleBuilder().OrderedDictionary().Op('(')
            .Text("module.whole").Tensor(type, "0", 6, 0, [6], [1])
            .Text("module.turned").Tensor(type, "0", 6, 1, [2, 2], [1, 2]).Op('u').Stop();
        using TorchCheckpoint file = Open(TorchBuilder.Of(pickle, ("0", data)));
        Assert.Equal(Six, file.Floats("whole").ToArray());
        Assert.Equal([1, 3, 2, 4], file.Floats("turned").ToArray());
    }

    [Fact]
    public void TensorsMayShareAStorage()
    {
        byte[] pickle = new PickleBuilder().OrderedDictionary().Op('(')
            .Text("a").Tensor("FloatStorage", "0", 6, 0, [3], [1])
            .Text("b").Tensor("FloatStorage", "0", 6, 3, [3], [1]).Op('u').Stop();
        using TorchCheckpoint file = Open(TorchBuilder.Of(pickle, ("0", MemoryMarshal.AsBytes<float>(Six).ToArray())));
        Assert.Equal([0, 1, 2], file.Floats("a").ToArray());
        Assert.Equal([3, 4, 5], file.Floats("b").ToArray());
    }

    [Fact]
    public void KnowsWhatTheNetworkNeverReads()
    {
        ParameterTensor[] tensors = [new("alpha_torch", [2, 1, 1], new float[2]),
            new("diffmodel.residual_layers.0.feature_layer.layers.0.linear1.bias", [1], new float[1]),
            new("diffmodel.norm1.bias", [1], new float[1])];
        using TorchCheckpoint file = Open(TorchBuilder.Of(tensors));
        Assert.Equal(tensors.Take(2).Select(t => t.Name), file.Dropped);
        Assert.Equal(3, file.Entries.Count);
    }

    [Fact]
    public void WholeNumbersAreListedAndRefusedAsWeights()
    {
        byte[] pickle = new PickleBuilder().Op('}').Text("module.n").Tensor("LongStorage", "0", 1, 0, [], []).Op('s').Stop();
        using TorchCheckpoint file = Open(TorchBuilder.Of(pickle, ("0", new byte[8])));
        Assert.Equal(ElementType.I64, Assert.Single(file.Entries).Type);
        Assert.Equal("n", Assert.Throws<WeightFormatException>(() => file.Floats("n")).Entry);
    }

    [Fact]
    public void AWeightOfWholeNumbersIsOneProblemAmongAll()
    {
        using var folder = new TemporaryFolder();
        TorchBuilder builder = TorchBuilder.Of(SmallNetwork.Tensors(5000).Skip(1));
        string first = SmallNetwork.Tensors(5000)[0].Name;
        // The pickle ends in 'u', the attribute and '.': set one more item before the attribute.
        byte[] sound = builder.Entries[0].Data;
        byte[] item = new PickleBuilder().Text("module." + first).Tensor("IntStorage", "i", 16, 0, [4, 4], [4, 1]).Op('s').Stop();
        int end = Array.LastIndexOf(sound, (byte)'u');
        builder.Entries[0] = ("archive/data.pkl", [.. sound[..(end + 1)], .. item[2..^1], .. sound[(end + 1)..]]);
        builder.Entries.Add(("archive/data/i", new byte[64]));
        File.WriteAllBytes(folder.File("w"), builder.Bytes());
        var e = Assert.Throws<WeightsException>(() => WeightFile.Load(folder.File("w"), new WeightLoadOptions { Heads = 3 }));
        Assert.Equal($"{first}: type I32, expected F32, F64, F16, BF16, or I8 with scales", Assert.Single(e.Problems));
    }

    [Fact]
    public void TheMemoIsHonoured()
    {
        // As torch.save does: the second tensor takes 'storage', its type and the rebuild function from the memo.
        PickleBuilder pickle = new PickleBuilder().OrderedDictionary().Raw((byte)'q', 1).Op('(').Text("a")
            .Global("torch._utils", "_rebuild_tensor_v2").Raw((byte)'r', 0x40, 0x42, 0x0F, 0x00)
            .Op('(').Op('(').Text("storage").Raw((byte)'q', 2).Global("torch", "FloatStorage").Raw((byte)'q', 3).Text("0").Text("cpu")
                .Raw((byte)'q', 4).Number(6).Op('t').Op('Q')
            .Number(0).Number(6).Raw(0x85).Number(1).Raw(0x85).Raw(0x89).Global("collections", "OrderedDict").Raw((byte)'q', 5).Op(')')
                .Op('R').Op('t').Op('R');
        pickle.Text("b").Raw((byte)'j', 0x40, 0x42, 0x0F, 0x00)
            .Op('(').Op('(').Raw((byte)'h', 2, (byte)'h', 3).Text("0").Raw((byte)'h', 4).Number(6).Op('t').Op('Q')
            .Raw(0x8A, 1, 2).Number(2).Number(2).Raw(0x86).Number(2).Number(1).Raw(0x86).Raw(0x88).Raw((byte)'h', 5).Op(')').Op('R').Op('t')
                .Op('R').Op('u');
        using TorchCheckpoint file = Open(TorchBuilder.Of(pickle.Stop(), ("0", MemoryMarshal.AsBytes<float>(Six).ToArray())));
        Assert.Equal([2, 3, 4, 5], file.Floats("b").ToArray());
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(64, true)]
    [InlineData(64, false)]
    public void ArchivesWithAndWithoutZip64AndAlignmentAreRead(int alignment, bool zip64)
    {
        TorchBuilder builder = TorchBuilder.Of(SmallNetwork.Tensors(7));
        byte[] bytes = new ZipBuilder { Alignment = alignment, Zip64End = zip64 }.Write(builder.Entries);
        using TorchCheckpoint file = TorchCheckpoint.FromBytes("w", bytes);
        foreach (ParameterTensor expected in SmallNetwork.Tensors(7))
            Assert.True(expected.Span.SequenceEqual(file.Floats(expected.Name).Span), expected.Name);
    }

    [Fact]
    public void ArchivesOfTheBaseLibraryAreRead()
    {
        var stream = new MemoryStream();
        using (var zip = new System.IO.Compression.ZipArchive(stream, System.IO.Compression.ZipArchiveMode.Create))
        {
            foreach ((string name, byte[] data) in TorchBuilder.Of(SmallNetwork.Tensors(7)).Entries)
            {
                using Stream entry = zip.CreateEntry(name, System.IO.Compression.CompressionLevel.NoCompression).Open();
                entry.Write(data);
            }
        }

        // The base library deflates even without compression; such an archive is refused, see the bad inputs. Stored ones are read.
        byte[] bytes = stream.ToArray();
        if (BitConverter.ToUInt16(bytes, 8) != 0)
            Assert.Contains("compressed", Assert.Throws<WeightFormatException>(() => TorchCheckpoint.FromBytes("w", bytes)).Message,
                StringComparison.Ordinal);
        else
            TorchCheckpoint.FromBytes("w", bytes).Dispose();
    }

    [Fact]
    public void ADisposedCheckpointThrows()
    {
        TorchCheckpoint file = Open(TorchBuilder.Of(SmallNetwork.Tensors(7)));
        ReadOnlyMemory<float> view = file.Floats("diffmodel.norm1.bias");
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => view.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => file.Floats("diffmodel.norm1.bias"));
    }

    [Theory]
    [InlineData("123456789", 0xCBF43926)]
    [InlineData("", 0)]
    [InlineData("a", 0xE8B7BE43)]
    [InlineData("The quick brown fox jumps over the lazy dog", 0x414FA339)]
    public void TheChecksumHasItsPublishedValues(string text, uint expected) =>
        Assert.Equal(expected, Crc32.Of(System.Text.Encoding.ASCII.GetBytes(text)));

    private static TorchCheckpoint Open(TorchBuilder builder) => TorchCheckpoint.FromBytes("w.pth", builder.Bytes());
}
