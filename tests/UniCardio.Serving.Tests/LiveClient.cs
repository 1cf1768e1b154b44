using System.Buffers.Binary;
using System.Globalization;
using System.Net.WebSockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace UniCardio.Serving.Tests;

/// <summary>A live connection as a program would write it from PROTOCOL.md.</summary>
internal sealed class LiveClient : IAsyncDisposable
{
    private readonly ClientWebSocket _socket = new();

    public List<JsonElement> Others { get; } = [];

    public WebSocketCloseStatus? Closed => _socket.CloseStatus;

    public string? Subprotocol => _socket.SubProtocol;

    public static async Task<LiveClient> ConnectAsync(TestServer server, string patient, string query = "",
        Action<ClientWebSocketOptions>? configure = null, bool greets = true)
    {
        var client = new LiveClient();
        configure?.Invoke(client._socket.Options);
        client._socket.Options.CollectHttpResponseDetails = true;
        try
        {
            await client._socket.ConnectAsync(new Uri($"ws://{server.Server.Address.Authority}/live/{patient}{query}"), Timeout());
        }
        catch (WebSocketException problem)
        {
            throw new HttpRequestException(problem.Message, problem, client._socket.HttpStatusCode);
        }
        if (greets)
            Assert.Equal("hello", Type((await client.ReceiveAsync())!.Value));
        return client;
    }

    /// <summary>Sends JSON.</summary>
    public Task SendAsync(string json) => _socket.SendAsync(Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text, true, Timeout());

    /// <summary>Sends bytes as a message of either kind.</summary>
    public Task SendAsync(byte[] message, WebSocketMessageType type) => _socket.SendAsync(message, type, true, Timeout());

    public Task PushAsync(string modality, double time, ReadOnlySpan<float> samples) => SendAsync(
        $$"""{"type":"samples","modality":"{{modality}}","time":{{time.ToString("R", CultureInfo.InvariantCulture)}},"samples":[{{string.Join(',', samples.ToArray().Select(x => float.IsNaN(x) ? "null" : x.ToString("R", CultureInfo.InvariantCulture)))}}]}""");

    public Task PushBinaryAsync(byte modality, double time, ReadOnlySpan<float> samples)
    {
        var message = new byte[24 + (4 * samples.Length)];
        "UC"u8.CopyTo(message);
        message[2] = 1;
        message[3] = 1;
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(4), message.Length);
        BinaryPrimitives.WriteInt64LittleEndian(message.AsSpan(8), (long)Math.Round(time * 1e6));
        message[16] = modality;
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(20), samples.Length);
        MemoryMarshal.AsBytes(samples).CopyTo(message.AsSpan(24));
        return SendAsync(message, WebSocketMessageType.Binary);
    }

    /// <summary>The next message: JSON as it is, a binary frame as the JSON that it stands for; null at the end.</summary>
    public async Task<JsonElement?> ReceiveAsync()
    {
        using var message = new MemoryStream();
        var buffer = new byte[16384];
        while (true)
        {
            WebSocketReceiveResult part = await _socket.ReceiveAsync(buffer, Timeout());
            if (part.MessageType == WebSocketMessageType.Close)
            {
                if (_socket.State == WebSocketState.CloseReceived)
                    await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Timeout());
                return null;
            }
            message.Write(buffer, 0, part.Count);
            if (part.EndOfMessage)
                return part.MessageType == WebSocketMessageType.Binary ? BinaryFrames.Read(message.ToArray())
                    : JsonDocument.Parse(message.ToArray()).RootElement;
        }
    }

    /// <summary>The next message of a type; those before it are kept in <see cref="Others"/>.</summary>
    public async Task<JsonElement> NextAsync(string type)
    {
        while (await ReceiveAsync() is JsonElement message)
        {
            if (Type(message) == type)
                return message;
            Assert.True(type == "error" || Type(message) != "error", message.ToString());
            Others.Add(message);
        }
        throw new InvalidOperationException($"the connection closed with {_socket.CloseStatus} before a message of type '{type}'");
    }

    /// <summary>Frames until a session ends.</summary>
    public async Task<List<JsonElement>> FramesAsync()
    {
        var frames = new List<JsonElement>();
        while (await ReceiveAsync() is JsonElement message)
        {
            if (Type(message) == "ended")
            {
                Others.Add(message);
                return frames;
            }
            Assert.NotEqual("error", Type(message));
            (Type(message) == "frame" ? frames : Others).Add(message);
        }
        throw new InvalidOperationException($"the connection closed with {_socket.CloseStatus} before the session ended");
    }

    /// <summary>Waits for the server to close.</summary>
    public async Task<JsonElement?> UntilClosedAsync()
    {
        JsonElement? last = null;
        while (await ReceiveAsync() is JsonElement message)
            last = message;
        return last;
    }

    /// <summary>Goes away without a word.</summary>
    public void Abort() => _socket.Abort();

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_socket.State == WebSocketState.Open)
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Timeout());
        }
        catch (WebSocketException)
        {
            // The server has gone first.
        }
        _socket.Dispose();
    }

    public static string Type(JsonElement message) => message.GetProperty("type").GetString()!;

    private static CancellationToken Timeout() => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;
}
