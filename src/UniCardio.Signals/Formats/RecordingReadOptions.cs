namespace UniCardio.Signals.Formats;

/// <summary>How to read a recording. The defaults suit files that say everything themselves.</summary>
public sealed record RecordingReadOptions
{
    /// <summary>The defaults.</summary>
    public static RecordingReadOptions Default { get; } = new();

    /// <summary>Samples a second, for CSV without a time column and for NPY, which do not state it. Null: the file must tell.</summary>
    public double? SampleRate { get; init; }

    /// <summary>Channels to keep, by name (case ignored) or by index counted from 0; null keeps all.</summary>
    public IReadOnlyList<string>? Channels { get; init; }

    /// <summary>
    /// Numbers that mark a missing sample in CSV and NPY, besides blanks and NaN: the lowest of 16, 24 and 32 bits unless told otherwise,
    /// as
    /// recorders and exports of WFDB records have them and no physical signal here does. WFDB states its own for each storage format.
    /// </summary>
    public IReadOnlyList<double> MissingValues { get; init; } = [-32768, -8388608, -2147483648.0];

    /// <summary>
    /// Units over those that the file states, by channel (its name) or by signal ("ppg", "bp", "ecg": the channel found for it). Values are
    /// not converted. Null: none.
    /// </summary>
    public IReadOnlyDictionary<string, string>? Units { get; init; }

    /// <summary>Where to begin, in seconds from the start of the record. Annotations and start time move along.</summary>
    public double StartSeconds { get; init; }

    /// <summary>Where to end (exclusive), in seconds from the start of the record; null reads to the end.</summary>
    public double? EndSeconds { get; init; }

    /// <summary>
    /// Names for the columns or channels, in place of the file's own if it has any; may carry units, as in "abp_mmHg". As many as there are
    /// columns (in CSV the time's may be left out where the file names it); "-" leaves one out.
    /// </summary>
    public IReadOnlyList<string>? ColumnNames { get; init; }

    /// <summary>
    /// WFDB: give every signal at the frame rate, the samples of a frame averaged, instead of each at its own rate.
    /// </summary>
    public bool AverageFrames { get; init; }

    /// <summary>WFDB: annotator whose file (record.annotator) is read too. Null: "atr" if there is one.</summary>
    public string? Annotator { get; init; }

    /// <summary>Most bytes that any one file may have. 1 GiB unless told otherwise. The files of a WFDB record together may come to four
    /// times that.</summary>
    public long MaxFileBytes { get; init; } = 1L << 30;

    /// <summary>Most samples of all channels together, missing ones included. 2^28 (1 GiB as float) unless told otherwise.</summary>
    public long MaxSamples { get; init; } = 1L << 28;

    /// <summary>
    /// Most samples that a file may declare without holding them (gaps by its times, null segments), beside 16 for each one that it holds.
    /// 2^22
    /// (9 hours of one signal at 125 Hz) unless told otherwise.
    /// </summary>
    public long MaxGapSamples { get; init; } = 1L << 22;

    /// <summary>Most channels. 1024 unless told otherwise.</summary>
    public int MaxChannels { get; init; } = 1024;

    /// <summary>Most annotations. 10 million unless told otherwise.</summary>
    public int MaxAnnotations { get; init; } = 10_000_000;
}
