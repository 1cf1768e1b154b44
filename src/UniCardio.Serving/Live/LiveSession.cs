using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;
using UniCardio.Serving.Protocol;
using UniCardio.Streaming;

namespace UniCardio.Serving.Live;

/// <summary>Where a session's samples come from.</summary>
internal sealed record LiveSource(string Kind, string? Recording = null, double? Speed = null)
{
    public static LiveSource Device { get; } = new("device");

    public bool IsDevice => Kind == "device";
}

/// <summary>A patient's session: the streaming session and what clients are told of it.</summary>
internal sealed class LiveSession : IDisposable
{
    private static long _numbers;

    private readonly Patient _patient;
    private readonly VitalSigns _vitals = new();
    private StreamingSession? _streaming;
    private long _lastEnd = long.MinValue;
    private long _algorithmic;
    private long _compute;
    private int _segment;
    private int _ended;

    private LiveSession(Patient patient, LiveSource source)
    {
        _patient = patient;
        Source = source;
    }

    /// <summary>Names the session in logs.</summary>
    public long Number { get; } = Interlocked.Increment(ref _numbers);

    public LiveSource Source { get; }

    /// <summary>Stops what feeds the session.</summary>
    public CancellationTokenSource Feeding { get; } = new();

    public StreamingSession Streaming => _streaming!;

    /// <summary>Hops that are not delivered yet.</summary>
    public long WaitingHops
    {
        get
        {
            SessionCounts counts = Streaming.Counts;
            return counts.Hops - counts.Frames;
        }
    }

    /// <summary>Opens a session whose frames go to a patient's connections.</summary>
    public static LiveSession Open(Patient patient, StreamingHost host, StreamingSessionOptions options, ModalitySet muted,
        LiveSource source)
    {
        var session = new LiveSession(patient, source);
        session._streaming = host.Open(options, session.OnFrame);
        session._streaming.MeasuredFirst = true;
        session._streaming.Muted = muted;
        return session;
    }

    /// <summary>Continues a session from a checkpoint.</summary>
    public static LiveSession Restore(Patient patient, StreamingHost host, ReadOnlySpan<byte> checkpoint)
    {
        var session = new LiveSession(patient, LiveSource.Device);
        session._streaming = host.Restore(checkpoint, session.OnFrame);
        session._streaming.MeasuredFirst = true;
        return session;
    }

    /// <summary>Changes what can be changed while it runs.</summary>
    public void Apply(LiveSettings settings)
    {
        // The one that can be refused goes first, so that a message is taken whole or not at all.
        if (settings.Draws is not null || settings.Sampler is not null || settings.Steps is not null)
            Streaming.Sampling = settings.ApplyTo(Streaming.Sampling);
        Streaming.Generate = settings.Generate ?? Streaming.Generate;
        Streaming.Denoise = settings.Denoise ?? Streaming.Denoise;
        Streaming.Muted = settings.Muted ?? Streaming.Muted;
    }

    /// <summary>True for the one who ends it.</summary>
    public bool TryEnd() => Interlocked.Exchange(ref _ended, 1) == 0;

    public SessionState State(ModelConfiguration configuration)
    {
        StreamingSession s = Streaming;
        LiveSampling sampling = s.Sampling;
        return new SessionState
        {
            Session = Number,
            Source = Source.Kind,
            Recording = Source.Recording,
            Speed = Source.Speed,
            Channels = Modalities.All.Where(m => s.Options.Channel(m) is not null)
                .ToDictionary(m => m.Name(), m => new ChannelState(s.Options.Channel(m)!.SampleRate)),
            Generate = LiveProtocol.Names(s.Generate),
            Denoise = LiveProtocol.Names(s.Denoise),
            Muted = LiveProtocol.Names(s.Muted),
            Draws = sampling.Draws,
            Sampler = sampling.Sampler.For(configuration).ToString(),
            Steps = new WindowShape(CardioTask.Impute(Modality.Bp), sampling.Draws, sampling.Sampler).Steps(configuration),
            Seed = s.Options.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture),
            Window = s.Options.Window!.Value.TotalSeconds,
            Hop = s.Options.Hop.TotalSeconds,
            Lateness = s.Options.MaximumLateness.TotalSeconds,
            OwnSignals = s.Options.OwnSignals,
            MinIndex = s.Options.MinIndex,
            AlgorithmicDelay = s.AlgorithmicDelay.TotalSeconds,
            Time = Time,
        };
    }

    public PatientState Describe(string patient, int connections)
    {
        StreamingSession s = Streaming;
        SessionCounts counts = s.Counts;
        bool any = Time is not null;
        return new PatientState
        {
            Patient = patient,
            Session = Number,
            Source = Source.Kind,
            Recording = Source.Recording,
            Channels = [.. Modalities.All.Where(m => s.Options.Channel(m) is not null).Select(m => m.Name())],
            Generate = LiveProtocol.Names(s.Generate),
            Denoise = LiveProtocol.Names(s.Denoise),
            Muted = LiveProtocol.Names(s.Muted),
            Time = Time,
            Segment = Volatile.Read(ref _segment),
            AlgorithmicDelay = any ? TimeSpan.FromTicks(Interlocked.Read(ref _algorithmic)).TotalSeconds : null,
            ComputeDelay = any ? TimeSpan.FromTicks(Interlocked.Read(ref _compute)).TotalSeconds : null,
            Hops = counts.Hops,
            SkippedHops = counts.SkippedHops,
            LostHops = counts.LostHops,
            Connections = connections,
        };
    }

    public void Dispose()
    {
        Feeding.Cancel();
        _streaming?.Dispose();
    }

    private double? Time => Interlocked.Read(ref _lastEnd) is long end && end != long.MinValue
        ? TimeSpan.FromTicks(end).TotalSeconds : null;

    // On the host's thread or on one that pushes: encodes once a form, and only if somebody wants it.
    private void OnFrame(StreamingSession session, StreamingFrame frame)
    {
        if (frame.IsPreliminary)
        {
            Send(session, frame, _patient.Connections, static c => c.WantsMeasuredFirst);
            return;
        }
        Interlocked.Exchange(ref _algorithmic, frame.AlgorithmicDelay.Ticks);
        Interlocked.Exchange(ref _compute, frame.ComputeDelay.Ticks);
        Volatile.Write(ref _segment, frame.Segment);
        Interlocked.Exchange(ref _lastEnd, frame.End.Ticks);
        _vitals.Update(frame);
        Send(session, frame, _patient.Connections, static _ => true);
    }

    // Figures are read off whole frames; a preliminary one carries those of the last.
    private void Send(StreamingSession session, StreamingFrame frame, LiveConnection[] connections, Func<LiveConnection, bool> wants)
    {
        SharedMessage? json = null, binary = null;
        foreach (LiveConnection connection in connections)
        {
            if (!wants(connection))
                continue;
            SharedMessage message = connection.WantsBinary ? binary ??= FrameMessage.Binary(frame, session.Counts, _vitals)
                : json ??= FrameMessage.Json(frame, session.Counts, _vitals);
            connection.Send(message.Retain());
        }
        json?.Release();
        binary?.Release();
    }
}
