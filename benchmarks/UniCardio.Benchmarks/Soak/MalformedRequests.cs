using System.Globalization;
using System.Net.Sockets;
using System.Text;
using UniCardio.Tests.Shared;

namespace UniCardio.Benchmarks.Soak;

/// <summary>Spoilt HTTP requests, byte by byte on a connection each: whatever comes back is a status below 500, but for methods and
/// versions that are not known.</summary>
internal static class MalformedRequests
{
    public static async Task RunAsync(ServerProcess server, MalformedTraffic traffic, ulong seed, CancellationToken cancellation)
    {
        for (int i = 0; !traffic.IsDone; i++)
        {
            await traffic.WaitAsync(cancellation);
            byte[] request = MutationFuzzer.Mutant(MalformedTraffic.Requests, seed, i);
            int life = server.Life;
            try
            {
                string answer = await SendAsync(server, request, cancellation);
                int status = answer.StartsWith("HTTP/1.", StringComparison.Ordinal) && answer.Length >= 12
                    && int.TryParse(answer.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out int s) ? s : 0;
                if (answer.Length == 0)
                    traffic.Note("closed without an answer", isRefusal: true);
                else if (status is (>= 100 and < 500) or 501 or 505)
                    traffic.Note(status.ToString(CultureInfo.InvariantCulture), isRefusal: status >= 400);
                else if (status == 503 && (server.Life != life || answer.Contains("not packed yet", StringComparison.Ordinal)))
                    traffic.Note("503 not ready", isRefusal: false);
                else
                    traffic.NoteWrong(i, $"request, {answer[..Math.Min(answer.Length, 200)]}");
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                traffic.Note("waits for the rest", isRefusal: false);
            }
            catch (Exception problem) when (problem is SocketException or IOException)
            {
                // Reset by a server that had not read all, or killed.
                traffic.Note("reset", isRefusal: false);
                await Task.Delay(20, cancellation);
            }
        }
    }

    // The first part of the answer.
    private static async Task<string> SendAsync(ServerProcess server, byte[] request, CancellationToken cancellation)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        time.CancelAfter(TimeSpan.FromSeconds(1));
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Address.Host, server.Port, time.Token);
        // With what ends a head, so that it is judged and not waited for; a body may still lack its end.
        await socket.SendAsync((byte[])[.. request, .. "\r\n\r\n"u8], time.Token);
        var buffer = new byte[2048];
        int length = 0, read;
        while (!buffer.AsSpan(0, length).Contains((byte)'\n')
            && (read = await socket.ReceiveAsync(buffer.AsMemory(length), time.Token)) > 0)
            length += read;
        return Encoding.Latin1.GetString(buffer, 0, length);
    }
}
