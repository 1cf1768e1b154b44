using System.Diagnostics;
using System.Net.WebSockets;

namespace UniCardio.Benchmarks.Soak;

/// <summary>Clients of a patient that stop reading: one that only takes no frames, and one that keeps asking. Others must not feel it,
/// and the server has to let go of them.</summary>
internal sealed class SlowReaders(ServerProcess server, string patient)
{
    // As little as the system takes for a reader that does not read.
    private const int Buffer = 4096;

    public Tally Tally { get; } = new();

    /// <summary>Asks and asks, and reads nothing, until the server ends it.</summary>
    public async Task AskAsync(TimeSpan pause, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            await WithConnectionAsync("asking", pause, AskUntilClosedAsync, cancellation);
        }
    }

    /// <summary>Reads no frame until its time is over; then what there is.</summary>
    public async Task StandStillAsync(TimeSpan still, TimeSpan pause, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            await WithConnectionAsync("standing still", pause, (socket, stop) => StandStillAsync(socket, still, stop), cancellation);
        }
    }

    private async Task WithConnectionAsync(string kind, TimeSpan pause, Func<LiveSocket, CancellationToken, Task<string>> use,
        CancellationToken cancellation)
    {
        try
        {
            int life = server.Life;
            string end = "ended by the server";
            using (LiveSocket socket = await LiveSocket.ConnectAsync(server, patient, "json", Buffer, cancellation))
            {
                try
                {
                    end = await use(socket, cancellation);
                }
                catch (Exception problem) when (problem is WebSocketException or IOException)
                {
                    // Ended by the server.
                }
            }
            Tally.Add($"{kind}: {(server.Life != life || !server.IsUp ? "killed with the server" : end)}");
        }
        catch (Exception problem) when (problem is WebSocketException or IOException)
        {
            // No server just now.
        }
        catch (OperationCanceledException)
        {
            if (cancellation.IsCancellationRequested)
                return;
        }
        await Task.Delay(pause, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task<string> AskUntilClosedAsync(LiveSocket socket, CancellationToken cancellation)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        time.CancelAfter(TimeSpan.FromSeconds(60));
        try
        {
            for (int i = 0; ; i++)
            {
                await socket.SendAsync("""{"type":"counts"}""", time.Token);
                if (i > 20_000)
                    await Task.Delay(20, time.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return "kept for a minute";
        }
    }

    private static async Task<string> StandStillAsync(LiveSocket socket, TimeSpan still, CancellationToken cancellation)
    {
        await Task.Delay(still, cancellation);
        // What was under way, then either the end or, after the frames that were dropped, the newest.
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20))
        {
            (WebSocketMessageType type, ReadOnlyMemory<byte> bytes) = await socket.ReceiveAsync(cancellation);
            if (type == WebSocketMessageType.Close)
                return socket.Closed == WebSocketCloseStatus.PolicyViolation ? "closed as slow" : "closed";
            using var message = System.Text.Json.JsonDocument.Parse(bytes);
            if (message.RootElement.TryGetProperty("dropped", out System.Text.Json.JsonElement dropped) && dropped.GetInt64() > 0)
                return "frames dropped";
        }
        return "nothing dropped";
    }
}
