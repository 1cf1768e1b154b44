using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace UniCardio.Serving.Hosting;

/// <summary>
/// Counts the connections of a listener, together and by remote address, and closes those that do not come to a request in time. Where
/// there is no room, the one that has been silent for longest makes it: who has something to say is not shut out by those who have not.
/// </summary>
internal sealed class ConnectionGuard(int max, int maxOfAnAddress, ServerOptions options)
{
    private readonly ConcurrentDictionary<ConnectionContext, Guarded> _open = new();
    private readonly ConcurrentDictionary<IPAddress, int> _addresses = new();
    private int _count;
    private long _closed;

    /// <summary>Connections open.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Connections closed because they were silent or too many.</summary>
    public long Closed => Interlocked.Read(ref _closed);

    /// <summary>Serves a connection; outermost, so that a handshake that is not finished counts as silence.</summary>
    public async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        IPAddress address = AddressOf(connection);
        var guarded = new Guarded(address);
        int ofAddress = _addresses.AddOrUpdate(address, 1, (_, n) => n + 1);
        int all = Interlocked.Increment(ref _count);
        try
        {
            if ((ofAddress > maxOfAnAddress && !MakeRoom(address)) || (all > max && !MakeRoom(null)))
            {
                Close(connection);
                return;
            }
            connection.Features.Set(guarded);
            _open.TryAdd(connection, guarded);
            await using ITimer timer = options.Clock.CreateTimer(_ =>
            {
                if (guarded.TryEndSilence())
                    Close(connection);
            }, null, options.FirstRequest, Timeout.InfiniteTimeSpan);
            await next(connection);
        }
        finally
        {
            _open.TryRemove(connection, out _);
            Interlocked.Decrement(ref _count);
            if (_addresses.AddOrUpdate(address, 0, (_, n) => n - 1) == 0)
                _addresses.TryRemove(KeyValuePair.Create(address, 0));
        }
    }

    /// <summary>Notes that a complete request has come.</summary>
    public static void HasRequest(HttpContext context) => context.Features.Get<Guarded>()?.TryEndSilence();

    private static IPAddress AddressOf(ConnectionContext connection)
    {
        IPAddress address = (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    private bool MakeRoom(IPAddress? address)
    {
        while (true)
        {
            ConnectionContext? longest = null;
            long since = long.MaxValue;
            foreach ((ConnectionContext connection, Guarded guarded) in _open)
            {
                if (guarded.IsSilent && guarded.Since < since && (address is null || guarded.Address.Equals(address)))
                    (longest, since) = (connection, guarded.Since);
            }
            if (longest is null)
                return false;
            // Another connection may have taken the same one's place.
            if (_open.TryRemove(longest, out Guarded? found) && found.TryEndSilence())
            {
                Close(longest);
                return true;
            }
        }
    }

    private void Close(ConnectionContext connection)
    {
        Interlocked.Increment(ref _closed);
        connection.Abort(new ConnectionAbortedException("no request came in time, or there was no room"));
    }

    private sealed class Guarded(IPAddress address)
    {
        private int _isSilent = 1;

        public IPAddress Address => address;

        public long Since { get; } = System.Diagnostics.Stopwatch.GetTimestamp();

        public bool IsSilent => Volatile.Read(ref _isSilent) != 0;

        public bool TryEndSilence() => Interlocked.Exchange(ref _isSilent, 0) != 0;
    }
}
