using UniCardio.Pipeline;
using UniCardio.Restoration;

namespace UniCardio.Cli.Archive;

/// <summary>
/// What happened to one recording, as a line of a manifest. Nothing in it depends on when, where or in how many parts it was made.
/// </summary>
internal sealed record ArchiveEntry
{
    public required string Name { get; init; }

    public required string Input { get; init; }

    /// <summary>All files of the input together.</summary>
    public required long InputBytes { get; init; }

    public required DateTime InputTime { get; init; }

    /// <summary>Everything that the output depends on beside the input.</summary>
    public required string Settings { get; init; }

    /// <summary>The file written, without its folder; null if there is none.</summary>
    public string? Output { get; init; }

    public int Windows { get; init; }

    public int SamplesMeasured { get; init; }

    public int SamplesGenerated { get; init; }

    public int SamplesMissing { get; init; }

    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Why there is no output; null if there is one.</summary>
    public string? Error { get; init; }

    public ArchiveEntry With(RestorationResult result, string output) => this with
    {
        Output = output,
        Windows = result.WindowsComputed,
        SamplesMeasured = result.Count(Provenance.Measured),
        SamplesGenerated = result.GeneratedCount,
        SamplesMissing = result.Count(Provenance.NoSignal),
        Warnings = [.. result.Warnings.Select(w => w.Message)],
    };

    /// <summary>Whether this entry says that a recording is done as it would be done now.</summary>
    public bool Covers(ArchiveEntry now) => Error is null && Input == now.Input && InputBytes == now.InputBytes
        && InputTime == now.InputTime && Settings == now.Settings;
}
