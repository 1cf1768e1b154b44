namespace UniCardio.Serving.Metrics;

/// <summary>The last values of a measurement, for quantiles.</summary>
internal sealed class RecentValues(int capacity)
{
    private readonly Lock _lock = new();
    private readonly double[] _values = new double[capacity];
    private long _count;

    public void Add(double value)
    {
        lock (_lock)
            _values[_count++ % capacity] = value;
    }

    /// <summary>Quantiles of the last values, linear between order statistics; null if there are none.</summary>
    public double?[] Quantiles(params ReadOnlySpan<double> probabilities)
    {
        double[] sorted;
        lock (_lock)
            sorted = _values[..(int)Math.Min(_count, capacity)];
        Array.Sort(sorted);
        var quantiles = new double?[probabilities.Length];
        for (int i = 0; i < quantiles.Length && sorted.Length > 0; i++)
        {
            double place = probabilities[i] * (sorted.Length - 1);
            int below = (int)place;
            quantiles[i] = sorted[below] + ((place - below) * (sorted[Math.Min(below + 1, sorted.Length - 1)] - sorted[below]));
        }
        return quantiles;
    }
}
