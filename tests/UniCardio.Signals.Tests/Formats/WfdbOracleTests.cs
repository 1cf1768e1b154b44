using System.Globalization;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Formats.Wfdb;

namespace UniCardio.Signals.Tests.Formats;

/// <summary>Our readers against what the C library's rdsamp and rdann print.</summary>
public class WfdbOracleTests
{
    private static int[][] Digital(string header, long first = 0, long? end = null)
    {
        string path = SharedData.Require(header);
        var reader = new WfdbRecordReader(new RecordFiles.Folder(Path.GetDirectoryName(path)!), RecordingReadOptions.Default,
            CancellationToken.None);
        return reader.ReadDigital(reader.ReadHeader(Path.GetFileNameWithoutExtension(path)), first, end);
    }

    // One sample a frame as rdsamp prints it: the sum of the frame's samples over their number, in C's integer division.
    private static int[] Averaged(int[] samples, int perFrame) =>
        [.. samples.Chunk(perFrame)
            .Select(f => f.Contains(WfdbSamples.Missing) ? WfdbSamples.Missing : (int)(f.Sum(s => (long)s) / perFrame))];

    private static void AssertTable(double[][] expected, params int[][] columns)
    {
        Assert.NotEmpty(expected);
        for (int row = 0; row < expected.Length; row++)
        {
            Assert.Equal(columns.Length, expected[row].Length);
            for (int c = 0; c < columns.Length; c++)
            {
                if (expected[row][c] != columns[c][row])
                    Assert.Fail($"Row {row}, column {c}: printed {expected[row][c]}, read {columns[c][row]}.");
            }
        }
    }

    [SkippableFact]
    public void Format16() => AssertTable(SharedData.Table("wfdb/expected/record-1a.gz"), Digital("wfdb/test01_00s.hea"));

    [SkippableFact]
    public void MatlabFileInPhysicalUnits()
    {
        double[][] expected = SharedData.Table("wfdb/expected/record-1b.gz");
        // -f 50 -t 160 -s 2 0 -P
        Recording r = WfdbFormat.Read(SharedData.Require("wfdb/a103l.hea"),
            new RecordingReadOptions { StartSeconds = 50, EndSeconds = 160, Channels = ["PLETH", "II"] });
        Assert.Equal(expected.Length, r.Channels[0].Length);
        Assert.Equal(["PLETH", "II"], r.Channels.Select(c => c.Name));
        Assert.Equal(["NU", "mV"], r.Channels.Select(c => c.Unit));
        for (int row = 0; row < expected.Length; row++)
        {
            for (int c = 0; c < 2; c++)
            {
                // Printed with 8 decimals; ours is float32 (2^-24 of the value).
                Assert.Equal(expected[row][c], r.Channels[c].Samples.Span[row], 0.5e-8 + (Math.Abs(expected[row][c]) * 6e-8));
            }
        }
    }

    [SkippableFact]
    public void EveryStorageFormat() => AssertTable(SharedData.Table("wfdb/expected/record-1f.gz"),
        [.. Digital("wfdb/binformats.hea").Select((c, i) =>
            c.Select(v => v == WfdbSamples.Missing ? WfdbSamples.MissingValue(WfdbSampleFormat.Int32)!.Value : v).ToArray())]);

    [SkippableFact]
    public void Format212() => AssertTable(SharedData.Table("wfdb/expected/record-2b"), Digital("ecg/100.hea", 1, 10800)[1]);

    [SkippableFact]
    public void Format310() => AssertTable(SharedData.Table("wfdb/expected/record-2d"), Digital("wfdb/310derive.hea", 2));

    [SkippableFact]
    public void FixedSegments()
    {
        double[][] expected = SharedData.Table("wfdb/expected/record-multi-fixed-d.gz");
        // Every segment is 1000 frames; -H prints a low-rate sample once for each high-rate one.
        int[][] first = Digital("wfdb/multi/041s/041s01.hea"), second = Digital("wfdb/multi/041s/041s02.hea");
        int[] Column(int s) => [.. first[s].Concat(second[s])
            .SelectMany(v => Enumerable.Repeat(v == WfdbSamples.Missing ? -2048 : v, first[s].Length == 4000 ? 1 : 4))];
        AssertTable(expected, Column(3), Column(2), Column(1));

        // And the record put together in physical units: (digital - baseline) / gain as the segments' headers state them.
        Recording r = WfdbFormat.Read(SharedData.Require("wfdb/multi/041s/041s.hea"));
        Assert.Equal(["III", "I", "V", "ABP", "PAP", "PLETH", "RESP"], r.Channels.Select(c => c.Name));
        Assert.Equal([500, 500, 500, 125, 125, 125, 125], r.Channels.Select(c => c.SampleRate));
        for (int row = 0; row < expected.Length; row++)
        {
            AssertPhysical((expected[row][0] + 1600) / 20, r.Channels[3].Samples.Span[row / 4], expected[row][0]);
            AssertPhysical(expected[row][1] / 2000, r.Channels[2].Samples.Span[row], expected[row][1]);
            AssertPhysical(expected[row][2] / 2000, r.Channels[1].Samples.Span[row], expected[row][2]);
        }
    }

    private static void AssertPhysical(double expected, float actual, double digital)
    {
        if (digital == -2048)
            Assert.True(float.IsNaN(actual));
        else
            Assert.Equal((float)expected, actual);
    }

    [SkippableFact]
    public void VariableSegments()
    {
        double[][] expected = SharedData.Table("wfdb/expected/record-multi-variable-d");
        // -f s3550 -t s7500 -s 0 1: PLETH and II, of which the first segment has PLETH only.
        var options = new RecordingReadOptions { StartSeconds = 3550 / 125.0, EndSeconds = 7500 / 125.0 };
        Recording r = WfdbFormat.Read(SharedData.Require("wfdb/multi/p000878/p000878-2137-10-26-16-57.hea"), options);
        Assert.Equal(["PLETH", "II", "V", "ABP"], r.Channels.Select(c => c.Name));
        Assert.Equal(new DateTime(2137, 10, 26, 16, 57, 9).AddSeconds(28.4), r.StartTime);
        Assert.Equal(expected.Length, r.Channels[0].Length);
        int present = 0;
        for (int row = 0; row < expected.Length; row++)
        {
            double[] physical = [(expected[row][0] + 128) / 255, (expected[row][1] + 64) / 127];
            for (int c = 0; c < 2; c++)
            {
                float actual = r.Channels[c].Samples.Span[row];
                if (expected[row][c] == -128)
                {
                    Assert.True(float.IsNaN(actual), $"row {row}, column {c}");
                    continue;
                }
                present++;
                Assert.Equal((float)physical[c], actual);
            }
        }
        Assert.True(present > 3000);
        Assert.All(r.Channels[3].Samples.ToArray(), v => Assert.True(float.IsNaN(v)));
    }

    [SkippableFact]
    public void SkewAndSeveralSamplesAFrame()
    {
        int[][] d = Digital("wfdb/test01_00s_skewframe.hea");
        AssertTable(SharedData.Table("wfdb/expected/record-4a.gz"), d[0], Averaged(d[1], 2), d[2]);
        // What the skewed signal lacks at the end is missing.
        Assert.All(d[0][^3..], v => Assert.Equal(WfdbSamples.Missing, v));
    }

    [SkippableFact]
    public void FourSamplesAFrameAveragedWithSkew()
    {
        int[][] d = Digital("wfdb/03700181.hea");
        AssertTable(SharedData.Table("wfdb/expected/record-4b.gz"), Averaged(d[0], 4), d[1], d[2]);
    }

    [SkippableFact]
    public void AnnotationsOfRecord100()
    {
        Recording r = WfdbFormat.Read(SharedData.Require("ecg/100.hea"), new RecordingReadOptions { Annotator = "atr" });
        string[] lines = [.. SharedData.Lines("wfdb/expected/ann-1.gz")];
        Assert.Equal(lines.Length, r.Annotations.Count);
        for (int i = 0; i < lines.Length; i++)
        {
            // 0:00.050 18 + 0 0 0 <tab>(N
            string[] f = lines[i].Split((char[]?)null, 7, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            Annotation a = r.Annotations[i];
            Assert.Equal((long.Parse(f[1], CultureInfo.InvariantCulture), f[2]), (a.Sample, a.Symbol));
            Assert.Equal($"{f[3]} {f[4]} {f[5]}", $"{a.Subtype} {a.Channel} {a.Number}");
            Assert.Equal(f.Length > 6 ? f[6] : "", a.Text);
            double printed = f[0].Split(':').Aggregate(0.0, (sum, part) => (sum * 60) + double.Parse(part, CultureInfo.InvariantCulture));
            Assert.Equal(printed, a.TimeSeconds, 0.0005 + 1e-9);
        }
    }

    [SkippableFact]
    public void OddNumberOfSamplesInFormat212()
    {
        int[][] three = Digital("wfdb/100_3chan.hea");
        int[][] two = Digital("ecg/100.hea", 0, 999);
        Assert.Equal(two[0], three[0]);
        Assert.Equal(two[1], three[1]);
        Assert.Equal(three[0], three[2]);
    }

    [SkippableTheory]
    [InlineData("ecg/100.hea")]
    [InlineData("ecg/105.hea")]
    [InlineData("ecg/data_101_6.hea")]
    [InlineData("ecg/data_21_7.hea")]
    [InlineData("wfdb/v102s.hea")]
    [InlineData("wfdb/a103l.mat")]
    [InlineData("wfdb/3000003_0003.hea")]
    [InlineData("wfdb/binformats.hea")]
    [InlineData("wfdb/multi/041s/041s")]
    public void SamplesAgreeWithTheirChecksums(string record)
    {
        Recording r = RecordingFile.Read(
            Path.ChangeExtension(SharedData.Require(Path.ChangeExtension(record, ".hea")), record.Contains('.', StringComparison.Ordinal)
                ? Path.GetExtension(record) : null));
        Assert.DoesNotContain(r.Warnings, w =>
            w.Kind is SignalWarningKind.Checksum or SignalWarningKind.Header or SignalWarningKind.Annotation);
        Assert.NotEqual(ChannelKind.Other, record.Contains("binformats", StringComparison.Ordinal) ? ChannelKind.Ecg : r.Channels[0].Kind);
    }
}
