using System.Diagnostics;
using System.Text;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Weights.Tests.Safetensors;

public class SafetensorsBadInputTests
{
    private const string Sound =
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}""";

    [Fact]
    public void TheSoundFileThatTheOthersAreMadeFromIsRead()
    {
        using SafetensorsFile file = Read(Sound, 16);
        Assert.Equal(2, file.Entries.Count);
        Assert.Equal(ElementType.I64, file.Entry("b").Type);
        Assert.Equal("b", Assert.Throws<WeightFormatException>(() => file.Floats("b")).Entry);
        Assert.Throws<WeightFormatException>(() => file.Floats("c"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    public void FilesUnderEightBytes(int length) => Refused("8-byte header length", new byte[length]);

    [Theory]
    [InlineData(0UL, "header length 0")]
    [InlineData(1UL, "header length 1")]
    [InlineData(100_000_001UL, "over the format's limit")]
    [InlineData(ulong.MaxValue, "over the format's limit")]
    [InlineData(ulong.MaxValue - 7, "over the format's limit")]
    [InlineData(1UL << 63, "over the format's limit")]
    [InlineData(57UL, "past the end")]
    [InlineData(100_000_000UL, "past the end")]
    public void HeaderLengthsThatCannotBe(ulong length, string expected) =>
        Refused(expected, [.. BitConverter.GetBytes(length), .. new byte[56]]);

    [Theory]
    [InlineData("""[1,2]   """, "does not start with '{'")]
    [InlineData("""  {}""", "does not start with '{'")]
    [InlineData("""{"a":""", "not the JSON")]
    [InlineData("""{"a" "b"}""", "not the JSON")]
    [InlineData("""{} x""", "not the JSON")]
    [InlineData("""{}{}""", "not the JSON")]
    [InlineData("""{,}""", "not the JSON")]
    [InlineData("""{/*comment*/}""", "not the JSON")]
    [InlineData("""{"a":{"dtype":"F32","shape":[[[0]]],"data_offsets":[0,0]}}""", "not the JSON")]
    [InlineData("""{"a":3}""", "an object")]
    [InlineData("""{"a":null}""", "an object")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", "surrogate")]
    [InlineData("""{"a":{"\ud800":1}}""", "surrogate")]
    [InlineData("""{"a":{"dtype":"\ud800","shape":[0],"data_offsets":[0,0]}}""", "surrogate")]
    [InlineData("""{"__metadata__":{"\udc00":"1"}}""", "surrogate")]
    [InlineData("""{"__metadata__":{"a":"\ud800x"}}""", "surrogate")]
    [InlineData("""{"__metadata__":[]}""", "an object")]
    [InlineData("""{"__metadata__":{"a":1}}""", "a string")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", "twice")]
    [InlineData("""{"__metadata__":{"a":"1"},"__metadata__":{}}""", "twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", "twice")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\u0061":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", "twice")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", "dtype is there twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0],"shape":[0],"data_offsets":[0,0]}}""", "shape is there twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"data_offsets":[0,0]}}""", "data_offsets is there twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"more":1}}""", "unknown key 'more'")]
    [InlineData("""{"a":{"shape":[0],"data_offsets":[0,0]}}""", "dtype is missing")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,0]}}""", "shape is missing")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0]}}""", "data_offsets is missing")]
    [InlineData("""{"a":{"dtype":"F33","shape":[0],"data_offsets":[0,0]}}""", "unknown dtype 'F33'")]
    [InlineData("""{"a":{"dtype":"f32","shape":[0],"data_offsets":[0,0]}}""", "unknown dtype 'f32'")]
    [InlineData("""{"a":{"dtype":32,"shape":[0],"data_offsets":[0,0]}}""", "dtype as a string")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}}""", "holds '-1'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,0]}}""", "holds '1.5'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,0]}}""", "holds '1.0'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1e1],"data_offsets":[0,0]}}""", "holds '1e1'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,0]}}""", "holds '99999999999999999999'")]
    [InlineData("""{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,0]}}""", "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":7,"data_offsets":[0,0]}}""", "an array")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296],"data_offsets":[0,0]}}""", "dimension 4294967296")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647,2147483647],"data_offsets":[0,4]}}""", "2^63 or more")]
    [InlineData("""{"a":{"dtype":"U8","shape":[65536,65536,65536,65536],"data_offsets":[0,0]}}""", "2^63 or more")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}""", "over 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", "reversed")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", "has 1 numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""", "over 2")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", "holds '-4'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,20]}}""", "past the end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[9223372036854775803,9223372036854775807]}}""", "past the end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,16]}}""", "has 12 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[3],"data_offsets":[4,16]}}""",
        "overlaps")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""",
        "overlaps")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}""",
        "hole of 4 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[4,16]}}""", "hole of 4 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""", "4 bytes follow")]
    [InlineData("""{}""", "16 bytes follow")]
    public void HeadersThatDoNotHold(string json, string expected) => Refused(expected, File(json, 16));

    [Fact]
    public void HeadersThatAreNotUtf8()
    {
        byte[] file = File(Sound, 16);
        file[Array.IndexOf(file, (byte)'a')] = 0xFF;
        Refused("not UTF-8", file);
    }

    [Fact]
    public void DepthBombs()
    {
        string bomb = new('[', 1_000_000), nest = string.Concat(Enumerable.Repeat("{\"a\":", 200_000));
        Refused("an object", File("{\"a\":" + bomb, 0));
        Refused("not the JSON", File("{\"a\":{\"dtype\":\"F32\",\"shape\":" + bomb, 0));
        Refused("a string", File("{\"__metadata__\":{\"a\":" + bomb, 0));
        Refused("unknown key 'a'", File(nest, 0));
    }

    [Theory]
    [InlineData(-2, "past the end")]
    [InlineData(2, "2 bytes follow")]
    public void FilesCutShortOrExtended(int change, string expected)
    {
        byte[] file = File(Sound, 16);
        Array.Resize(ref file, file.Length + change);
        Refused(expected, file);
    }

    [Fact]
    public void TenMillionTensorsAreRefusedEarly()
    {
        // Ten million do not fit under the header's limit; a header of 100 MB that starts with 70,000 is as bad as can be.
        var json = new StringBuilder("{");
        for (int i = 0; i < 70_000; i++)
            json.Append('"').Append(i).Append("\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},");
        byte[] file = new byte[8 + SafetensorsFile.MaxHeaderLength];
        Array.Fill(file, (byte)' ');
        BitConverter.TryWriteBytes(file, (long)SafetensorsFile.MaxHeaderLength);
        Encoding.ASCII.GetBytes(json.ToString(), file.AsSpan(8));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refused($"over {SafetensorsFile.MaxTensors} tensors", file);
        // Reading stops after 65,536 entries of some 300 bytes; ten million would take 3 GB.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32L << 20);
    }

    [Fact]
    public void TenMillionMetadataPairsAreRefusedEarly()
    {
        var json = new StringBuilder("{\"__metadata__\":{");
        for (int i = 0; i < 100_000; i++)
            json.Append('"').Append(i).Append("\":\"\",");
        json[^1] = '}';
        Refused("over 65536 pairs", File(json.Append('}').ToString(), 0));
    }

    [Fact]
    public void MisalignedDataIsReadByCopy()
    {
        // One byte before the floats, and a header that is no multiple of 8.
        string json = """{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}""";
        byte[] data = [7, .. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-2f)];
        for (int pad = 0; pad < 4; pad++)
        {
            string padded = json + new string(' ', pad);
            using SafetensorsFile read =
                SafetensorsFile.FromBytes("w", [.. BitConverter.GetBytes((long)padded.Length), .. Encoding.UTF8.GetBytes(padded), .. data]);
            Assert.Equal([1.5f, -2f], read.Floats("a").ToArray());
        }
    }

    [Fact]
    public void OtherFloatTypesAreConverted()
    {
        string json =
            """{"d":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},"h":{"dtype":"F16","shape":[3],"data_offsets":[16,22]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[22,26]}}""";
        byte[] data =
        [
            .. BitConverter.GetBytes(0.1), .. BitConverter.GetBytes(-3.0),
            .. BitConverter.GetBytes((Half)0.5f), .. BitConverter.GetBytes((Half)65504f),
            .. BitConverter.GetBytes(BitConverter.UInt16BitsToHalf(1)),
            0x80, 0x3F, 0x49, 0xC0,
        ];
        using SafetensorsFile file =
            SafetensorsFile.FromBytes("w", [.. BitConverter.GetBytes((long)json.Length), .. Encoding.UTF8.GetBytes(json), .. data]);
        Assert.Equal([0.1f, -3f], file.Floats("d").ToArray());
        // The smallest subnormal of binary16 is 2^-24.
        Assert.Equal([0.5f, 65504f, 5.9604645e-8f], file.Floats("h").ToArray());
        // 0x3F80 is 1; 0xC049 is -(1 + 73/128) * 2 = -3.140625.
        Assert.Equal([1f, -3.140625f], file.Floats("b").ToArray());
    }

    [Fact]
    public void AnEmptyFileOfNoTensorsIsSound()
    {
        using SafetensorsFile file = Read("{}", 0);
        Assert.Empty(file.Entries);
    }

    [Fact]
    public void MessagesStayOneReadableLine()
    {
        string name = new string('x', 100_000) + "\\n\\u001b[31m";
        var e = Assert.Throws<WeightFormatException>(() => Read($$$"""{"{{{name}}}":{"dtype":"?","shape":[],"data_offsets":[0,0]}}""", 0));
        Assert.InRange(e.Message.Length, 1, 1000);
        Assert.DoesNotContain(e.Message, char.IsControl);
    }

    private static SafetensorsFile Read(string json, int dataLength) => SafetensorsFile.FromBytes("w.safetensors", File(json, dataLength));

    private static byte[] File(string json, int dataLength)
    {
        byte[] header = Encoding.UTF8.GetBytes(json);
        return [.. BitConverter.GetBytes((long)header.Length), .. header, .. new byte[dataLength]];
    }

    private static void Refused(string expected, byte[] file)
    {
        var e = Assert.Throws<WeightFormatException>(() => SafetensorsFile.FromBytes("w.safetensors", file).Dispose());
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.Equal("w.safetensors", e.File);
    }
}
