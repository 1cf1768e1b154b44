using UniCardio.Signals;
using UniCardio.Signals.Formats;

namespace UniCardio.Training.Data;

/// <summary>Which subjects of a folder windows are taken from.</summary>
public enum SubjectPart
{
    /// <summary>All.</summary>
    All,

    /// <summary>Those to learn from.</summary>
    Training,

    /// <summary>Those kept apart.</summary>
    Validation,
}

/// <summary>What <see cref="RecordingExamples"/> makes of the recordings of a folder.</summary>
public sealed record RecordingExampleOptions
{
    /// <summary>Seed of all windows.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Samples S of a window at 125 Hz, 16 to 8192.</summary>
    public int SlotSamples { get; init; } = 500;

    /// <summary>How often conditions are made dirtier than they are, relative to the usual share of synthetic ones; 0 (never) to
    /// 2.</summary>
    public double ConditionDirt { get; init; } = 0.5;

    /// <summary>Which subjects to use.</summary>
    public SubjectPart Part { get; init; } = SubjectPart.Training;

    /// <summary>Share of the subjects that is kept apart, 0 to 0.9 (<see cref="SubjectSplit"/>).</summary>
    public double ValidationShare { get; init; } = 0.2;

    /// <summary>How to read the files; the sample rate for tables that do not state it.</summary>
    public RecordingReadOptions Reading { get; init; } = RecordingReadOptions.Default;

    /// <summary>Most bytes that all signals at 125 Hz may take in memory. 4 GiB unless told otherwise.</summary>
    public long MaxBytes { get; init; } = 4L << 30;

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(Reading);
        SyntheticExampleOptions.Validate(SlotSamples, ConditionDirt);
        if (!(ValidationShare >= 0 && ValidationShare <= 0.9))
            throw new ArgumentOutOfRangeException(nameof(ValidationShare), ValidationShare,
                "The share of subjects kept apart is 0 to 0.9.");
        if (!Enum.IsDefined(Part))
            throw new ArgumentOutOfRangeException(nameof(Part), Part, "The part is all, training or validation.");
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxBytes);
    }
}
