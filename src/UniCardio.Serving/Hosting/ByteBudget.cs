namespace UniCardio.Serving.Hosting;

/// <summary>
/// Memory that requests share: bodies under way, results not yet sent, recordings that are replayed. What would go beyond it is refused,
/// so that many requests together cannot take what each of them alone may.
/// </summary>
internal sealed class ByteBudget(long max)
{
    private long _used;

    public long Max => max;

    /// <summary>Bytes that are taken.</summary>
    public long Used => Interlocked.Read(ref _used);

    public long Free => Math.Max(0, max - Used);

    /// <summary>A part of it, which goes back when it is disposed.</summary>
    /// <exception cref="RequestException">There is not so much; 503, or 413 where there never will be.</exception>
    public Lease Take(long bytes)
    {
        var lease = new Lease(this);
        lease.GrowTo(bytes);
        return lease;
    }

    private void Add(long bytes)
    {
        if (bytes > max)
            throw new RequestException(StatusCodes.Status413PayloadTooLarge,
                $"this takes {bytes} bytes of memory; all requests together have {max}");
        if (Interlocked.Add(ref _used, bytes) <= max)
            return;
        Interlocked.Add(ref _used, -bytes);
        throw RequestException.Unavailable($"requests under way hold the {max} bytes of memory that this server has for them", 2);
    }

    public sealed class Lease(ByteBudget budget) : IDisposable
    {
        private long _bytes;

        public long Bytes => Interlocked.Read(ref _bytes);

        /// <exception cref="RequestException">There is not so much.</exception>
        public void GrowTo(long bytes)
        {
            long more = bytes - _bytes;
            if (more <= 0)
                return;
            budget.Add(more);
            _bytes = bytes;
        }

        public void ShrinkTo(long bytes)
        {
            long less = _bytes - bytes;
            if (less <= 0)
                return;
            _bytes = bytes;
            Interlocked.Add(ref budget._used, -less);
        }

        public void Dispose() => Interlocked.Add(ref budget._used, -Interlocked.Exchange(ref _bytes, 0));
    }
}
