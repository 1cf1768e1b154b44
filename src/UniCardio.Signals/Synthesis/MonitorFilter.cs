namespace UniCardio.Signals.Synthesis;

/// <summary>
/// What a measuring line and a monitor do to a wave: a second-order low-pass, which with little damping rings as a fluid-filled line does
/// (Gardner, "Direct blood pressure measurement: dynamic response requirements", Anesthesiology 54(3), 1981), and a first-order high-pass.
/// </summary>
// Constants without a source beside them are chosen.
public sealed record MonitorFilter
{
    /// <summary>Natural frequency of the low-pass, 1 Hz to 45% of the sample rate; null: none.</summary>
    public double? LowPass { get; init; }

    /// <summary>Damping ratio of the low-pass: 0.1 (rings) to 3 (overdamped); 0.707 is flat.</summary>
    public double Damping { get; init; } = 0.707;

    /// <summary>Corner of the high-pass, 0.01 to 5 Hz; null: none, and the mean is kept.</summary>
    public double? HighPass { get; init; }

    internal void Validate(double rate)
    {
        if (LowPass is { } low)
            ParameterRange.Require(nameof(LowPass), low, 1, 0.45 * rate);
        ParameterRange.Require(nameof(Damping), Damping, 0.1, 3);
        if (HighPass is { } high)
            ParameterRange.Require(nameof(HighPass), high, 0.01, 5);
    }

    /// <summary>Filters in place; before the first sample the signal is taken to have been at its value.</summary>
    internal void Apply(Span<float> signal, double rate)
    {
        if (signal.IsEmpty)
            return;
        if (LowPass is { } low)
            ApplyLowPass(signal, low / rate);
        if (HighPass is { } high)
            ApplyHighPass(signal, high / rate);
    }

    // Bilinear transforms, frequencies prewarped; both in double, so that rounding does not add up.
    private void ApplyLowPass(Span<float> signal, double frequency)
    {
        double k = Tangent(frequency), scale = 1 / (1 + 2 * Damping * k + k * k);
        double b0 = k * k * scale, a1 = 2 * (k * k - 1) * scale, a2 = (1 - 2 * Damping * k + k * k) * scale;
        double x1 = signal[0], x2 = x1, y1 = x1, y2 = x1;
        for (int i = 0; i < signal.Length; i++)
        {
            double x = signal[i];
            double y = b0 * (x + 2 * x1 + x2) - a1 * y1 - a2 * y2;
            (x2, x1, y2, y1) = (x1, x, y1, y);
            signal[i] = (float)y;
        }
    }

    private static void ApplyHighPass(Span<float> signal, double frequency)
    {
        double k = Tangent(frequency), gain = 1 / (1 + k), keep = (1 - k) / (1 + k);
        double x1 = signal[0], y1 = 0;
        for (int i = 0; i < signal.Length; i++)
        {
            double x = signal[i];
            y1 = gain * (x - x1) + keep * y1;
            x1 = x;
            signal[i] = (float)y1;
        }
    }

    private static double Tangent(double frequency) => PortableMath.SinTurns(frequency / 2) / PortableMath.CosTurns(frequency / 2);
}
