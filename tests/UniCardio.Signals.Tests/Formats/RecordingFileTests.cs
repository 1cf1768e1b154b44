using System.Text;
using UniCardio.Signals.Formats;

namespace UniCardio.Signals.Tests.Formats;

public class RecordingFileTests
{
    private static readonly Recording Small = new(
        "r", [new Channel("ABP", "mmHg", 100, new[] { 80f, 90, 100, float.NaN, 70 }),
            new Channel("II", "mV", 100, new[] { 0, 0.5f, 1, 0, -0.25f })]);

    [Fact]
    public void FormatIsToldByExtensionOrContent()
    {
        using var folder = new TemporaryFolder();
        foreach (string name in new[] { "a.csv", "a.npy", "a.hea" })
            RecordingFile.Write(folder[name], Small);
        File.Copy(folder["a.npy"], folder["array"]);
        File.Copy(folder["a.hea"], folder["v1.2.hea"]);
        File.WriteAllText(folder["edf"], "0       and so on");
        File.WriteAllText(folder["what"], "?");
        Assert.Equal(RecordingFormat.Csv, RecordingFile.FormatOf(folder["a.CSV"]));
        Assert.Equal(RecordingFormat.Npy, RecordingFile.FormatOf(folder["a.npy"]));
        Assert.Equal(RecordingFormat.Npy, RecordingFile.FormatOf(folder["array"]));
        Assert.Equal(RecordingFormat.Wfdb, RecordingFile.FormatOf(folder["a"]));
        Assert.Equal(RecordingFormat.Wfdb, RecordingFile.FormatOf(folder["v1.2"]));
        Assert.Equal(RecordingFormat.Edf, RecordingFile.FormatOf(folder["edf"]));
        Assert.Throws<SignalFileException>(() => RecordingFile.FormatOf(folder["what"]));
        Assert.Throws<SignalFileException>(() => RecordingFile.FormatOf(folder["absent"]));
        Assert.Throws<SignalFileException>(() => RecordingFile.Write(folder["a.bdf"], Small));
        foreach (string name in new[] { "a", "a.hea", "a.dat", "v1.2" })
            Assert.Equal(5, RecordingFile.Read(folder[name]).Channels[1].Length);
        Assert.Equal(2, RecordingFile.Read(folder["array"], new RecordingReadOptions { SampleRate = 100 }).Channels.Count);
    }

    [Theory]
    [InlineData("a.hea")]
    [InlineData("a.edf")]
    public void ARateThatTheFileContradictsIsRefused(string name)
    {
        using var folder = new TemporaryFolder();
        RecordingFile.Write(folder[name], Small);
        Assert.Equal(100, RecordingFile.Read(folder[name], new() { SampleRate = 100 }).Channels[1].SampleRate);
        Assert.Contains("states 100 Hz, but 250 Hz", Assert.Throws<SignalFormatException>(() =>
            RecordingFile.Read(folder[name], new() { SampleRate = 250 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HeadersMayBeginWithTheMarkOfUtf8()
    {
        using var folder = new TemporaryFolder();
        RecordingFile.Write(folder["a.hea"], Small);
        File.WriteAllBytes(folder["a.hea"], [0xEF, 0xBB, 0xBF, .. File.ReadAllBytes(folder["a.hea"])]);
        Assert.Equal(2, RecordingFile.Read(folder["a.hea"]).Channels.Count);
    }

    [Fact]
    public void PointersOfLargeFileStorageAreNamed()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["a.edf"], "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
        Assert.Contains("Git LFS", Assert.Throws<SignalFileException>(() => RecordingFile.Read(folder["a.edf"])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void FilesOverTheLimitAreRefusedBeforeTheyAreRead()
    {
        using var folder = new TemporaryFolder();
        using (FileStream stream = File.Create(folder["a.edf"]))
            stream.SetLength(3L << 30);
        Assert.Equal(3L << 30, Assert.Throws<SignalLimitException>(() => RecordingFile.Read(folder["a.edf"])).Actual);
    }

    [Fact]
    public void WarningsAboutPlausibilityComeWithTheRecording()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["a.csv"], "abp\n" + string.Concat(Enumerable.Repeat("0.1\n-0.9\n0.7\n", 20)), Encoding.ASCII);
        SignalWarning w = Assert.Single(RecordingFile.Read(folder["a.csv"], new RecordingReadOptions { SampleRate = 100 }).Warnings);
        Assert.Equal(SignalWarningKind.Normalized, w.Kind);
    }

    [Fact]
    public void ReadingCanBeCancelled()
    {
        using var folder = new TemporaryFolder();
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        foreach (string name in new[] { "a.csv", "a.npy", "a.hea" })
        {
            RecordingFile.Write(folder[name], Small);
            Assert.Throws<OperationCanceledException>(() =>
                RecordingFile.Read(folder[name], new RecordingReadOptions { SampleRate = 100 }, cancelled.Token));
        }
    }

    [Fact]
    public void AnnotationsAfterTheEndAreReported()
    {
        using var folder = new TemporaryFolder();
        RecordingFile.Write(folder["a.hea"], Small.WithAnnotations([new Annotation(0.01, 0, "N"), new Annotation(5, 0, "N")]));
        Recording r = RecordingFile.Read(folder["a.hea"]);
        Assert.Equal(2, r.Annotations.Count);
        Assert.Contains(r.Warnings, w => w.Kind == SignalWarningKind.Annotation);
        Assert.Single(RecordingFile.Read(folder["a.hea"], new RecordingReadOptions { EndSeconds = 0.04 }).Annotations);
        Recording later = RecordingFile.Read(folder["a.hea"], new RecordingReadOptions { StartSeconds = 0.01 });
        Assert.Equal((0.0, 0L), (later.Annotations[0].TimeSeconds, later.Annotations[0].Sample));
    }
}
