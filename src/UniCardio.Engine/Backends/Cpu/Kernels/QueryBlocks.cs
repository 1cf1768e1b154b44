namespace UniCardio.Engine.Backends.Cpu.Kernels;

/// <summary>
/// How the queries of a set of rows fall into attention's blocks: of 2W queries, and on AVX-512 one of W where that leaves fewer lanes
/// empty, in the middle, where two threads part.
/// </summary>
/// <remarks>
/// 100 queries are 32, 16, 32 and 20 of 32, that is 112 lanes in place of 128, and two threads get 48 and 52 rows in place of 64 and 36.
/// The blocks depend on the number of rows alone, never on threads: which queries share a block may decide a query's bits.
/// </remarks>
internal readonly struct QueryBlocks
{
    private readonly int _rows, _lanes, _half;

    /// <summary>Lays blocks out.</summary>
    /// <param name="rows">Queries.</param>
    /// <param name="lanes">Lanes W of a vector.</param>
    public QueryBlocks(int rows, int lanes)
    {
        (_rows, _lanes, _half) = (rows, lanes, -1);
        int width = 2 * lanes;
        if (lanes >= 16 && rows > 0 && (rows - 1) % width < lanes)
            _half = (rows - lanes + width - 1) / width / 2 * width;
    }

    /// <summary>First row of the block of W queries; null where there is none.</summary>
    public int? Half => _half < 0 ? null : _half;

    /// <summary>Lanes of the block that begins at a row.</summary>
    public int WidthAt(int row) => row == _half ? _lanes : 2 * _lanes;

    /// <summary>First row of the block that holds a row; the number of rows for any row past them.</summary>
    public int StartOf(int row)
    {
        if (row >= _rows)
            return _rows;
        int width = 2 * _lanes, after = _half + _lanes;
        if (_half < 0 || row < _half)
            return row / width * width;
        return row < after ? _half : after + ((row - after) / width * width);
    }

    /// <summary>First row of a part: the beginning of a block, as near as there is one to an even split.</summary>
    /// <param name="part">0 to parts; parts gives the number of rows.</param>
    /// <param name="parts">Threads.</param>
    public int PartStart(int part, int parts)
    {
        if (part >= parts)
            return _rows;
        int even = (int)((long)_rows * part / parts), below = StartOf(even), above = Math.Min(_rows, below + WidthAt(below));
        return even - below <= above - even ? below : above;
    }
}
