using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Formats;

namespace UniCardio.Restoration.Tests;

/// <summary>What was not measured says so in every format that can, and is warned of when it is read.</summary>
[Collection(Interim.Name)]
public sealed class ProvenanceFileTests(InterimWeights weights) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("provenance").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private RestorationResult Imputed()
    {
        float[] bp = [.. Enumerable.Range(0, 1500).Select(i => i is >= 300 and < 420 or >= 900 and < 903 ? float.NaN
            : 90 + (20 * MathF.Sin(i * 0.06f)))];
        float[] ppg = [.. Enumerable.Range(0, 1500).Select(i => MathF.Sin(i * 0.06f))];
        var recording = new Recording("r", [new Channel("PPG", "", 125, ppg), new Channel("ABP", "mmHg", 125, bp)],
            [new Annotation(1, 125, "N")]);
        return new Restorer(weights.Engine, new RestorationOptions { Task = Engine.Model.CardioTask.Parse("impute bp | ppg"), Draws = 1,
            Sampler = Engine.Sampling.SamplerOptions.Parse("ddim:1") }).Run(recording);
    }

    [Theory]
    [InlineData(".csv")]
    [InlineData(".hea")]
    [InlineData(".edf")]
    public void WhatIsNotMeasuredIsKeptAndWarnedOf(string extension)
    {
        RestorationResult result = Imputed();
        Assert.Equal(
            [("ABP", 300, 420, "imputed"), ("ABP", 900, 903, result.Provenance.Span[901] == Provenance.Bridged ? "bridged" : "imputed")],
            In(result.Recording));
        Assert.Equal(Provenance.Measured, result.Provenance.Span[299]);
        string path = Path.Combine(_folder, "r" + extension);
        RecordingFile.Write(path, result.Recording);
        Recording read = RecordingFile.Read(path);
        Assert.Equal(In(result.Recording), In(read));
        Assert.Equal(["PPG", "ABP"], read.Channels.Select(c => c.Name));
        Assert.Contains(read.Warnings, w => w.Kind == SignalWarningKind.Unmeasured
            && w.Message.Contains("0.984 s of 'ABP' are imputed, not measured", StringComparison.Ordinal));
        // Read from within a stretch, what is left of it is left.
        Recording rest = RecordingFile.Read(path, new RecordingReadOptions { StartSeconds = 3, EndSeconds = 5 });
        Assert.Equal([("ABP", 0, 45, "imputed")], In(rest));
        // And again.
        string copy = Path.Combine(_folder, "copy" + extension);
        RecordingFile.Write(copy, read);
        Assert.Equal(In(read), In(RecordingFile.Read(copy)));
    }

    [Fact]
    public void ACsvHasAColumnOfWords()
    {
        string path = Path.Combine(_folder, "r.csv");
        RecordingFile.Write(path, Imputed().Recording);
        string[] lines = File.ReadAllLines(path);
        Assert.Equal("time_s,PPG,ABP_mmHg,ABP_provenance", lines[0]);
        Assert.EndsWith(",measured", lines[1 + 299], StringComparison.Ordinal);
        Assert.EndsWith(",imputed", lines[1 + 300], StringComparison.Ordinal);
    }

    /// <summary>A table that another program wrote again: capitals, blanks, quotes, a word for what is blank.</summary>
    [Theory]
    [InlineData("ABP_provenance", "Imputed", "")]
    [InlineData("ABP_provenance", " imputed ", " ")]
    [InlineData("ABP_provenance", "\"imputed\"", "NA")]
    [InlineData("ABP_PROVENANCE", "IMPUTED", "NaN")]
    [InlineData("abp_provenance", "imputed", "\"\"")]
    public void WordsThatAnotherProgramWroteAreTaken(string heading, string word, string blank)
    {
        string path = Path.Combine(_folder, "again.csv");
        File.WriteAllText(path, $"time_s,ABP_mmHg,{heading}\n" + string.Concat(Enumerable.Range(0, 250).Select(i =>
            FormattableString.Invariant($"{i / 125.0},{90 + (i % 7)},{(i is >= 100 and < 150 ? word : i < 50 ? blank : "measured")}\n"))));
        Assert.Equal([("ABP", 100, 150, "imputed")], In(RecordingFile.Read(path)));
    }

    /// <summary>A word that nobody knows is not taken for 'measured'.</summary>
    [Theory]
    [InlineData("generated")]
    [InlineData("1")]
    public void AWordThatIsNoOriginIsRefusedByLine(string word)
    {
        string path = Path.Combine(_folder, "unknown.csv");
        File.WriteAllText(path, $"time_s,ABP_mmHg,ABP_provenance\n0,90,measured\n0.008,91,{word}\n0.016,92,measured\n");
        SignalFormatException fault = Assert.Throws<SignalFormatException>(() => RecordingFile.Read(path));
        Assert.Equal(3, fault.Location.Line);
        Assert.Contains($"'{word}' does not say whether a sample was measured; expected measured, ", fault.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsMeasuredHasNoWarningAndNoColumn()
    {
        string path = Path.Combine(_folder, "m.csv");
        RecordingFile.Write(path, new Recording("m", [new Channel("ABP", "mmHg", 125, Enumerable.Range(0, 500).Select(i => 90f + (i % 7))
            .ToArray())]));
        Assert.DoesNotContain("provenance", File.ReadAllText(path), StringComparison.Ordinal);
        Assert.DoesNotContain(RecordingFile.Read(path).Warnings, w => w.Kind == SignalWarningKind.Unmeasured);
    }

    private static IEnumerable<(string, int, int, string)> In(Recording recording) => recording.Unmeasured.Select(s =>
        (s.Channel, (int)Math.Round(s.StartSeconds * 125), (int)Math.Round((s.StartSeconds + s.DurationSeconds) * 125), s.Origin));
}
