using System.Text;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Formats.Csv;

namespace UniCardio.Signals.Tests.Formats;

/// <summary>Of several channels that fit a signal the better one is found, and names stay apart.</summary>
public class ChannelChoiceTests
{
    private static Recording Parse(string text, RecordingReadOptions? options = null) =>
        CsvFormat.Parse(Encoding.UTF8.GetBytes(text), "x.csv", options ?? new RecordingReadOptions { SampleRate = 125 });

    [Theory]
    [InlineData("PAP1_mmHg,ART_mmHg", "ART", 0)]
    [InlineData("ABPMean_mmHg,ABP_mmHg", "ABP", 0)]
    [InlineData("NIBP_mmHg,ABP_mmHg", "ABP", 1)]
    [InlineData("P1_mmHg,ART_mmHg", "ART", 1)]
    [InlineData("ABP,ART_mmHg", "ART", 1)]
    [InlineData("ART_mmHg,ABP_mmHg", "ART", 1)]
    public void TheBetterPressureIsTaken(string header, string expected, int remarks)
    {
        Recording r = Parse(header + "\n20,80\n21,90\n");
        Assert.Equal(expected, r.Require(ChannelKind.BloodPressure).Name);
        Assert.Equal(remarks, r.Warnings.Count(w => w.Message.Contains("taken for the arterial pressure", StringComparison.Ordinal)));
    }

    [Fact]
    public void AChannelThatWasNeverMeasuredIsNotPreferred()
    {
        Assert.Equal("ABP", Parse("ART_mmHg,ABP_mmHg\n,80\n,90\n").Require(ChannelKind.BloodPressure).Name);
    }

    [Fact]
    public void EveryChannelOfOneNameHasItsOwn()
    {
        Recording r = Parse("ECG,ECG,ECG_2,ecg\n1,2,3,4\n");
        Assert.Equal(["ECG", "ECG_3", "ECG_2", "ecg_4"], r.Channels.Select(c => c.Name));
        Assert.All(r.Channels, c => Assert.Equal(ChannelKind.Ecg, c.Kind));
    }

    [Fact]
    public void UnitsCanBeGivenOverTheFiles()
    {
        var options = new RecordingReadOptions { SampleRate = 125, Units = new Dictionary<string,
            string> { ["bp"] = "kPa", ["II"] = "uV" } };
        Recording r = Parse("abp_mmHg,II\n10,100\n16,900\n", options);
        Assert.Equal(["kPa", "uV"], r.Channels.Select(c => c.Unit));
        Assert.Equal(16, r.Require(ChannelKind.BloodPressure).Samples.Span[1]);
        Assert.Throws<ChannelNotFoundException>(() => Parse("II\n1\n", options));
    }

    [Fact]
    public void GivenNamesGoBeforeTheFiles()
    {
        RecordingReadOptions Named(params string[] names) => new() { SampleRate = 125, ColumnNames = names };
        Assert.Equal(["abp"], Parse("a,b\n1,2\n3,4\n", Named("abp_mmHg", "-")).Channels.Select(c => c.Name));
        Recording timed = Parse("time,a\n0,1\n0.01,2\n0.02,3\n", new RecordingReadOptions { ColumnNames = ["ecg_mV"] });
        Assert.Equal(("ecg", 100.0), (timed.Channels[0].Name, timed.Channels[0].SampleRate));
        Assert.Throws<SignalFormatException>(() => Parse("a,b\n1,2\n", Named("x")));
        // Formats that name their channels take new names too, and refuse too few.
        using var folder = new TemporaryFolder();
        RecordingFile.Write(folder["r.hea"], Parse("a,b\n1,2\n3,4\n"));
        Assert.Equal([ChannelKind.BloodPressure, ChannelKind.Ecg], RecordingFile.Read(folder["r.hea"],
            Named("abp_mmHg", "II")).Channels.Select(c => c.Kind));
        Assert.Throws<SignalFormatException>(() => RecordingFile.Read(folder["r.hea"], Named("x")));
    }

    [Fact]
    public void NamesCannotCommandATerminalOrASpreadsheet()
    {
        using var folder = new TemporaryFolder();
        Recording r = Parse("\"PPG \u001b[2J\u202e\u0085x\",=cmd|'/C calc'!A0,-aVR_mV\n1,2,3\n4,5,6\n");
        Assert.Equal(["PPG \\u001B[2J\\u202E\\u0085x", "=cmd|'/C calc'!A0", "-aVR"], r.Channels.Select(c => c.Name));
        RecordingFile.Write(folder["r.csv"], r);
        string header = File.ReadLines(folder["r.csv"]).First();
        Assert.DoesNotContain(header, char.IsControl);
        Assert.All(header.Split(','), cell => Assert.DoesNotContain(cell.Trim('"')[0], "=+-@"));
        Assert.Equal(r.Channels.Select(c => c.Name), RecordingFile.Read(folder["r.csv"]).Channels.Select(c => c.Name));
    }

    /// <summary>A spreadsheet takes the full-width forms of = + - @ for those; what is read back has no apostrophe.</summary>
    [Theory]
    [InlineData('\uFF1D')]
    [InlineData('\uFF0B')]
    [InlineData('\uFF0D')]
    [InlineData('\uFF20')]
    public void FullWidthFormsBeginNoCell(char first)
    {
        using var folder = new TemporaryFolder();
        Recording r = Parse($"{first}1,ECG_mV\n1,2\n3,4\n");
        RecordingFile.Write(folder["r.csv"], r);
        Assert.Equal($"'{first}1", File.ReadLines(folder["r.csv"]).First().Split(',')[1].Trim('"'));
        Assert.Equal(r.Channels.Select(c => c.Name), RecordingFile.Read(folder["r.csv"]).Channels.Select(c => c.Name));
    }

    /// <summary>A table's negative numbers are numbers to whoever reads it, and a dash that stands for none on a screen is a blank cell;
    /// formulas are escaped all the same.</summary>
    [Fact]
    public void NegativeNumbersOfATableAreNumbers()
    {
        object?[] row = [-22.73, "-4.904", "+3", -7, -1e-7, 5.0, null, "-", "-aVR", "=1+1", "\uFF1D1+1", "@x"];
        string[] cells = CsvOutput.Of(Enumerable.Range(0, row.Length).Select(i => $"c{i}"), [row]).Split('\n')[1].Split(',');
        Assert.Equal(["-22.73", "-4.904", "3", "-7", "-1E-07", "5", "", "", "'-aVR", "'=1+1", "'\uFF1D1+1", "'@x"],
            cells.Select(c => c.Trim('"')));
    }
}
