using System.Globalization;
using System.Text;

namespace UniCardio.Signals.Formats.Csv;

/// <summary>The time column of a table: gives the rate, the gaps, and when the recording began.</summary>
internal sealed class CsvTimeColumn(string file, Func<int, long> lineOfRow)
{
    private const int ChunkSize = 1024;
    private const double DayInSeconds = 86_400;

    // What MATLAB calls the day from which Excel counts.
    private const double DatenumOf1899 = 693_960;

    private static readonly HashSet<string> Cores = new(StringComparer.Ordinal) { "time", "times", "t", "elapsed", "timestamp",
        "timestamps", "datetime", "epoch", "zeit", "zeitstempel", "uhrzeit", "temps", "heure", "tiempo", "hora", "tempo", "ora", "tid",
        "tijd", "время", "时间", "時間", "时间戳", "utc",
        "unixtime", "clock", "datenum" };

    private static readonly HashSet<string> Companions = new(StringComparer.Ordinal) { "relative", "absolute", "stamp", "unix", "posix",
        "utc", "gmt", "local", "recording", "sample", "date", "and", "since", "start", "of", "day", "system", "device", "iso", "sensor",
        "phone", "host", "received", "arrival" };

    // Clocks of what a sample came to, after it was taken.
    private static readonly string[] ArrivalWords = ["phone", "host", "system", "received", "arrival"];

    private readonly List<double[]> _chunks = [];
    private int _count;
    private int _decimals;
    private double _wrapped, _secondsPerUnit;
    private long _firstTicks;
    private DateTime? _date;

    /// <summary>How its times are written, null before the first.</summary>
    public CsvTimeKind? Kind { get; private set; }

    /// <summary>Whether a heading names a time column.</summary>
    /// <param name="heading">The heading.</param>
    /// <param name="secondsPerUnit">Its unit in seconds; NaN if it does not state one.</param>
    public static bool IsTime(string heading, out double secondsPerUnit)
    {
        string[] words = string.Concat(heading.ToLowerInvariant().Select(c => char.IsLetterOrDigit(c) || c == ':' ? c : ' ')).Split(' ',
            StringSplitOptions.RemoveEmptyEntries);
        secondsPerUnit = double.NaN;
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
        return words.Length > 0 && words.Any(Cores.Contains) && words.All(w => Cores.Contains(w) || Companions.Contains(w));
    }

    /// <summary>The column that times are read from: the first, unless it says when samples arrived and another says when they were
    /// taken.</summary>
    public static int Choose(string[] headings)
    {
        int[] times = [.. Enumerable.Range(0, headings.Length).Where(i => IsTime(headings[i], out _))];
        int taken = Array.FindIndex(times, i => !ArrivalWords.Any(w => headings[i].Contains(w, StringComparison.OrdinalIgnoreCase)));
        return times.Length == 0 ? -1 : times[Math.Max(taken, 0)];
    }

    /// <summary>The column of dates that stands beside one of times, -1 if there is none. "Data" is a date where the time is called "Ora"
    /// or "Hora"; in English it is a signal.</summary>
    public static int FindDate(string[] headings) => Array.FindIndex(headings, h => h.Trim().ToUpperInvariant() is "DATE" or "DATUM"
        or "DAY" or "FECHA" || (h.Trim().Equals("data", StringComparison.OrdinalIgnoreCase)
            && Array.Exists(headings, o => o.Trim().ToUpperInvariant() is "ORA" or "HORA")));

    /// <summary>Whether the text is a unit of time, or how a clock is written.</summary>
    public static bool IsUnit(string text) => !double.IsNaN(SecondsPerUnit(text)) || IsClockUnit(text);

    /// <summary>A unit of time in seconds, NaN if it is none.</summary>
    public static double SecondsPerUnit(string text) => text.ToLowerInvariant() switch
    {
        "s" or "sec" or "secs" or "second" or "seconds" or "sek" or "sekunden" => 1,
        "ms" or "msec" or "msecs" or "millisecond" or "milliseconds" => 1e-3,
        "us" or "usec" or "\u00b5s" or "\u03bcs" or "microsecond" or "microseconds" => 1e-6,
        "ns" or "nsec" or "nanosecond" or "nanoseconds" => 1e-9,
        "min" or "minute" or "minutes" => 60,
        "h" or "hour" or "hours" => 3600,
        _ => double.NaN,
    };

    /// <summary>Takes the next cell.</summary>
    public void Add(ReadOnlySpan<byte> cell, bool decimalComma, long line)
    {
        if (!CsvTime.TryParse(cell, decimalComma, out CsvTime time) || (Kind is { } kind && kind != time.Kind))
        {
            throw new SignalFormatException(file,
                $"'{Encoding.UTF8.GetString(cell[..Math.Min(cell.Length, 40)])}' is not a time as the rows before have it; expected a "
                + $"number, h:mm:ss.mmm or a date and time in every row."
                + (cell.Contains((byte)',') ? " Commas that are decimal points need another separator, such as semicolons." : ""),
                new SignalLocation(Line: line, Channel: "time", Sample: _count));
        }
        if (Kind is null)
        {
            Kind = time.Kind;
            _firstTicks = time.Ticks;
        }
        double value = time.Kind == CsvTimeKind.Date ? (time.Ticks - _firstTicks) / (double)TimeSpan.TicksPerSecond : time.Value + _wrapped;
        // Midnight, by the clock.
        if (time.Kind == CsvTimeKind.Clock && _count > 0 && value < At(_count - 1) - (DayInSeconds / 2))
        {
            _wrapped += DayInSeconds;
            value += DayInSeconds;
        }
        _decimals = Math.Max(_decimals, time.Kind == CsvTimeKind.Date ? Math.Min(time.Decimals, 7) : time.Decimals);
        if (_count % ChunkSize == 0)
            _chunks.Add(new double[ChunkSize]);
        _chunks[^1][_count++ % ChunkSize] = value;
    }

    /// <summary>Takes the first row's cell of a date column beside this one.</summary>
    public void SetDate(ReadOnlySpan<byte> cell, long line)
    {
        if (!CsvTime.TryParse(cell, false, out CsvTime date) || date.Kind != CsvTimeKind.Date)
            throw new SignalFormatException(file,
                $"'{Encoding.UTF8.GetString(cell[..Math.Min(cell.Length, 40)])}' is not a date; expected 2016-11-24 or 24.11.2016.",
                new SignalLocation(Line: line,
                Channel: "date"));
        _date = new DateTime(date.Ticks).Date;
    }

    /// <summary>What the column tells.</summary>
    /// <param name="secondsPerUnit">The column's unit; NaN where nothing states it.</param>
    /// <param name="expected">The rate the caller gave, which must agree to 1% and is then taken.</param>
    /// <param name="isPlausible">Whether the table's signals can have a rate.</param>
    /// <param name="warnings">Takes what was put right or taken for granted.</param>
    /// <exception cref="SignalFormatException">Times go back, are not uniform, or tell a rate that no such signal has.</exception>
    public (double Rate, RowGrid Grid, DateTime? Start) Fit(double secondsPerUnit, double? expected, Func<double, bool> isPlausible,
        List<SignalWarning> warnings)
    {
        double resolution = Math.Max(Math.Pow(10, -Math.Min(_decimals, 17)), 2e-16 * Math.Max(Math.Abs(At(0)), Math.Abs(At(_count - 1))));
        if (_count == 1)
        {
            return (expected ?? throw new SignalFormatException(file,
                "has one row, so its time column does not tell the sample rate; give it (--rate)."), RowGrid.Plain(1),
                StartOf(double.IsNaN(secondsPerUnit)
                ? 1 : secondsPerUnit));
        }
        TimeSteps steps = TimeSteps.Of(_count, At, resolution, Back, Uneven);
        double unit = _secondsPerUnit = Kind == CsvTimeKind.Number ? Unit(secondsPerUnit, steps.Step, expected, isPlausible, warnings) : 1;
        double rate = steps.Rate(unit);
        if (!double.IsFinite(rate) || !(rate > 0))
            throw new SignalFormatException(file, "times do not increase from the first row to the last.",
                new SignalLocation(Channel: "time"));
        if (expected is { } given)
        {
            if (!(Math.Abs(given - rate) <= 0.01 * rate))
                throw new SignalFormatException(file, string.Create(CultureInfo.InvariantCulture,
                    $"times tell {rate:G6} Hz, but {given} Hz was given."), new SignalLocation(Channel: "time"));
            rate = given;
        }
        else if (!isPlausible(rate))
        {
            throw new SignalFormatException(file, string.Create(CultureInfo.InvariantCulture,
                $"times tell {rate:G6} Hz, a rate that no such signal has: this is a trend, or the times are in another unit than "
                + $"stated; name it in the heading (time_ms) or give --rate."), new SignalLocation(Channel: "time"));
        }
        Remark(steps, rate, warnings);
        return (rate, new RowGrid(_count, steps.Gaps, steps.Doubled), StartOf(unit));
    }

    /// <summary>Seconds that the first row states where they are not absolute; less than half a sample is none.</summary>
    public double RelativeStart(double rate) => Math.Abs(At(0) * _secondsPerUnit) is var first && first > 0.5 / rate && first < 1e9
        ? At(0) * _secondsPerUnit : 0;

    private double At(int row) => _chunks[row / ChunkSize][row % ChunkSize];

    private static bool IsClockUnit(string text) => text.Contains("mm:ss", StringComparison.OrdinalIgnoreCase)
        || text.Contains("h:mm", StringComparison.OrdinalIgnoreCase);

    private SignalFormatException Back(int row) => new(file, string.Create(CultureInfo.InvariantCulture,
        $"time {(At(row) == At(row - 1) ? "stands still at" : $"goes back from {At(row - 1)} to")} {At(row)}; "
        + $"expected rows in order of time."),
        new SignalLocation(Line: lineOfRow(row), Channel: "time", Sample: row));

    private SignalFormatException Uneven(int row, double step) => new(file, string.Create(CultureInfo.InvariantCulture,
        $"time goes from {At(row - 1)} to {At(row)}, but the usual step is {step:G6}; expected uniform sampling (rows may be missing, "
        + $"not shifted)."),
        new SignalLocation(Line: lineOfRow(row), Channel: "time", Sample: row));

    // Where nothing states the unit: seconds, unless a rate of the table's signals comes only from a smaller one.
    private double Unit(double stated, double step, double? expected, Func<double, bool> isPlausible, List<SignalWarning> warnings)
    {
        if (!double.IsNaN(stated))
            return stated;
        double size = Math.Abs(At(0));
        // The years 1990 to 2100 since 1970.
        double epoch = size switch { > 6.3e8 and < 4.2e9 => 1, > 6.3e11 and < 4.2e12 => 1e-3, > 6.3e14 and < 4.2e15 => 1e-6,
            > 6.3e17 and < 4.2e18 => 1e-9, _ => 0 };
        if (epoch > 0 && isPlausible(1 / (step * epoch)))
            return epoch;
        // Days since 1900, as Excel keeps dates and times: the years 1955 to 2118.
        // And since the year 0, as MATLAB does.
        if (size is > 20_000 and < 80_000 or > DatenumOf1899 + 20_000 and < DatenumOf1899 + 80_000 && !isPlausible(1 / step)
            && isPlausible(1 / (step * DayInSeconds)))
            return DayInSeconds;
        foreach ((double unit, string name) in (ReadOnlySpan<(double, string)>)[(1, "seconds"), (1e-3, "milliseconds"),
            (1e-6, "microseconds"), (1e-9, "nanoseconds")])
        {
            double rate = 1 / (step * unit);
            if (expected is { } given ? Math.Abs(given - rate) <= 0.01 * rate : isPlausible(rate))
            {
                if (unit < 1)
                {
                    warnings.Add(new SignalWarning(SignalWarningKind.Header, string.Create(CultureInfo.InvariantCulture,
                        $"{file}: its times state no unit and are taken as {name}: {rate:G6} Hz (as seconds they would tell "
                        + $"{1 / step:G4} Hz).")));
                }
                return unit;
            }
        }
        return 1;
    }

    private DateTime? StartOf(double unit)
    {
        double first = At(0) * unit;
        switch (Kind)
        {
            case CsvTimeKind.Date:
                return new DateTime(_firstTicks);
            case CsvTimeKind.Clock:
                return _date is { } day ? day.AddSeconds(first) : first is > 0 and < DayInSeconds
                    ? DateTime.MinValue.AddTicks((long)Math.Round(first * TimeSpan.TicksPerSecond)) : null;
            default:
                if (_date is { } date)
                    return first is >= 0 and < DayInSeconds ? date.AddTicks((long)Math.Round(first * TimeSpan.TicksPerSecond)) : date;
                if (unit == DayInSeconds)
                    return new DateTime(1899, 12, 30).AddTicks((long)Math.Round((At(0) < 80_000 ? first
                        : first - (DatenumOf1899 * DayInSeconds)) * 1e3) * TimeSpan.TicksPerMillisecond);
                // The clock is kept without its zone: UTC, as Unix time counts.
                return first is > 6.3e8 and < 4.2e9 ? new DateTime(DateTime.UnixEpoch.Ticks + ((long)Math.Round(first * 1e6) * 10)) : null;
        }
    }

    private void Remark(TimeSteps steps, double rate, List<SignalWarning> warnings)
    {
        if (steps.IsRounded)
        {
            warnings.Add(new SignalWarning(SignalWarningKind.Header, string.Create(CultureInfo.InvariantCulture,
                $"{file}: its times are rounded to {_decimals} decimals; the rate of {rate:G9} Hz is that of the first and "
                + $"the last one.")));
        }
        if (steps.Doubled.Count > 0)
        {
            warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                $"{file}, line {lineOfRow(steps.Doubled[0])}: has the time of the row before; {steps.Doubled.Count} such "
                + $"row{(steps.Doubled.Count == 1 ? " is" : "s are")} left out.")));
        }
        if (steps.Gaps.Count > 0)
        {
            warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                $"{file}, line {lineOfRow(steps.Gaps[0].Row)}: rows are missing before it; {steps.Gaps.Sum(g => (long)g.Missing)} "
                + $"samples in {steps.Gaps.Count} gap{(steps.Gaps.Count == 1 ? "" : "s")} are missing.")));
        }
    }
}
