using System.Buffers;

namespace UniCardio.Serving.Live;

/// <summary>A message for several connections, in rented memory that goes back when the last of them has sent it.</summary>
internal sealed class SharedMessage : IBufferWriter<byte>
{
    private byte[] _bytes;
    private int _users = 1;

    public SharedMessage(int capacity, bool isBinary)
    {
        _bytes = ArrayPool<byte>.Shared.Rent(capacity);
        IsBinary = isBinary;
    }

    /// <summary>Whether it is a binary message.</summary>
    public bool IsBinary { get; }

    /// <summary>Whether it is a frame, which may be dropped.</summary>
    public bool IsFrame { get; init; }

    /// <summary>Bytes.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes before the end that differs from connection to connection (frames in JSON).</summary>
    public int CommonLength { get; set; }

    public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, Length);

    /// <summary>A message of bytes that are there already.</summary>
    public static SharedMessage Of(ReadOnlySpan<byte> text)
    {
        var message = new SharedMessage(text.Length, isBinary: false);
        text.CopyTo(message.GetSpan(text.Length));
        message.Advance(text.Length);
        return message;
    }

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>One more uses it.</summary>
    public SharedMessage Retain()
    {
        Interlocked.Increment(ref _users);
        return this;
    }

    /// <summary>One less uses it.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _users) == 0)
            ArrayPool<byte>.Shared.Return(_bytes);
    }

    private void Reserve(int more)
    {
        if (_bytes.Length - Length >= more)
            return;
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(2 * _bytes.Length, Length + more));
        _bytes.AsSpan(0, Length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}
