using System.Text.Json.Nodes;
using UniCardio.Engine.Model;
using UniCardio.Serving.Hosting;
using UniCardio.Serving.Protocol;
using UniCardio.Streaming;

namespace UniCardio.Serving.Live;

/// <summary>One patient: at most one session, any number of connections that share it.</summary>
internal sealed class Patient(string name, PatientRegistry registry)
{
    private readonly Lock _lock = new();
    private volatile LiveConnection[] _connections = [];
    private volatile LiveSession? _session;
    private long _lingering;
    private bool _lingers;
    private bool _isRemoved;

    public string Name => name;

    /// <summary>Who is connected; a copy that nobody changes.</summary>
    public LiveConnection[] Connections => _connections;

    public LiveSession? Session => _session;

    /// <summary>Adds a connection.</summary>
    /// <returns>False if the patient has just been removed; the registry then makes a new one.</returns>
    public bool TryAttach(LiveConnection connection)
    {
        lock (_lock)
        {
            if (_isRemoved)
                return false;
            connection.Send(ProtocolJson.Bytes(Hello()));
            _connections = [.. _connections, connection];
            return true;
        }
    }

    public void Detach(LiveConnection connection)
    {
        lock (_lock)
        {
            _connections = [.. _connections.Where(c => c != connection)];
            Settle();
        }
    }

    /// <summary>Opens a session or continues the one that is open.</summary>
    public void Open(OpenMessage message, Served served, LiveConnection from)
    {
        lock (_lock)
        {
            if (_session is LiveSession open && !message.Restart)
            {
                if (!open.Source.IsDevice || !HasChannels(open, message.Channels))
                    throw new ProtocolException(ErrorCode.Conflict,
                        "a session with other channels or from a recording is open; send \"restart\": true to end it, or stop");
                open.Apply(message.Settings);
                from.Pushes();
                Tell(open, message.Id, from);
                Settle();
                return;
            }
            StreamingSessionOptions options = registry.OptionsOf(message.Settings) with
            {
                Ppg = message.Channels.GetValueOrDefault(Modality.Ppg),
                Bp = message.Channels.GetValueOrDefault(Modality.Bp),
                Ecg = message.Channels.GetValueOrDefault(Modality.Ecg),
            };
            if (!message.Wait)
                registry.CheckLoad(options.Generate | options.Denoise, served);
            from.Pushes();
            Start(Begin(() => LiveSession.Open(this, served.Live, message.Wait ? Patiently(options) : options,
                message.Settings.Muted ?? ModalitySet.None, LiveSource.Device)), message.Id, from);
        }
    }

    /// <summary>Replays a recording in place of what is open.</summary>
    public void Replay(Replay replay, LiveSettings settings, Served served, JsonNode? id, LiveConnection? from)
    {
        lock (_lock)
        {
            StreamingSessionOptions options = replay.Channels(registry.OptionsOf(settings));
            if (from is not null && replay.Source.Speed <= 1)
                registry.CheckLoad(options.Generate | options.Denoise, served);
            // Faster than real time it waits for the machine, so that nothing is skipped.
            LiveSession session = Begin(() => LiveSession.Open(this, served.Live, replay.Source.Speed > 1 ? Patiently(options) : options,
                settings.Muted ?? ModalitySet.None, replay.Source));
            Start(session, id, from);
            CancellationToken feeding = session.Feeding.Token;
            registry.Run(() => replay.RunAsync(session.Streaming, () => session.WaitingHops, feeding), session, this);
        }
    }

    /// <summary>Continues a session from a checkpoint.</summary>
    public void Restore(byte[] checkpoint, Served served)
    {
        lock (_lock)
        {
            try
            {
                _session = LiveSession.Restore(this, served.Live, checkpoint);
            }
            finally
            {
                Settle();
            }
        }
    }

    public void Set(SetMessage message, LiveConnection from)
    {
        lock (_lock)
        {
            LiveSession session = Require();
            session.Apply(message.Settings);
            Tell(session, message.Id, from);
        }
    }

    /// <exception cref="ProtocolException">No session is open.</exception>
    public LiveSession Require() =>
        _session ?? throw new ProtocolException(ErrorCode.Conflict, "no session is open; send open or replay first");

    /// <summary>Ends a session and tells everybody.</summary>
    public void End(LiveSession session, string reason, string message, JsonNode? id = null, LiveConnection? from = null)
    {
        if (!session.TryEnd())
            return;
        session.Dispose();
        lock (_lock)
        {
            if (_session == session)
                _session = null;
            Broadcast(i => ProtocolJson.Bytes(new EndedMessage("ended", reason, message, i)), id, from);
            Settle();
        }
        registry.HasEnded(this, session, reason);
    }

    /// <summary>
    /// Removes the patient if nothing is left of it; starts or stops the time that a session may stay without its device.
    /// </summary>
    private void Settle()
    {
        LiveSession? session = _session;
        bool isFed = session is null || session.Source.Kind == "demo"
            || (session.Source.IsDevice ? Array.Exists(_connections, c => c.HasPushed) : _connections.Length > 0);
        if (isFed == _lingers)
        {
            _lingers = !isFed;
            _lingering++;
            if (_lingers)
                _ = EndIdleAsync(session!, _lingering);
        }
        if (session is null && _connections.Length == 0 && !_isRemoved)
            _isRemoved = registry.Remove(this);
    }

    private async Task EndIdleAsync(LiveSession session, long lingering)
    {
        await Task.Delay(registry.Linger).ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        lock (_lock)
        {
            if (_lingering != lingering)
                return;
        }
        End(session, "idle", "no connection has pushed samples for a while");
    }

    private static T Begin<T>(Func<T> open)
    {
        try
        {
            return open();
        }
        catch (TooManySessionsException problem)
        {
            throw new ProtocolException(ErrorCode.Full, "as many patients as this server allows have a session", problem);
        }
    }

    private void Start(LiveSession session, JsonNode? id, LiveConnection? from)
    {
        LiveSession? old = _session;
        _session = session;
        if (old is not null)
            End(old, "replaced", "another session takes its place");
        Tell(session, id, from);
        Settle();
        registry.HasStarted(session);
    }

    private static bool HasChannels(LiveSession session, IReadOnlyDictionary<Modality, ChannelOptions> channels) =>
        Modalities.All.All(m => session.Streaming.Options.Channel(m)?.SampleRate == channels.GetValueOrDefault(m)?.SampleRate);

    private static StreamingSessionOptions Patiently(StreamingSessionOptions options) => options with { Deadline = TimeSpan.FromHours(1) };

    private void Tell(LiveSession session, JsonNode? id, LiveConnection? from)
    {
        JsonObject state =
            System.Text.Json.JsonSerializer.SerializeToNode(session.State(registry.Configuration), ProtocolJson.Options)!.AsObject();
        Broadcast(i =>
            ProtocolJson.Bytes(new JsonObject([new("type", "session"),
            .. state.Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())), new("id", i?.DeepClone())])), id, from);
        registry.HasChanged();
    }

    // The id goes to the one who sent it.
    private void Broadcast(Func<JsonNode?, byte[]> message, JsonNode? id, LiveConnection? from)
    {
        byte[] plain = message(null);
        foreach (LiveConnection connection in _connections)
            connection.Send(connection == from && id is not null ? message(id) : plain);
    }

    private HelloMessage Hello()
    {
        Served? served = registry.Served;
        double window = served is null ? 0 : served.Model.Engine.Configuration.SlotSamples / StreamingFrame.SampleRate;
        return new HelloMessage
        {
            Type = "hello", Protocol = LiveProtocol.Version, Patient = name, Ready = registry.IsReady,
            Weights = served?.Model.Description, Remark = Signals.Plotting.SignalPlot.Disclaimer, SampleRate = StreamingFrame.SampleRate,
            Window = window, Session = _session?.State(registry.Configuration),
            Network = served?.Model.Name, Untrained = served?.Model.IsUntrained,
        };
    }
}
