namespace UniCardio.Signals.Formats.Wfdb;

/// <summary>One signal as a WFDB header describes it (header(5), signal specification line).</summary>
/// <param name="FileName">Its signal file, a name within the record's folder; "~" for none.</param>
/// <param name="Format">How samples are stored.</param>
/// <param name="SamplesPerFrame">Samples a frame, at least 1.</param>
/// <param name="Skew">Frames by which it lags behind the others in the file.</param>
/// <param name="ByteOffset">Bytes before the first sample; null if not stated.</param>
/// <param name="Gain">Digital steps a physical unit, finite and not 0.</param>
/// <param name="Baseline">Digital value of physical 0.</param>
/// <param name="Unit">Physical unit; millivolts where the header states none, as the standard says.</param>
/// <param name="Resolution">Bits of the converter, 0 if not stated.</param>
/// <param name="AdcZero">Middle of the converter's range.</param>
/// <param name="InitialValue">What format 8 adds its first difference to.</param>
/// <param name="Checksum">16-bit sum of all samples, null if not stated.</param>
/// <param name="Description">The signal's name.</param>
internal sealed record WfdbSignal(string FileName, WfdbSampleFormat Format, int SamplesPerFrame, int Skew, long? ByteOffset, double Gain,
    int Baseline,
    string Unit, int Resolution, int AdcZero, int InitialValue, int? Checksum, string Description)
{
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
/// <param name="File">The file, for messages.</param>
/// <param name="RecordName">Name of the record.</param>
/// <param name="SignalCount">Number of signals.</param>
/// <param name="FrameRate">Frames a second (Hz).</param>
/// <param name="Frames">Length in frames; null if the signal files must tell.</param>
/// <param name="StartTime">Start; the first of January of year 1 plus a time of day where there is no date. Null if not stated.</param>
/// <param name="Signals">The signals; empty in a multi-segment record.</param>
/// <param name="Segments">The segments; empty in an ordinary record.</param>
/// <param name="Comments">Lines after the last signal that begin with '#', without it.</param>
/// <param name="StartProblem">Why the stated start is not, or not wholly, used; null if it is.</param>
internal sealed record WfdbHeader(string File, string RecordName, int SignalCount, double FrameRate, long? Frames, DateTime? StartTime,
    IReadOnlyList<WfdbSignal> Signals, IReadOnlyList<WfdbSegment> Segments, IReadOnlyList<string> Comments, string? StartProblem = null)
{
    public bool IsMultiSegment => Segments.Count > 0;

    /// <summary>Whether the first segment only lays the signals out and each further one holds some of them.</summary>
    public bool HasVariableLayout => Segments.Count > 0 && Segments[0].Frames == 0 && !Segments[0].IsNull;
}
