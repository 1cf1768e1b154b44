namespace UniCardio.Signals.Synthesis;

/// <summary>Checks a parameter against its range.</summary>
internal static class ParameterRange
{
    /// <exception cref="ArgumentOutOfRangeException">The value is outside, or not a number.</exception>
    public static void Require(string name, double value, double low, double high)
    {
        if (!(value >= low && value <= high))
            throw new ArgumentOutOfRangeException(name, value, $"{name} is {low} to {high}.");
    }
}
