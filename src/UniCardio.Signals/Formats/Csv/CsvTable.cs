using System.Globalization;
using System.Text;
using CsvHelper;

namespace UniCardio.Signals.Formats.Csv;

/// <summary>The rows of a CSV file on their way into columns of float32.</summary>
internal sealed class CsvTable(CsvReader reader, string file, RecordingReadOptions options)
{
    private readonly List<SignalWarning> _warnings = [];
    private readonly CsvTimeColumn _time = new(file);
    private string[] _headings = [];
    private string[]? _units;
    private List<float>[] _columns = [];
    private int _timeIndex = -1;
    private bool _hasHeader;
    private long _marked;

    public Recording Read(CancellationToken cancellationToken)
    {
        string[] first = FirstRow();
        ReadHeader(first);
        if (!_hasHeader)
            AddRow();
        bool second = _hasHeader;
        long blankLines = 0;
        for (long count = 0; reader.Read(); count++)
        {
            if ((count & 0xFFF) == 0)
                cancellationToken.ThrowIfCancellationRequested();
            if (reader.FieldCount == 0 || (reader.FieldCount == 1 && reader.GetSpan(0).IsEmpty))
            {
                blankLines++;
                continue;
            }
            if (!second || !TryUnits())
                AddRow(blankLines);
            second = false;
            blankLines = 0;
        }
        return Finish();
    }

    private string[] FirstRow()
    {
        while (reader.Read())
        {
            // Before any string is made of them.
            if (reader.FieldCount > options.MaxChannels + 1)
                throw new SignalLimitException(file, "columns", reader.FieldCount, options.MaxChannels);
            string[] row = Cells();
            if (row.Any(c => c.Length > 0))
                return row;
        }
        throw new SignalFormatException(file, "is empty; expected rows of numbers, with or without a header.");
    }

    private string[] Cells()
    {
        var row = new string[reader.FieldCount];
        for (int i = 0; i < row.Length; i++)
            row[i] = reader.GetString(i);
        return row;
    }

    private void ReadHeader(string[] row)
    {
        int numbers = row.Count(IsNumber);
        int texts = row.Count(c => c.Length > 0) - numbers;
        if (numbers > 0 && texts > 0)
        {
            int column = Array.FindIndex(row, c => c.Length > 0 && !IsNumber(c));
            throw new SignalFormatException(file, $"'{Shorten(row[column])}' stands among numbers; expected either a header of names alone or a row of numbers.",
                new SignalLocation(Line: reader.LineNumber, Channel: $"column {column}"));
        }
        _hasHeader = texts > 0;
        _headings = new string[row.Length];
        IReadOnlyList<string>? given = options.ColumnNames;
        for (int i = 0; i < row.Length; i++)
            _headings[i] = _hasHeader ? row[i].Trim('\'') : $"signal_{i}";
        if (!_hasHeader && given is not null)
        {
            if (given.Count != row.Length)
                throw new SignalFormatException(file, $"has {row.Length} columns, but {given.Count} column names were given.");
            _headings = [.. given];
        }
        _timeIndex = Array.FindIndex(_headings, h => CsvTimeColumn.IsTime(h, out _));
        _columns = new List<float>[row.Length];
        for (int i = 0; i < row.Length; i++)
            _columns[i] = [];
    }

    // rdsamp -v -c: a second header row of units, 'seconds' over the time column.
    private bool TryUnits()
    {
        if (reader.FieldCount != _headings.Length)
            return false;
        string[] row = Cells();
        for (int i = 0; i < row.Length; i++)
        {
            row[i] = row[i].Trim('\'');
            if (row[i].Length > 0 && !(i == _timeIndex ? CsvTimeColumn.IsUnit(row[i]) : SignalUnit.IsKnown(row[i])))
                return false;
        }
        _units = row;
        return true;
    }

    private void AddRow(long blankLinesBefore = 0)
    {
        if (reader.FieldCount != _columns.Length)
            throw new SignalFormatException(file, $"has {reader.FieldCount} cells; expected {_columns.Length} as in the first row.", new SignalLocation(Line: reader.LineNumber));
        if (blankLinesBefore > 0 && _columns.Length > 1)
            throw new SignalFormatException(file, $"follows a blank line; expected {_columns.Length} cells in every row.", new SignalLocation(Line: reader.LineNumber));
        long samples = (_columns[0].Count + 1 + blankLinesBefore) * _columns.Length;
        if (samples > options.MaxSamples)
            throw new SignalLimitException(file, "samples", samples, options.MaxSamples);
        for (; blankLinesBefore > 0; blankLinesBefore--)
            _columns[0].Add(float.NaN);
        for (int i = 0; i < _columns.Length; i++)
        {
            ReadOnlySpan<byte> cell = reader.GetSpan(i);
            if (i == _timeIndex)
                _time.Add(cell, reader.LineNumber);
            _columns[i].Add(i == _timeIndex ? 0 : Sample(cell, i));
        }
    }

    private float Sample(ReadOnlySpan<byte> cell, int column)
    {
        if (cell.IsEmpty)
            return float.NaN;
        if (!TryCell(cell, out double value))
            throw CellError($"'{Shorten(Encoding.UTF8.GetString(cell))}' is not a number; missing samples are blank or NaN.", column);
        if (double.IsNaN(value))
            return float.NaN;
        if (value == options.MissingValue)
        {
            _marked++;
            return float.NaN;
        }
        if (!float.IsFinite((float)value))
            throw CellError($"{Shorten(Encoding.UTF8.GetString(cell))} is out of range; samples are float32, up to 3.4e38 in size.", column);
        return (float)value;
    }

    private SignalFormatException CellError(string problem, int column) =>
        new(file, problem, new SignalLocation(Line: reader.LineNumber, Channel: _headings[column], Sample: _columns[column].Count));

    private static bool IsNumber(string cell) => cell.Length > 0 && TryCell(Encoding.UTF8.GetBytes(cell), out _);

    private static bool TryCell(ReadOnlySpan<byte> cell, out double value)
    {
        if (double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out value))
            return true;
        value = double.NaN;
        return cell.SequenceEqual("-"u8) || Ascii.EqualsIgnoreCase(cell, "NA"u8) || Ascii.EqualsIgnoreCase(cell, "N/A"u8) || Ascii.EqualsIgnoreCase(cell, "null"u8);
    }

    private Recording Finish()
    {
        int rows = _columns[0].Count;
        if (rows == 0)
            throw new SignalFormatException(file, "has a header but no samples.");
        double rate = SampleRate();
        var channels = new List<Channel>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < _columns.Length; i++)
        {
            if (i == _timeIndex || IsRowIndex(i))
                continue;
            (string name, string unit) = SignalUnit.SplitName(_headings[i]);
            if (_units is not null && _units[i].Length > 0)
                (name, unit) = (_headings[i], _units[i]);
            if (name.Length == 0)
                name = $"signal_{i}";
            if (!names.Add(name))
            {
                _warnings.Add(new SignalWarning(SignalWarningKind.Header, $"{file}: two columns are called '{name}'; the one at position {i} is now '{name}_{i}'.", name));
                name = $"{name}_{i}";
                names.Add(name);
            }
            channels.Add(new Channel(name, unit, rate, _columns[i].ToArray()));
        }
        if (channels.Count == 0)
            throw new SignalFormatException(file, "has no column of samples beside the time.");
        if (_marked > 0)
            _warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture, $"{file}: {_marked} cells of {options.MissingValue} are taken as missing.")));
        return RecordingSelection.Apply(new Recording(Path.GetFileNameWithoutExtension(file), channels, warnings: _warnings), options);
    }

    // A column without a name that is blank throughout (a separator at the end of each row) or counts the rows (an exported index).
    private bool IsRowIndex(int column)
    {
        if (!_hasHeader || _headings[column].Length > 0 || _columns.Length == 1)
            return false;
        List<float> values = _columns[column];
        if (values.TrueForAll(float.IsNaN))
            return true;
        for (int i = 0; i < values.Count; i++)
        {
            // Above 2^24 float32 no longer holds every integer; the cast rounds the same way.
            if (values[i] != (float)i)
                return false;
        }
        return true;
    }

    private double SampleRate()
    {
        if (options.SampleRate is { } given && !(given > 0 && double.IsFinite(given)))
            throw new SignalException(string.Create(CultureInfo.InvariantCulture, $"A sample rate of {given} Hz was given; expected a finite number above 0."));
        if (_timeIndex < 0)
        {
            return options.SampleRate ?? throw new SignalFormatException(file,
                "has no time column and so does not tell its sample rate; give it (RecordingReadOptions.SampleRate, --rate on the command line).");
        }
        CsvTimeColumn.IsTime(_headings[_timeIndex], out double seconds);
        if (_units is not null && _units[_timeIndex].Length > 0)
            seconds = CsvTimeColumn.SecondsPerUnit(_units[_timeIndex]);
        return _time.Rate(seconds, options.SampleRate);
    }

    private static string Shorten(string cell) => cell.Length <= 40 ? cell : cell[..40] + "...";
}
