using System.Buffers.Binary;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Runtime.InteropServices;
using System.Text;
using UniCardio.Engine.Model;

namespace UniCardio.Benchmarks.Soak;

/// <summary>A live connection as a program writes it from PROTOCOL.md.</summary>
internal sealed class LiveSocket : IDisposable
{
    private readonly ClientWebSocket _socket = new();
    private HttpMessageInvoker? _invoker;
    private byte[] _buffer = new byte[1 << 12];

    public WebSocketCloseStatus? Closed => _socket.CloseStatus;

    /// <summary>Connects.</summary>
    /// <param name="server">Where to.</param>
    /// <param name="patient">Whose session.</param>
    /// <param name="frames">json or binary.</param>
    /// <param name="receiveBuffer">Bytes that the system takes for a reader that does not; null for as many as it likes.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="WebSocketException">The server is not there, or refuses.</exception>
    public static async Task<LiveSocket> ConnectAsync(ServerProcess server, string patient, string frames, int? receiveBuffer = null,
        CancellationToken cancellation = default)
    {
        var socket = new LiveSocket();
        if (receiveBuffer is int size)
            socket._invoker = new HttpMessageInvoker(Narrow(size));
        try
        {
            using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            time.CancelAfter(TimeSpan.FromSeconds(10));
            await socket._socket.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Port}/live/{patient}?frames={frames}"), socket._invoker,
                time.Token);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public Task SendAsync(string json, CancellationToken cancellation) =>
        SendAsync(Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text, cancellation);

    public Task SendAsync(byte[] message, WebSocketMessageType type, CancellationToken cancellation) =>
        _socket.SendAsync(message, type, endOfMessage: true, cancellation);

    public Task PushAsync(Modality modality, double time, ReadOnlySpan<float> samples, CancellationToken cancellation)
    {
        const int Head = 24;
        var message = new byte[Head + (4 * samples.Length)];
        "UC"u8.CopyTo(message);
        (message[2], message[3], message[16]) = (1, 1, (byte)modality);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(4), message.Length);
        BinaryPrimitives.WriteInt64LittleEndian(message.AsSpan(8), (long)Math.Round(time * 1e6));
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(20), samples.Length);
        MemoryMarshal.AsBytes(samples).CopyTo(message.AsSpan(Head));
        return SendAsync(message, WebSocketMessageType.Binary, cancellation);
    }

    /// <summary>The next message, valid until the one after; its kind is Close at the end.</summary>
    public async Task<(WebSocketMessageType Type, ReadOnlyMemory<byte> Bytes)> ReceiveAsync(CancellationToken cancellation)
    {
        int length = 0;
        while (true)
        {
            ValueWebSocketReceiveResult part = await _socket.ReceiveAsync(_buffer.AsMemory(length), cancellation);
            length += part.Count;
            if (part.EndOfMessage || part.MessageType == WebSocketMessageType.Close)
                return (part.MessageType, _buffer.AsMemory(0, length));
            if (length == _buffer.Length)
                Array.Resize(ref _buffer, 2 * length);
        }
    }

    /// <summary>Says farewell and waits for the server's.</summary>
    public async Task CloseAsync(CancellationToken cancellation)
    {
        if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellation);
    }

    /// <summary>Goes away without a word.</summary>
    public void Abort() => _socket.Abort();

    public void Dispose()
    {
        _socket.Dispose();
        _invoker?.Dispose();
    }

    private static SocketsHttpHandler Narrow(int receiveBuffer) => new()
    {
        ConnectCallback = async (context, token) =>
        {
            var tcp = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = receiveBuffer };
            await tcp.ConnectAsync(context.DnsEndPoint, token);
            return new NetworkStream(tcp, ownsSocket: true);
        },
    };
}
