namespace UniCardio.Signals;

/// <summary>An event in a recording: a beat label, a rhythm change, a technician's note.</summary>
/// <param name="TimeSeconds">Seconds from the start of the recording.</param>
/// <param name="Sample">Sample index at the annotation's own time base (WFDB: the annotation file's; elsewhere the first
/// channel's).</param>
/// <param name="Symbol">WFDB mnemonic such as "N", "V" or "+"; the note's text for formats without symbols.</param>
public sealed record Annotation(double TimeSeconds, long Sample, string Symbol)
{
    /// <summary>WFDB mnemonic or note; fit to be shown (<see cref="VisibleText"/>).</summary>
    public string Symbol { get; init; } = VisibleText.Escape(Symbol);

    /// <summary>Text that goes with the symbol (WFDB AUX, such as "(AFIB"), or ""; fit to be shown.</summary>
    public string Text { get; init => field = VisibleText.Escape(value); } = "";

    /// <summary>WFDB annotation code, 0 where there is none.</summary>
    public int Code { get; init; }

    /// <summary>WFDB subtype.</summary>
    public int Subtype { get; init; }

    /// <summary>Channel the event belongs to; 0 also where it belongs to all.</summary>
    public int Channel { get; init; }

    /// <summary>WFDB "num" field.</summary>
    public int Number { get; init; }

    /// <summary>How long it lasts in seconds (EDF+), if stated.</summary>
    public double? DurationSeconds { get; init; }

    /// <summary>Whether the symbol labels a heart beat (WFDB's isqrs set).</summary>
    public bool IsBeat => Symbol is "N" or "L" or "R" or "B" or "A" or "a" or "J" or "S" or "V" or "r" or "F" or "e" or "j" or "n" or "E"
        or "/" or "f" or "Q" or "?";
}

/// <summary>What a <see cref="SignalWarning"/> is about.</summary>
public enum SignalWarningKind
{
    /// <summary>The file's own checksum does not match its data.</summary>
    Checksum,

    /// <summary>A unit is missing, unknown, or contradicts the values.</summary>
    Unit,

    /// <summary>Samples are there that no sensor measured.</summary>
    Unmeasured,

    /// <summary>Blood pressure looks already normalised.</summary>
    Normalized,

    /// <summary>The header states something the data does not bear out, which could be put right.</summary>
    Header,

    /// <summary>An annotation was malformed or lies outside the recording.</summary>
    Annotation,

    /// <summary>Values were clipped, rounded or dropped while reading or writing.</summary>
    Data,
}

/// <summary>Something a reader put right or could not judge: the recording is usable, and a person should know.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Message">One sentence naming channel, file or value.</param>
/// <param name="Channel">The channel it is about, or null.</param>
public sealed record SignalWarning(SignalWarningKind Kind, string Message, string? Channel = null)
{
    /// <summary>One sentence naming channel, file or value; fit to be shown (<see cref="VisibleText"/>).</summary>
    public string Message { get; init; } = VisibleText.Escape(Message);

    /// <inheritdoc/>
    public override string ToString() => Message;
}

/// <summary>Signals recorded together, each at its own rate, all starting at the same instant. Immutable.</summary>
public sealed class Recording
{
    /// <summary>Creates a recording.</summary>
    /// <param name="name">Name of the record, without path or extension.</param>
    /// <param name="channels">Its channels, at least one.</param>
    /// <param name="annotations">Its annotations in order of time.</param>
    /// <param name="startTime">Wall-clock start if known.</param>
    /// <param name="warnings">What the reader had to say.</param>
    /// <param name="comments">Comment lines of the file, verbatim.</param>
    /// <exception cref="ArgumentException">There is no channel.</exception>
    public Recording(string name, IEnumerable<Channel> channels, IEnumerable<Annotation>? annotations = null, DateTime? startTime = null,
        IEnumerable<SignalWarning>? warnings = null, IEnumerable<string>? comments = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(channels);
        Name = VisibleText.Escape(name);
        Channels = Array.AsReadOnly(channels.ToArray());
        if (Channels.Count == 0)
            throw new ArgumentException("A recording has at least one channel.", nameof(channels));
        Annotations = Array.AsReadOnly((annotations ?? []).ToArray());
        StartTime = startTime;
        Warnings = Array.AsReadOnly((warnings ?? []).ToArray());
        Comments = Array.AsReadOnly((comments ?? []).ToArray());
    }

    /// <summary>Name of the record.</summary>
    public string Name { get; }

    /// <summary>The channels, in file order.</summary>
    public IReadOnlyList<Channel> Channels { get; }

    /// <summary>The annotations, in order of time.</summary>
    public IReadOnlyList<Annotation> Annotations { get; }

    /// <summary>Wall-clock start (no time zone), if known. A date in year 1 means that only the time of day is.</summary>
    public DateTime? StartTime { get; }

    /// <summary>What the file's relative times say of the first sample (s): a table may begin at 10 s, and goes out so.</summary>
    internal double RelativeStart { get; init; }

    /// <summary>What the reader had to put right or could not judge.</summary>
    public IReadOnlyList<SignalWarning> Warnings { get; }

    /// <summary>Comment lines of the file, verbatim.</summary>
    public IReadOnlyList<string> Comments { get; }

    /// <summary>The samples that no sensor measured, as <see cref="Annotations"/> tell.</summary>
    public IReadOnlyList<UnmeasuredStretch> Unmeasured =>
        field ??= [.. Annotations.Select(UnmeasuredStretch.Of).OfType<UnmeasuredStretch>()];

    /// <summary>Length in seconds of the longest channel.</summary>
    public double DurationSeconds => Channels.Max(c => c.DurationSeconds);

    /// <summary>The channel of that name (exact, else without regard to case), or null.</summary>
    /// <param name="name">The name.</param>
    public Channel? Find(string name) =>
        Channels.FirstOrDefault(c => c.Name == name)
        ?? Channels.FirstOrDefault(c => string.Equals(c.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The channel that measures <paramref name="kind"/>, or null: of several the one whose name and unit fit best (ART before
    /// NIBP) and that has samples, of equal ones the first.</summary>
    /// <param name="kind">What it is to measure.</param>
    public Channel? Find(ChannelKind kind) => Channels.Where(c => c.Kind == kind).MaxBy(Formats.ChannelLabels.Rank);

    /// <summary>The channel of that name.</summary>
    /// <param name="name">The name (case is ignored if no name matches exactly).</param>
    /// <exception cref="ChannelNotFoundException">There is none; the message lists those there are.</exception>
    public Channel Require(string name) => Find(name) ?? throw new ChannelNotFoundException(this, $"named '{name}'");

    /// <summary>The channel that measures <paramref name="kind"/>, as <see cref="Find(ChannelKind)"/> finds it.</summary>
    /// <param name="kind">What it is to measure.</param>
    /// <exception cref="ChannelNotFoundException">There is none; the message lists those there are.</exception>
    public Channel Require(ChannelKind kind) => Find(kind) ?? throw new ChannelNotFoundException(this,
        $"that measures {ChannelNotFoundException.Word(kind)}");

    /// <summary>The same recording with other channels.</summary>
    /// <param name="channels">The channels.</param>
    public Recording WithChannels(IEnumerable<Channel> channels) => new(Name, channels, Annotations, StartTime, Warnings, Comments)
    {
        RelativeStart = RelativeStart,
    };

    /// <summary>The same recording with further warnings after its own.</summary>
    /// <param name="warnings">The warnings to add.</param>
    public Recording WithWarnings(IEnumerable<SignalWarning> warnings) => new(Name, Channels, Annotations, StartTime,
        Warnings.Concat(warnings), Comments) { RelativeStart = RelativeStart };

    /// <summary>The same recording with other annotations.</summary>
    /// <param name="annotations">The annotations.</param>
    public Recording WithAnnotations(IEnumerable<Annotation> annotations) => new(Name, Channels, annotations, StartTime, Warnings,
        Comments) { RelativeStart = RelativeStart };
}
