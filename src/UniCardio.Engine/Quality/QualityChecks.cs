namespace UniCardio.Engine.Quality;

/// <summary>Checks the arguments of a network's calls at the door.</summary>
internal static class QualityChecks
{
    /// <summary>Samples of each window.</summary>
    /// <exception cref="ArgumentException">The length is no whole number of windows, or a sample is not finite.</exception>
    public static int Samples(QualityConfiguration m, ReadOnlySpan<float> windows, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        int rows = checked(count * m.Channels);
        if (windows.IsEmpty || windows.Length % rows != 0)
            throw new ArgumentException($"{windows.Length} samples are no whole number for {count} windows of {m.Channels} channels",
                nameof(windows));
        if (FiniteScan.FirstNonFinite(windows) is int at and >= 0)
            throw new ArgumentException($"sample {at} is {windows[at]}; expected finite samples", nameof(windows));
        return windows.Length / rows;
    }

    /// <summary>Tokens of each window.</summary>
    /// <exception cref="ArgumentException">The length is no whole number of tokens.</exception>
    public static int Tokens(QualityConfiguration m, ReadOnlySpan<float> features, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        int row = checked(count * m.Width);
        return !features.IsEmpty && features.Length % row == 0
            ? features.Length / row
            : throw new ArgumentException($"{features.Length} values are no whole number of tokens for {count} windows of d = {m.Width}",
                nameof(features));
    }

    /// <summary>Throws unless a span holds what its shape says.</summary>
    /// <exception cref="ArgumentException">It does not.</exception>
    public static void Length(int length, long expected, string shape, string argument)
    {
        if (length != expected)
            throw new ArgumentException($"{argument} has {length} elements, its shape {shape} {expected}", argument);
    }

    /// <summary>Throws unless the weights hold a head.</summary>
    /// <exception cref="ArgumentException">They do not.</exception>
    public static void Has(QualityHead head, QualityWeights weights)
    {
        if (!weights.Heads.Contains(head))
            throw new ArgumentException(
                $"the weights hold no head for {head}; they hold {(weights.Heads.Count == 0 ? "none" : string.Join(", ", weights.Heads))}",
                nameof(head));
    }

    /// <summary>Throws unless the head is one of the linear ones and the weights hold it.</summary>
    /// <exception cref="ArgumentException">It is not.</exception>
    public static void Linear(QualityHead head, QualityWeights weights)
    {
        if (head == QualityHead.VentricularTachycardia)
            throw new ArgumentException("the alarm's head reads signals, not features", nameof(head));
        Has(head, weights);
    }
}
