using System.Buffers;
using System.IO.Compression;
using UniCardio.Serving.Hosting;

namespace UniCardio.Serving.Inference;

/// <summary>
/// The body of a request: one copy, outside the managed heap, so that it is given back the moment it is disposed. Grows with what has come
/// and not with what is announced, to no more than that, and counts in the budget of all requests.
/// </summary>
internal sealed class RequestBody : IDisposable
{
    private const int Piece = 1 << 16;

    private readonly ByteBudget.Lease _lease;
    private readonly GrowingBytes _bytes = new();

    private RequestBody(ByteBudget budget) => _lease = budget.Take(0);

    public int Length { get; private set; }

    public unsafe ReadOnlySpan<byte> Bytes => new(_bytes.Pointer, Length);

    /// <summary>Reads a body, unpacked if its Content-Encoding says how.</summary>
    /// <exception cref="RequestException">It is too long, there is no room for it now, or it is encoded as nobody here knows.</exception>
    public static async Task<RequestBody> ReadAsync(HttpRequest request, long max, ByteBudget budget, CancellationToken cancellation)
    {
        if (request.ContentLength > max)
            throw TooLong(max);
        Stream stream = Decoded(request);
        var body = new RequestBody(budget);
        long announced = stream == request.Body && request.ContentLength is long length ? length : max;
        byte[] piece = ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            for (int read; (read = await stream.ReadAsync(piece.AsMemory(0, Piece), cancellation)) > 0;)
                body.Append(piece.AsSpan(0, read), max, announced);
            return body;
        }
        catch (InvalidDataException problem)
        {
            body.Dispose();
            throw RequestException.Bad($"the body is not what its Content-Encoding '{request.Headers.ContentEncoding}' says", problem);
        }
        catch (IOException problem) when (problem is not BadHttpRequestException && problem.InnerException is OverflowException)
        {
            body.Dispose();
            // A chunk that says it has more bytes than fit an int, which Kestrel does not call a bad request.
            throw RequestException.Bad("the size of a chunk is no number of bytes that a body can have", problem);
        }
        catch
        {
            body.Dispose();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
            if (stream != request.Body)
                await stream.DisposeAsync();
        }
    }

    public void Dispose()
    {
        _bytes.Dispose();
        Length = 0;
        _lease.Dispose();
    }

    private static RequestException TooLong(long max) => new(StatusCodes.Status413PayloadTooLarge,
        $"the body has more than {max} bytes, which is as much as this server takes");

    private static Stream Decoded(HttpRequest request) => request.Headers.ContentEncoding.ToString().ToLowerInvariant() switch
    {
        "" or "identity" => request.Body,
        "gzip" or "x-gzip" => new GZipStream(request.Body, CompressionMode.Decompress, leaveOpen: true),
        "deflate" => new ZLibStream(request.Body, CompressionMode.Decompress, leaveOpen: true),
        "br" => new BrotliStream(request.Body, CompressionMode.Decompress, leaveOpen: true),
        string other => throw new RequestException(StatusCodes.Status415UnsupportedMediaType,
            $"a Content-Encoding of '{(other.Length > 64 ? other[..64] : other)}' is not taken; expected gzip, deflate, br or none"),
    };

    private unsafe void Append(ReadOnlySpan<byte> piece, long max, long announced)
    {
        long length = Length + (long)piece.Length;
        if (length > max)
            throw TooLong(max);
        if (length > (long)_bytes.Capacity)
        {
            long capacity = Math.Max(length, Math.Min(announced, Math.Max(1024, 2 * (long)_bytes.Capacity)));
            _lease.GrowTo(capacity);
            _bytes.GrowTo((nuint)capacity);
        }
        piece.CopyTo(new Span<byte>(_bytes.Pointer + Length, piece.Length));
        Length = (int)length;
    }
}
