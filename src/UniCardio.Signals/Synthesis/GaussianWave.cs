namespace UniCardio.Signals.Synthesis;

/// <summary>Adds Gaussian waves to a sampled signal.</summary>
internal static class GaussianWave
{
    // Beyond five widths the wave is below 4e-6 of its height.
    private const double Reach = 5;

    /// <summary>Adds height * exp(-(t - centre)^2 / (2 width^2)), with its own width on either side of the centre.</summary>
    /// <param name="signal">The signal; sample i is at i / rate seconds.</param>
    /// <param name="rate">Samples a second.</param>
    /// <param name="centre">Seconds.</param>
    /// <param name="height">In the signal's unit.</param>
    /// <param name="rise">Width before the centre, seconds.</param>
    /// <param name="fall">Width after it, seconds.</param>
    public static void Add(Span<float> signal, double rate, double centre, double height, double rise, double fall)
    {
        int from = ClampIndex((centre - Reach * rise) * rate, signal.Length);
        int middle = ClampIndex(centre * rate, signal.Length);
        int to = ClampIndex((centre + Reach * fall) * rate, signal.Length);
        AddSide(signal[from..middle], 1 / rate, from / rate - centre, height, rise);
        AddSide(signal[middle..to], 1 / rate, middle / rate - centre, height, fall);
    }

    // exp(-(d + h)^2 / 2w^2) follows from the sample before by a factor that itself shrinks by a constant one: two products a sample.
    private static void AddSide(Span<float> signal, double step, double distance, double height, double width)
    {
        if (signal.IsEmpty)
            return;
        double scale = 1 / (2 * width * width);
        double value = height * PortableMath.Exp(-distance * distance * scale);
        double factor = PortableMath.Exp(-(2 * distance + step) * step * scale);
        double shrink = PortableMath.Exp(-2 * step * step * scale);
        for (int i = 0; i < signal.Length; i++)
        {
            signal[i] += (float)value;
            value *= factor;
            factor *= shrink;
        }
    }

    private static int ClampIndex(double position, int length) => (int)Math.Clamp(Math.Ceiling(position), 0, length);
}
