using System.Globalization;
using System.Text;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Formats.Csv;

namespace UniCardio.Signals.Tests.Formats;

/// <summary>Tables as single programs and devices write them, and what is called .csv and is none.</summary>
public class CsvProgramTests
{
    private const int Count = 40;

    private static Recording Parse(string text, params string[] columns) => CsvFormat.Parse(Encoding.UTF8.GetBytes(text), "x.csv",
        columns.Length == 0 ? RecordingReadOptions.Default : new RecordingReadOptions { SampleRate = 125, ColumnNames = columns });

    private static string Rows(Func<int, FormattableString> row) => string.Concat(Enumerable.Range(0, Count)
        .Select(i => row(i).ToString(CultureInfo.InvariantCulture) + "\n"));

    private static void AssertIsEcg(Recording r, string unit = "mV")
    {
        Channel ecg = Assert.Single(r.Channels, c => c.Kind == ChannelKind.Ecg);
        Assert.Equal((125.0, Count, unit), (ecg.SampleRate, ecg.Length, ecg.Unit));
        Assert.Equal(Enumerable.Range(0, Count).Select(i => (float)i), ecg.Samples.ToArray());
    }

    [Theory]
    [InlineData("Date;Heure;ECG [mV]")]
    [InlineData("Fecha;Hora;ECG [mV]")]
    [InlineData("Data;Ora;ECG [mV]")]
    [InlineData("Datum;Uhrzeit;EKG [mV]")]
    public void DateAndTimeInOtherLanguages(string header)
    {
        Recording r = Parse(header + "\n" + Rows(i => $"24/11/2016;13:58:01,{8 * i:000};{i},0"));
        AssertIsEcg(r);
        Assert.Equal(new DateTime(2016, 11, 24, 13, 58, 1), r.StartTime);
    }

    [Fact]
    public void DataIsASignalInEnglish() => Assert.Equal("data", Assert.Single(Parse("time_s,data\n" + Rows(i => $"{i / 125.0},{i}"))
        .Channels).Name);

    // Two rows of the same in every column: Unix time and samples a second.
    [Fact]
    public void AWristDevicesStartAndRate()
    {
        string text = "1600000000.000000,1600000000.000000\n125.000000,125.000000\n" + Rows(i => $"{i},{-i}");
        Recording r = Parse(text, "ecg_mV", "x");
        AssertIsEcg(r);
        Assert.Equal(new DateTime(2020, 9, 13, 12, 26, 40), r.StartTime);
        Assert.Equal(125, Parse(text).Channels[0].SampleRate);
        Assert.Contains("states 125 Hz", Assert.Throws<SignalFormatException>(() => CsvFormat.Parse(Encoding.UTF8.GetBytes(text), "x",
            new RecordingReadOptions { SampleRate = 64 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ALaboratorysTitlesAndRanges()
    {
        Recording r = Parse("Interval=\t0.008 s\nTimeFormat=\tStartOfBlock\nChannelTitle=\tECG\tBP\nRange=\t10.000 mV\t200.0 mmHg\n"
            + Rows(i => $"{i / 125.0}\t{i}\t80"));
        AssertIsEcg(r);
        Assert.Equal(("BP", "mmHg", ChannelKind.BloodPressure), (r.Channels[1].Name, r.Channels[1].Unit, r.Channels[1].Kind));
    }

    // Under the names stands how many samples each column has.
    [Fact]
    public void ARowOfCountsIsNoSample()
    {
        Recording r = Parse("x.acq\n8 msec/sample\n2 channels\nECG\nmV\nBP\nmmHg\nsec,CH1,CH2\n,40,40\n"
            + Rows(i => $"{i / 125.0},{i},80"), "time_s", "ecg_mV", "bp_mmHg");
        AssertIsEcg(r);
        Assert.Contains(r.Warnings, w => w.Message.Contains("without a time", StringComparison.Ordinal));
    }

    [Fact]
    public void OfSeveralTimesTheOneOfTheSensorCounts()
    {
        // Samples reach the phone in blocks.
        Recording r = Parse("Phone timestamp;sensor timestamp [ns];timestamp [ms];ecg [uV]\n"
            + Rows(i => $"2020-01-01T00:00:{i / 10:00}.000;{646000000000000000 + (8000000L * i)};{8.0 * i};{i}"));
        AssertIsEcg(r, "uV");
        Assert.Single(r.Channels);
    }

    // A watch's export: words on the file (and its owner) in two cells, then one column.
    [Fact]
    public void WordsOnTheFileAreNoNamesOfASingleColumn()
    {
        string text = "Name,Jane Doe\nSample Rate,125 hertz\n\n\nLead,Lead I\nUnit,\u00b5V\n\n" + Rows(i => $"{i}.0");
        AssertIsEcg(Parse(text, "ecg_uV"), "uV");
        Assert.DoesNotContain("Jane", Assert.Throws<SignalFormatException>(() => Parse(text)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NumbersOfRowsWithoutAName() => AssertIsEcg(Parse("\"time_s\" \"ecg_mV\"\n" + Rows(i => $"\"{i + 1}\" {i / 125.0} {i}")));

    [Fact]
    public void ALineBreakInANameIsABlank()
    {
        Recording r = Parse("\"Time\r\n[s]\",\"ECG\n[mV]\"\r\n" + Rows(i => $"{i / 125.0},{i}"));
        AssertIsEcg(r);
        // Lines are counted as they are: the fault is in the file's line 5.
        Assert.Equal(5, Assert.Throws<SignalFormatException>(() => Parse("\"Time\n[s]\",\"ECG\n[mV]\"\n0,1\n0.008,x\n0.016,1\n"))
            .Location.Line);
        Assert.Throws<SignalFormatException>(() => Parse("time_s,ecg_mV\n0,\"1\n0.008\",2\n"));
    }

    [Fact]
    public void QuotedDecimalCommas()
    {
        AssertIsEcg(Parse("\"time_s\",\"ecg_mV\"\n" + Rows(i => $"\"0,{8 * i:000}\",\"{i},0\"")));
        // Commas in threes may part thousands: what a number is cannot be told.
        Assert.Throws<SignalFormatException>(() => Parse("time_s,ecg_uV\n" + Rows(i => $"{i / 125.0},\"1,{i:000}\"")));
    }

    [Theory]
    [InlineData("Err:502")]
    [InlineData("Err:522")]
    public void ErrorsOfLibreOfficeAreMissing(string token)
    {
        Recording r = Parse("time_s,ecg_mV\n" + Rows(i => $"{i / 125.0},{(i == 3 ? token : "1")}"));
        Assert.True(float.IsNaN(r.Channels[0].Samples.Span[3]));
        Assert.Contains(r.Warnings, w => w.Message.Contains("1 cells", StringComparison.Ordinal));
    }

    [Fact]
    public void AZoneAfterTheTime()
    {
        Recording r = Parse("time,ecg_mV\n" + Rows(i => $"2016-11-24 13:58:00.{8 * i:000} UTC,{i}"));
        AssertIsEcg(r);
        Assert.Equal(new DateTime(2016, 11, 24, 13, 58, 0), r.StartTime);
    }

    [Theory]
    [InlineData(0.125)]
    [InlineData(1)]
    [InlineData(1e6)]
    public void ARateThatIsGivenMustBeOneOfAWave(double rate)
    {
        var options = new RecordingReadOptions { SampleRate = rate };
        Assert.Contains("no such signal", Assert.Throws<SignalFormatException>(() => CsvFormat.Parse("ecg_mV\n1\n2\n"u8.ToArray(), "x",
            options)).Message, StringComparison.Ordinal);
        Assert.Equal(rate, CsvFormat.Parse("Temp\n1\n2\n"u8.ToArray(), "x", options).Channels[0].SampleRate);
    }

    [Theory]
    [InlineData(new byte[] { 0x1F, 0x8B, 8, 0, 0, 0 }, "gzip")]
    [InlineData(new byte[] { 0x28, 0xB5, 0x2F, 0xFD, 0, 0 }, "zstd")]
    [InlineData(new byte[] { 0x89, 0x48, 0x44, 0x46, 13, 10 }, "HDF5")]
    [InlineData(new byte[] { 0x50, 0x41, 0x52, 0x31, 0, 0 }, "Parquet")]
    [InlineData(new byte[] { 0x4D, 0x41, 0x54, 0x4C, 0x41, 0x42, 0x20, 0x35, 0x2E, 0x30, 0x20 }, "MATLAB")]
    public void OtherFilesAreNamedForWhatTheyAre(byte[] start, string word) => Assert.Contains(word,
        Assert.Throws<SignalFormatException>(() => CsvFormat.Parse([.. start, .. new byte[100]], "x.csv", RecordingReadOptions.Default))
            .Message, StringComparison.Ordinal);
}
