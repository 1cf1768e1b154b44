using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace UniCardio.Signals.Formats.Edf;

/// <summary>Writes EDF+C files (Kemp and Olivan 2003): 16-bit samples, annotations as time-stamped lists.</summary>
internal sealed class EdfWriter
{
    private const int MinDigital = -32767, MaxDigital = 32767, Missing = -32768;
    private const int MaxRecordBytes = 61_440;

    private static readonly DateTime Unknown = new(1985, 1, 1);

    /// <summary>One channel as it is written.</summary>
    private sealed record Track(Channel Channel, string Label, int PerRecord, string PhysicalMinimum, string PhysicalMaximum, double Gain,
        double Low);

    private readonly Recording _recording;
    private readonly Track[] _tracks;
    private readonly double _seconds;
    private readonly string _secondsText;
    private readonly int _records;
    private readonly byte[][] _lists;
    private readonly int _listBytes;
    private readonly double _fraction;

    /// <summary>Plans a file.</summary>
    /// <exception cref="SignalException">The rates do not go into data records of one length.</exception>
    public EdfWriter(Recording recording)
    {
        _recording = recording;
        (_secondsText, int[] perRecord) = RecordLength(recording);
        _seconds = double.Parse(_secondsText, CultureInfo.InvariantCulture);
        string[] labels = Labels(recording.Channels);
        _tracks = [.. recording.Channels.Select((c, i) => Plan(c, labels[i], perRecord[i]))];
        _records = (int)_tracks.Max(t => (t.Channel.Length + (long)t.PerRecord - 1) / t.PerRecord);
        if (_records is 0 or > 99_999_999)
            throw new SignalException($"Recording '{recording.Name}' makes {_records} data records; EDF holds 1 to 99999999.");
        DateTime start = recording.StartTime ?? DateTime.MinValue;
        _fraction = start.TimeOfDay.TotalSeconds - Math.Floor(start.TimeOfDay.TotalSeconds);
        _lists = Lists();
        // An even number of bytes, as samples have two; EDF+ asks for 15 samples or so at least where there are annotations.
        _listBytes = Math.Max(30, (_lists.Max(l => l.Length) + 1) / 2 * 2);
    }

    public void Write(Stream stream, CancellationToken cancellation)
    {
        stream.Write(Header());
        var block = new byte[_tracks.Sum(t => t.PerRecord * 2) + _listBytes];
        for (int r = 0; r < _records; r++)
        {
            cancellation.ThrowIfCancellationRequested();
            int at = 0;
            foreach (Track track in _tracks)
            {
                for (int i = 0; i < track.PerRecord; i++, at += 2)
                    BinaryPrimitives.WriteInt16LittleEndian(block.AsSpan(at), Digital(track, (r * (long)track.PerRecord) + i));
            }
            block.AsSpan(at).Clear();
            _lists[r].CopyTo(block.AsSpan(at));
            stream.Write(block);
        }
    }

    private static short Digital(Track track, long index)
    {
        float value = index < track.Channel.Length ? track.Channel.Samples.Span[(int)index] : float.NaN;
        return float.IsNaN(value) ? (short)Missing : (short)Math.Clamp(Math.Round(((value - track.Low) * track.Gain) + MinDigital,
            MidpointRounding.ToEven), MinDigital, MaxDigital);
    }

    // Data records of whole seconds if the rates allow it, else of the length that holds a whole number of samples of each; eight
    // characters
    // state it.
    private static (string Seconds, int[] PerRecord) RecordLength(Recording recording)
    {
        double[] rates = [.. recording.Channels.Select(c => c.SampleRate)];
        foreach (double seconds in Enumerable.Range(1, 1000).Select(i => (double)i).Concat(Enumerable.Range(1, 99).Select(i => i / 100.0)))
        {
            int[] samples = Fits(rates, seconds);
            if (samples.Length > 0)
                return (seconds.ToString(CultureInfo.InvariantCulture), samples);
        }
        // One rate that no such length suits: its period is rounded to eight characters, an error below 1e-6.
        if (rates.Distinct().Count() == 1)
        {
            int count = (int)Math.Clamp(Math.Ceiling(rates[0]), 1, MaxRecordBytes / 2 / rates.Length);
            string text = Number(count / rates[0], 8, up: null);
            if (double.Parse(text, CultureInfo.InvariantCulture) is > 0 and var length && Math.Abs((count / length / rates[0]) - 1) < 1e-5)
                return (text, [.. rates.Select(_ => count)]);
        }
        throw new SignalException(string.Create(CultureInfo.InvariantCulture,
            $"EDF needs data records with a whole number of samples of every channel; found {string.Join(", ", rates.Distinct())} Hz. "
            + $"Resample first, or write WFDB or CSV."));
    }

    private static int[] Fits(double[] rates, double seconds)
    {
        double[] samples = [.. rates.Select(r => r * seconds)];
        bool whole = samples.All(s => s >= 1 && Math.Abs(s - Math.Round(s)) <= 1e-9 * s) && 2 * samples.Sum() <= MaxRecordBytes;
        return whole ? [.. samples.Select(s => (int)Math.Round(s))] : [];
    }

    private static Track Plan(Channel channel, string label, int perRecord)
    {
        (double low, double high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (float value in channel.Samples.Span)
        {
            if (!float.IsNaN(value))
                (low, high) = (Math.Min(low, value), Math.Max(high, value));
        }
        if (low > high)
            (low, high) = (-1, 1);
        // The converter's own steps where eight characters state them and every sample falls within.
        if (channel.Quantization is { } q && q.Gain > 0 && double.IsFinite(q.Baseline) && (MinDigital - q.Baseline) / q.Gain is var first
            && (MaxDigital - q.Baseline) / q.Gain is var last
            && first <= low && last >= high && Exact(first) is { } from && Exact(last) is { } to)
            return new Track(channel, label, perRecord, from, to, q.Gain, first);
        if (high - low < 1e-6 * Math.Max(Math.Abs(low), Math.Abs(high)) || high == low)
            (low, high) = (low - Math.Max(1e-3, Math.Abs(low) * 1e-3), high + Math.Max(1e-3, Math.Abs(high) * 1e-3));
        string minimum = Number(low, 8, up: false), maximum = Number(high, 8, up: true);
        double lowest = double.Parse(minimum, CultureInfo.InvariantCulture), highest = double.Parse(maximum, CultureInfo.InvariantCulture);
        return new Track(channel, label, perRecord, minimum, maximum, (MaxDigital - (double)MinDigital) / (highest - lowest), lowest);
    }

    private static string? Exact(double value)
    {
        string text = Number(value, 8, up: null);
        return Math.Abs(double.Parse(text, CultureInfo.InvariantCulture) - value) <= 1e-12 * Math.Abs(value) ? text : null;
    }

    /// <summary>The number in so many characters, rounded to the nearest, or up or down.</summary>
    private static string Number(double value, int width, bool? up)
    {
        for (int digits = width; digits >= 1; digits--)
        {
            foreach (string format in (ReadOnlySpan<string>)["G" + digits, "0." + new string('0', digits - 1) + "E+0"])
            {
                string text = value.ToString(format, CultureInfo.InvariantCulture);
                if (text.Length > width)
                    continue;
                double rounded = double.Parse(text, CultureInfo.InvariantCulture);
                if (up is null || (up.Value ? rounded >= value : rounded <= value))
                    return text;
                // One unit of the last digit in the direction wanted.
                double step = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(Math.Abs(value), 1e-300))) - digits + 1);
                string moved = (rounded + (up.Value ? step : -step)).ToString(format, CultureInfo.InvariantCulture);
                if (moved.Length <= width && double.Parse(moved, CultureInfo.InvariantCulture) is var m
                    && (up.Value ? m >= value : m <= value))
                    return moved;
            }
        }
        throw new SignalException(string.Create(CultureInfo.InvariantCulture,
            $"The value {value} cannot be stated in the {width} characters that EDF has for it."));
    }

    private static string[] Labels(IReadOnlyList<Channel> channels)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        return [.. channels.Select(c =>
        {
            string label = Field(c.Name, 16);
            for (int n = 2; label.Length == 0 || label is "EDF Annotations" || !taken.Add(label); n++)
                label = Field(c.Name, 13) + "_" + n.ToString(CultureInfo.InvariantCulture);
            return label;
        })];
    }

    private static string Field(string text, int width)
    {
        string ascii = string.Concat(SignalUnit.Canonicalize(text).Select(c => c is >= ' ' and <= '~' ? c : '_'));
        return ascii.Length <= width ? ascii : ascii[..width];
    }

    private byte[] Header()
    {
        var text = new StringBuilder();
        void Add(string value, int width) => text.Append(value.PadRight(width)[..width]);

        int signals = _tracks.Length + 1;
        bool dated = _recording.StartTime is { Year: >= 1985 and <= 2084 };
        DateTime start = _recording.StartTime is { } s ? (dated ? s : Unknown.Add(s.TimeOfDay)) : Unknown;
        Add("0", 8);
        Add("X X X X", 80);
        Add(dated ? start.ToString("'Startdate 'dd-MMM-yyyy' X X X'", CultureInfo.InvariantCulture).ToUpperInvariant().Replace("STARTDATE",
            "Startdate", StringComparison.Ordinal) : "Startdate X X X X", 80);
        Add(start.ToString("dd.MM.yy", CultureInfo.InvariantCulture), 8);
        Add(start.ToString("HH.mm.ss", CultureInfo.InvariantCulture), 8);
        Add(((signals + 1) * 256).ToString(CultureInfo.InvariantCulture), 8);
        Add("EDF+C", 44);
        Add(_records.ToString(CultureInfo.InvariantCulture), 8);
        Add(_secondsText, 8);
        Add(signals.ToString(CultureInfo.InvariantCulture), 4);
        void Each(Func<Track, string> of, string annotations, int width)
        {
            foreach (Track track in _tracks)
                Add(of(track), width);
            Add(annotations, width);
        }

        Each(t => t.Label, "EDF Annotations", 16);
        Each(_ => "", "", 80);
        Each(t => Field(t.Channel.Unit, 8), "", 8);
        Each(t => t.PhysicalMinimum, "-1", 8);
        Each(t => t.PhysicalMaximum, "1", 8);
        Each(_ => "-32767", "-32768", 8);
        Each(_ => "32767", "32767", 8);
        Each(_ => "", "", 80);
        Each(t => t.PerRecord.ToString(CultureInfo.InvariantCulture), (_listBytes / 2).ToString(CultureInfo.InvariantCulture), 8);
        Each(_ => "", "", 32);
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    // Each data record's own time, then annotations: those that begin in it while there is room, the rest in records after it.
    private byte[][] Lists()
    {
        byte[][] notes = [.. _recording.Annotations.OrderBy(a => a.TimeSeconds).Select(a => Encoding.UTF8.GetBytes(Note(a)))];
        double[] times = [.. _recording.Annotations.Select(a => a.TimeSeconds).Order()];
        int room = Math.Max(128, notes.Length == 0 ? 0 : notes.Max(n => n.Length));
        while (true)
        {
            var lists = new List<byte>[_records];
            int next = 0;
            for (int r = 0; r < _records; r++)
            {
                lists[r] = [.. Encoding.ASCII.GetBytes(Stamp((r * _seconds) + _fraction) + "\u0014\u0014\0")];
                int own = lists[r].Count;
                for (; next < notes.Length && (times[next] < (r + 1) * _seconds || r == _records - 1)
                    && lists[r].Count - own + notes[next].Length <= room; next++)
                    lists[r].AddRange(notes[next]);
            }
            if (next == notes.Length)
                return [.. lists.Select(l => l.ToArray())];
            room *= 2;
        }
    }

    private string Note(Annotation a)
    {
        string said = string.Concat((a.Text.Length == 0 || a.Text == a.Symbol ? a.Symbol : a.Symbol + " " + a.Text).Select(c =>
            c is '\u0014' or '\u0015' or '\0' ? ' ' : c));
        string length = a.DurationSeconds is { } duration && duration >= 0 && double.IsFinite(duration)
            ? "\u0015" + duration.ToString("0.#######", CultureInfo.InvariantCulture) : "";
        return Stamp(a.TimeSeconds + _fraction) + length + "\u0014" + (said.Length == 0 ? "note" : said) + "\u0014\0";
    }

    private static string Stamp(double seconds) => (seconds < 0 ? "" : "+") + seconds.ToString("0.#######", CultureInfo.InvariantCulture);
}
