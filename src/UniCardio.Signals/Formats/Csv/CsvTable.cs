using System.Globalization;
using System.Text;
using CsvHelper;

namespace UniCardio.Signals.Formats.Csv;

/// <summary>The rows of a CSV file on their way into columns of float32.</summary>
internal sealed class CsvTable
{
    private readonly CsvReader _reader;
    private readonly CsvText _text;
    private readonly string _file;
    private readonly RecordingReadOptions _options;
    private readonly List<SignalWarning> _warnings;
    private readonly CsvLayout _layout;
    private readonly CsvTimeColumn _time;
    private readonly string[] _headings;
    private readonly SampleColumn?[] _columns;
    private readonly CsvProvenance?[] _provenance;
    private readonly List<(int Row, long Line)> _lineJumps = [];
    private readonly int _timeIndex;
    private readonly int _dateIndex;
    private int _rows;
    private int _blank;
    private bool _blankLine;
    private long _marked, _errors, _infinite, _counts;
    private SignalFormatException? _cut;

    public CsvTable(CsvReader reader, CsvText text, CsvLayout layout, string file, RecordingReadOptions options,
        List<SignalWarning> warnings)
    {
        (_reader, _text, _layout, _file, _options, _warnings) = (reader, text, layout, file, options, warnings);
        _time = new CsvTimeColumn(file, LineOf);
        if (layout.Columns > options.MaxChannels + 2)
            throw new SignalLimitException(file, "columns", layout.Columns, options.MaxChannels);
        string[] names = layout.Names ?? [.. Enumerable.Range(0, layout.Columns).Select(i => $"signal_{i}")];
        if (names.Length != layout.Columns && !(names.Length == layout.Columns + 1 && names[^1].Length == 0))
            throw new SignalFormatException(file, Ragged(layout.Columns, names.Length),
                new SignalLocation(Line: text.Lines + layout.Records + 1));
        _headings = Given(names);
        _timeIndex = CsvTimeColumn.Choose(_headings);
        _dateIndex = CsvTimeColumn.FindDate(_headings);
        if (_timeIndex < 0 && _dateIndex >= 0)
            (_timeIndex, _dateIndex) = (_dateIndex, -1);
        if (_timeIndex < 0 && layout.FirstIsTime && options.ColumnNames is null)
        {
            _timeIndex = 0;
            warnings.Add(new SignalWarning(SignalWarningKind.Header,
                $"{file}: its first column rises evenly and is taken for the time in seconds."));
        }
        _columns = new SampleColumn?[layout.Columns];
        _provenance = new CsvProvenance?[layout.Columns];
        HashSet<string> signals = new(_headings.Select(h => SignalUnit.SplitName(h).Name), StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < _columns.Length; i++)
        {
            _provenance[i] = CsvProvenance.ChannelOf(_headings[i]) is string of && signals.TryGetValue(of, out string? signal)
                ? new CsvProvenance(signal) : null;
            _columns[i] = i == _timeIndex || i == _dateIndex || _headings[i] == "-" || _provenance[i] is not null
                || IsOtherTime(i) ? null
                : new SampleColumn();
        }
        if (layout.Rate is { } rate)
            warnings.Add(new SignalWarning(SignalWarningKind.Header, string.Create(CultureInfo.InvariantCulture,
                $"{file}: its first two rows are taken for the start and the rate of {rate} Hz, as wrist devices write them.")));
        if (layout.OtherLines > 0)
            warnings.Add(new SignalWarning(SignalWarningKind.Header,
                $"{file}: {layout.OtherLines} lines before the names of the columns are left out."));
    }

    public Recording Read(CancellationToken cancellation)
    {
        for (int skip = 0; skip < _layout.Records; skip++)
            _reader.Read();
        for (long count = 0; _reader.Read(); count++)
        {
            if ((count & 0xFFF) == 0)
                cancellation.ThrowIfCancellationRequested();
            // What is blank to the end of the file is no row; before others it is one of missing samples.
            if (IsBlank())
            {
                _blank++;
                _blankLine = _reader.FieldCount <= 1;
            }
            else
            {
                AddRow();
            }
        }
        if (_cut is not null)
        {
            // A file that was still being written, or came over in part, ends within its last row.
            if (_text.Body.Span.EndsWith("\n"u8) || _rows == 0)
                throw _cut;
            _warnings.Add(new SignalWarning(SignalWarningKind.Data, $"{_file} ends within its last row, which is left out."));
        }
        return Finish();
    }

    // Names that the caller gives take the place of the file's, all of them or all but the time's.
    private string[] Given(string[] names)
    {
        if (_options.ColumnNames is not { } given)
            return names;
        if (given.Count == _layout.Columns)
            return [.. given];
        string[] kept = [.. names.Take(_layout.Columns)];
        int[] signals = [.. Enumerable.Range(0, kept.Length).Where(i => kept[i].Length > 0 && !CsvTimeColumn.IsTime(kept[i], out _)
            && i != CsvTimeColumn.FindDate(kept))];
        if (_layout.Names is null || given.Count != signals.Length)
            throw new SignalFormatException(_file,
                $"has {_layout.Columns} columns, but {given.Count} column names were given (a lone '-' leaves a column out).");
        for (int i = 0; i < signals.Length; i++)
            kept[signals[i]] = given[i];
        return kept;
    }

    private bool IsBlank()
    {
        for (int i = 0; i < _reader.FieldCount; i++)
        {
            if (!_reader.GetSpan(i).IsEmpty)
                return false;
        }
        return true;
    }

    private static string Ragged(int cells, int expected) => cells == 2 * expected || (cells > expected && cells == (2 * expected) - 1)
        ? $"has {cells} cells; expected {expected} as in the first row. Commas that are decimal points too cannot be told from those "
            + $"between cells: separate by semicolons, or write points."
        : $"has {cells} cells; expected {expected} as in the first row.";

    private void AddRow()
    {
        int cells = _reader.FieldCount;
        while (cells > _columns.Length && _reader.GetSpan(cells - 1).IsEmpty)
            cells--;
        long line = _reader.LineNumber + _text.Lines;
        // Under the names some programs write how many samples each column has.
        if (_rows == 0 && _counts == 0 && _timeIndex >= 0 && _timeIndex < cells && _reader.GetSpan(_timeIndex).IsEmpty)
        {
            _counts = line;
            return;
        }
        if (_cut is not null)
            throw _cut;
        if (cells != _columns.Length && !(cells == _columns.Length - 1 && _headings[^1].Length == 0))
        {
            var ragged = new SignalFormatException(_file, Ragged(_reader.FieldCount, _columns.Length), new SignalLocation(Line: line));
            _cut = _reader.FieldCount < _columns.Length ? ragged : throw ragged;
            return;
        }
        // Where times are told, they tell of rows that are missing too.
        if (_timeIndex >= 0)
            _blank = 0;
        if (_blank > 0 && _columns.Length > 1 && _blankLine)
            throw new SignalFormatException(_file, $"follows a blank line; expected {_columns.Length} cells in every row.",
                new SignalLocation(Line: line));
        long samples = (_rows + 1L + _blank) * _columns.Length;
        if (samples > _options.MaxSamples)
            throw new SignalLimitException(_file, "samples", samples, _options.MaxSamples);
        for (; _blank > 0; _blank--, _rows++)
        {
            foreach (SampleColumn? column in _columns)
                column?.Add(float.NaN);
            foreach (CsvProvenance? words in _provenance)
                words?.Add([]);
        }
        if (_lineJumps.Count == 0 || line != _lineJumps[^1].Line + (_rows - _lineJumps[^1].Row))
            _lineJumps.Add((_rows, line));
        for (int i = 0; i < _columns.Length; i++)
        {
            ReadOnlySpan<byte> cell = i < cells ? _reader.GetSpan(i) : [];
            if (i == _timeIndex)
                _time.Add(cell, _text.DecimalComma, line);
            else if (i == _dateIndex && _rows == 0)
                _time.SetDate(cell, line);
            else
                _columns[i]?.Add(Sample(cell, i, line));
            if (_provenance[i]?.Add(cell) == false)
                throw CellError(
                    $"'{CsvLayout.Shorten(Encoding.UTF8.GetString(cell))}' does not say whether a sample was measured; expected measured, "
                    + $"{string.Join(", ", UnmeasuredStretch.Origins)} or nothing.", i, line);
        }
        _rows++;
    }

    private long LineOf(int row)
    {
        int at = _lineJumps.FindLastIndex(j => j.Row <= row);
        return at < 0 ? row : _lineJumps[at].Line + (row - _lineJumps[at].Row);
    }

    private float Sample(ReadOnlySpan<byte> cell, int column, long line)
    {
        switch (CsvCell.Read(cell, _text.DecimalComma, out double value))
        {
            case CsvCellKind.Number:
                break;
            case CsvCellKind.Missing:
                return float.NaN;
            case CsvCellKind.Error:
                _errors++;
                return float.NaN;
            case CsvCellKind.Infinite:
                _infinite++;
                return float.NaN;
            case CsvCellKind.OutOfRange:
                throw CellError(
                    $"{CsvLayout.Shorten(Encoding.UTF8.GetString(cell))} is out of range; samples are float32, up to 3.4e38 in size.",
                    column, line);
            default:
                return TextCell(Encoding.UTF8.GetString(cell), column, line);
        }
        if (_options.MissingValues.Contains(value))
        {
            _marked++;
            return float.NaN;
        }
        return float.IsFinite((float)value) ? (float)value
            : throw CellError(
                $"{CsvLayout.Shorten(Encoding.UTF8.GetString(cell))} is out of range; samples are float32, up to 3.4e38 in size.",
            column, line);
    }

    // A column of words (labels, notes) is no signal and goes; a word among numbers is a fault.
    private float TextCell(string cell, int column, long line)
    {
        bool words = cell.Length > 0 && cell[0] != '#' && _layout.Names is not null
            && (_rows == 0 ? !cell.Any(char.IsAsciiDigit) : cell.Any(char.IsLetter) && !char.IsAsciiDigit(cell[0]) && !IsWave(column));
        if (words && _columns[column]!.IsMissing && _columns.Count(c => c is not null) > 1)
        {
            _columns[column] = null;
            _warnings.Add(new SignalWarning(SignalWarningKind.Data,
                $"{_file}: column '{_headings[column]}' holds words ('{CsvLayout.Shorten(cell)}') and is left out.", _headings[column]));
            return float.NaN;
        }
        string hint = cell.Contains(',', StringComparison.Ordinal)
            ? " A comma in a cell may be a decimal point (separate cells by semicolons then) or part thousands (write none)."
            : _text.DecimalComma && cell.Contains('.', StringComparison.Ordinal)
                ? " This file's decimal mark is the comma: write no points for thousands." : "";
        throw CellError($"'{CsvLayout.Shorten(cell)}' is not a number; missing samples are blank or NaN.{hint}", column, line);
    }

    private bool IsWave(int column) => Label(column) is var (name, unit)
        && ChannelKindRecognition.Recognize(name, unit) != ChannelKind.Other;

    private SignalFormatException CellError(string problem, int column, long line) =>
        new(_file, problem, new SignalLocation(Line: line, Channel: _headings[column], Sample: _rows));

    private Recording Finish()
    {
        if (_rows == 0)
            throw new SignalFormatException(_file, "has a header but no samples.");
        Describe();
        (string Name, string Unit)[] labels = [.. Enumerable.Range(0, _columns.Length).Select(Label)];
        int[] kept = [.. Enumerable.Range(0, _columns.Length).Where(i => _columns[i] is not null)];
        if (kept.Length == 0)
            throw new SignalFormatException(_file, "has no column of samples beside the time.");
        bool hasWaves = kept.Any(i => ChannelKindRecognition.Recognize(labels[i].Name, labels[i].Unit) != ChannelKind.Other);
        (double rate, RowGrid grid, DateTime? start) = Axis(hasWaves, ref kept);
        if (kept.Length == 0)
            throw new SignalFormatException(_file, "has no column of samples beside the time and an index.");
        GapBudget.Check(_file, grid.Missing * kept.Length, (long)_rows * kept.Length, _options);
        if (grid.Length * (long)kept.Length > _options.MaxSamples)
            throw new SignalLimitException(_file, "samples", grid.Length * (long)kept.Length, _options.MaxSamples);
        // Columns that were never measured share one array of missing samples.
        float[]? missing = null;
        var channels = new List<Channel>();
        foreach (int i in kept)
        {
            float[] samples = _columns[i]!.IsMissing ? missing ??= _columns[i]!.Take(grid) : _columns[i]!.Take(grid);
            channels.Add(new Channel(labels[i].Name, labels[i].Unit, rate, samples));
        }
        return RecordingSelection.Apply(new Recording(Path.GetFileNameWithoutExtension(_file), channels,
            _provenance.SelectMany(p => p?.Annotations(rate, grid.PlaceOf) ?? []).OrderBy(a => a.TimeSeconds), start, _warnings)
        {
            RelativeStart = _timeIndex >= 0 && start is null ? _time.RelativeStart(rate) : 0,
        }, _options);
    }

    private (string Name, string Unit) Label(int column)
    {
        (string name, string unit) = SignalUnit.SplitName(_headings[column]);
        if (_layout.Units is { } units && _options.ColumnNames is null && units[column].Length > 0)
            (name, unit) = (_headings[column], units[column] == "-" ? "" : units[column]);
        return (name.Length == 0 ? $"signal_{column}" : name, unit);
    }

    private void Describe()
    {
        void Tell(long count, string what)
        {
            if (count > 0)
                _warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                    $"{_file}: {count} cells {what} taken as missing.")));
        }

        if (_counts > 0)
            _warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                $"{_file}, line {_counts}: a row without a time before the first sample is left out.")));
        Tell(_marked, $"of {string.Join(" or ", _options.MissingValues.Select(v => v.ToString(CultureInfo.InvariantCulture)))} are");
        Tell(_errors, "that hold an error of a spreadsheet or monitor (#N/A and the like) are");
        Tell(_infinite, "that hold an infinity are");
        if (_blank > 0 && _columns.Length > 1 && !_blankLine)
            _warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                $"{_file}: {_blank} blank rows at its end are left out.")));
    }

    private (double Rate, RowGrid Grid, DateTime? Start) Axis(bool hasWaves, ref int[] kept)
    {
        if (_options.SampleRate is { } given && !(given > 0 && double.IsFinite(given)))
            throw new SignalException(string.Create(CultureInfo.InvariantCulture,
                $"A sample rate of {given} Hz was given; expected a finite number above 0."));
        if (_timeIndex >= 0)
        {
            CsvTimeColumn.IsTime(_headings[_timeIndex], out double seconds);
            if (_layout.Units is { } units && units[_timeIndex].Length > 0 && CsvTimeColumn.SecondsPerUnit(units[_timeIndex]) is var unit
                && !double.IsNaN(unit))
                seconds = unit;
            (double rate, RowGrid grid, DateTime? start) = _time.Fit(seconds, _options.SampleRate,
                r => WaveRate.IsPlausible(r, hasWaves), _warnings);
            kept = [.. kept.Where(i => CsvIndexColumn.Find(_columns[i]!, _headings[i], _layout.Names is not null
                && _columns.Length > 1) is null)];
            return (rate, grid, start);
        }
        double stated = _options.SampleRate ?? _layout.Rate ?? throw new SignalFormatException(_file,
            "has no time column and so does not tell its sample rate; give it (--rate on the command line, RecordingReadOptions.SampleRate "
            + $"in code){(_layout.Names is not null ? "."
                : ", and names for its columns (--columns time,abp_mmHg,ecg_mV; - leaves one out).")}");
        if (_layout.Rate is { } own && !(Math.Abs(own - stated) <= 0.01 * own))
            throw new SignalFormatException(_file, string.Create(CultureInfo.InvariantCulture,
                $"states {own} Hz in its second row, but {stated} Hz was given."));
        WaveRate.Require(_file, stated, hasWaves);
        RowGrid rows = RowGrid.Plain(_rows);
        foreach (int i in kept)
        {
            if (CsvIndexColumn.Find(_columns[i]!, _headings[i], _layout.Names is not null && _columns.Length > 1) is not { } index)
                continue;
            kept = [.. kept.Where(k => k != i)];
            if (index.Missing == 0)
                continue;
            rows = index;
            _warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                $"{_file}: by the numbers in '{_headings[i]}' {index.Missing} rows are missing.")));
        }
        return (stated, rows, _layout.Start);
    }

    // A second column of times is no signal either.
    private bool IsOtherTime(int column) => CsvTimeColumn.IsTime(_headings[column], out _);
}
