using System.Globalization;
using System.Text;

namespace UniCardio.Signals.Formats.Csv;

/// <summary>How a time is written.</summary>
internal enum CsvTimeKind
{
    /// <summary>A number of seconds, milliseconds, ...</summary>
    Number,

    /// <summary>h:mm:ss.mmm or m:ss.mmm.</summary>
    Clock,

    /// <summary>A date, with a time of day or none.</summary>
    Date,
}

/// <summary>A time as a cell states it.</summary>
/// <param name="Kind">How it is written.</param>
/// <param name="Value">The number; seconds of the clock; seconds since the first of January of year 1.</param>
/// <param name="Decimals">Digits after the point, 17 where an exponent hides them.</param>
/// <param name="Ticks">Of a date: 100 ns since the first of January of year 1, without rounding.</param>
internal readonly record struct CsvTime(CsvTimeKind Kind, double Value, int Decimals, long Ticks = 0)
{
    /// <summary>Reads a cell. A time zone is read and not applied: the wall clock is kept.</summary>
    public static bool TryParse(ReadOnlySpan<byte> cell, bool decimalComma, out CsvTime time)
    {
        time = default;
        cell = cell.Trim("'[]\" "u8);
        if (cell.IsEmpty || cell.Length > 48 || !(char.IsAsciiDigit((char)cell[0])
            || cell[0] is (byte)'-' or (byte)'+' or (byte)'.' or (byte)','))
            return false;
        if (CsvCell.TryNumber(cell, decimalComma, out double number))
        {
            time = new CsvTime(CsvTimeKind.Number, number, DecimalsOf(cell, decimalComma));
            return double.IsFinite(number);
        }
        if (cell.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7E) >= 0)
            return false;
        string text = Encoding.ASCII.GetString(cell);
        if (text.EndsWith(" UTC", StringComparison.Ordinal) || text.EndsWith(" GMT", StringComparison.Ordinal))
            text = text[..^4];
        string[] parts = WithoutMonthName(text).Split([' ', 'T', 't'], 3, StringSplitOptions.RemoveEmptyEntries);
        if (parts is [var alone])
            return alone.Contains(':', StringComparison.Ordinal) ? TryClock(alone, null, out time) : TryDate(alone, null, out time);
        if (parts is [{ Length: 8 } day, var clock] && day.All(char.IsAsciiDigit))
            return TryBasic(day, clock, out time);
        // Date first, or, as WFDB's tools print it, the time.
        if (parts.Length is 2 or 3 && parts[0].Contains(':', StringComparison.Ordinal))
            return parts.Length == 2 && (TryDate(parts[1], parts[0], out time) || TryClock(parts[0], parts[1], out time));
        return TryDate(parts[0], string.Join(' ', parts[1..]), out time);
    }

    // 24-Nov-2016 and 24 Nov 2016 as 24-11-2016.
    private static string WithoutMonthName(string text)
    {
        for (int i = 1; i + 3 < text.Length; i++)
        {
            if (text[i - 1] is not ('-' or ' ' or '/' or '.') || text[i + 3] != text[i - 1] || !char.IsAsciiLetter(text[i]))
                continue;
            int month = Array.FindIndex(CultureInfo.InvariantCulture.DateTimeFormat.AbbreviatedMonthNames,
                m => text.AsSpan(i, 3).Equals(m, StringComparison.OrdinalIgnoreCase));
            return month < 0 ? text : string.Create(CultureInfo.InvariantCulture, $"{text[..(i - 1)]}-{month + 1}-{text[(i + 4)..]}");
        }
        return text;
    }

    // ISO 8601's basic form, 20161124T135801.008.
    private static bool TryBasic(string day, string clock, out CsvTime time)
    {
        time = default;
        int digits = clock.TakeWhile(char.IsAsciiDigit).Count();
        return digits is 4 or 6 && TryDate($"{day[..4]}-{day[4..6]}-{day[6..]}",
            $"{clock[..2]}:{clock[2..4]}{(digits == 6 ? ":" + clock[4..6] : "")}{clock[digits..]}", out time);
    }

    private static int DecimalsOf(ReadOnlySpan<byte> number, bool decimalComma)
    {
        if (number.IndexOfAny((byte)'e', (byte)'E') >= 0)
            return 17;
        int point = number.IndexOf(decimalComma ? (byte)',' : (byte)'.');
        return point < 0 ? 0 : number.Length - point - 1;
    }

    // h:mm:ss[.fff] or m:ss.fff; the first part may have any number of digits.
    private static bool TryClock(string text, string? half, out CsvTime time)
    {
        time = default;
        string[] parts = text.Split(':');
        // 13:58:01:008
        if (parts is [_, _, _, { Length: 3 }])
            parts = [parts[0], parts[1], parts[2] + "." + parts[3]];
        if (parts.Length is < 2 or > 3)
            return false;
        double seconds = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            bool last = i == parts.Length - 1;
            string part = last ? parts[i].Replace(',', '.') : parts[i];
            if (!double.TryParse(part, last ? NumberStyles.AllowDecimalPoint : NumberStyles.None, CultureInfo.InvariantCulture,
                out double value) || !(value < (i == 0 ? 1e6 : 60)))
                return false;
            seconds = (seconds * 60) + value;
        }
        if (half is not null)
        {
            if (!(half is "AM" or "PM" or "am" or "pm" && seconds < 13 * 3600))
                return false;
            seconds = (seconds % (12 * 3600)) + (half is "PM" or "pm" ? 12 * 3600 : 0);
        }
        int point = parts[^1].IndexOfAny(['.', ',']);
        time = new CsvTime(CsvTimeKind.Clock, seconds, point < 0 ? 0 : parts[^1].Length - point - 1);
        return true;
    }

    private static bool TryDate(string date, string? clock, out CsvTime time)
    {
        time = default;
        char mark = date.FirstOrDefault(c => !char.IsAsciiDigit(c));
        string[] parts = date.Split(mark);
        if (mark is not ('-' or '/' or '.') || parts.Length != 3 || !parts.All(p => p.Length is 1 or 2 or 4 && p.All(char.IsAsciiDigit)))
            return false;
        int[] n = [.. parts.Select(p => int.Parse(p, CultureInfo.InvariantCulture))];
        (int year, int month, int day) = parts[0].Length == 4 ? (n[0], n[1], n[2]) : parts[2].Length != 4 ? (0, 0, 0)
            // Months stand first with slashes in some countries: told only where the number cannot be one.
            : mark == '/' && n[1] > 12 ? (n[2], n[0], n[1]) : (n[2], n[1], n[0]);
        if (year is < 1 or > 9999 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
            return false;
        double seconds = 0;
        int decimals = 0;
        if (clock is not null)
        {
            // Z, +01:00 and the like after the time.
            int zone = clock.IndexOfAny(['Z', 'z', '+', '-']);
            string[] halves = (zone < 0 ? clock : clock[..zone]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (halves.Length is 0 or > 2 || !TryClock(halves[0], halves.Length == 2 ? halves[1] : null, out CsvTime t)
                || !(t.Value < 86401))
                return false;
            (seconds, decimals) = (t.Value, t.Decimals);
        }
        long ticks = new DateTime(year, month, day).Ticks + (long)Math.Round(seconds * TimeSpan.TicksPerSecond);
        time = new CsvTime(CsvTimeKind.Date, ticks / (double)TimeSpan.TicksPerSecond, decimals, ticks);
        return true;
    }
}
