namespace UniCardio.Training.Runs;

/// <summary>Tells an exploding loss from a noisy one: the median of the last 8 losses against the median of up to 512 before.</summary>
internal sealed class DivergenceWatch
{
    /// <summary>Losses kept.</summary>
    public const int Capacity = 520;

    private const int Last = 8;
    private const int MinSteps = 64;
    private const double Factor = 10;

    private readonly List<float> _losses = new(Capacity);

    /// <summary>The kept losses, oldest first; part of a run's state.</summary>
    public float[] Losses => [.. _losses];

    /// <summary>Takes up kept losses.</summary>
    public void Restore(ReadOnlySpan<float> losses)
    {
        _losses.Clear();
        _losses.AddRange(losses[Math.Max(0, losses.Length - Capacity)..]);
    }

    /// <summary>Takes in a loss.</summary>
    /// <returns>What is wrong, null if nothing is.</returns>
    public string? Include(double loss)
    {
        if (!double.IsFinite(loss))
            return $"the loss is {loss}";
        if (_losses.Count == Capacity)
            _losses.RemoveAt(0);
        _losses.Add((float)loss);
        if (_losses.Count < MinSteps + Last)
            return null;
        float now = Median(_losses[^Last..]), before = Median(_losses[..^Last]);
        return now > Factor * before
            ? $"the median of the last {Last} losses is {now:g3}, over {Factor} times the {before:g3} before" : null;
    }

    private static float Median(List<float> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
