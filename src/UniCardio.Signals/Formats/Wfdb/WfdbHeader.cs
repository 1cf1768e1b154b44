namespace UniCardio.Signals.Formats.Wfdb;

/// <summary>One signal as a WFDB header describes it (header(5), signal specification line).</summary>
internal sealed record WfdbSignal
{
    /// <summary>Its signal file, a name within the record's folder; "~" for none.</summary>
    public required string FileName { get; init; }

    /// <summary>How samples are stored.</summary>
    public required WfdbSampleFormat Format { get; init; }

    /// <summary>Samples a frame, at least 1.</summary>
    public required int SamplesPerFrame { get; init; }

    /// <summary>Frames by which it lags behind the others in the file.</summary>
    public required int Skew { get; init; }

    /// <summary>Bytes before the first sample; null if not stated.</summary>
    public required long? ByteOffset { get; init; }

    /// <summary>Digital steps a physical unit, finite and not 0.</summary>
    public required double Gain { get; init; }

    /// <summary>Digital value of physical 0.</summary>
    public required int Baseline { get; init; }

    /// <summary>Physical unit; millivolts where the header states none, as the standard says.</summary>
    public required string Unit { get; init; }

    /// <summary>Bits of the converter, 0 if not stated.</summary>
    public required int Resolution { get; init; }

    /// <summary>Middle of the converter's range.</summary>
    public required int AdcZero { get; init; }

    /// <summary>What format 8 adds its first difference to.</summary>
    public required int InitialValue { get; init; }

    /// <summary>16-bit sum of all samples, null if not stated.</summary>
    public required int? Checksum { get; init; }

    /// <summary>The signal's name.</summary>
    public required string Description { get; init; }

    /// <summary>Whether it has no samples: format 0, or a layout's placeholder.</summary>
    public bool IsNull => Format == WfdbSampleFormat.Null || FileName == "~";

    public ChannelQuantization Quantization => new(Gain, Baseline, Resolution, AdcZero);
}

/// <summary>One segment of a multi-segment record.</summary>
/// <param name="RecordName">Its record, "~" where nothing was recorded.</param>
/// <param name="Frames">Its length.</param>
internal sealed record WfdbSegment(string RecordName, long Frames)
{
    public bool IsNull => RecordName == "~";
}

/// <summary>A WFDB header file.</summary>
internal sealed record WfdbHeader
{
    /// <summary>The file, for messages.</summary>
    public required string File { get; init; }

    /// <summary>Name of the record.</summary>
    public required string RecordName { get; init; }

    /// <summary>Number of signals.</summary>
    public required int SignalCount { get; init; }

    /// <summary>Frames a second (Hz).</summary>
    public required double FrameRate { get; init; }

    /// <summary>Length in frames; null if the signal files must tell.</summary>
    public required long? Frames { get; init; }

    /// <summary>Start; the first of January of year 1 plus a time of day where there is no date. Null if not stated.</summary>
    public required DateTime? StartTime { get; init; }

    /// <summary>The signals; empty in a multi-segment record.</summary>
    public required IReadOnlyList<WfdbSignal> Signals { get; init; }

    /// <summary>The segments; empty in an ordinary record.</summary>
    public required IReadOnlyList<WfdbSegment> Segments { get; init; }

    /// <summary>Lines after the last signal that begin with '#', without it.</summary>
    public required IReadOnlyList<string> Comments { get; init; }

    /// <summary>Why the stated start is not, or not wholly, used; null if it is.</summary>
    public string? StartProblem { get; init; }

    public bool IsMultiSegment => Segments.Count > 0;

    /// <summary>Whether the first segment only lays the signals out and each further one holds some of them.</summary>
    public bool HasVariableLayout => Segments.Count > 0 && Segments[0].Frames == 0 && !Segments[0].IsNull;
}
