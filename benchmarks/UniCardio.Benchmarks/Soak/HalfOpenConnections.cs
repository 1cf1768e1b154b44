using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace UniCardio.Benchmarks.Soak;

/// <summary>Connections of clients that went away without a word: silent from the start, in the middle of a head, of a body, or of a live
/// session. The server has to let go of each.</summary>
internal sealed class HalfOpenConnections(ServerProcess server)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static readonly (string Kind, string Sends)[] Kinds =
    [
        ("nothing sent", ""),
        ("half a head", "POST /v2/models/impute/infer HTTP/1.1\r\nHost: localhost\r\nContent-"),
        ("half a body", "POST /v2/models/impute/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000\r\n\r\n{\"inputs\": ["),
        ("deaf live connection",
            "GET /live/deaf HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "
            + "13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
    ];

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, List<double>> _closedAfter = new(StringComparer.Ordinal);

    /// <summary>Connections by kind, and what became of them.</summary>
    public Tally Tally { get; } = new();

    /// <summary>Connections that the server kept for longer than it may.</summary>
    public int Kept { get; private set; }

    /// <summary>Longest time until the server closed one, seconds, by kind.</summary>
    public SortedDictionary<string, double> Longest()
    {
        lock (_lock)
            return new(_closedAfter.ToDictionary(p => p.Key, p => p.Value.Max()), StringComparer.Ordinal);
    }

    /// <summary>A connection of each kind every so often; those that still stand at the end are given up.</summary>
    public async Task RunAsync(TimeSpan every, CancellationToken cancellation)
    {
        var open = new List<Task>();
        try
        {
            for (int i = 0; ; i++)
            {
                open.Add(HoldAsync(Kinds[i % Kinds.Length].Kind, Kinds[i % Kinds.Length].Sends, cancellation));
                open.RemoveAll(t => t.IsCompletedSuccessfully);
                await Task.Delay(every, cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task HoldAsync(string kind, string sends, CancellationToken cancellation)
    {
        int life = server.Life;
        long start = Stopwatch.GetTimestamp();
        try
        {
            using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            time.CancelAfter(Patience);
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(server.Address.Host, server.Port, time.Token);
            await socket.SendAsync(Encoding.ASCII.GetBytes(sends), time.Token);
            Tally.Add(kind);
            var buffer = new byte[4096];
            while (await socket.ReceiveAsync(buffer, time.Token) > 0)
            {
            }
            NoteClosed(kind, life, start);
        }
        catch (SocketException)
        {
            NoteClosed(kind, life, start);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            Tally.Add($"{kind}: kept");
            Kept++;
        }
        catch (OperationCanceledException)
        {
            Tally.Add("given up at the end");
        }
    }

    private void NoteClosed(string kind, int life, long start)
    {
        if (life != server.Life || !server.IsUp)
            return;
        lock (_lock)
        {
            if (!_closedAfter.TryGetValue(kind, out List<double>? times))
                _closedAfter.Add(kind, times = []);
            times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
    }
}
