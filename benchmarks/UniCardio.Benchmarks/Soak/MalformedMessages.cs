using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Unicode;
using UniCardio.Tests.Shared;

namespace UniCardio.Benchmarks.Soak;

/// <summary>Spoilt live messages: each gets the answer or the error that it is worth, and connections close as PROTOCOL.md says.</summary>
internal static class MalformedMessages
{
    public static async Task RunAsync(ServerProcess server, MalformedTraffic traffic, ulong seed, CancellationToken cancellation)
    {
        byte[][] seeds = [.. MalformedTraffic.TextMessages, MalformedTraffic.BinaryMessage];
        LiveSocket? socket = null;
        for (int i = 0; !traffic.IsDone; i++)
        {
            await traffic.WaitAsync(cancellation);
            byte[] message = MutationFuzzer.Mutant(seeds, seed, i);
            WebSocketMessageType type = i % 3 == 0 ? WebSocketMessageType.Binary : WebSocketMessageType.Text;
            int life = server.Life;
            try
            {
                socket ??= await LiveSocket.ConnectAsync(server, "fuzz", "json", cancellation: cancellation);
                if (await SendAsync(socket, traffic, message, type, i, cancellation))
                    continue;
            }
            catch (Exception problem) when (problem is WebSocketException or IOException or OperationCanceledException
                && !cancellation.IsCancellationRequested)
            {
                // A text that is not UTF-8 ends the connection below the protocol (RFC 6455, 8.1).
                if (type == WebSocketMessageType.Text && !Utf8.IsValid(message))
                    traffic.Note("not UTF-8: connection ended", isRefusal: true);
                else if (await HasLivedOnAsync(server, life))
                    traffic.NoteWrong(i, $"message, {problem.Message}");
                else
                    traffic.Note("no server", isRefusal: false);
            }
            socket?.Dispose();
            socket = null;
        }
        socket?.Dispose();
    }

    // False if the connection is over.
    private static async Task<bool> SendAsync(LiveSocket socket, MalformedTraffic traffic, byte[] message, WebSocketMessageType type,
        int mutant, CancellationToken cancellation)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        time.CancelAfter(TimeSpan.FromSeconds(30));
        await socket.SendAsync(message, type, time.Token);
        // An answer that must come, to this or to the one before.
        await socket.SendAsync("""{"type":"counts","id":"probe"}""", time.Token);
        string? error = null;
        bool isAnswered = false;
        while (!isAnswered)
        {
            (WebSocketMessageType kind, ReadOnlyMemory<byte> bytes) = await socket.ReceiveAsync(time.Token);
            if (kind == WebSocketMessageType.Close)
            {
                if (socket.Closed == WebSocketCloseStatus.InvalidPayloadData)
                    traffic.Note("malformed", isRefusal: true);
                else if (socket.Closed == WebSocketCloseStatus.EndpointUnavailable)
                    traffic.Note("no server", isRefusal: false);
                else
                    traffic.NoteWrong(mutant, FormattableString.Invariant($"message, closed with {(int?)socket.Closed}"));
                return false;
            }
            using JsonDocument answer = JsonDocument.Parse(bytes);
            JsonElement root = answer.RootElement;
            isAnswered = root.TryGetProperty("id", out JsonElement id) && id.ValueKind == JsonValueKind.String && id.GetString() == "probe";
            if (root.GetProperty("type").GetString() == "error" && !isAnswered)
                error = root.GetProperty("code").GetString();
        }
        if (error is null or "invalid" or "conflict" or "not_found" or "malformed" or "not_ready")
            traffic.Note(error ?? "taken", isRefusal: error is "invalid" or "malformed" or "not_found" or "conflict");
        else
            traffic.NoteWrong(mutant, $"message, error {error}");
        return true;
    }

    // A kill shows on the connection before it shows elsewhere.
    private static async Task<bool> HasLivedOnAsync(ServerProcess server, int life)
    {
        await Task.Delay(1000);
        return server.Life == life && server.IsUp;
    }
}
