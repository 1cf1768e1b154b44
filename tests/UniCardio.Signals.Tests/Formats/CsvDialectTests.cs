using System.Globalization;
using System.Text;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Formats.Csv;

namespace UniCardio.Signals.Tests.Formats;

/// <summary>Tables as spreadsheets, monitors and public archives write them.</summary>
public class CsvDialectTests
{
    private static readonly RecordingReadOptions At125 = new() { SampleRate = 125 };

    private static Recording Parse(string text, RecordingReadOptions? options = null) => CsvFormat.Parse(Encoding.UTF8.GetBytes(text),
        "x.csv", options ?? RecordingReadOptions.Default);

    private static string Rows(int count, Func<int, string> row) => string.Concat(Enumerable.Range(0, count).Select(i => row(i) + "\n"));

    private static string F(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    // No single step stands out; before, such a table was read at the mean of its two rates.
    [Theory]
    [InlineData(0.008, 0.010, "F3")]
    [InlineData(0.008, 0.016, "F3")]
    [InlineData(0.0100, 0.0103, "F4")]
    public void ARateThatChangesWithinATableIsRefused(double before, double after, string format)
    {
        double Time(int i) => i < 2000 ? i * before : (2000 * before) + ((i - 2000) * after);
        string text = "time,ppg\n" + Rows(4000, i => $"{F(Time(i), format)},{i % 7}");
        if (after / before < 1.05)
            Assert.InRange(Parse(text).Channels[0].SampleRate, 97, 99);
        else
            Assert.Contains("expected uniform sampling", Assert.Throws<SignalFormatException>(() => Parse(text)).Message,
                StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("#N/A")]
    [InlineData("#VALUE!")]
    [InlineData("#DIV/0!")]
    [InlineData("#REF!")]
    [InlineData("#NAME?")]
    [InlineData("#NV")]
    [InlineData("#WERT!")]
    [InlineData("####")]
    [InlineData("NaN")]
    [InlineData("nan")]
    [InlineData("NULL")]
    [InlineData("None")]
    [InlineData("n/a")]
    [InlineData("-")]
    [InlineData("--")]
    [InlineData("?")]
    [InlineData("Inf")]
    [InlineData("-inf")]
    [InlineData("Infinity")]
    [InlineData("")]
    [InlineData("1.#QNAN")]
    [InlineData("-1.#IND00")]
    [InlineData("1.#INF")]
    [InlineData("#N/A N/A")]
    [InlineData("#DIV/0")]
    [InlineData("---.-")]
    [InlineData("-?-")]
    [InlineData("////")]
    [InlineData("\u2014")]
    [InlineData("\" \"")]
    [InlineData("n.d.")]
    [InlineData("No Data")]
    [InlineData("\u00A0")]
    public void WhatIsNoNumberIsMissingAndNoRowIsLost(string token)
    {
        Recording r = Parse($"ecg_mV,abp_mmHg\n1,80\n{token},81\n3,{token}\n4,83\n", At125);
        Assert.Equal([1, float.NaN, 3, 4], r.Channels[0].Samples.ToArray());
        Assert.Equal([80, 81, float.NaN, 83], r.Channels[1].Samples.ToArray());
        bool said = token.StartsWith('#') || token.Contains("inf", StringComparison.OrdinalIgnoreCase);
        Assert.Equal(said, r.Warnings.Any(w => w.Message.Contains("2 cells", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Lead off")]
    [InlineData("OFF")]
    [InlineData("Error")]
    [InlineData("#VALUE")]
    public void WordsOfMonitorsAreMissingAndSaid(string token) =>
        Assert.Contains(Parse($"ecg_mV,abp_mmHg\n1,80\n{token},81\n", At125).Warnings,
            w => w.Message.Contains("1 cells", StringComparison.Ordinal));

    [Fact]
    public void TypographicSignsAreRead() =>
        Assert.Equal([-1.5f, 2, -3e-2f],
            Parse("ecg_mV,abp_mmHg\n\u22121.5,80\n\u00A02\u202F,81\n\u22123e-2,1\n", At125).Channels[0].Samples.ToArray());

    [Fact]
    public void AFileThatEndsWithinItsLastRowLosesThatRowOnly()
    {
        Recording r = Parse("time,ecg_mV,abp_mmHg\n0,1,80\n0.008,2,81\n0.016,3");
        Assert.Equal([1, 2], r.Channels[0].Samples.ToArray());
        Assert.Contains(r.Warnings, w => w.Message.Contains("last row", StringComparison.Ordinal));
        // A whole line, or one among others, is a fault.
        Assert.Equal(4, Assert.Throws<SignalFormatException>(() => Parse("time,ecg,abp\n0,1,80\n0.008,2,81\n0.016,3\n")).Location.Line);
        Assert.Equal(3, Assert.Throws<SignalFormatException>(() => Parse("time,ecg,abp\n0,1,80\n0.008,2\n0.016,3,82")).Location.Line);
    }

    [Theory]
    [InlineData("\u001A", 0)]
    [InlineData("\0\0\0\0\0\0", 1)]
    public void WhatFillsUpAFileIsNoRow(string end, int remarks)
    {
        Recording r = Parse("time,ecg_mV,abp_mmHg\n0,1,80\n0.008,2,81\n" + end);
        Assert.Equal((2, remarks), (r.Channels[0].Length, r.Warnings.Count));
    }

    [Fact]
    public void CommentsStandBeforeTheRowsOnly()
    {
        Assert.Equal(2, Parse("# a\n# b\necg\n1\n2\n", At125).Channels[0].Length);
        Assert.Equal("ecg", Parse("#ecg_mV\n1\n2\n", At125).Channels[0].Name);
        Assert.Equal("signal_0", Parse("# made by hand\n1\n2\n", At125).Channels[0].Name);
        SignalFormatException e = Assert.Throws<SignalFormatException>(() => Parse("ecg,abp\n1,2\n# later,3\n4,5\n", At125));
        Assert.Equal(3, e.Location.Line);
    }

    [Theory]
    [InlineData("time", "0.00")]
    [InlineData("time_ms", "0")]
    [InlineData("Elapsed time [s]", "0.000")]
    [InlineData("t(us)", "0")]
    public void StatedUnitsOfTime(string heading, string format)
    {
        double unit = heading.Contains("ms", StringComparison.Ordinal) ? 1000 : heading.Contains("us", StringComparison.Ordinal) ? 1e6 : 1;
        Assert.Equal(100, Parse($"{heading},ecg\n" + Rows(20, i => $"{F(i * unit / 100, format)},{i}")).Channels[0].SampleRate, 1e-9);
    }

    [Theory]
    [InlineData("'h:mm:ss.mmm'", "'0:00:0{0}'")]
    [InlineData("'mm:ss.mmm'", "'0:0{0}'")]
    [InlineData("hh:mm:ss.mmm", "0:0{0}")]
    public void ClocksOfElapsedTime(string unit, string pattern)
    {
        Recording r = Parse($"'Elapsed time','ABP'\n{unit},'mmHg'\n" + Rows(300, i => string.Format(CultureInfo.InvariantCulture, pattern,
            F(i * 0.008, "0.000")) + ",80"));
        Assert.Equal((125.0, 300, null), (r.Channels[0].SampleRate, r.Channels[0].Length, r.StartTime));
    }

    [Fact]
    public void ClocksOfTheDayGoOverMidnight()
    {
        DateTime start = new(2016, 11, 24, 23, 59, 59);
        Recording dated = Parse("date,time,ECG\n" + Rows(250, i => start.AddMilliseconds(8 * i).ToString("yyyy-MM-dd','HH:mm:ss.fff",
            CultureInfo.InvariantCulture) + ",1"));
        Assert.Equal((125.0, 250, start), (dated.Channels[0].SampleRate, dated.Channels[0].Length, dated.StartTime));
        Recording undated = Parse("time,ECG\n" + Rows(250, i => start.AddMilliseconds(8 * i).ToString("HH:mm:ss.fff",
            CultureInfo.InvariantCulture) + ",1"));
        Assert.Equal((125.0, 250, DateTime.MinValue.Add(start.TimeOfDay)), (undated.Channels[0].SampleRate, undated.Channels[0].Length,
            undated.StartTime));
    }

    [Theory]
    [InlineData("datetime", "yyyy-MM-dd HH:mm:ss.fff")]
    [InlineData("timestamp", "yyyy-MM-ddTHH:mm:ss.fffZ")]
    [InlineData("Time", "yyyy-MM-ddTHH:mm:ss.fff+01:00")]
    [InlineData("date_time", "yyyy/MM/dd HH:mm:ss.fff")]
    [InlineData("Zeitstempel", "dd.MM.yyyy HH:mm:ss.fff")]
    [InlineData("Time and date", "'['HH:mm:ss.fff dd/MM/yyyy']'")]
    [InlineData("Time", "dd-MMM-yyyy HH:mm:ss.fff")]
    [InlineData("Time", "d MMM yyyy HH:mm:ss.fff")]
    [InlineData("time", "yyyyMMdd'T'HHmmss.fff")]
    [InlineData("time", "yyyy-MM-dd HH:mm:ss:fff")]
    [InlineData("DateTime", "MM/dd/yyyy hh:mm:ss.fff tt")]
    public void DatesAreKept(string heading, string format)
    {
        DateTime start = new(2016, 11, 24, 13, 58, 1);
        Recording r = Parse($"{heading},ECG_mV\n" + Rows(250, i => start.AddMilliseconds(4 * i).ToString(format,
            CultureInfo.InvariantCulture) + ",1"));
        Assert.Equal((250.0, 250, start), (r.Channels[0].SampleRate, r.Channels[0].Length, r.StartTime));
    }

    [Theory]
    [InlineData("timestamp", 1, "0.000000")]
    [InlineData("timestamp_ms", 1e3, "0")]
    [InlineData("time", 1e3, "0")]
    [InlineData("epoch", 1e6, "0")]
    [InlineData("unix time", 1, "0.000")]
    public void UnixTimes(string heading, double unit, string format)
    {
        Recording r = Parse($"{heading},ppg\n" + Rows(250, i => $"{F((1.6e9 + (i * 0.008)) * unit, format)},1"));
        Assert.Equal((125.0, 250, new DateTime(2020, 9, 13, 12, 26, 40)), (r.Channels[0].SampleRate, r.Channels[0].Length, r.StartTime));
    }

    [Fact]
    public void TimeOriginsComeBackInEveryFormat()
    {
        using var folder = new TemporaryFolder();
        DateTime start = new(2016, 11, 24, 23, 59, 58, 250);
        foreach (DateTime? origin in new DateTime?[] { start, DateTime.MinValue.Add(start.TimeOfDay), null })
        {
            var recording = new Recording("r",
                [new Channel("ABP", "mmHg", 360, Enumerable.Range(0, 1500).Select(i => 80f + (i % 40)).ToArray())], [new Annotation(1.5,
                540, "N")], origin);
            foreach (string name in new[] { "r.csv", "r.hea", "r.edf" })
            {
                RecordingFile.Write(folder[name], recording);
                Recording back = RecordingFile.Read(folder[name]);
                Assert.Equal((origin, 360.0), (back.StartTime, back.Channels[0].SampleRate));
                Assert.Equal(1500, back.Channels[0].Samples.ToArray().Count(float.IsFinite));
            }
        }
    }

    [Fact]
    public void MillisecondsWithoutAUnitAreFoundByTheRateOfTheSignals()
    {
        Recording r = Parse("time,ecg\n" + Rows(50, i => $"{i * 8},1"));
        Assert.Equal(125, r.Channels[0].SampleRate);
        Assert.Contains(r.Warnings, w => w.Message.Contains("milliseconds", StringComparison.Ordinal));
        // A trend of temperatures every 8 s is one.
        Assert.Equal(0.125, Parse("time,Temp\n" + Rows(50, i => $"{i * 8},37")).Channels[0].SampleRate);
        // Stated seconds are believed, and no electrocardiogram has 0.125 Hz.
        Assert.Contains("no such signal has",
            Assert.Throws<SignalFormatException>(() =>
            Parse("time_s,ecg\n" + Rows(50, i => $"{i * 8},1"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(360, 3)]
    [InlineData(128, 3)]
    [InlineData(500, 3)]
    [InlineData(1000, 3)]
    [InlineData(250, 2)]
    [InlineData(125, 1)]
    [InlineData(300, 2)]
    public void TimesOfTooFewDecimalsGiveTheRateOfTheEnds(double rate, int decimals)
    {
        Recording r = Parse("time,ecg\n" + Rows(3000, i => $"{F(i / rate, "F" + decimals)},1"));
        Assert.Equal((rate, 3000), (r.Channels[0].SampleRate, r.Channels[0].Length));
        Assert.Contains(r.Warnings, w => w.Message.Contains("rounded", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("HH:mm:ss")]
    [InlineData("yyyy-MM-dd HH:mm:ss")]
    public void WholeSecondsTellTheRateBetweenTheirChanges(string format)
    {
        // 8.4 seconds: the first and the last one alone would tell anything from 117 to 150 Hz.
        Recording r = Parse("time,ecg\n" + Rows(1050, i => new DateTime(2020, 1, 31, 1, 0, 0).AddSeconds(i / 125).ToString(format,
            CultureInfo.InvariantCulture) + ",1"));
        Assert.Equal((125.0, 1050), (r.Channels[0].SampleRate, r.Channels[0].Length));
    }

    [Fact]
    public void DaysOfASpreadsheetAreDates()
    {
        Recording r = Parse("datetime,ecg\n" + Rows(1000, i => $"{F(42698.5 + (i * 0.008 / 86400), "0.0000000000")},1"));
        Assert.Equal((125.0, 1000, new DateTime(2016, 11, 24, 12, 0, 0)), (r.Channels[0].SampleRate, r.Channels[0].Length, r.StartTime));
    }

    [Fact]
    public void JitterIsNoGap()
    {
        var random = new Random(3);
        Recording r = Parse("time,ecg\n" + Rows(1250,
            i => $"{F((i * 0.008) + (0.001 * ((2 * random.NextDouble()) - 1)), "F6")},1").Replace("-0.", "0.", StringComparison.Ordinal));
        Assert.Equal((125.0, 1250), (r.Channels[0].SampleRate, r.Channels[0].Length));
    }

    [Theory]
    [InlineData(';', ',')]
    [InlineData('\t', ',')]
    [InlineData(';', '.')]
    [InlineData('\t', '.')]
    [InlineData('|', '.')]
    [InlineData(' ', '.')]
    public void SeparatorsAndDecimalMarks(char separator, char point)
    {
        string text = $"time{separator}EKG{separator}ABP\n" + Rows(40,
            i => string.Join(separator, new[] { F(i * 0.008, "0.000"), F(i / 10.0, "0.00"), "80" }).Replace('.', point));
        Recording r = Parse(text);
        Assert.Equal((125.0, 40), (r.Channels[0].SampleRate, r.Channels[0].Length));
        Assert.Equal(3.9f, r.Require("EKG").Samples.Span[39]);
        // Excel says its separator in a line of its own.
        if (separator != ' ')
            Assert.Equal(3.9f, Parse($"sep={separator}\n{text}").Require("EKG").Samples.Span[39]);
    }

    [Theory]
    [InlineData("time,ecg\n0,000,1,5\n0,008,1,6\n", "semicolons")]
    [InlineData("time,ecg\n0,\"1,024\"\n0.008,\"1,030\"\n", "decimal point")]
    [InlineData("time;ecg\n0,000;1.024,5\n0,008;1.030,5\n0,016;1,5\n", "thousands")]
    public void DialectsThatCannotBeReadSayWhatToChange(string text, string advice) =>
        Assert.Contains(advice, Assert.ThrowsAny<SignalFormatException>(() => Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void WorkbooksAreNamed()
    {
        Assert.Contains("Excel", Assert.Throws<SignalFormatException>(() => CsvFormat.Parse([.. "PK\x03\x04"u8, 0, 0], "x.csv",
            At125)).Message, StringComparison.Ordinal);
        Assert.Contains("Excel", Assert.Throws<SignalFormatException>(() => CsvFormat.Parse([0xD0, 0xCF, 0x11, 0xE0, 0xA1], "x.csv",
            At125)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DaysSinceTheYear0AreDates()
    {
        Recording r = Parse("datenum,ecg\n" + Rows(250, i => $"{F(736658.582 + (i * 0.008 / 86400), "0.0000000000")},1"));
        Assert.Equal(125, r.Channels[0].SampleRate);
        // 0.582 of a day is 13:58:04.8; ten decimals of a day are 9 us.
        Assert.InRange((r.StartTime!.Value - new DateTime(2016, 11, 24, 13, 58, 4, 800)).TotalSeconds, -0.01, 0.01);
    }

    [Theory]
    [InlineData(10.0)]
    [InlineData(-2.5)]
    public void RelativeTimesKeepTheirOrigin(double from)
    {
        using var folder = new TemporaryFolder();
        Recording r = Parse("time_s,ecg\n" + Rows(250, i => $"{F(from + (i * 0.008), "0.000")},1"));
        Assert.Null(r.StartTime);
        RecordingFile.Write(folder["out.csv"], r.WithWarnings([]));
        string[] lines = File.ReadAllLines(folder["out.csv"]);
        Assert.Equal((F(from, "0.###") + ",1", F(from + 0.008, "0.000") + ",1"), (lines[1], lines[2]));
        Recording cut = RecordingFile.Read(folder["out.csv"], new() { StartSeconds = 1 });
        RecordingFile.Write(folder["cut.csv"], cut);
        Assert.Equal(F(from + 1, "0.###") + ",1", File.ReadAllLines(folder["cut.csv"])[1]);
    }

    [Theory]
    [InlineData("Patient: X\nDevice: Y\n\ntime,ecg_mV\n0,1\n0.008,2\n")]
    [InlineData("Rate,125\nSubject,7\ntime,ecg_mV\n0,1\n0.008,2\n")]
    public void LinesBeforeTheNamesAreLeftOut(string text)
    {
        Recording r = Parse(text);
        Assert.Equal([1, 2], Assert.Single(r.Channels).Samples.ToArray());
        Assert.Contains(r.Warnings, w => w.Message.Contains("2 lines before", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("'seconds','mV','mmHg'")]
    [InlineData("(s),(mV),(mmHg)")]
    [InlineData("[sec],[mV],[mmHg]")]
    public void ARowOfUnits(string units)
    {
        foreach (string few in new[] { "s,-", "s,n/a", "s,", "s,nA", "[s],[]" })
            Assert.Equal((125.0, "PPG", 2), Parse($"time,PPG\n{few}\n0,1\n0.008,2\n") is var p
                ? (p.Channels[0].SampleRate, p.Channels[0].Name, p.Channels[0].Length) : default);
        Recording r = Parse($"time,MLII,ABP\n{units}\n0,1,80\n0.008,2,81\n");
        Assert.Equal(["mV", "mmHg"], r.Channels.Select(c => c.Unit));
        Assert.Equal(125, r.Channels[0].SampleRate);
    }

    [Fact]
    public void MarksOfMissingSamplesCanBeGiven()
    {
        Recording r = Parse("ecg_mV,abp_mmHg\n-999,80\n1,0\n-8388608,-32768\n",
            At125 with { MissingValues = [.. At125.MissingValues, -999, 0] });
        Assert.Equal([float.NaN, 1, float.NaN], r.Channels[0].Samples.ToArray());
        Assert.Equal([80, float.NaN, float.NaN], r.Channels[1].Samples.ToArray());
    }

    [Theory]
    [InlineData("ecg\n", "\n")]
    [InlineData("ecg,abp\n", ",\n")]
    [InlineData("ecg,abp\n", "nan,#N/A\n")]
    public void ARecordingMayBeginWithAnyNumberOfMissingSamples(string header, string row)
    {
        Recording r = Parse(header + string.Concat(Enumerable.Repeat(row, 700)) + (header.Contains(',', StringComparison.Ordinal) ? "1,2\n"
            : "1\n"), At125);
        Assert.Equal((701, 1f), (r.Channels[0].Length, r.Channels[0].Samples.Span[700]));
    }

    [Fact]
    public void IndexesAreNoSignalsAndTellOfMissingRows()
    {
        Recording r = Parse("'sample #','MLII','V5'\n" + Rows(40, i => $"{(i < 20 ? i : i + 5)},995,1011"), At125);
        Assert.Equal(["MLII", "V5"], r.Channels.Select(c => c.Name));
        Assert.Equal((45, 5), (r.Channels[0].Length, r.Channels[0].Samples.ToArray().Count(float.IsNaN)));
    }

    [Fact]
    public void ColumnsOfWordsAreLeftOut()
    {
        Recording r = Parse("rhythm,ecg\nAFIB,1\nN,2\n", At125);
        Assert.Equal("ecg", Assert.Single(r.Channels).Name);
        Assert.Contains(r.Warnings, w => w.Channel == "rhythm");
        // A note may come late; in a column of waves a word is a fault.
        Assert.Equal("ecg", Assert.Single(Parse("ecg,note\n" + Rows(50, i => $"{i},{(i == 40 ? "AFIB 1" : "")}"), At125).Channels).Name);
        Assert.Throws<SignalFormatException>(() => Parse("ecg,abp\n" + Rows(50, i => $"{i},{(i == 40 ? "AFIB" : "")}"), At125));
    }

    [Fact]
    public void BlankSeparatedTextWithoutNames()
    {
        Recording r = Parse(Rows(50, i => $"   {F(i * 0.008, "0.000")}    0.5   80.000"));
        Assert.Equal((125.0, 2, 50), (r.Channels[0].SampleRate, r.Channels.Count, r.Channels[0].Length));
    }

    [Theory]
    [InlineData(",,,,,,,,", 1 << 16)]
    [InlineData(",", 1 << 18)]
    [InlineData(";;;;;;;;", 1 << 16)]
    public void SeparatorsAloneTakeLittleMemory(string line, int lines)
    {
        byte[] text = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(line + "\n", lines)));
        foreach (byte[] table in new[] { text, [.. text.Where(b => b != '\n')] })
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.ThrowsAny<SignalException>(() => CsvFormat.Parse(table, "x.csv", At125));
            // Beside the text itself: twice as much, that all stays under three times.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (2L * table.Length) + (1 << 18));
        }
    }
}
