using System.Globalization;
using System.Text;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Formats.Csv;
using UniCardio.Tests.Shared;
using Xunit.Abstractions;

namespace UniCardio.Signals.Tests.Formats;

public class CsvFormatTests(ITestOutputHelper output)
{
    private static readonly RecordingReadOptions At125 = new() { SampleRate = 125 };

    private static Recording Parse(string text, RecordingReadOptions? options = null) =>
        CsvFormat.Parse(Encoding.UTF8.GetBytes(text), "x.csv", options ?? RecordingReadOptions.Default);

    private static SignalFormatException Refused(string text, RecordingReadOptions? options = null) =>
        Assert.ThrowsAny<SignalFormatException>(() => Parse(text, options ?? At125));

    private static float[] Samples(Recording recording, string name) => recording.Require(name).Samples.ToArray();

    [Fact]
    public void HeaderCarriesUnitsAndBlankCellsAreMissing()
    {
        Recording r = Parse("ppg,abp_mmHg,ECG [mV]\n1,80,0.5\n,81,\n3,NaN,-32768\n", At125);
        Assert.Equal(["ppg", "abp", "ECG"], r.Channels.Select(c => c.Name));
        Assert.Equal(["", "mmHg", "mV"], r.Channels.Select(c => c.Unit));
        Assert.Equal([ChannelKind.Ppg, ChannelKind.BloodPressure, ChannelKind.Ecg], r.Channels.Select(c => c.Kind));
        Assert.Equal([1, float.NaN, 3], Samples(r, "ppg"));
        Assert.Equal([80, 81, float.NaN], Samples(r, "abp"));
        Assert.Equal([0.5f, float.NaN, float.NaN], Samples(r, "ECG"));
        Assert.All(r.Channels, c => Assert.Equal(125, c.SampleRate));
        Assert.Contains(r.Warnings, w => w.Message.Contains("1 cells of -32768", StringComparison.Ordinal));
    }

    [Fact]
    public void WithoutHeaderChannelsAreNumberedOrNamedByTheCaller()
    {
        Assert.Equal(["signal_0", "signal_1"], Parse("1,2\n3,4\n", At125).Channels.Select(c => c.Name));
        Recording named = Parse("1,2\n3,4\n", At125 with { ColumnNames = ["ecg_mV", "PLETH"] });
        Assert.Equal(("ecg", "mV", ChannelKind.Ecg), (named.Channels[0].Name, named.Channels[0].Unit, named.Channels[0].Kind));
        Assert.Contains("1 column names", Refused("1,2\n", At125 with { ColumnNames = ["a"] }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BlankLinesOfASingleColumnAreMissingSamplesExceptAtTheEnd()
    {
        Assert.Equal([1, float.NaN, float.NaN, 4], Parse("1\n\n\n4\n\n\n", At125).Channels[0].Samples.ToArray());
        Assert.Equal(4, Refused("1,2\n3,4\n\n5,6\n").Location.Line);
    }

    [Theory]
    [InlineData("time,ppg\n0,1\n0.008,2\n0.016,3\n", 125)]
    [InlineData("time_ms,ppg\n0,1\n2,2\n4,3\n", 500)]
    [InlineData("ppg;Time [s]\n1;10.00\n2;10.01\n3;10.02\n", 100)]
    [InlineData("'Elapsed time','ppg'\n'seconds','mV'\n0.000,1\n0.004,2\n0.008,4\n", 250)] // rdsamp -c -v
    [InlineData("t\tppg\n0\t1\n0.4\t2\n0.8\t3\n", 2.5)]
    public void TimeColumnGivesTheRate(string text, double rate)
    {
        Recording r = Parse(text);
        Assert.Equal(rate, Assert.Single(r.Channels).SampleRate, 1e-9 * rate);
    }

    [Fact]
    public void TimesRoundedToMillisecondsStillGiveAWholeRate()
    {
        string text = "time,ppg\n"
            + string.Concat(Enumerable.Range(0, 2000).Select(i => string.Create(CultureInfo.InvariantCulture, $"{i / 360.0:F3},1\n")));
        Assert.Equal(360, Parse(text).Channels[0].SampleRate);
        string rows = string.Concat(text.Split('\n').Where((l, i) => i != 1000 && l.Length > 0).Select(l => l + "\n"));
        Recording gap = Parse(rows);
        Assert.Equal((360.0, 2000), (gap.Channels[0].SampleRate, gap.Channels[0].Length));
        Assert.Equal(999, Enumerable.Range(0, 2000).Single(i => float.IsNaN(gap.Channels[0].Samples.Span[i])));
    }

    [Fact]
    public void RowsThatAreMissingAreAGapAndDoubledOnesGo()
    {
        string Table(IEnumerable<int> rows) =>
            "time,ppg\n" + string.Concat(rows.Select(i => string.Create(CultureInfo.InvariantCulture, $"{i * 0.01:F2},1\n")));
        Assert.Equal(100, Parse(Table(Enumerable.Range(0, 20))).Channels[0].SampleRate);
        Recording gap = Parse(Table(Enumerable.Range(0, 20).Where(i => i is not (3 or 4))));
        Assert.Equal((100.0, 20), (gap.Channels[0].SampleRate, gap.Channels[0].Length));
        Assert.Equal([3, 4], Enumerable.Range(0, 20).Where(i => float.IsNaN(gap.Channels[0].Samples.Span[i])));
        Assert.Contains(gap.Warnings, w => w.Message.Contains("line 5", StringComparison.Ordinal));
        Recording doubled = Parse(Table(Enumerable.Range(0, 20).SelectMany(i => i == 7 ? new[] { 7, 7 } : [i])));
        Assert.Equal(20, doubled.Channels[0].Length);
        Assert.Contains(doubled.Warnings, w => w.Message.Contains("line 10", StringComparison.Ordinal));
        SignalFormatException e =
            Refused(Table(Enumerable.Range(0, 20).Select(i => i switch { 3 => 4, 4 => 3, _ => i })), RecordingReadOptions.Default);
        Assert.Equal(6, e.Location.Line);
        Assert.Contains("0.04", e.Message, StringComparison.Ordinal);
        // 200,000 times the rows that are there.
        Assert.Throws<SignalLimitException>(
            () => Parse(
                "time,ppg\n"
                    + string.Concat(Enumerable.Range(0, 50).Select(i => string.Create(CultureInfo.InvariantCulture, $"{i * 0.01:F2},1\n")))
                        + "100000,1\n"));
        Refused("time,ppg\n0,1\n0,2\n0,3\n", RecordingReadOptions.Default);
        Refused("time,ppg\n0,1\nx,2\n", RecordingReadOptions.Default);
        Refused("time,ppg\n0,1\n0.01,2\n0.02,3\n", new RecordingReadOptions { SampleRate = 125 });
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("\n\n", "is empty")]
    [InlineData("a,b\n", "no samples")]
    [InlineData("time,\n0.011,75\n0.019,76\n", "no column of samples")]
    [InlineData("a,b\n1\n", "1 cells; expected 2")]
    [InlineData("a,b\n1,2,3\n", "3 cells; expected 2")]
    [InlineData("a,b\n1,2\n1,oops\n", "'oops' is not a number")]
    [InlineData("a\n1e308\n", "out of range")]
    [InlineData("a\n1e999\n", "out of range")]
    [InlineData("1,b\n1,2\n", "stands among numbers")]
    [InlineData("a,b\n1,\"2\n3,4\n", "quoted wrongly")]
    [InlineData("a\n0x10\n", "is not a number")]
    [InlineData("a\n1,5\n", "2 cells; expected 1")]
    public void MalformedTablesAreRefused(string text, string problem)
    {
        Assert.Contains(problem, Refused(text).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ErrorsNameLineColumnAndSample()
    {
        SignalFormatException e = Refused("# comment\nppg,abp\n1,2\n3,x\n");
        Assert.Equal(new SignalLocation(Line: 4, Channel: "abp", Sample: 1), e.Location);
        Assert.StartsWith("x.csv, line 4, channel 'abp', sample 1: ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RateIsNeededAndMustBeSensible()
    {
        Assert.Contains("--rate", Assert.Throws<SignalFormatException>(() => Parse("a\n1\n")).Message, StringComparison.Ordinal);
        foreach (double rate in new[] { 0, -1, double.NaN, double.PositiveInfinity })
            Assert.Throws<SignalException>(() => Parse("a\n1\n", new RecordingReadOptions { SampleRate = rate }));
    }

    [Fact]
    public void LimitsAreKept()
    {
        Assert.Equal(3, Assert.Throws<SignalLimitException>(() => Parse("1\n2\n3\n", At125 with { MaxSamples = 2 })).Actual);
        Assert.Throws<SignalLimitException>(() => Parse(string.Join(',', Enumerable.Repeat("1", 2000)), At125));
    }

    [Fact]
    public void EncodingsAreToldByTheirMarks()
    {
        Recording latin = CsvFormat.Parse([.. "ECG ["u8, 0xB5, .. "V]\n1\n"u8], "x.csv", At125);
        Assert.Equal("uV", latin.Channels[0].Unit);
        Assert.Contains(latin.Warnings, w => w.Message.Contains("Latin-1", StringComparison.Ordinal));
        Assert.Throws<SignalFormatException>(() => CsvFormat.Parse([(byte)'a', 0xB5, 0, 1, (byte)'\n', (byte)'1'], "x.csv", At125));
        foreach (Encoding utf16 in new[] { Encoding.Unicode, Encoding.BigEndianUnicode })
        {
            byte[] text = utf16.GetBytes("ECG [\u00b5V];ABP\n0,5;80\n1,5;81\n");
            foreach (byte[] file in new[] { [.. utf16.GetPreamble(), .. text], text })
                Assert.Equal([0.5f, 1.5f], CsvFormat.Parse(file, "x.csv", At125).Require("ECG").Samples.ToArray());
        }
        Assert.Equal("ppg", CsvFormat.Parse([0xEF, 0xBB, 0xBF, .. "ppg\n1\n"u8], "x.csv", At125).Channels[0].Name);
    }

    [Fact]
    public void ExportedIndexAndTrailingSeparatorAreDropped()
    {
        Assert.Equal("ppg", Assert.Single(Parse(",ppg,\n0,5,\n1,6,\n2,7,\n", At125).Channels).Name);
    }

    [Fact]
    public void WritingAndReadingGivesTheSameBits()
    {
        using var folder = new TemporaryFolder();
        var random = new Random(7);
        float[] samples = [.. Enumerable.Range(0, 1000).Select(_ => BitConverter.Int32BitsToSingle(random.Next())).Where(float.IsFinite),
            float.NaN, 1.17549435e-38f, -0f, 3.4028235e38f];
        // 1/360 s has no short decimal form; the rate must come back whole.
        var recording = new Recording("r",
        [
            new Channel("ABP", "mmHg", 360, samples), new Channel("lead, V", "", 360, samples.AsMemory(0, 10)),
            new Channel("x_mV", "", 360, samples), new Channel("y [a]", "%", 360, samples),
        ]);
        RecordingFile.Write(folder["r.csv"], recording);
        Recording back = RecordingFile.Read(folder["r.csv"]);
        Assert.Equal(["r.csv"], folder.Files);
        for (int c = 0; c < 4; c++)
        {
            Assert.Equal(recording.Channels[c].Name, back.Channels[c].Name);
            Assert.Equal(recording.Channels[c].Unit, back.Channels[c].Unit);
            Assert.Equal(360, back.Channels[c].SampleRate);
            for (int i = 0; i < samples.Length; i++)
            {
                float expected = i < recording.Channels[c].Length ? samples[i] : float.NaN;
                Assert.Equal(BitConverter.SingleToInt32Bits(float.IsNaN(expected) ? float.NaN : expected),
                    BitConverter.SingleToInt32Bits(back.Channels[c].Samples.Span[i]));
            }
        }
    }

    [Fact]
    public void WritingASingleColumnWithoutTimeKeepsMissingSamplesAtTheEnd()
    {
        using var folder = new TemporaryFolder();
        RecordingFile.Write(folder["r.csv"], new Recording("r", [new Channel("PPG", "", 50, new[] { 1, float.NaN, 2, float.NaN })]),
            new RecordingWriteOptions { TimeColumn = false });
        Assert.Equal([1, float.NaN, 2, float.NaN],
            RecordingFile.Read(folder["r.csv"], new RecordingReadOptions { SampleRate = 50 }).Channels[0].Samples.ToArray());
    }

    [Fact]
    public void WritingLeavesNothingBehindWhenItFails()
    {
        using var folder = new TemporaryFolder();
        var recording = new Recording("r", [new Channel("PPG", "", 50, new float[100_000])]);
        File.WriteAllText(folder["r.csv"], "before");
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => RecordingFile.Write(folder["r.csv"], recording, null, cancelled.Token));
        Assert.Throws<SignalFileException>(() =>
            RecordingFile.Write(folder["r.csv"], recording, new RecordingWriteOptions { Overwrite = false }));
        Assert.Throws<SignalException>(() =>
            RecordingFile.Write(folder["r.csv"], new Recording("r", [recording.Channels[0], new Channel("ECG", "mV", 100, new float[3])])));
        Assert.Throws<SignalFileException>(() => RecordingFile.Write(folder["no/r.csv"], recording));
        Assert.Equal(["r.csv"], folder.Files);
        Assert.Equal("before", File.ReadAllText(folder["r.csv"]));
    }

    [Fact]
    public void StretchAndChannelsCanBeChosen()
    {
        string text = "ppg,abp,ecg\n" + string.Concat(
            Enumerable.Range(0, 100).Select(i => string.Create(CultureInfo.InvariantCulture, $"{i},{i + 50},{i * 0.01}\n")));
        Recording r = Parse(text, new RecordingReadOptions { SampleRate = 10, StartSeconds = 2, EndSeconds = 4, Channels = ["ECG", "0"] });
        Assert.Equal(["ecg", "ppg"], r.Channels.Select(c => c.Name));
        Assert.Equal(Enumerable.Range(20, 20).Select(i => (float)i), r.Channels[1].Samples.ToArray());
        Assert.Throws<ChannelNotFoundException>(() => Parse(text, new RecordingReadOptions { SampleRate = 10, Channels = ["resp"] }));
        Assert.Throws<SignalException>(() => Parse(text, new RecordingReadOptions { SampleRate = 10, StartSeconds = 10 }));
        Assert.Throws<SignalException>(() => Parse(text, new RecordingReadOptions { SampleRate = 10, StartSeconds = 5, EndSeconds = 5 }));
    }

    [Fact]
    public void MissingFileIsTyped()
    {
        Assert.Throws<SignalFileException>(() => RecordingFile.Read("/nonexistent/x.csv"));
        Assert.Throws<SignalFileException>(() => RecordingFile.Read(Path.GetTempPath() + "/"));
    }

    [SkippableFact]
    public void SharedTriadIsRead()
    {
        Recording r = RecordingFile.Read(SharedData.Require("triad/mimicdb230_old_300s_125Hz.csv"), At125);
        Assert.Equal(37500, r.Channels[0].Length);
        Assert.NotNull(r.Find(ChannelKind.Ppg));
        Assert.Equal("mmHg", r.Require(ChannelKind.BloodPressure).Unit);
        Assert.Equal("mV", r.Require(ChannelKind.Ecg).Unit);
        Assert.Empty(r.Warnings);
    }

    [Fact]
    public void MutantsAreReadOrRefused()
    {
        byte[][] seeds =
        [
            "ppg,abp_mmHg,ECG [mV]\n1,80,0.5\n,81,\n3,NaN,-32768\n4,82,0.1\n"u8.ToArray(),
            "time_s;ppg\n0;1\n0.008;2\n0.016;3\n0.024;4\n"u8.ToArray(),
            "'Elapsed time','ABP'\n'seconds','mmHg'\n0.000,81\n0.003,82\n0.006,83\n0.008,84\n0.011,75\n"u8.ToArray(),
            "-9.345\n-9.325\n\n-9.255\n"u8.ToArray(),
            ",\"pp\"\"g\",abp\n0,\"1\",2\n1,3,4\n"u8.ToArray(),
        ];
        FuzzReport report = MutationFuzzer.Run(seeds, MutationFuzzer.CountFor(4000), 20260101,
            input => CsvFormat.Parse(input, "mutant.csv", At125), e => e is SignalException);
        output.WriteLine($"CSV: {report}");
        Assert.True(report.Accepted > 0 && report.Refused > 0);
    }
}
