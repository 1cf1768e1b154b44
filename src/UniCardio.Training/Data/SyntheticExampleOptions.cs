namespace UniCardio.Training.Data;

/// <summary>What <see cref="SyntheticExamples"/> makes.</summary>
public sealed record SyntheticExampleOptions
{
    /// <summary>Seed of all windows; another seed gives windows that share nothing with these (validation, say).</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Samples S of a window at 125 Hz, 16 to 8192.</summary>
    public int SlotSamples { get; init; } = 500;

    /// <summary>How often conditions that are not restored are dirty too, relative to the usual share; 0 (never) to 2.</summary>
    public double ConditionDirt { get; init; } = 1;

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public void Validate() => Validate(SlotSamples, ConditionDirt);

    // The same two numbers, of examples from recordings too.
    internal static void Validate(int slotSamples, double conditionDirt)
    {
        if (slotSamples is < 16 or > 8192)
            throw new ArgumentOutOfRangeException(nameof(slotSamples), slotSamples, "A window has 16 to 8192 samples.");
        if (!(conditionDirt >= 0 && conditionDirt <= 2))
            throw new ArgumentOutOfRangeException(nameof(conditionDirt), conditionDirt,
                "The share of dirty conditions is 0 to 2 times the usual one.");
    }
}
