using System.Collections.Concurrent;
using System.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Serving.Hosting;
using UniCardio.Serving.Protocol;
using UniCardio.Streaming;

namespace UniCardio.Serving.Live;

/// <summary>All patients of a server.</summary>
internal sealed partial class PatientRegistry(ServerOptions options, ModelHost host, ByteBudget budget,
    ILogger<PatientRegistry> log)
{
    // The part of a window that networks are trained to fill.
    private const double ImputedShare = 0.3;

    private readonly ConcurrentDictionary<string, Patient> _patients = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<LiveConnection, byte> _connections = new();
    private readonly ReplayFolder _recordings = new(options.Recordings);
    private readonly ReplayTracks _tracks = new(budget);
    private int _connectionCount;
    private long _changes;

    /// <summary>What computes, or null.</summary>
    public Served? Served => host.Served;

    /// <summary>Whether sessions can be opened.</summary>
    public bool IsReady => host.IsReady;

    public TimeSpan Linger => options.Linger;

    /// <summary>The network's sizes; only where a session is open.</summary>
    public ModelConfiguration Configuration => Served!.Model.Engine.Configuration;

    /// <summary>Live connections and event streams.</summary>
    public int ConnectionCount => Volatile.Read(ref _connectionCount);

    /// <summary>Grows with every session that begins, changes or ends.</summary>
    public long Changes => Interlocked.Read(ref _changes);

    /// <summary>Patients with a session.</summary>
    public IEnumerable<(Patient Patient, LiveSession Session)> Sessions => _patients.Values.Select(p => (p, p.Session!))
        .Where(p => p.Item2 is not null);

    /// <exception cref="ProtocolException">The server is not ready, or not any more.</exception>
    public Served Require()
    {
        try
        {
            return host.Require();
        }
        catch (RequestException problem)
        {
            throw new ProtocolException(host.IsStopping ? ErrorCode.Shutdown : ErrorCode.NotReady, problem.Message, problem);
        }
    }

    /// <summary>Counts a connection.</summary>
    /// <exception cref="RequestException">There are too many.</exception>
    public void Enter()
    {
        if (Interlocked.Increment(ref _connectionCount) > options.MaxConnections)
        {
            Interlocked.Decrement(ref _connectionCount);
            throw RequestException.Unavailable($"{options.MaxConnections} connections are open, which is as many as this server allows", 5);
        }
        Metrics.ServingMetrics.Connections.Add(1);
    }

    public void Leave()
    {
        Interlocked.Decrement(ref _connectionCount);
        Metrics.ServingMetrics.Connections.Add(-1);
    }

    /// <summary>Refuses a connection for a patient that could get no session.</summary>
    /// <exception cref="RequestException">The server is full or going down.</exception>
    public void CheckRoom(string patient)
    {
        if (host.IsStopping)
            throw RequestException.Unavailable("the server is shutting down", 5);
        if (_patients.GetValueOrDefault(patient)?.Session is null && Sessions.Count() >= options.MaxPatients)
            throw RequestException.Unavailable($"{options.MaxPatients} patients have a session, which is as many as this server allows", 5);
    }

    /// <summary>Serves a connection until it closes.</summary>
    public async Task RunAsync(string patient, LiveConnection connection)
    {
        Patient found;
        while (!(found = _patients.GetOrAdd(patient, name => new Patient(name, this))).TryAttach(connection))
        {
        }
        _connections.TryAdd(connection, 0);
        try
        {
            if (host.IsStopping)
                connection.ShutDown();
            await connection.RunAsync(found);
        }
        finally
        {
            _connections.TryRemove(connection, out _);
        }
    }

    public bool Remove(Patient patient) => _patients.TryRemove(KeyValuePair.Create(patient.Name, patient));

    /// <exception cref="ProtocolException">More draws than allowed.</exception>
    public void CheckDraws(LiveSettings settings)
    {
        if (settings.Draws > options.MaxDraws)
            throw new ProtocolException(ErrorCode.Invalid,
                $"draws: {settings.Draws} is not between 1 and {options.MaxDraws}, as many as this server allows");
    }

    /// <summary>Refuses a session that would have the machine compute more than it has been measured to be able to.</summary>
    /// <param name="computed">What the session may have it compute.</param>
    /// <param name="served">What computes.</param>
    /// <exception cref="ProtocolException">There is no room.</exception>
    public void CheckLoad(ModalitySet computed, Served served)
    {
        StreamingLoad load = served.Live.Load;
        // The new one is taken to ask for as much as the others do on average.
        double next = load.Share * (1 + (1.0 / Math.Max(1, served.Live.SessionCount)));
        // A machine that stands still for half of the time was never asked for more than it can do.
        if (computed == ModalitySet.None || load.BusyShare < 0.5 || next <= options.MaxLoad)
            return;
        throw new ProtocolException(ErrorCode.Full, string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"this server has no room to generate for another patient ({load.Demand:0} evaluations of the network a second are asked for "
            + $"and {load.Capacity:0} done): take fewer draws or steps, switch Generate off somewhere, or open with an empty generate to "
            + $"have what is measured alone"));
    }

    /// <summary>Options of a session that has these settings, without channels.</summary>
    public StreamingSessionOptions OptionsOf(LiveSettings settings)
    {
        CheckDraws(settings);
        var defaults = new StreamingSessionOptions();
        TimeSpan hop = settings.Hop ?? DefaultHop(defaults.Hop);
        return defaults with
        {
            Generate = settings.Generate ?? defaults.Generate,
            Denoise = settings.Denoise ?? defaults.Denoise,
            Sampling = settings.ApplyTo(options.Live),
            Seed = settings.Seed ?? defaults.Seed,
            Hop = hop,
            Window = settings.Window ?? defaults.Window,
            MaximumLateness = settings.Lateness ?? defaults.MaximumLateness,
            OwnSignals = settings.OwnSignals ?? options.OwnSignals,
            MinIndex = settings.MinIndex ?? options.MinIndex,
            ImputeFor = SlotTime * ImputedShare < defaults.ImputeFor ? SlotTime * ImputedShare : defaults.ImputeFor,
            Fade = hop / 5 < defaults.Fade ? hop / 5 : defaults.Fade,
        };
    }

    /// <summary>Replays a recording for a patient.</summary>
    public async Task ReplayAsync(Patient patient, ReplayMessage message, LiveConnection from, CancellationToken cancellation)
    {
        Served served = Require();
        string path = _recordings.Find(message.Recording);
        ReplayTracks.Shared tracks = await _tracks.LoadAsync(path, cancellation);
        bool isTaken = false;
        try
        {
            patient.Replay(new Replay(tracks, new LiveSource("replay", message.Recording, message.Speed), message.Loop), message.Settings,
                served, message.Id, from);
            isTaken = true;
        }
        finally
        {
            if (!isTaken)
                tracks.Dispose();
        }
    }

    /// <summary>Replays the demonstration's recording in a loop.</summary>
    public void StartDemo(string path, Served served)
    {
        var replay = new Replay(_tracks.LoadAsync(path, CancellationToken.None).GetAwaiter().GetResult(),
            new LiveSource("demo", Path.GetFileNameWithoutExtension(path), 1), loops: true);
        _patients.GetOrAdd("demo", name => new Patient(name, this)).Replay(replay, new LiveSettings(), served, null, null);
    }

    /// <summary>Continues a patient's session from a checkpoint.</summary>
    public void Restore(string patient, byte[] checkpoint, Served served) => _patients.GetOrAdd(patient, name => new Patient(name, this))
        .Restore(checkpoint, served);

    /// <summary>Watches over a replay.</summary>
    public void Run(Func<Task<bool>> replay, LiveSession session, Patient patient) => _ = Task.Run(async () =>
    {
        try
        {
            if (!await replay())
                return;
            session.Streaming.Complete();
            while (!session.Streaming.IsDrained && session.Streaming.Fault is null && patient.Session == session)
                await Task.Delay(5);
            patient.End(session, "completed", "the recording has come to its end");
        }
#pragma warning disable CA1031 // Nobody awaits this task: what it runs into ends its session, not the server.
        catch (Exception problem)
#pragma warning restore CA1031
        {
            LogReplay(log, session.Number, Fault.Describe(problem));
            patient.End(session, "failed", "the replay failed; the server's log has the cause");
        }
    });

    public PatientList List() =>
        new([.. Sessions.OrderBy(s => s.Patient.Name, StringComparer.Ordinal)
        .Select(s => s.Session.Describe(s.Patient.Name, s.Patient.Connections.Length))], options.MaxPatients);

    public RecordingList Recordings() => new([.. _recordings.List().Keys]);

    public void HasStarted(LiveSession session) =>
        LogStarted(log, session.Number, session.Source.Kind, session.Streaming.Options.Hop.TotalSeconds);

    public void HasChanged() => Interlocked.Increment(ref _changes);

    public void HasEnded(Patient patient, LiveSession session, string reason)
    {
        SessionCounts counts = session.Streaming.Counts;
        LogEnded(log, session.Number, reason, counts.Frames, counts.Windows, counts.SkippedHops);
        HasChanged();
        Ended?.Invoke(patient, session, reason);
    }

    /// <summary>A session has ended.</summary>
    public event Action<Patient, LiveSession, string>? Ended;

    /// <summary>Ends replays and waits until the hops that have come are frames, so long at most.</summary>
    public async Task DrainAsync(TimeSpan time)
    {
        foreach ((_, LiveSession session) in Sessions)
            await session.Feeding.CancelAsync();
        if (Served is Served served && !await IsDrainedAsync(served, time))
            LogUnfinished(log, served.Live.QueueLength);
    }

    /// <summary>Ends everything: sessions are told, connections closed; waits so long at most until they are.</summary>
    public async Task ShutDownAsync(TimeSpan time)
    {
        long start = Stopwatch.GetTimestamp();
        foreach ((Patient patient, LiveSession session) in Sessions)
            patient.End(session, "shutdown", "the server is going down");
        foreach (LiveConnection connection in _connections.Keys)
            connection.ShutDown();
        while (!_connections.IsEmpty && Stopwatch.GetElapsedTime(start) < time)
            await Task.Delay(10);
    }

    // What is computed, and then also handed on: a thread that pushes may be at it. True if all is.
    private async Task<bool> IsDrainedAsync(Served served, TimeSpan time)
    {
        try
        {
            await served.Live.DrainAsync().WaitAsync(time);
        }
        catch (TimeoutException)
        {
            return false;
        }
        for (int i = 0; i < 200 && Sessions.Any(s => !s.Session.Streaming.IsDrained); i++)
            await Task.Delay(5);
        return true;
    }

    // What the network takes at a time.
    private TimeSpan SlotTime => TimeSpan.FromSeconds(Configuration.SlotSamples / StreamingFrame.SampleRate);

    // A network with a short window cannot take the usual hop.
    private TimeSpan DefaultHop(TimeSpan usual) => usual <= SlotTime / 2 ? usual : SlotTime / 2;

    [LoggerMessage(20, LogLevel.Information, "Session {Session} opened: {Source}, hop {Hop} s")]
    private static partial void LogStarted(ILogger log, long session, string source, double hop);

    [LoggerMessage(21, LogLevel.Information,
        "Session {Session} ended: {Reason}; {Frames} frames, {Windows} windows, {Skipped} hops skipped")]
    private static partial void LogEnded(ILogger log, long session, string reason, long frames, long windows, long skipped);

    [LoggerMessage(22, LogLevel.Error, "The replay of session {Session} failed: {Fault}")]
    private static partial void LogReplay(ILogger log, long session, string fault);

    [LoggerMessage(23, LogLevel.Warning, "Shut down with {Hops} hops not computed")]
    private static partial void LogUnfinished(ILogger log, int hops);
}
