using System.Buffers.Binary;
using System.Text;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Formats.Npy;
using UniCardio.Tests.Shared;
using Xunit.Abstractions;

namespace UniCardio.Signals.Tests.Formats;

public class NpyFormatTests(ITestOutputHelper output)
{
    private static readonly RecordingReadOptions At100 = new() { SampleRate = 100 };

    private static byte[] File(string dictionary, byte[] data, byte version = 1)
    {
        byte[] text = Encoding.ASCII.GetBytes(dictionary + "\n");
        byte[] length = version == 1 ? [(byte)text.Length, (byte)(text.Length >> 8)] : [(byte)text.Length, (byte)(text.Length >> 8), 0, 0];
        return [0x93, .. "NUMPY"u8, version, 0, .. length, .. text, .. data];
    }

    private static byte[] Array(string type, string shape, byte[] data, bool fortran = false, byte version = 1) =>
        File($"{{'descr': '{type}', 'fortran_order': {fortran}, 'shape': {shape}, }}", data, version);

    private static byte[] Floats(params float[] values)
    {
        var data = new byte[values.Length * 4];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(i * 4), values[i]);
        return data;
    }

    private static Recording Parse(byte[] data) => NpyFormat.Parse(data, "x.npy", At100);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void OneDimensionIsOneChannel(byte version)
    {
        Recording r = Parse(Array("<f4", "(3,)", Floats(1, float.NaN, -32768), version: version));
        Assert.Equal([1, float.NaN, float.NaN], Assert.Single(r.Channels).Samples.ToArray());
        Assert.Equal(100, r.Channels[0].SampleRate);
        Assert.Contains(r.Warnings, w => w.Kind == SignalWarningKind.Data);
    }

    [Fact]
    public void ShorterAxisCountsChannelsInEitherOrder()
    {
        byte[] data = Floats(1, 2, 3, 4, 5, 6);
        Assert.Equal([[1, 2, 3], [4, 5, 6]], Parse(Array("<f4", "(2, 3)", data)).Channels.Select(c => c.Samples.ToArray()));
        Assert.Equal([[1, 3, 5], [2, 4, 6]], Parse(Array("<f4", "(3, 2)", data)).Channels.Select(c => c.Samples.ToArray()));
        Assert.Equal([[1, 3, 5], [2, 4, 6]], Parse(Array("<f4", "(2, 3)", data, fortran: true)).Channels.Select(c => c.Samples.ToArray()));
        Assert.Equal([[1, 2, 3], [4, 5, 6]], Parse(Array("<f4", "(3, 2)", data, fortran: true)).Channels.Select(c => c.Samples.ToArray()));
        Assert.Equal([[1, 2], [3, 4]], Parse(Array("<f4", "(2, 2)", Floats(1, 2, 3, 4))).Channels.Select(c => c.Samples.ToArray()));
    }

    [Theory]
    [InlineData("<i2", "FEFF", -2)]
    [InlineData(">i2", "FFFE", -2)]
    [InlineData("|i1", "FE", -2)]
    [InlineData("|u1", "FE", 254)]
    [InlineData("<u2", "FEFF", 65534)]
    [InlineData("<i4", "FEFFFFFF", -2)]
    [InlineData(">u4", "00000102", 258)]
    [InlineData("<i8", "FEFFFFFFFFFFFFFF", -2)]
    [InlineData(">f4", "3FC00000", 1.5)]
    [InlineData("<f8", "000000000000F83F", 1.5)]
    [InlineData("<f2", "003E", 1.5)]
    [InlineData("<i2", "0080", double.NaN)]
    public void ElementTypes(string type, string hex, double expected)
    {
        Assert.Equal((float)expected, Parse(Array(type, "(1,)", Convert.FromHexString(hex))).Channels[0].Samples.Span[0]);
    }

    [Theory]
    [InlineData("<f4", "(3,)", 11, "takes 12 bytes, but 11 follow")]
    [InlineData("<f4", "(3,)", 13, "takes 12 bytes, but 13 follow")]
    [InlineData("<f4", "(0,)", 0, "no samples")]
    [InlineData("<f4", "()", 4, "dimensions")]
    [InlineData("<f4", "(1, 1, 1)", 4, "dimensions")]
    [InlineData("<f4", "(-1,)", 4, "whole numbers")]
    [InlineData("<f4", "(1.5,)", 4, "expected ')'")]
    [InlineData("<f4", "(99999999999999999999,)", 4, "whole numbers")]
    [InlineData("<f4", "(9223372036854775807, 9223372036854775807)", 4, "takes")]
    [InlineData("<c8", "(1,)", 8, "type '<c8'")]
    [InlineData("|O", "(1,)", 8, "type '|O'")]
    [InlineData("<U4", "(1,)", 16, "type '<U4'")]
    public void ShapesAndTypesThatLieAreRefused(string type, string shape, int bytes, string problem)
    {
        Assert.Contains(problem, Assert.Throws<SignalFormatException>(() => Parse(Array(type, shape, new byte[bytes]))).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}")]
    [InlineData("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x")]
    [InlineData("{'descr': '<f4, 'fortran_order': False, 'shape': (1,)}")]
    public void MalformedHeadersAreRefused(string dictionary)
    {
        Assert.Throws<SignalFormatException>(() => Parse(File(dictionary, new byte[4])));
    }

    [Fact]
    public void StartThatLiesIsRefused()
    {
        byte[] sound = Array("<f4", "(1,)", Floats(1));
        for (int length = 0; length < sound.Length; length++)
            Assert.Throws<SignalFormatException>(() => Parse(sound[..length]));
        byte[] version = [.. sound];
        version[6] = 4;
        Assert.Throws<SignalFormatException>(() => Parse(version));
        byte[] header = [.. sound];
        header[9] = 0xFF;
        Assert.Throws<SignalFormatException>(() => Parse(header));
        Assert.Throws<SignalFormatException>(() => Parse(Array("<f8", "(1,)", BitConverter.GetBytes(1e308))));
        Assert.Throws<SignalFormatException>(() => NpyFormat.Parse(sound, "x.npy", RecordingReadOptions.Default));
        Assert.Throws<SignalLimitException>(() =>
            NpyFormat.Parse(Array("<f4", "(3,)", new byte[12]), "x.npy", At100 with { MaxSamples = 2 }));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void WritingAndReadingGivesTheSameBits(int channels)
    {
        using var folder = new TemporaryFolder();
        var random = new Random(3);
        var recording = new Recording("r", Enumerable.Range(0, channels).Select(c =>
            new Channel("c" + c, "", 100,
                Enumerable.Range(0, 40_000 - (c * 10)).Select(i => i % 7 == c ? float.NaN : random.NextSingle()).ToArray())));
        RecordingFile.Write(folder["r.npy"], recording);
        Assert.Equal(0, (int)(new FileInfo(folder["r.npy"]).Length - (channels * 160_000L)) % 64);
        Recording back = RecordingFile.Read(folder["r.npy"], At100);
        Assert.Equal(channels, back.Channels.Count);
        for (int c = 0; c < channels; c++)
        {
            Assert.Equal(recording.Channels[c].Samples.ToArray(), back.Channels[c].Samples.ToArray()[..recording.Channels[c].Length]);
            Assert.All(back.Channels[c].Samples.ToArray()[recording.Channels[c].Length..], v => Assert.True(float.IsNaN(v)));
        }
    }

    [Fact]
    public void MutantsAreReadOrRefused()
    {
        byte[][] seeds =
        [
            Array("<f4", "(3,)", Floats(1, 2, 3)), Array("<f8", "(2, 3)", new byte[48], version: 2),
            Array(">i2", "(3, 2)", new byte[12], fortran: true, version: 3),
            Array("<i8", "(40,)", new byte[320]),
        ];
        FuzzReport report = MutationFuzzer.Run(seeds, MutationFuzzer.CountFor(4000), 20260102,
            input => NpyFormat.Parse(input, "mutant.npy", At100), e => e is SignalException);
        output.WriteLine($"NPY: {report}");
        Assert.True(report.Accepted > 0 && report.Refused > 0);
    }
}
