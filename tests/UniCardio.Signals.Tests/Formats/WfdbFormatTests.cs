using System.Globalization;
using System.Text;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Formats.Wfdb;
using UniCardio.Tests.Shared;
using Xunit.Abstractions;
using static UniCardio.Signals.Tests.Formats.WfdbEncoder;

namespace UniCardio.Signals.Tests.Formats;

public class WfdbFormatTests(ITestOutputHelper output)
{
    private static SignalException Refused(string header, params (string Name, byte[] Data)[] files) =>
        Assert.ThrowsAny<SignalException>(() => Read(Record(header, files)));

    private static int[] RandomSamples(int format, int count, int seed)
    {
        var random = new Random(seed);
        (int low, int high) = Range(format);
        int[] samples = [.. Enumerable.Range(0, count).Select(_ => (int)random.NextInt64(low, (long)high + 1))];
        samples[0] = low;
        samples[^1] = high;
        return samples;
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(32)]
    [InlineData(61)]
    [InlineData(80)]
    [InlineData(160)]
    [InlineData(212)]
    [InlineData(310)]
    [InlineData(311)]
    public void DecoderUndoesTheEncoderAtEveryLength(int format)
    {
        for (int count = 2; count <= 25; count++)
        {
            int[] samples = RandomSamples(format, count, count);
            byte[] data = Encode(format, samples);
            // Two samples of format 310 take as many bytes as three.
            Assert.Equal(format == 310 && count % 3 == 2 ? count + 1 : count, WfdbSamples.Capacity((WfdbSampleFormat)format, data.Length));
            Assert.True(WfdbSamples.Capacity((WfdbSampleFormat)format, data.Length - 1) < count);
            int[] expected = format == 8 ? [.. samples.Select((_, i) => 1000 + samples.Take(i + 1).Sum())] : samples;
            int sum = unchecked((short)expected.Aggregate(0, (a, b) => unchecked(a + b)));
            Dictionary<string, byte[]> record = Record($"r 1 100 {count}\nr.dat {format} 200 0 0 1000 {sum}\n", ("r.dat", data));
            Assert.Equal(expected, Digital(record)[0]);
            for (int first = 0; first < count; first++)
                Assert.Equal(expected[first..], Digital(record, first)[0]);
            Assert.DoesNotContain(Read(record).Warnings, w => w.Kind is SignalWarningKind.Checksum or SignalWarningKind.Header);
        }
    }

    [Theory]
    [InlineData(16, -32768)]
    [InlineData(61, -32768)]
    [InlineData(160, -32768)]
    [InlineData(24, -8388608)]
    [InlineData(32, int.MinValue)]
    [InlineData(80, -128)]
    [InlineData(212, -2048)]
    [InlineData(310, -512)]
    [InlineData(311, -512)]
    public void LowestValueIsMissing(int format, int missing)
    {
        Recording r = Read(Record($"r 1 100 3\nr.dat {format} 2(1)/mmHg\n", ("r.dat", Encode(format, [5, missing, missing + 1]))));
        Assert.Equal([2, float.NaN, (float)((missing + 1.0 - 1) / 2)], r.Channels[0].Samples.ToArray());
    }

    [Fact]
    public void BlocksJoinWithoutSeam()
    {
        // Several decoding blocks, three signals of 1, 3 and 2 samples a frame.
        const int Frames = 9001;
        int[] samples = RandomSamples(212, Frames * 6, 5);
        int[][] d = Digital(Record($"r 3 100 {Frames}\nr.dat 212\nr.dat 212x3\nr.dat 212x2\n", ("r.dat", Encode(212, samples))));
        for (int f = 0; f < Frames; f++)
        {
            Assert.Equal(samples[f * 6], d[0][f]);
            Assert.Equal(samples[((f * 6) + 1)..((f * 6) + 4)], d[1][(f * 3)..((f * 3) + 3)]);
            Assert.Equal(samples[((f * 6) + 4)..((f * 6) + 6)], d[2][(f * 2)..((f * 2) + 2)]);
        }
    }

    [Fact]
    public void HeaderFieldsAndDefaults()
    {
        Recording r = Read(
            Record(
                "# before\nr 5 360/1000(7) 2 12:30:15.5 07/11/2020\na.dat 16 100(-10)/mmHg 12 1 0 0 0 ABP line 1\r\n\na.dat 16+0\na.dat "
                + "16 0 10 100\na.dat 16 -5(3)/uV 0 0 0 0 0 II\n~ 0 200/NU 0 0 0 0 0 PLETH\n# after\n",
            ("a.dat", Int16(190, 400, 300, 3, 390, 0, 100, -7))));
        Assert.Equal([2, 2, 2, 2, 2], r.Channels.Select(c => c.Length));
        Assert.Equal(["ABP line 1", "signal 1", "signal 2", "II", "PLETH"], r.Channels.Select(c => c.Name));
        Assert.Equal(["mmHg", "mV", "mV", "uV", "NU"], r.Channels.Select(c => c.Unit));
        Assert.Equal([2, 4], r.Channels[0].Samples.ToArray());
        Assert.Equal([2, 0], r.Channels[1].Samples.ToArray()); // no gain: 200 steps a millivolt
        Assert.Equal([1, 0], r.Channels[2].Samples.ToArray()); // gain 0: 200 too; no baseline: the ADC zero
        Assert.Equal([0, 2], r.Channels[3].Samples.ToArray()); // an inverted lead
        Assert.All(r.Channels[4].Samples.ToArray(), v => Assert.True(float.IsNaN(v)));
        Assert.Equal(360, r.Channels[0].SampleRate);
        Assert.Equal(new DateTime(2020, 11, 7, 12, 30, 15, 500), r.StartTime);
        Assert.Equal(["after"], r.Comments);
        Assert.Equal(250, Read(Record("r 1\nr.dat 16\n", ("r.dat", Int16(1, 2)))).Channels[0].SampleRate);
    }

    [Fact]
    public void LengthComesFromTheFileWhereTheHeaderIsSilent()
    {
        Recording r = Read(Record("r 2 100\nr.dat 16+4\nr.dat 16+4\n", ("r.dat", [1, 2, 3, 4, .. Int16(1, 2, 3, 4, 5)])));
        Assert.Equal(2, r.Channels[0].Length);
        Recording longer = Read(Record("r 1 100 2\nr.dat 16\n", ("r.dat", Int16(1, 2, 3, 4, 5))));
        Assert.Equal(2, longer.Channels[0].Length);
        Assert.Contains(longer.Warnings, w => w.Kind == SignalWarningKind.Header);
    }

    [Fact]
    public void WrongChecksumIsAWarning()
    {
        SignalWarning w = Assert.Single(Read(Record("r 1 100 2\nr.dat 16 200 16 0 1 4 0 II\n", ("r.dat", Int16(10, -5)))).Warnings, w =>
            w.Kind == SignalWarningKind.Checksum);
        Assert.Equal("II", w.Channel);
    }

    [Fact]
    public void SkewTakesLaterFramesAndEndsMissing()
    {
        int[][] d = Digital(Record("r 2 100 4\nr.dat 16:2\nr.dat 16\n", ("r.dat", Int16(0, 10, 1, 11, 2, 12, 3, 13))));
        Assert.Equal([2, 3, WfdbSamples.Missing, WfdbSamples.Missing], d[0]);
        Assert.Equal([10, 11, 12, 13], d[1]);
        Assert.Equal([3, WfdbSamples.Missing],
            Digital(Record("r 2 100 4\nr.dat 16:2\nr.dat 16\n", ("r.dat", Int16(0, 10, 1, 11, 2, 12, 3, 13))), 1, 3)[0]);
    }

    [Fact]
    public void FramesAreGivenInFullOrAveraged()
    {
        Dictionary<string, byte[]> record = Record("r 2 100 2\nr.dat 16x2 1(0)/mV 0 0 0 0 0 II\nr.dat 16 1(0)/mmHg 0 0 0 0 0 ABP\n",
            ("r.dat", Int16(1, 2, 100, 3, -32768, 101)));
        Recording full = Read(record), averaged = Read(record, new RecordingReadOptions { AverageFrames = true });
        Assert.Equal((200, 100), (full.Channels[0].SampleRate, full.Channels[1].SampleRate));
        Assert.Equal([1, 2, 3, float.NaN], full.Channels[0].Samples.ToArray());
        Assert.Equal((100, 100), (averaged.Channels[0].SampleRate, averaged.Channels[1].SampleRate));
        Assert.Equal([1.5f, 3], averaged.Channels[0].Samples.ToArray());
    }

    [Fact]
    public void FixedSegmentsKeepTheirOwnGain()
    {
        Dictionary<string, byte[]> files = Record("r/3 1 100 6\ns1 2\n~ 3\ns2 1\n",
            ("s1.hea", "s1 1 100 2\ns1.dat 16 10/mmHg 0 0 0 0 0 ABP\n"u8.ToArray()), ("s1.dat", Int16(900, 1000)),
            ("s2.hea", "s2 1 100 1\ns2.dat 80 1(-100)/mmHg 0 0 0 0 0 ABP\n"u8.ToArray()), ("s2.dat", Encode(80, [5])));
        Assert.Equal([90, 100, float.NaN, float.NaN, float.NaN, 105], Read(files).Channels[0].Samples.ToArray());
        Assert.Equal([100, float.NaN],
            Read(files, new RecordingReadOptions { StartSeconds = 0.01, EndSeconds = 0.03 }).Channels[0].Samples.ToArray());
        // What is not asked for is not needed.
        files.Remove("s2.dat");
        Assert.Equal(5, Read(files, new RecordingReadOptions { EndSeconds = 0.05 }).Channels[0].Length);
        Assert.Throws<SignalFileException>(() => Read(files));
    }

    [Fact]
    public void VariableSegmentsArePlacedByName()
    {
        Dictionary<string, byte[]> files = Record("r/4 2 100 5\nlay 0\ns1 2\n~ 1\ns2 2\n",
            ("lay.hea", "lay 2 100 0\n~ 0 1/mmHg 0 0 0 0 0 ABP\n~ 0 1/mV 0 0 0 0 0 II\n"u8.ToArray()),
            ("s1.hea", "s1 1 100 2\ns1.dat 16 1/uV 0 0 0 0 0 II\n"u8.ToArray()), ("s1.dat", Int16(1000, 2000)),
            ("s2.hea", "s2 3 100 2\ns2.dat 16 1/mV 0 0 0 0 0 II\ns2.dat 16 1/kPa 0 0 0 0 0 ABP\ns2.dat 16 1/mV 0 0 0 0 0 X\n"u8.ToArray()),
            ("s2.dat", Int16(7, 10, 1, 8, 12, 2)));
        Recording r = Read(files);
        Assert.Equal(["ABP", "II"], r.Channels.Select(c => c.Name));
        Assert.Equal([float.NaN, float.NaN, float.NaN, (float)(10000 / 133.322387415), (float)(12000 / 133.322387415)],
            r.Channels[0].Samples.ToArray());
        Assert.Equal([1, 2, float.NaN, 7, 8], r.Channels[1].Samples.ToArray());
        Assert.Contains(r.Warnings, w => w.Channel == "X");
    }

    [Theory]
    [InlineData("", "no record line")]
    [InlineData("# only\n", "no record line")]
    [InlineData("r\n", "number of signals")]
    [InlineData("../r 1\n", "record name")]
    [InlineData("r -1\n", "out of range")]
    [InlineData("r 0 100 10\n", "no signals")]
    [InlineData("r 99999999 100 10\n", "exceed the limit of 1024")]
    [InlineData("r 3 100 10\nr.dat 16\n", "states 3 signals, but 1 lines")]
    [InlineData("r 1 0 2\nr.dat 16\n", "sampling frequency '0'")]
    [InlineData("r 1 -5 2\nr.dat 16\n", "sampling frequency")]
    [InlineData("r 1 NaN 2\nr.dat 16\n", "sampling frequency")]
    [InlineData("r 1 1e999 2\nr.dat 16\n", "sampling frequency")]
    [InlineData("r 1 100 -2\nr.dat 16\n", "below 0")]
    [InlineData("r 1 100 99999999999999999999\nr.dat 16\n", "not a whole number")]
    [InlineData("r 1 100 1\nr.dat 16x2147483647\n", "holds 0 frames")]
    [InlineData("r 1 100\nr.dat 16x2147483647\n", "hold no frame")]
    [InlineData("r 1 100 1\nr.dat 16x0\n", "at least 1")]
    [InlineData("r 1 100 1\nr.dat 16x99999999999\n", "out of range")]
    [InlineData("r 1 100 1\nr.dat 16:-1\n", "skew -1")]
    [InlineData("r 1 100 1\nr.dat 16+9\n", "begin at byte 9")]
    [InlineData("r 1 100 1\nr.dat 500\n", "format 500 is not read")]
    [InlineData("r 1 100 1\nr.dat 508\n", "damaged FLAC")]
    [InlineData("r 1 100 1\nr.dat mp3\n", "format 'mp3'")]
    [InlineData("r 1 100 1\n/etc/passwd 16\n", "plain name")]
    [InlineData("r 1 100 1\n../r.dat 16\n", "plain name")]
    [InlineData("r 1 100 1\nsub/../r.dat 16\n", "plain name")]
    [InlineData("r 1 100 1\nC:r.dat 16\n", "plain name")]
    [InlineData("r 1 100 1\n..\\r.dat 16\n", "plain name")]
    [InlineData("r 1 100 1\n.. 16\n", "plain name")]
    [InlineData("r 1 100 1\n- 16\n", "plain name")]
    [InlineData("r 1 100 1\nmissing.dat 16\n", "no such file")]
    [InlineData("r 1 100 1\nr.dat 16 nan\n", "gain")]
    [InlineData("r 1 100 1\nr.dat 16 1e-320/mV\n", "float32")]
    [InlineData("r 1 100 1\nr.dat 16 1(x)/mV\n", "baseline 'x'")]
    [InlineData("r 1 100 1\nr.dat 16 1(0/mV\n", "never closed")]
    [InlineData("r 2 100 1\nr.dat 16\nr.dat 212\n", "formats 16 and 212")]
    [InlineData("r 2 100 1\nr.dat 16+1\nr.dat 16+2\n", "two byte offsets")]
    [InlineData("r 1 100 1000000000000\n~ 0\n", "samples exceed the limit")]
    [InlineData("r 1 100\n~ 0\n", "no length")]
    [InlineData("r/0 1 100 1\n", "at least 1")]
    [InlineData("r/2 1 100 1\ns 1\n", "states 2 segments, but 1 lines")]
    [InlineData("r/999999999 1 100 1\ns 1\n", "states 999999999 segments")]
    [InlineData("r/1 1 100 1\n../s 1\n", "segment name")]
    [InlineData("r/1 1 100 1\ns/2 1\n", "segments of its own")]
    [InlineData("r/1 1 100 1\nr 1\n", "multi-segment")]
    [InlineData("r/1 1 100 1\n~ 1\n", "only null segments")]
    [InlineData("r/1 1 100 0\ns 0\n", "no length")]
    [InlineData("r/2 1 100 1\ns 9223372036854775807\ns 9223372036854775807\n", "add up to more")]
    [InlineData("r/2 1 100 1\ns 1\n~ 1000000000000\n", "exceed the limit")]
    [InlineData("r/1 2 100 1\ns 1\n", "has 1 signals")]
    [InlineData("r/1 1 200 1\ns 1\n", "has 100 Hz")]
    public void LyingHeadersAreRefused(string header, string problem)
    {
        SignalException e =
            Refused(header, ("r.dat", Int16(1, 2, 3, 4)), ("s.hea", "s 1 100 1\ns.dat 16\n"u8.ToArray()), ("s.dat", Int16(1)));
        Assert.Contains(problem, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("r 1 100 5\nr.dat 16 1(0)/mV\n")]
    [InlineData("r 1 100 9223372036854775807\nr.dat 16 1(0)/mV\n")]
    [InlineData("r 2 100 5\nr.dat 16 1(0)/mV\ns.dat 16 1(0)/mV\n")]
    public void DataThatEndEarlyAreReadAsFarAsTheyGo(string header)
    {
        Recording r = Read(Record(header, ("r.dat", Int16(1, 2, 3, 4)), ("s.dat", Int16(9))));
        Assert.Equal([1, 2, 3, 4], r.Channels[0].Samples.ToArray());
        if (r.Channels.Count > 1)
            Assert.Equal([9, float.NaN, float.NaN, float.NaN], r.Channels[1].Samples.ToArray());
        Assert.Equal(r.Channels.Count, r.Warnings.Count(w => w.Message.Contains("ends early", StringComparison.Ordinal)));
    }

    [Fact]
    public void ASegmentThatEndsEarlyLeavesAGap()
    {
        Recording r = Read(
            Record("r/2 1 100 5\ns 3\nt 2\n", ("s.hea", "s 1 100\ns.dat 16 1(0)/mV\n"u8.ToArray()), ("s.dat", Int16(1)),
                ("t.hea", "t 1 100\nt.dat 16 1(0)/mV\n"u8.ToArray()), ("t.dat", Int16(5, 6))));
        Assert.Equal([1, float.NaN, float.NaN, 5, 6], r.Channels[0].Samples.ToArray());
        Assert.Contains(r.Warnings, w => w.Message.Contains("has 1 frames", StringComparison.Ordinal));
    }

    [Fact]
    public void FoldersAndExtensionsInNamesMeanTheRecordsOwnFiles()
    {
        Recording r = Read(Record("p1/r.mat 1 100 2\np1/r.dat 16 1(0)/mV\n", ("r.dat", Int16(1, 2))));
        Assert.Equal("r", r.Name);
        Assert.Equal([1, 2], r.Channels[0].Samples.ToArray());
        // A folder that is there is looked into.
        Assert.Equal([7],
            Read(Record("r 1 100 1\nsub/r.dat 16 1(0)/mV\n", ("r.dat", Int16(1)), ("sub/r.dat", Int16(7)))).Channels[0].Samples.ToArray());
    }

    [Theory]
    [InlineData("12:30:15 07/11/2020", "2020-11-07 12:30:15", null)]
    [InlineData("07/11/2020 12:30:15", "2020-11-07 12:30:15", null)]
    [InlineData("[12:30:15.5 07/11/2020]", "2020-11-07 12:30:15.5", null)]
    [InlineData("12:30:15", "0001-01-01 12:30:15", null)]
    [InlineData("12:30:15 01/02/199", "0001-01-01 12:30:15", "not a date")]
    [InlineData("2006", null, "not a time of day")]
    [InlineData("07/11/2020", null, "not a time of day")]
    [InlineData("25:00:00 07/11/2020", null, "not a time of day")]
    public void BaseTimesInEveryOrder(string stated, string? start, string? remark)
    {
        Recording r = Read(Record($"r 1 100 2 {stated}\nr.dat 16\n", ("r.dat", Int16(1, 2))));
        Assert.Equal(start is null ? null : DateTime.Parse(start, CultureInfo.InvariantCulture), r.StartTime);
        Assert.Equal(remark is null ? 0 : 1,
            r.Warnings.Count(w =>
                w.Message.Contains("base", StringComparison.Ordinal) && w.Message.Contains(remark ?? "", StringComparison.Ordinal)));
    }

    [Fact]
    public void SignalsOfOneNameKeepTheirPlacesInAVariableLayout()
    {
        Recording r = Read(
            Record("r/2 3 100 2\nlay 0\ns 2\n",
                ("lay.hea", "lay 3 100 0\n~ 0 1/mV 0 0 0 0 0 II\n~ 0 1/mmHg 0 0 0 0 0 ABP\n~ 0 1/mV 0 0 0 0 0 II\n"u8.ToArray()),
            ("s.hea", "s 3 100 2\ns.dat 16 1/mV 0 0 0 0 0 II\ns.dat 16 1/mmHg 0 0 0 0 0 ABP\ns.dat 16 1/mV 0 0 0 0 0 II\n"u8.ToArray()),
            ("s.dat", Int16(1, 80, -1, 2, 81, -2))));
        Assert.Equal(["II", "ABP", "II_2"], r.Channels.Select(c => c.Name));
        Assert.Equal([1, 2], r.Channels[0].Samples.ToArray());
        Assert.Equal([-1, -2], r.Channels[2].Samples.ToArray());
    }

    [Theory]
    [InlineData("r 1 250 268435000\n~ 0 200/mV 16 0 0 0 0 ECG\n")]
    [InlineData("r/2 1 100 268435000\ns 1\n~ 268434999\n")]
    [InlineData("r/2 1 100 268435000\ns 268434999\ns 1\n")]
    public void DeclaredSamplesAreBoundedByThoseThatAreThere(string header)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        SignalException e = Refused(header, ("s.hea", "s 1 100\ns.dat 16\n"u8.ToArray()), ("s.dat", Int16(1)));
        Assert.Contains("missing samples declared", e.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void OneSegmentNamedOverAndOverIsBounded()
    {
        Dictionary<string, byte[]> files = Record("r/400 1 100 400\n" + string.Concat(Enumerable.Repeat("s 1\n", 400)),
            ("s.hea", "s 1 100\ns.dat 16\n"u8.ToArray()), ("s.dat", new byte[5000]));
        SignalLimitException e = Assert.Throws<SignalLimitException>(() => Read(files, new RecordingReadOptions { MaxFileBytes = 10_000 }));
        Assert.Equal(40_000, e.Limit);
        Assert.Equal(400, Read(files).Channels[0].Length);
    }

    [Fact]
    public void AnnotationsOfEveryKind()
    {
        byte[] atr = Annotation(
            // "## time resolution: 100"
            (22 << 10) | 0, (63 << 10) | 23, 0x2323, 0x7420, 0x6D69, 0x2065, 0x6572, 0x6F73, 0x756C, 0x6974, 0x6E6F, 0x203A, 0x3031, 0x0030,
            (1 << 10) | 50, // N at 50
            (59 << 10), 0x0001, 0x0002, // skip 0x10002
            (5 << 10) | 1, (61 << 10) | 3, (62 << 10) | 1, (60 << 10) | 0xFF, // V at 50 + 65538 + 1, subtype 3, channel 1, number -1
            (59 << 10), 0xFFFF, 0xFFFF, // skip -1
            (28 << 10) | 11, (63 << 10) | 5, 0x4128, 0x4946, 0x0042, // + with "(AFIB"
            (47 << 10) | 1, // a code without symbol
            0);
        WfdbAnnotations.Result r = WfdbAnnotations.Read(atr, "r.atr", 360, 100);
        Assert.Equal(100, r.Rate);
        Assert.Empty(r.Warnings);
        Assert.Equal(
        [
            new Annotation(0.5, 50, "N") { Code = 1 },
            new Annotation(655.89, 65589, "V") { Code = 5, Subtype = 3, Channel = 1, Number = -1 },
            new Annotation(655.99, 65599, "+") { Code = 28, Channel = 1, Number = -1, Text = "(AFIB" },
            new Annotation(656, 65600, "[47]") { Code = 47, Channel = 1, Number = -1 },
        ], r.Annotations);
        Assert.True(r.Annotations[1].IsBeat && !r.Annotations[2].IsBeat);
    }

    [Fact]
    public void AnnotationFilesThatAreCutShort()
    {
        byte[] n = Annotation((1 << 10) | 50);
        Assert.Contains("end mark", Assert.Single(WfdbAnnotations.Read(n, "r.atr", 100, 9).Warnings).Message, StringComparison.Ordinal);
        Assert.Throws<SignalFormatException>(() => WfdbAnnotations.Read([.. n, .. Annotation((63 << 10) | 4, 0x4141)], "r.atr", 100, 9));
        Assert.Throws<SignalFormatException>(() => WfdbAnnotations.Read([.. n, .. Annotation(59 << 10, 1)], "r.atr", 100, 9));
        Assert.Throws<SignalFormatException>(() => WfdbAnnotations.Read([.. n, .. Annotation((55 << 10) | 1)], "r.atr", 100, 9));
        Assert.Throws<SignalLimitException>(() => WfdbAnnotations.Read([.. n, .. n], "r.atr", 100, 1));
        // Nobody asked for the file: its fault is a warning; asked for by name, it is an error.
        Dictionary<string, byte[]> record = Record("r 1 100 2\nr.dat 16\n", ("r.dat", Int16(1, 2)), ("r.atr", Annotation((55 << 10) | 1)));
        Assert.Contains(Read(record).Warnings, w => w.Kind == SignalWarningKind.Annotation);
        Assert.Throws<SignalFormatException>(() => Read(record, new RecordingReadOptions { Annotator = "atr" }));
        Assert.Throws<SignalException>(() => Read(record, new RecordingReadOptions { Annotator = "../atr" }));
    }

    private static float[] Wave(int count, Func<double, double> f) =>
        [.. Enumerable.Range(0, count).Select(i => i % 50 == 3 ? float.NaN : (float)f(i))];

    [Fact]
    public void WritingAndReadingIsOffByAtMostHalfAStep()
    {
        using var folder = new TemporaryFolder();
        var recording = new Recording("x",
        [
            new Channel("ABP", "mmHg", 125, Wave(1000, i => 100 + (30 * Math.Sin(i / 9)))),
            new Channel("ECG, lead II", "mV", 500, Wave(3990, i => Math.Cos(i / 5))),
            new Channel("PLETH", "", 250, Wave(2000, i => 1e7 + (i / 7))), new Channel("flat", "deg C", 125, Wave(1000, _ => 36.6)),
            new Channel("tiny", "V", 125, Wave(1000, i => 1e-30 * i)), new Channel("gone", "mV", 125, Wave(1000, _ => double.NaN)),
        ], startTime: new DateTime(2024, 2, 29, 23, 59, 58, 250), comments: ["first", "second"],
            annotations: [new Annotation(0.002, 1, "N"),
                new Annotation(7.5, 0, "V") { Subtype = -2, Channel = 2, Number = 3, Text = "odd" },
                new Annotation(2000, 0, "note of mine")]);
        RecordingFile.Write(folder["out.hea"], recording);
        Assert.Equal(["out.atr", "out.dat", "out.hea"], folder.Files);
        Recording back = RecordingFile.Read(folder["out.hea"]);
        Assert.DoesNotContain(back.Warnings, w => w.Kind is SignalWarningKind.Checksum or SignalWarningKind.Header);
        Assert.Equal(recording.StartTime, back.StartTime);
        Assert.Equal(recording.Comments, back.Comments);
        Assert.Equal(["mmHg", "mV", "NU", "deg_C", "V", "mV"], back.Channels.Select(c => c.Unit));
        for (int c = 0; c < recording.Channels.Count; c++)
        {
            Channel a = recording.Channels[c], b = back.Channels[c];
            Assert.Equal((a.Name, a.SampleRate, 1000 * (int)(a.SampleRate / 125)), (b.Name, b.SampleRate, b.Length));
            for (int i = 0; i < b.Length; i++)
            {
                float expected = i < a.Length ? a.Samples.Span[i] : float.NaN;
                Assert.Equal(float.IsNaN(expected), float.IsNaN(b.Samples.Span[i]));
                if (!float.IsNaN(expected))
                    // Half a step, and the rounding of the result to float32 (2^-24).
                    Assert.Equal(expected, b.Samples.Span[i], (0.5001 / b.Quantization!.Gain) + (Math.Abs(expected) * 6e-8));
            }
        }
        // Times are kept to a sample of the fastest channel.
        Assert.Equal([0.002, 7.5, 2000], back.Annotations.Select(a => a.TimeSeconds));
        Assert.Equal(["N", "V", "\""], back.Annotations.Select(a => a.Symbol));
        Assert.Equal(new Annotation(7.5, 3750, "V") { Code = 5, Subtype = -2, Channel = 2, Number = 3, Text = "odd" }, back.Annotations[1]);
        Assert.Equal("note of mine", back.Annotations[2].Text);
    }

    [Fact]
    public void DigitalValuesSurviveReadingAndWriting()
    {
        int[] samples = RandomSamples(16, 5000, 11);
        samples[7] = -32768;
        Recording r = Read(Record("r 1 360 5000\nr.dat 16 27477.561608300908(-138693)/mV 16 0 0 0 0 II\n", ("r.dat", Int16(samples))));
        using var folder = new TemporaryFolder();
        RecordingFile.Write(folder["again.hea"], r);
        Assert.Equal(Int16(samples), File.ReadAllBytes(folder["again.dat"]));
        Assert.Contains("16 27477.561608300908(-138693)/mV 16 0 ", File.ReadAllText(folder["again.hea"]), StringComparison.Ordinal);
        // Rewritten without annotations, those of an older record of the name must not stay.
        File.WriteAllBytes(folder["again.atr"], Annotation((1 << 10) | 50, 0));
        RecordingFile.Write(folder["again.hea"], r);
        Assert.Equal(["again.dat", "again.hea"], folder.Files);
    }

    [Fact]
    public void RatesNeedACommonFrame()
    {
        using var folder = new TemporaryFolder();
        Recording At(params double[] rates) =>
            new("x", rates.Select((r, i) => new Channel("c" + i, "mV", r, Wave((int)(r * 3), Math.Sin))));
        RecordingFile.Write(folder["a.hea"], At(360, 250, 62.5));
        Assert.StartsWith("a 3 2.5 ", File.ReadAllText(folder["a.hea"]), StringComparison.Ordinal);
        Assert.Equal([360, 250, 62.5], RecordingFile.Read(folder["a"]).Channels.Select(c => c.SampleRate));
        Assert.Throws<SignalException>(() => RecordingFile.Write(folder["b.hea"], At(100, 100 * Math.Sqrt(2))));
        Assert.Throws<SignalFileException>(() => RecordingFile.Write(folder["b c.hea"], At(100)));
        Assert.Throws<SignalException>(() =>
            RecordingFile.Write(folder["b.hea"], new Recording("x", [new Channel("c", "mV", 100, Array.Empty<float>())])));
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => RecordingFile.Write(folder["b.hea"], At(100), null, cancelled.Token));
        Assert.Equal(["a.dat", "a.hea"], folder.Files);
    }

    // Header, then a byte that no header holds, then samples, the same byte twice, then annotations.
    private static Dictionary<string, byte[]> Unpack(byte[] input)
    {
        int cut = input.AsSpan().IndexOf((byte)0x1E);
        int second = input.AsSpan().IndexOf((ReadOnlySpan<byte>)[0x1E, 0x1E]);
        byte[] header = cut < 0 ? input : input[..cut];
        byte[] data = cut < 0 ? [] : second > cut ? input[(cut + 1)..second] : input[(cut + 1)..];
        var files = new Dictionary<string, byte[]> { ["r.hea"] = header, ["r.dat"] = data,
            ["s.hea"] = "s 2 100 2\ns.dat 16\ns.dat 16\n"u8.ToArray(), ["s.dat"] = Int16(1, 2, 3, 4),
            ["lay.hea"] = "lay 2 100 0\n~ 0 1/mmHg 0 0 0 0 0 ABP\n~ 0 1/mV 0 0 0 0 0 II\n"u8.ToArray() };
        if (second >= 0)
            files["r.atr"] = input[(second + 2)..];
        return files;
    }

    [Fact]
    public void MutantsAreReadOrRefused()
    {
        byte[] Pack(string header, byte[] data, byte[]? atr = null) =>
            [.. Encoding.ASCII.GetBytes(header), 0x1E, .. data, .. atr is null ? Array.Empty<byte>() : [0x1E, 0x1E, .. atr]];
        byte[] atr = Annotation((1 << 10) | 50, 59 << 10, 1, 2, (5 << 10) | 1, (61 << 10) | 3, (63 << 10) | 5, 0x4128, 0x4946, 0x0042, 0);
        var seeds = new List<byte[]>
        {
            Pack("r/4 2 100 6 12:00:00 01/02/2003\nlay 0\ns 2\n~ 2\ns 2\n", []), Pack("r/3 2 100 6\ns 2\n~ 2\ns 2\n", []),
            Pack(
                "r 3 250.5/250(0) 4 12:00:00.5 01/02/2003\nr.dat 16x2:1+2 100(-10)/mmHg 12 0 5 10 0 ABP\nr.dat 16 200/mV 12 0 5 10 0 "
                + "II\n~ 0 1/NU\n# comment\n", [1, 2, .. Int16([.. Enumerable.Range(0, 12)])], atr),
        };
        foreach (int format in new[] { 8, 16, 24, 32, 61, 80, 160, 212, 310, 311 })
            seeds.Add(Pack(
                string.Create(CultureInfo.InvariantCulture,
                    $"r 2 100 10\nr.dat {format} 100(-10)/mmHg 12 0 5 10 0 ABP\nr.dat {format} 200/mV 12 0 5 10 0 II\n"),
                    Encode(format, RandomSamples(format, 20, 1)), atr));
        var options = new RecordingReadOptions { MaxSamples = 1 << 18 };
        FuzzReport report = MutationFuzzer.Run([.. seeds], MutationFuzzer.CountFor(6000), 20260103, input => Read(Unpack(input), options),
            e => e is SignalException, maxAllocated: 16 << 20);
        output.WriteLine($"WFDB: {report}");
        Assert.True(report.Accepted > 0 && report.Refused > 0);
        FuzzReport annotations = MutationFuzzer.Run([atr], MutationFuzzer.CountFor(3000), 20260104, input =>
            WfdbAnnotations.Read(input, "r.atr", 360, 1000), e => e is SignalException);
        output.WriteLine($"WFDB annotations: {annotations}");
        Assert.True(annotations.Accepted > 0 && annotations.Refused > 0);
    }
}
