using System.Runtime.InteropServices;
using UniCardio.Weights.Torch;

namespace UniCardio.Weights.Tests.Torch;

public class TorchBadInputTests
{
    private static PickleBuilder Pickle => new();

    private static PickleBuilder One(string key = "0", long count = 6, long offset = 0, long[]? size = null, long[]? stride = null) =>
        Pickle.Op('}').Text("w").Tensor("FloatStorage", key, count, offset, size ?? [6], stride ?? [1]).Op('s');

    [Theory]
    [InlineData("posix", "system")]
    [InlineData("os", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("__builtin__", "exec")]
    [InlineData("subprocess", "Popen")]
    [InlineData("torch._utils", "_rebuild_qtensor")]
    [InlineData("torch", "load")]
    [InlineData("collections", "OrderedDict.__init__")]
    [InlineData("torch.storage", "_load_from_bytes")]
    [InlineData("", "")]
    public void APickleThatNamesAnythingElseIsRefusedNotRun(string module, string name)
    {
        using var folder = new TemporaryFolder();
        string witness = folder.File("pwned");
        byte[] pickle = Pickle.Global(module, name).Op('(').Text($"touch {witness}").Op('t').Op('R').Stop();
        File.WriteAllBytes(folder.File("w.pth"), TorchBuilder.Of(pickle).Bytes());
        var e = Assert.Throws<WeightFormatException>(() => WeightFile.Load(folder.File("w.pth")));
        Assert.Contains($"'{module}.{name}'", e.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(witness));
    }

    [Fact]
    public void ACallHiddenBehindASoundStateDictIsRefusedToo()
    {
        byte[] sound = One().Stop();
        byte[] evil = [.. sound[..^1], .. Pickle.Global("os", "system").Text("true").Raw(0x85).Op('R').Op('0').Stop()[2..]];
        Refused("'os.system'", TorchBuilder.Of(evil, ("0", new byte[24])));
    }

    public static TheoryData<int> OtherOpcodes
    {
        get
        {
            var data = new TheoryData<int>();
            byte[] known = [.. "(t)}]aeGNcQRbsuqrhjXKMJ."u8, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A];
            for (int opcode = 0; opcode < 256; opcode++)
            {
                if (!known.Contains((byte)opcode))
                    data.Add(opcode);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(OtherOpcodes))]
    public void EveryOtherOpcodeIsRefused(int opcode) =>
        Refused($"opcode 0x{opcode:X2}",
            TorchBuilder.Of(Pickle.Number(1).Number(1).Op('(').Raw((byte)opcode, (byte)'1', (byte)'\n').Stop()));

    public static TheoryData<string, byte[]> BadPickles => new()
    {
        { "is not a pickle", [] },
        { "is not a pickle", "hello"u8.ToArray() },
        { "protocol 4", [0x80, 4, (byte)'}', (byte)'.'] },
        { "breaks off", Pickle.Op('}').Stop()[..^1] },
        { "breaks off", Pickle.Raw((byte)'M', 1).Stop()[..^1] },
        { "leaves 0 values", Pickle.Stop() },
        { "leaves 2 values", Pickle.Op('}').Op('}').Stop() },
        { "bytes follow", [.. Pickle.Op('}').Stop(), 0, 0] },
        { "a whole number, expected a state dict", Pickle.Number(3).Stop() },
        { "a tuple, expected a state dict", Pickle.Op(')').Stop() },
        { "more from its stack", Pickle.Op('R').Stop() },
        { "more from its stack", Pickle.Op('t').Stop() },
        { "more from its stack", Pickle.Op('u').Stop() },
        { "more from its stack", Pickle.Op('(').Raw(0x85).Stop() },
        { "never put aside", Pickle.Raw((byte)'h', 9).Stop() },
        { "never put aside", Pickle.Raw((byte)'j', 1, 0, 0, 0).Stop() },
        { "not there", Pickle.Raw((byte)'q', 0).Stop() },
        { "reaches past the end", Pickle.Raw((byte)'X', 0xFF, 0xFF, 0xFF, 0x7F).Stop() },
        { "reaches past the end", Pickle.Raw((byte)'X', 0xFF, 0xFF, 0xFF, 0xFF).Stop() },
        { "not UTF-8", Pickle.Raw((byte)'X', 1, 0, 0, 0, 0xFF).Stop() },
        { "a whole number of 9 bytes", Pickle.Raw(0x8A, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0).Stop() },
        { "does not end", Pickle.Raw((byte)'c').Stop() },
        { "items set on a tuple", Pickle.Op(')').Text("k").Number(1).Op('s').Stop() },
        { "items set on nothing", Pickle.Text("k").Number(1).Op('s').Stop() },
        { "a key without a value", Pickle.Op('}').Op('(').Text("k").Op('u').Stop() },
        { "a dictionary key is a truth value", Pickle.Op('}').Raw(0x88).Number(1).Op('s').Stop() },
        { "is there twice", Pickle.Op('}').Text("k").Number(1).Op('s').Text("k").Number(1).Op('s').Stop() },
        { "'k' is not a tensor", Pickle.Op('}').Text("k").Number(1).Op('s').Stop() },
        { "'state_dict' is not a tensor", Pickle.Op('}').Text("state_dict").OrderedDictionary().Op('s').Stop() },
        { "state set on a dictionary", Pickle.Op('}').Op('}').Op('b').Stop() },
        { "other state than '_metadata'", Pickle.OrderedDictionary().Op('}').Text("__class__").Op('N').Op('s').Op('b').Stop() },
        { "other state than '_metadata'", Pickle.OrderedDictionary().Op(')').Op('b').Stop() },
        { "from arguments", Pickle.Global("collections", "OrderedDict").Text("x").Raw(0x85).Op('R').Stop() },
        { "a call of 'FloatStorage'", Pickle.Global("torch", "FloatStorage").Op(')').Op('R').Stop() },
        { "a call of text", Pickle.Text("os.system").Op(')').Op('R').Stop() },
        { "as its arguments", Pickle.Global("collections", "OrderedDict").Number(1).Op('R').Stop() },
        { "a persistent id", Pickle.Text("0").Op('Q').Stop() },
        { "a persistent id", Pickle.Op('(').Text("storage").Text("FloatStorage").Text("0").Text("cpu").Number(1).Op('t').Op('Q').Stop() },
        { "count of 0 or more", Pickle.Op('}').Text("w").Tensor("FloatStorage", "0", -1, 0, [], []).Op('s').Stop() },
        { "a tensor is not", Pickle.Global("torch._utils", "_rebuild_tensor_v2").Op(')').Op('R').Stop() },
    };

    [Theory]
    [MemberData(nameof(BadPickles))]
    public void PicklesThatAreNoStateDict(string expected, byte[] pickle)
    {
        WeightFormatException e = Refused(expected, TorchBuilder.Of(pickle));
        Assert.Equal("archive/data.pkl", e.Entry);
    }

    [Theory]
    [InlineData(6, 0, new long[] { 7 }, new long[] { 1 })]
    [InlineData(6, 1, new long[] { 6 }, new long[] { 1 })]
    [InlineData(6, -1, new long[] { 1 }, new long[] { 1 })]
    [InlineData(6, 0, new long[] { 2, 3 }, new long[] { 4, 1 })]
    [InlineData(6, 7, new long[] { 0 }, new long[] { 1 })]
    [InlineData(6, long.MaxValue, new long[] { 2 }, new long[] { long.MaxValue })]
    [InlineData(6, 0, new long[] { 2147483647, 2147483647, 2147483647 }, new long[] { long.MaxValue, long.MaxValue, long.MaxValue })]
    public void ViewsPastTheirStorage(long count, long offset, long[] size, long[] stride) =>
        Refused("reaches past storage '0' of 6 elements",
            TorchBuilder.Of(One("0", count, offset, size, stride).Stop(), ("0", new byte[24])));

    [Theory]
    [InlineData(new long[] { -1 }, new long[] { 1 }, "dimension 0 is -1")]
    [InlineData(new long[] { 2147483648 }, new long[] { 0 }, "dimension 0 is 2147483648")]
    [InlineData(new long[] { 2 }, new long[] { -1 }, "stride 0 is -1")]
    [InlineData(new long[] { 2 }, new long[] { 1, 1 }, "1 dimensions with 2 strides")]
    [InlineData(new long[] { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, new long[] { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, "up to 8")]
    [InlineData(new long[] { 2147483647 }, new long[] { 0 }, "beyond reason")]
    [InlineData(new long[] { 66000 }, new long[] { 0 }, "beyond reason")]
    [InlineData(new long[] { 10000, 10000 }, new long[] { 0, 0 }, "beyond reason")]
    [InlineData(new long[] { 65536, 65536, 65536, 65536 }, new long[] { 0, 0, 0, 0 }, "beyond reason")]
    public void SizesAndStridesThatCannotBe(long[] size, long[] stride, string expected) =>
        Refused(expected, TorchBuilder.Of(One(size: size, stride: stride).Stop(), ("0", new byte[24])));

    [Theory]
    [InlineData(23)]
    [InlineData(25)]
    [InlineData(0)]
    public void StoragesOfAnotherLength(int bytes) =>
        Assert.Equal("archive/data/0", Refused("expected 6 elements of F32", TorchBuilder.Of(One().Stop(), ("0", new byte[bytes]))).Entry);

    [Theory]
    [InlineData("1")]
    [InlineData("../0")]
    [InlineData("../../etc/passwd")]
    [InlineData("")]
    public void StoragesThatAreNotInTheArchive(string key) =>
        Refused("is not in the archive", TorchBuilder.Of(One(key).Stop(), ("0", new byte[24])));

    [Fact]
    public void AStorageOfTwoTypes()
    {
        byte[] pickle = Pickle.Op('}').Op('(').Text("a").Tensor("FloatStorage", "0", 6, 0, [6], [1]).Text("b")
            .Tensor("IntStorage", "0", 6, 0, [6], [1]).Op('u').Stop();
        Refused("6 elements of F32 here and 6 of I32 there", TorchBuilder.Of(pickle, ("0", new byte[24])));
    }

    [Fact]
    public void ATensorWithAndWithoutThePrefix()
    {
        byte[] pickle = Pickle.Op('}').Op('(').Text("w").Tensor("FloatStorage", "0", 6, 0, [6], [1]).Text("module.w")
            .Tensor("FloatStorage", "0", 6, 0, [6], [1]).Op('u').Stop();
        Refused("is there twice", TorchBuilder.Of(pickle, ("0", new byte[24])));
    }

    [Fact]
    public void PicklesThatPileUpValues()
    {
        Refused("values aside", TorchBuilder.Of(Pickle.Raw([.. Enumerable.Repeat((byte)'}', 300_000)]).Stop()));
        Refused($"over {PickleReader.MaxLength}", TorchBuilder.Of(new byte[PickleReader.MaxLength + 1]));
        PickleBuilder tensors = Pickle.Op('}').Text("w").Tensor("FloatStorage", "0", 6, 0, [6], [1]);
        byte[] again = Pickle.Tensor("FloatStorage", "0", 6, 0, [6], [1]).Stop()[2..^1];
        for (int i = 0; i < 20_000; i++)
            tensors.Raw(again);
        // 20,000 tensors are within bounds; a stack that is not empty at the end is not.
        Refused("leaves 20003 values", TorchBuilder.Of(tensors.Stop(), ("0", new byte[24])));
    }

    [Fact]
    public void ABigEndianCheckpointIsRefusedByName()
    {
        TorchBuilder builder = TorchBuilder.Of(SmallNetwork.Tensors(1));
        builder.Entries.Add(("archive/byteorder", "big"u8.ToArray()));
        Refused("big-endian", builder);
        builder.Entries[^1] = ("archive/byteorder", "middle"u8.ToArray());
        Refused("expected 'little'", builder);
        builder.Entries[^1] = ("archive/byteorder", "little"u8.ToArray());
        TorchCheckpoint.FromBytes("w.pth", builder.Bytes()).Dispose();
    }

    [Fact]
    public void OtherFormatsAreToldApart()
    {
        byte[] legacy = [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.', 0x80, 0x02, 0x4D,
            0xE9, 0x03, (byte)'.'];
        using var folder = new TemporaryFolder();
        void Loading(byte[] bytes, string expected)
        {
            File.WriteAllBytes(folder.File("w"), bytes);
            Assert.Contains(expected, Assert.Throws<WeightFormatException>(() => WeightFile.Load(folder.File("w"))).Message,
                StringComparison.Ordinal);
        }

        Loading(legacy, "before version 1.6");
        Loading(One().Stop(), "a bare pickle");
        Loading([.. "PK\x05\x06"u8, .. new byte[18]], "does not start with a zip entry");
        Loading(new ZipBuilder().Write([("x/y.npy", new byte[3])]), "no torch checkpoint");
        Loading(new ZipBuilder().Write([("a/data.pkl", One().Stop()), ("b/data.pkl", One().Stop())]), "no torch checkpoint");
    }

    [Fact]
    public void DamagedStoragesAreFoundByTheirChecksum()
    {
        using var folder = new TemporaryFolder();
        byte[] bytes = TorchBuilder.Of(SmallNetwork.Tensors(5000)).Bytes();
        byte[] mark = MemoryMarshal.AsBytes(SmallNetwork.Tensors(5000)[3].Span).ToArray();
        bytes[bytes.AsSpan().IndexOf(mark)] ^= 1;
        File.WriteAllBytes(folder.File("w"), bytes);
        var e = Assert.Throws<WeightFormatException>(() => WeightFile.Load(folder.File("w"), new WeightLoadOptions { Heads = 3 }));
        Assert.Equal("archive/data/3", e.Entry);
        using LoadedWeights unchecked_ = WeightFile.Load(folder.File("w"), new WeightLoadOptions { Heads = 3, VerifyChecksums = false });
        Assert.Equal(SmallNetwork.Configuration, unchecked_.Configuration);
        using TorchCheckpoint file = TorchCheckpoint.FromBytes("w", bytes);
        string name = SmallNetwork.Tensors(5000)[3].Name;
        Assert.Throws<WeightFormatException>(() => file.Floats(name));
        Assert.Throws<WeightFormatException>(() => file.Floats(name));
    }

    internal static WeightFormatException Refused(string expected, TorchBuilder builder) => Refused(expected, builder.Bytes());

    internal static WeightFormatException Refused(string expected, byte[] bytes)
    {
        var e = Assert.Throws<WeightFormatException>(() => TorchCheckpoint.FromBytes("w.pth", bytes).Dispose());
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.Equal("w.pth", e.File);
        return e;
    }
}
