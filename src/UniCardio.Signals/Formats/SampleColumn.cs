namespace UniCardio.Signals.Formats;

/// <summary>Samples of one channel as they come in: 4 bytes each, none for stretches where all are missing.</summary>
internal sealed class SampleColumn
{
    private const int ChunkSize = 1024;

    private readonly List<float[]?> _chunks = [];

    /// <summary>Samples so far.</summary>
    public int Count { get; private set; }

    /// <summary>Whether no sample is present.</summary>
    public bool IsMissing => _chunks.TrueForAll(c => c is null);

    /// <summary>One of the samples.</summary>
    public float this[int index] => _chunks[index / ChunkSize] is { } chunk ? chunk[index % ChunkSize] : float.NaN;

    /// <summary>Adds a sample, NaN where it is missing.</summary>
    public void Add(float value)
    {
        int place = Count % ChunkSize;
        if (place == 0)
            _chunks.Add(null);
        if (!float.IsNaN(value))
        {
            float[] chunk = _chunks[^1] ??= NewChunk();
            chunk[place] = value;
        }
        Count++;
    }

    /// <summary>All samples on a grid that leaves some rows out and has gaps before others. The column is empty afterwards.</summary>
    /// <param name="grid">Where rows go.</param>
    public float[] Take(RowGrid grid)
    {
        var samples = new float[grid.Length];
        samples.AsSpan().Fill(float.NaN);
        foreach ((int first, int count, int target) in grid.Runs(Count))
        {
            for (int i = 0; i < count;)
            {
                int place = (first + i) % ChunkSize, length = Math.Min(ChunkSize - place, count - i);
                if (_chunks[(first + i) / ChunkSize] is { } chunk)
                    chunk.AsSpan(place, length).CopyTo(samples.AsSpan(target + i));
                i += length;
            }
        }
        _chunks.Clear();
        return samples;
    }

    private static float[] NewChunk()
    {
        var chunk = new float[ChunkSize];
        chunk.AsSpan().Fill(float.NaN);
        return chunk;
    }
}

/// <summary>Where the rows of a table lie on an even axis of time.</summary>
internal sealed class RowGrid
{
    private readonly IReadOnlyList<(int Row, int Missing)> _gaps;
    private readonly IReadOnlyList<int> _doubled;

    /// <param name="rows">Rows of the table.</param>
    /// <param name="gaps">Samples that are missing before a row, rows rising.</param>
    /// <param name="doubled">Rows that are left out, rising.</param>
    public RowGrid(int rows, IReadOnlyList<(int Row, int Missing)> gaps, IReadOnlyList<int> doubled)
    {
        _gaps = gaps;
        _doubled = doubled;
        Missing = gaps.Sum(g => (long)g.Missing);
        Length = (int)Math.Min(rows - doubled.Count + Missing, int.MaxValue);
    }

    /// <summary>Every row where it stands.</summary>
    public static RowGrid Plain(int rows) => new(rows, [], []);

    /// <summary>Samples of the axis.</summary>
    public int Length { get; }

    /// <summary>Those of them that no row is for.</summary>
    public long Missing { get; }

    /// <summary>Where on the axis a row lies.</summary>
    public int PlaceOf(int row) =>
        (int)Math.Min(int.MaxValue, row + _gaps.Where(g => g.Row <= row).Sum(g => (long)g.Missing) - _doubled.Count(d => d < row));

    /// <summary>Stretches of rows that stay together.</summary>
    public IEnumerable<(int First, int Count, int Target)> Runs(int rows)
    {
        int first = 0, target = 0, gap = 0, doubled = 0;
        while (first < rows)
        {
            int nextGap = gap < _gaps.Count ? _gaps[gap].Row : rows, nextDouble = doubled < _doubled.Count ? _doubled[doubled] : rows;
            int end = Math.Min(rows, Math.Min(nextGap, nextDouble));
            if (end > first)
                yield return (first, end - first, target);
            target += end - first;
            first = end;
            if (first == nextGap && gap < _gaps.Count)
                target += _gaps[gap++].Missing;
            else if (first == nextDouble && doubled < _doubled.Count)
                (first, doubled) = (first + 1, doubled + 1);
        }
    }
}
