using System.Globalization;
using System.Text;

namespace UniCardio.Signals.Formats.Csv;

/// <summary>The time column of a CSV file: gives the sample rate, and is refused where it is not uniform.</summary>
internal sealed class CsvTimeColumn(string file)
{
    private readonly List<double> _times = [];
    private readonly List<long> _lines = [];
    private int _decimals;

    /// <summary>Whether a heading names a time column.</summary>
    /// <param name="heading">The heading.</param>
    /// <param name="secondsPerUnit">Its unit in seconds; 1 if it does not state one.</param>
    public static bool IsTime(string heading, out double secondsPerUnit)
    {
        string text = heading.Trim().ToLowerInvariant().Replace('_', ' ').Replace('(', ' ').Replace(')', ' ').Replace('[', ' ').Replace(']', ' ');
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        secondsPerUnit = 1;
        if (words.Length > 1 && IsUnit(words[^1]))
        {
            secondsPerUnit = SecondsPerUnit(words[^1]);
            words = words[..^1];
        }
        else if (words.Length == 1 && IsUnit(words[0]) && words[0].Length > 2)
        {
            secondsPerUnit = SecondsPerUnit(words[0]);
            return true;
        }
        return string.Join(' ', words) is "time" or "t" or "times" or "elapsed time" or "elapsed" or "timestamp" or "relative time";
    }

    /// <summary>Whether the text is a unit of time.</summary>
    public static bool IsUnit(string text) => !double.IsNaN(SecondsPerUnit(text));

    /// <summary>A unit of time in seconds, NaN if it is none.</summary>
    public static double SecondsPerUnit(string text) => text.ToLowerInvariant() switch
    {
        "s" or "sec" or "secs" or "second" or "seconds" => 1,
        "ms" or "msec" or "millisecond" or "milliseconds" => 1e-3,
        "us" or "usec" or "microsecond" or "microseconds" => 1e-6,
        "min" or "minute" or "minutes" => 60,
        _ => double.NaN,
    };

    public void Add(ReadOnlySpan<byte> cell, long line)
    {
        if (!double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out double time) || !double.IsFinite(time))
        {
            throw new SignalFormatException(file, $"'{Encoding.UTF8.GetString(cell[..Math.Min(cell.Length, 40)])}' is not a time; expected a finite number in every row.",
                new SignalLocation(Line: line, Channel: "time", Sample: _times.Count));
        }
        int point = cell.IndexOf((byte)'.');
        // Digits after the point tell how finely the times were rounded; an exponent as good as not at all.
        _decimals = Math.Max(_decimals, cell.IndexOfAny((byte)'e', (byte)'E') >= 0 ? 17 : point < 0 ? 0 : cell.Length - point - 1);
        _times.Add(time);
        _lines.Add(line);
    }

    /// <summary>The sample rate in Hz.</summary>
    /// <param name="secondsPerUnit">The column's unit.</param>
    /// <param name="expected">The rate the caller gave, which must agree to 1% and is then taken.</param>
    /// <exception cref="SignalFormatException">Times do not increase uniformly.</exception>
    public double Rate(double secondsPerUnit, double? expected)
    {
        int steps = _times.Count - 1;
        if (steps == 0)
            return expected ?? throw new SignalFormatException(file, "has one row, so its time column does not tell the sample rate; give it.");
        double span = _times[^1] - _times[0];
        double step = span / steps;
        if (!(step > 0) || !double.IsFinite(1 / (step * secondsPerUnit)))
            throw new SignalFormatException(file, "times do not increase from the first row to the last.", new SignalLocation(Channel: "time"));
        double resolution = Math.Max(Math.Pow(10, -Math.Min(_decimals, 17)), 1e-12 * Math.Max(Math.Abs(_times[0]), Math.Abs(_times[^1])));
        RequireUniform(step, resolution);
        double rate = 1 / (step * secondsPerUnit);
        if (expected is { } given)
        {
            if (!(Math.Abs(given - rate) <= 0.01 * rate))
                throw new SignalFormatException(file, string.Create(CultureInfo.InvariantCulture, $"times tell {rate:G6} Hz, but {given} Hz was given."), new SignalLocation(Channel: "time"));
            return given;
        }
        // A whole rate is meant where the rounded times cannot tell it from the one found.
        double whole = Math.Round(rate);
        return whole >= 1 && Math.Abs(steps / (whole * secondsPerUnit) - span) <= resolution ? whole : rate;
    }

    // Where nearly all steps are equal, one that is half a step off means that rows are missing or doubled. Where they are not (360 Hz
    // in whole milliseconds goes by 2 and 3), rounding may put a step off the mean by one unit of the last digit.
    private void RequireUniform(double mean, double resolution)
    {
        double[] steps = [.. _times.Zip(_times.Skip(1), (a, b) => b - a).Order()];
        double usual = steps[steps.Length / 2];
        double noise = 1e-12 * Math.Max(Math.Abs(_times[0]), Math.Abs(_times[^1]));
        bool even = steps.Count(d => Math.Abs(d - usual) <= noise) >= 0.9 * steps.Length;
        double expected = even ? usual : mean;
        double tolerance = even ? 0.5 * usual : Math.Max(0.5 * mean, resolution * 1.001);
        for (int i = 1; i < _times.Count; i++)
        {
            double d = _times[i] - _times[i - 1];
            if (!(Math.Abs(d - expected) <= tolerance) || d < 0)
            {
                throw new SignalFormatException(file, string.Create(CultureInfo.InvariantCulture,
                    $"time goes from {_times[i - 1]} to {_times[i]}, but the usual step is {expected:G6}; expected uniform sampling (keep the row and leave its cells blank where samples are missing)."),
                    new SignalLocation(Line: _lines[i], Channel: "time", Sample: i));
            }
        }
    }
}
