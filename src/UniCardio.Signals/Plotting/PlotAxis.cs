using System.Globalization;

namespace UniCardio.Signals.Plotting;

/// <summary>A linear axis with round ticks.</summary>
internal sealed class PlotAxis
{
    private static readonly double[] TimeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];

    private readonly double _from;
    private readonly double _toPixel;
    private readonly double _origin;
    private readonly string _format;
    private readonly bool _clock;

    private PlotAxis(double from, double to, double origin, double length, double step, bool clock)
    {
        _from = from;
        _origin = origin;
        _toPixel = length / (to - from);
        _clock = clock;
        int decimals = step >= 1 ? 0 : (int)Math.Min(15, Math.Ceiling(-Math.Log10(step) - 1e-9));
        bool exponent = Math.Max(Math.Abs(from), Math.Abs(to)) is >= 1e6 or < 1e-3;
        _format = exponent ? "0.###e0" : "F" + decimals.ToString(CultureInfo.InvariantCulture);
        var ticks = new List<double>();
        for (double k = Math.Ceiling(from / step - 1e-9); k * step <= to + 1e-9 * (to - from) && ticks.Count < 64; k++)
            ticks.Add(k == 0 ? 0 : k * step);
        Ticks = ticks;
    }

    public IReadOnlyList<double> Ticks { get; }

    public bool IsClock => _clock;

    /// <summary>A value axis with about <paramref name="ticks"/> ticks at 1, 2 or 5 times a power of ten.</summary>
    public static PlotAxis ForValues(double from, double to, double origin, double length, int ticks) =>
        new(from, to, origin, length, NearestStep((to - from) / ticks), false);

    /// <summary>A time axis in seconds, with clock steps and minutes for longer stretches.</summary>
    public static PlotAxis ForTime(double from, double to, double origin, double length, int ticks)
    {
        double raw = (to - from) / ticks;
        double step = raw <= 1 ? RoundStep(raw) : TimeSteps.FirstOrDefault(s => s >= raw, RoundStep(raw / 86400) * 86400);
        return new PlotAxis(from, to, origin, length, step, to > 180);
    }

    public double Pixel(double value) => _origin + (value - _from) * _toPixel;

    public string Label(double tick)
    {
        if (!_clock)
            return tick.ToString(_format, CultureInfo.InvariantCulture).Replace('-', '\u2212');
        var time = TimeSpan.FromSeconds(Math.Abs(tick));
        string text = time.TotalHours >= 1
            ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}")
            : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}:{time.Seconds:00}");
        return tick < 0 ? "\u2212" + text : text;
    }

    // The nearest of 1, 2, 5 and 10 on a logarithmic scale: half to one and a half times as many ticks as asked for.
    private static double NearestStep(double raw)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double mantissa = raw / power;
        return power * (mantissa < 1.4142 ? 1 : mantissa < 3.1623 ? 2 : mantissa < 7.0711 ? 5 : 10);
    }

    // The next of 1, 2, 5 and 10: labels of time must not run into each other.
    private static double RoundStep(double raw)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double mantissa = raw / power;
        return power * (mantissa <= 1 ? 1 : mantissa <= 2 ? 2 : mantissa <= 5 ? 5 : 10);
    }
}
