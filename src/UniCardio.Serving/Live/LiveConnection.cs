using System.Buffers;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Serving.Hosting;
using UniCardio.Serving.Metrics;
using UniCardio.Serving.Protocol;
using UniCardio.Streaming;

namespace UniCardio.Serving.Live;

/// <summary>One WebSocket: a loop that reads messages and one that sends them.</summary>
internal sealed partial class LiveConnection : IDisposable
{
    private const int HopsBeforeWaiting = 8;

    private readonly WebSocket _socket;
    private readonly PatientRegistry _registry;
    private readonly ServerOptions _options;
    private readonly ILogger _log;
    private readonly Outbox _outbox;
    private readonly MessageReader _reader = new();
    private readonly CancellationTokenSource _end = new();
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(4096);
    private bool _waits;
    private ErrorCode? _closing;

    public LiveConnection(WebSocket socket, bool wantsBinary, bool wantsMeasuredFirst, PatientRegistry registry, ServerOptions options,
        ILogger log)
    {
        _socket = socket;
        WantsBinary = wantsBinary;
        WantsMeasuredFirst = wantsMeasuredFirst;
        _registry = registry;
        _options = options;
        _log = log;
        _outbox = new Outbox(options.MaxWaitingFrames);
    }

    /// <summary>Whether frames go out in binary.</summary>
    public bool WantsBinary { get; }

    /// <summary>Whether it gets what is measured at once, in preliminary frames.</summary>
    public bool WantsMeasuredFirst { get; }

    /// <summary>Whether it has opened a session or pushed samples: the session stays as long as it does.</summary>
    public bool HasPushed { get; private set; }

    public void Pushes() => HasPushed = true;

    /// <summary>Serves the socket until either side closes it.</summary>
    public async Task RunAsync(Patient patient)
    {
        Task sending = SendAllAsync();
        try
        {
            await ReceiveAllAsync(patient);
        }
        finally
        {
            patient.Detach(this);
            _outbox.Close();
            await sending;
            await AwaitFarewellAsync();
        }
    }

    /// <summary>Queues a message that was retained for it.</summary>
    public void Send(SharedMessage message)
    {
        if (!_outbox.Add(message) && !message.IsFrame)
            Abort(ErrorCode.Slow);
    }

    /// <summary>Queues a text.</summary>
    public void Send(byte[] text) => Send(SharedMessage.Of(text));

    /// <summary>Says that the server is going down, and closes.</summary>
    public void ShutDown()
    {
        _closing ??= ErrorCode.Shutdown;
        Send(ErrorText(ErrorCode.Shutdown, "the server is going down", null));
        _outbox.Close();
        try
        {
            _end.CancelAfter(TimeSpan.FromSeconds(2));
        }
        catch (ObjectDisposedException)
        {
            // It has ended by itself.
        }
    }

    public void Dispose()
    {
        _outbox.Dispose();
        _end.Dispose();
        ArrayPool<byte>.Shared.Return(_buffer);
    }

    private static byte[] ErrorText(ErrorCode code, string message, JsonNode? id) =>
        ProtocolJson.Bytes(new ErrorMessage("error", code.Name(), message, id));

    private async Task ReceiveAllAsync(Patient patient)
    {
        while (_closing is null)
        {
            (WebSocketMessageType type, int length) = await ReceiveAsync();
            if (type == WebSocketMessageType.Close)
                return;
            ServingMetrics.MessagesReceived.Add(1);
            JsonNode? id = null;
            try
            {
                if (length < 0)
                    throw new ProtocolException(ErrorCode.TooLarge,
                        $"the message has more than {_options.MaxMessageBytes} bytes, which is as much as this server takes");
                ClientMessage message = type == WebSocketMessageType.Binary ? _reader.ReadBinary(_buffer.AsSpan(0, length))
                    : _reader.ReadText(_buffer.AsMemory(0, length));
                id = message.Id;
                await TakeAsync(patient, message);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception problem)
            {
                if (Refuse(problem, id))
                    return;
            }
        }
    }

    // True if the connection ends with it.
    private bool Refuse(Exception problem, JsonNode? id)
    {
        (ErrorCode code, string text) = problem switch
        {
            ProtocolException p => (p.Code, p.Message),
            SessionClosedException => (ErrorCode.Conflict, "the session has ended"),
            ObjectDisposedException => (ErrorCode.Shutdown, "the server is going down"),
            ConfigurationException or ArgumentException or Signals.SignalException => (ErrorCode.Invalid, problem.Message),
            _ => (ErrorCode.Failed, "the server failed; its log has the cause"),
        };
        if (code == ErrorCode.Failed)
            LogFault(_log, problem.GetType().Name, Fault.Describe(problem));
        ServingMetrics.MessagesRefused.Add(1, new KeyValuePair<string, object?>("error.type", code.Name()));
        Send(ErrorText(code, text, id));
        if (code.Closes() is null)
            return false;
        _closing = code;
        return true;
    }

    private async Task TakeAsync(Patient patient, ClientMessage message)
    {
        switch (message)
        {
            case SamplesMessage samples:
                await PushAsync(patient, samples);
                break;
            case AdvanceMessage advance:
                patient.Require().Streaming.AdvanceTo(advance.Time);
                break;
            case OpenMessage open:
                _waits = open.Wait;
                patient.Open(open, _registry.Require(), this);
                break;
            case SetMessage set:
                _registry.CheckDraws(set.Settings);
                patient.Set(set, this);
                break;
            case ReplayMessage replay:
                await _registry.ReplayAsync(patient, replay, this, _end.Token);
                break;
            case CompleteMessage:
                await CompleteAsync(patient, message.Id);
                break;
            case StopMessage:
                patient.End(patient.Require(), "stopped", "a client asked for it", message.Id, this);
                break;
            case CountsRequest:
                Send(CountsText.Of(patient.Require(), message.Id));
                break;
        }
    }

    private async Task PushAsync(Patient patient, SamplesMessage message)
    {
        LiveSession session = patient.Require();
        if (!session.Source.IsDevice)
            throw new ProtocolException(ErrorCode.Conflict, "a recording is replayed; send stop first");
        HasPushed = true;
        PushResult result = session.Streaming.Push(message.Modality, message.Time, message.Samples.Span);
        if (message.Id is not null)
            Send(ProtocolJson.Bytes(new PushedMessage("pushed", message.Id, result.Taken, result.Repeated, result.Late, result.SetAside)));
        while (_waits && session.WaitingHops > HopsBeforeWaiting && patient.Session == session)
            await Task.Delay(2, _end.Token);
    }

    private async Task CompleteAsync(Patient patient, JsonNode? id)
    {
        LiveSession session = patient.Require();
        await session.Feeding.CancelAsync();
        session.Streaming.Complete();
        while (!session.Streaming.IsDrained && session.Streaming.Fault is null && patient.Session == session)
            await Task.Delay(5, _end.Token);
        patient.End(session, "completed", "all samples are out", id, this);
    }

    // The length is -1 for a message over the limit.
    private async ValueTask<(WebSocketMessageType Type, int Length)> ReceiveAsync()
    {
        int length = 0;
        while (true)
        {
            ValueWebSocketReceiveResult part;
            try
            {
                part = await _socket.ReceiveAsync(_buffer.AsMemory(length), _end.Token);
            }
            catch (Exception problem) when (problem is WebSocketException or OperationCanceledException or IOException)
            {
                // Gone without a farewell.
                return (WebSocketMessageType.Close, 0);
            }
            length += part.Count;
            if (part.MessageType == WebSocketMessageType.Close)
                return (WebSocketMessageType.Close, 0);
            if (length > _options.MaxMessageBytes)
                return (part.MessageType, -1);
            if (part.EndOfMessage)
                return (part.MessageType, length);
            if (length == _buffer.Length)
                Grow();
        }
    }

    private void Grow()
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Min(2 * _buffer.Length, _options.MaxMessageBytes + 1));
        _buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    private async Task SendAllAsync()
    {
        try
        {
            while (await _outbox.TakeAsync(_end.Token) is { Message: SharedMessage message } next)
            {
                try
                {
                    await SendAsync(message, next.Dropped);
                }
                finally
                {
                    message.Release();
                }
            }
            if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                await _socket.CloseOutputAsync(_closing?.Closes() ?? WebSocketCloseStatus.NormalClosure, _closing?.Name(), _end.Token);
        }
        catch (Exception problem) when (problem is OperationCanceledException or WebSocketException or IOException
            or ObjectDisposedException or InvalidOperationException)
        {
            // Nobody reads any more; the receiving loop finds out too.
            Abort(ErrorCode.Slow);
        }
    }

    private async Task SendAsync(SharedMessage message, long dropped)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        time.CancelAfter(_options.SlowReader);
        WebSocketMessageType type = message.IsBinary ? WebSocketMessageType.Binary : WebSocketMessageType.Text;
        await _socket.SendAsync(dropped == 0 ? message.Bytes : FrameMessage.WithDropped(message, dropped), type, endOfMessage: true,
            time.Token);
        if (message.IsFrame)
            ServingMetrics.FramesSent.Add(1);
    }

    private void Abort(ErrorCode code)
    {
        _closing ??= code;
        _outbox.Close();
        try
        {
            // What waits for it may continue at once, and the caller may be the thread that computes for everybody.
            _ = _end.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It has ended by itself.
        }
    }

    // The other side's farewell, so that it does not take the end of the connection for a fault; what else it still sends is not looked at.
    private async Task AwaitFarewellAsync()
    {
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            while (_socket.State == WebSocketState.CloseSent && (await _socket.ReceiveAsync(_buffer.AsMemory(), time.Token))
                .MessageType != WebSocketMessageType.Close)
            {
            }
        }
        catch (Exception problem) when (problem is WebSocketException or OperationCanceledException or IOException)
        {
            _socket.Abort();
        }
    }

    [LoggerMessage(10, LogLevel.Error, "A live message failed with {Error}: {Fault}")]
    private static partial void LogFault(ILogger log, string error, string fault);
}
