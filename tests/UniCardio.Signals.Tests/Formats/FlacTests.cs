using UniCardio.Signals.Formats;
using UniCardio.Signals.Formats.Flac;
using UniCardio.Signals.Formats.Wfdb;
using UniCardio.Tests.Shared;
using Xunit.Abstractions;
using Coding = UniCardio.Signals.Tests.Formats.FlacEncoder.Coding;

namespace UniCardio.Signals.Tests.Formats;

public class FlacTests(ITestOutputHelper output)
{
    private static int[] Walk(int depth, int count, int seed, int step, int wasted = 0)
    {
        var random = new Random(seed);
        long low = -(1L << (depth - 1)), high = (1L << (depth - 1)) - 1, value = 0;
        var samples = new int[count];
        for (int i = 0; i < count; i++)
        {
            value = Math.Clamp(value + random.Next(-step, step + 1), low, high);
            samples[i] = (int)(value >> wasted << wasted);
        }
        (samples[0], samples[^1]) = ((int)(low >> wasted << wasted), (int)(high >> wasted << wasted));
        return samples;
    }

    private static int[][] Decode(byte[] stream, out FlacEnd end)
    {
        var decoder = new FlacDecoder(stream, "x.flac");
        List<int>[] channels = [.. Enumerable.Range(0, decoder.Channels).Select(_ => new List<int>())];
        end = decoder.Decode((block, count) =>
        {
            for (int c = 0; c < channels.Length; c++)
                channels[c].AddRange(block[c].AsSpan(0, count));
            return true;
        }, CancellationToken.None);
        return [.. channels.Select(c => c.ToArray())];
    }

    public static TheoryData<string, int, int, bool, bool, int> Codings
    {
        get
        {
            var data = new TheoryData<string, int, int, bool, bool, int>();
            for (int order = 0; order <= 4; order++)
            {
                data.Add("fixed", order, 0, false, false, 0);
                data.Add("fixed", order, order == 0 ? 4 : 3, true, order % 2 == 0, order);
            }
            foreach (int order in new[] { 1, 2, 7, 12, 32 })
            {
                data.Add("lpc", order, 0, false, false, 0);
                data.Add("lpc", order, 1, true, order % 2 == 0, order % 3);
            }
            data.Add("verbatim", 0, 0, false, false, 0);
            data.Add("verbatim", 0, 0, false, false, 3);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Codings))]
    public void DecoderUndoesTheEncoder(string kind, int order, int partitions, bool wide, bool escape, int wasted)
    {
        foreach (int depth in new[] { 8, 12, 16, 20, 24 })
        {
            foreach (int step in new[] { 1, 1 << (depth - 3) })
            {
                // Whole frames and a shorter last one, which partitions must go into too.
                int[][] samples = [Walk(depth, 64 * 3 + 32, order + depth, step, wasted)];
                byte[] stream = FlacEncoder.Stream(samples, depth, 64, 0,
                    (_, _) => new Coding(kind, order, Math.Min(partitions, order >= 16 ? 0 : 5), wide, escape, wasted));
                Assert.Equal(samples, Decode(stream, out FlacEnd end));
                Assert.Equal(FlacEnd.Whole, end);
            }
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(10)]
    public void TwoChannelsByTheirDifference(int assignment)
    {
        foreach (int depth in new[] { 8, 16, 24 })
        {
            int[][] samples = [Walk(depth, 1000, 1, 9), Walk(depth, 1000, 2, 1 << (depth - 2))];
            Assert.Equal(samples, Decode(FlacEncoder.Stream(samples, depth, 192, assignment, (_, c) => new Coding("fixed", 1 + c)), out _));
        }
    }

    [Fact]
    public void UpToEightChannelsConstantsAndManyFrames()
    {
        int[][] samples = [.. Enumerable.Range(0, 8).Select(c => c % 2 == 0 ? Enumerable.Repeat(c - 4, 3200).ToArray() : Walk(16, 3200, c,
            50))];
        byte[] stream = FlacEncoder.Stream(samples, 16, 16, 0, (_, c) => c % 2 == 0 ? new Coding("constant") : new Coding("fixed", 2));
        Assert.Equal(samples, Decode(stream, out _));
    }

    private static Dictionary<string, byte[]> Record(byte[] stream, int frames, int format = 516, int signals = 1) => WfdbEncoder.Record(
        $"r {signals} 250 {(frames > 0 ? frames : "")}\n" + string.Concat(Enumerable.Repeat($"r.dat {format} 1(0)/mV\n",
            signals)), ("r.dat", stream));

    [Fact]
    public void RecordsAreReadWholeInPartsAndWithMissingSamples()
    {
        int[][] samples = [Walk(16, 1000, 1, 99), Walk(16, 1000, 2, 99)];
        samples[1][500] = -32768;
        byte[] stream = FlacEncoder.Stream(samples, 16, 192, 0, (_, _) => new Coding("fixed", 2), statesTotal: false);
        foreach (int frames in new[] { 1000, 0 })
        {
            Recording whole = WfdbEncoder.Read(Record(stream, frames, signals: 2));
            // The first sample is the lowest there is, which means missing.
            Assert.Equal([float.NaN, .. samples[0].Skip(1).Select(s => (float)s)], whole.Channels[0].Samples.ToArray());
            Assert.True(float.IsNaN(whole.Channels[1].Samples.Span[500]));
        }
        int[][] part = WfdbEncoder.Digital(Record(stream, 1000, signals: 2), 190, 400);
        Assert.Equal(samples[0][190..400], part[0]);
        Assert.Equal(samples[1][190..400], part[1]);
        // Two samples a frame: half as many frames.
        Dictionary<string, byte[]> framed = WfdbEncoder.Record("r 1 125 500\nr.dat 516x2 1(0)/mV\n",
            ("r.dat", FlacEncoder.Stream([samples[0]], 16, 192, 0, (_, _) => new Coding("fixed", 1))));
        Assert.Equal((250.0, 1000), (WfdbEncoder.Read(framed).Channels[0].SampleRate, WfdbEncoder.Read(framed).Channels[0].Length));
        Assert.Equal(samples[0][100..200], WfdbEncoder.Digital(framed, 50, 100)[0]);
    }

    [Fact]
    public void StreamsThatBreakOffGiveTheirWholeFrames()
    {
        int[][] samples = [Walk(16, 640, 1, 99)];
        samples[0][0] = 5;
        byte[] stream = FlacEncoder.Stream(samples, 16, 64, 0, (_, _) => new Coding("fixed", 2));
        for (int length = 0; length < stream.Length; length += 7)
        {
            Dictionary<string, byte[]> record = Record(stream[..length], 640);
            if (length < 500)
            {
                // In the description or the first frames: either nothing is there, or less than all.
                try
                {
                    Assert.InRange(WfdbEncoder.Read(record).Channels[0].Length, 1, 640);
                }
                catch (SignalException e)
                {
                    Assert.Contains("r.dat", e.Message, StringComparison.Ordinal);
                }
                continue;
            }
            Recording r = WfdbEncoder.Read(record);
            Assert.Equal(0, r.Channels[0].Length % 64);
            Assert.Equal(samples[0][..r.Channels[0].Length].Select(s => (float)s), r.Channels[0].Samples.ToArray());
            Assert.Contains(r.Warnings, w => w.Message.Contains("ends early", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void EveryChangedBitIsFound()
    {
        int[][] samples = [Walk(16, 192, 1, 99)];
        byte[] stream = FlacEncoder.Stream(samples, 16, 64, 0, (_, _) => new Coding("fixed", 2));
        int first = 4 + 4 + 34 + 4 + 5;
        for (int bit = first * 8; bit < stream.Length * 8; bit++)
        {
            byte[] changed = [.. stream];
            changed[bit / 8] ^= (byte)(0x80 >> (bit % 8));
            try
            {
                int[][] decoded = Decode(changed, out FlacEnd end);
                // A length that runs over the end looks like a stream that breaks off: nothing wrong comes out of it.
                Assert.Equal(FlacEnd.Truncated, end);
                Assert.Equal(samples[0][..decoded[0].Length], decoded[0]);
            }
            catch (SignalFormatException e)
            {
                Assert.Contains("damaged FLAC", e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData(508, 1, "16 bits")]
    [InlineData(524, 1, "16 bits")]
    [InlineData(516, 2, "1 channels")]
    public void StreamsThatAreNotWhatTheHeaderSaysAreRefused(int format, int signals, string problem)
    {
        byte[] stream = FlacEncoder.Stream([Walk(16, 64, 1, 9)], 16, 64, 0, (_, _) => new Coding("verbatim"));
        Assert.Contains(problem, Assert.Throws<SignalFormatException>(() => WfdbEncoder.Read(Record(stream, 64, format, signals))).Message,
            StringComparison.Ordinal);
    }

    [SkippableFact]
    public void OracleOfTheWfdbLibrary()
    {
        double[][] expected = SharedData.Table("wfdb/expected/record-flac.gz");
        var reader = new WfdbRecordReader(new RecordFiles.Folder(Path.GetDirectoryName(SharedData.Require("wfdb/flacformats.hea"))!),
            RecordingReadOptions.Default, CancellationToken.None);
        int[][] read = reader.ReadDigital(reader.ReadHeader("flacformats"), 0, null);
        Assert.Equal(499, expected.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], read.Select(c => c[i] == WfdbSamples.Missing ? int.MinValue : (double)c[i]));
        Assert.DoesNotContain(RecordingFile.Read(SharedData.Require("wfdb/flacformats.hea")).Warnings,
            w => w.Kind == SignalWarningKind.Checksum);
    }

    [SkippableFact]
    public void LongConstantSignals()
    {
        Recording r = RecordingFile.Read(SharedData.Require("wfdb/flac_3_constant.hea"),
            new RecordingReadOptions { StartSeconds = 22_000 });
        Assert.Equal(100_000, r.Channels[0].Length);
        Assert.Equal([25 / 200f, 50 / 200f, 75 / 200f], r.Channels.Select(c => c.Samples.Span[^1]));
    }

    [Fact]
    public void MutantsAreReadOrRefused()
    {
        byte[][] seeds =
        [
            FlacEncoder.Stream([Walk(16, 300, 1, 99)], 16, 64, 0, (_, _) => new Coding("fixed", 2)),
            FlacEncoder.Stream([Walk(8, 96, 2, 9), Walk(8, 96, 3, 9)], 8, 32, 10, (_, _) => new Coding("lpc", 4, 1)),
            FlacEncoder.Stream([Enumerable.Repeat(7, 2000).ToArray()], 24, 500, 0, (_, _) => new Coding("constant"), statesTotal: false),
        ];
        var options = new RecordingReadOptions { MaxSamples = 1 << 18 };
        int number = 0;
        FuzzReport report = MutationFuzzer.Run(seeds, MutationFuzzer.CountFor(6000), 20261126, input =>
        {
            int format = number++ % 3 == 0 ? 508 : number % 3 == 1 ? 516 : 524;
            WfdbEncoder.Read(Record(input, number % 2 == 0 ? 100 : 0, format, 1 + (number % 2)), options);
        }, e => e is SignalException, maxAllocated: 16 << 20);
        output.WriteLine($"FLAC: {report}");
        Assert.True(report.Refused > 0);
        // Checksums keep most of them from the decoder itself: bits go to it directly too.
        int[] samples = new int[192];
        byte[][] subframes = [.. seeds.Select(s => s[(4 + 4 + 34 + 4 + 5 + 8)..]), new byte[400],
            [0b0001_0100, .. Enumerable.Repeat((byte)0x5A, 300)], [0x40, .. Enumerable.Repeat((byte)0x33, 300)]];
        FuzzReport bits = MutationFuzzer.Run(subframes, MutationFuzzer.CountFor(6000), 20261127, input =>
        {
            var reader = new FlacBits(input);
            FlacSubframe.Read(ref reader, samples, 4 + (input.Length % 22));
        }, e => e is InvalidDataException or EndOfStreamException, maxAllocated: 1 << 20);
        output.WriteLine($"FLAC subframes: {bits}");
        Assert.True(bits.Accepted > 0 && bits.Refused > 0);
    }
}
