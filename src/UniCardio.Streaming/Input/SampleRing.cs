using System.Numerics;

namespace UniCardio.Streaming.Input;

/// <summary>The newest stretch of something that never ends, by absolute index.</summary>
internal sealed class SampleRing<T>
    where T : unmanaged
{
    private readonly T[] _items;
    private readonly long _mask;

    /// <summary>Makes a ring.</summary>
    /// <param name="min">Items it holds at least.</param>
    public SampleRing(int min)
    {
        _items = new T[BitOperations.RoundUpToPowerOf2((uint)min)];
        _mask = _items.Length - 1;
    }

    /// <summary>Items it holds.</summary>
    public int Capacity => _items.Length;

    public ref T this[long index] => ref _items[index & _mask];

    /// <summary>The stretch from an index on that lies in one piece of memory, at most <paramref name="count"/> items.</summary>
    public Span<T> Piece(long index, long count)
    {
        int at = (int)(index & _mask);
        return _items.AsSpan(at, (int)Math.Min(count, _items.Length - at));
    }

    public void CopyTo(long index, Span<T> destination)
    {
        while (destination.Length > 0)
        {
            Span<T> piece = Piece(index, destination.Length);
            piece.CopyTo(destination);
            destination = destination[piece.Length..];
            index += piece.Length;
        }
    }

    public void Write(long index, ReadOnlySpan<T> source)
    {
        while (source.Length > 0)
        {
            Span<T> piece = Piece(index, source.Length);
            source[..piece.Length].CopyTo(piece);
            source = source[piece.Length..];
            index += piece.Length;
        }
    }

    public void Fill(long from, long to, T value)
    {
        while (from < to)
        {
            Span<T> piece = Piece(from, to - from);
            piece.Fill(value);
            from += piece.Length;
        }
    }
}
