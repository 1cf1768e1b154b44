using System.Text;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Formats.Edf;
using UniCardio.Signals.Formats.Flac;
using UniCardio.Signals.Formats.Wfdb;
using static UniCardio.Signals.Tests.Formats.WfdbEncoder;

namespace UniCardio.Signals.Tests.Formats;

/// <summary>Files of binary formats with one field that is wrong or empty, or a part that is gone.</summary>
public class DamagedRecordTests
{
    private static byte[] Edf()
    {
        using var folder = new TemporaryFolder();
        var recording = new Recording("r", [new Channel("ECG", "mV", 100, Enumerable.Range(0, 300).Select(i => i % 7f).ToArray())],
            startTime: new DateTime(2020, 2, 1, 10, 11, 12));
        RecordingFile.Write(folder["r.edf"], recording);
        return File.ReadAllBytes(folder["r.edf"]);
    }

    private static Recording Read(byte[] edf) => EdfFormat.Parse(edf, "x.edf", RecordingReadOptions.Default);

    private static byte[] With(byte[] edf, int at, string field)
    {
        Encoding.ASCII.GetBytes(field).CopyTo(edf, at);
        return edf;
    }

    [Fact]
    public void AnEmptyHeaderLengthIsNoLoss() => Assert.Equal(300, Read(With(Edf(), 184, "        ")).Channels[0].Length);

    [Theory]
    [InlineData("********")]
    [InlineData("unknown ")]
    public void ACountThatIsNoneIsCountedByTheLength(string count)
    {
        Recording r = Read(With(Edf(), 236, count));
        Assert.Equal(300, r.Channels[0].Length);
        Assert.Contains(r.Warnings, w => w.Message.Contains(count.Trim(), StringComparison.Ordinal));
        Assert.Throws<SignalFormatException>(() => Read(With(Edf(), 236, "-5      ")));
    }

    // EDF+, section 2.1.3.3, item 2.
    [Fact]
    public void YearsThatTwoDigitsDoNotTellStandInTheIdentification() => Assert.Equal(new DateTime(1930, 2, 1, 10, 11, 12),
        Read(With(With(Edf(), 168, "01.02.yy"), 88, "Startdate 01-FEB-1930 X X X".PadRight(80))).StartTime);

    [Fact]
    public void ACompressedFileIsNamed() => Assert.Contains("gzip", Assert.Throws<SignalFormatException>(
        () => Read([0x1F, 0x8B, .. new byte[400]])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("01/02/2020")]
    [InlineData("01-Feb-2020")]
    [InlineData("1-feb-2020")]
    public void DatesOfWfdbHeaders(string date) => Assert.Equal(new DateTime(2020, 2, 1, 10, 11, 12), WfdbEncoder.Read(Record(
        $"r 1 100 2 10:11:12 {date}\nr.dat 16 200/mV 16 0 1 3 0 II\n", ("r.dat", Encode(16, [1, 2])))).StartTime);

    [Fact]
    public void NamesInCapitalsAndInThisFolder()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["R.HEA"], "R 1 100 2\n./r.dat 16 200/mV 16 0 1 3 0 II\n");
        File.WriteAllBytes(folder["R.DAT"], Encode(16, [1, 2]));
        Assert.Equal(2, RecordingFile.Read(folder["R.HEA"]).Channels[0].Length);
    }

    // The master states 1 frame of a segment that has 2: what follows would shift in silence.
    [Fact]
    public void ASegmentLongerThanStatedIsSaid()
    {
        Dictionary<string, byte[]> record = Record("r/2 1 100 3\na 1\nb 2\n", ("a.dat", Encode(16, [1, 2])), ("b.dat", Encode(16, [3, 4])));
        foreach (string s in new[] { "a", "b" })
            record[s + ".hea"] = Encoding.ASCII.GetBytes($"{s} 1 100 2\n{s}.dat 16 200/mV 16 0 0 0 0 II\n");
        Recording r = WfdbEncoder.Read(record);
        Assert.Equal([0.005f, 0.015f, 0.02f], r.Channels[0].Samples.ToArray());
        Assert.Contains(r.Warnings, w => w.Message.Contains("a.hea", StringComparison.Ordinal)
            && w.Message.Contains("left out", StringComparison.Ordinal));
    }

    // All checksums are right, and every sample after it would come early.
    [Fact]
    public void AFlacStreamWithoutOneOfItsFramesIsRefused()
    {
        int[] samples = [.. Enumerable.Range(0, 64 * 4).Select(i => i % 50)];
        byte[] Stream(int[] part) => FlacEncoder.Stream([part], 16, 64, 0, (_, _) => new("verbatim"));
        byte[] whole = Stream(samples);
        // Frames are of one length here: each is what the stream grows by.
        int frame = Stream(samples[..128]).Length - Stream(samples[..64]).Length, head = Stream(samples[..64]).Length - frame;
        byte[] cut = [.. whole[..(head + frame)], .. whole[(head + (2 * frame))..]];
        Assert.Contains("frame 2 where 1 should follow", Assert.Throws<SignalFormatException>(() => new FlacDecoder(cut, "x.flac")
            .Decode((_, _) => true, CancellationToken.None)).Message, StringComparison.Ordinal);
        Assert.Equal(FlacEnd.Whole, new FlacDecoder(whole, "x.flac").Decode((_, _) => true, CancellationToken.None));
    }
}
