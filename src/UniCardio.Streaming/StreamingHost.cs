using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;

namespace UniCardio.Streaming;

/// <summary>Live sessions of many patients on one engine.</summary>
/// <remarks>
/// <para>
/// Windows of different sessions that run the same task run as one batch; the hop that has waited longest for its <see cref="StreamingSessionOptions.Deadline"/>
/// comes first. When the machine cannot keep up, a session whose hops have missed their deadline jumps to its newest one and keeps its place in the queue: the
/// others are skipped and counted, and what they were to generate is taken from the newer window where it reaches back that far. No sample is lost or reordered,
/// and no session waits for more than one hop of each other one.
/// </para>
/// <para>Safe to use from several threads. After <see cref="WarmUp"/> and a session's first seconds a hop allocates nothing.</para>
/// <para>An example, with an engine made of weights; frames go to the handler as samples come in:</para>
/// <code>
/// using var host = new StreamingHost(engine);
/// host.WarmUp();
/// var options = new StreamingSessionOptions { Ppg = new ChannelOptions(125), Bp = new ChannelOptions(125), Generate = ModalitySet.Bp };
/// using StreamingSession session = host.Open(options, (_, frame) =>
/// {
///     for (int i = 0; i &lt; frame.Count; i++)
///         Draw(frame.TimeOf(i), frame.Values(Modality.Bp)[i], frame.Provenance(Modality.Bp)[i]);
/// });
/// foreach (Block block in Device())
///     session.Push(block.Modality, block.Time, block.Samples);
/// </code>
/// <para>Research software, not a medical device.</para>
/// </remarks>
public sealed class StreamingHost : IDisposable
{
    /// <summary>Makes a host.</summary>
    /// <param name="engine">The engine; it stays the caller's and must outlive the host.</param>
    /// <param name="options">Batches and limits; null for the defaults.</param>
    /// <param name="time">The clock for deadlines and delays; null for the system's.</param>
    /// <exception cref="Engine.ConfigurationException">An option is out of range, or the network's window is not a whole number of samples at 125 Hz from 0.4 to 60 s.</exception>
    public StreamingHost(InferenceEngine engine, StreamingHostOptions? options = null, TimeProvider? time = null) => throw new NotImplementedException();

    /// <summary>The engine.</summary>
    public InferenceEngine Engine => throw new NotImplementedException();

    /// <summary>The options in force.</summary>
    public StreamingHostOptions Options => throw new NotImplementedException();

    /// <summary>Sessions open.</summary>
    public int SessionCount => throw new NotImplementedException();

    /// <summary>Hops that wait for computing.</summary>
    public int QueueLength => throw new NotImplementedException();

    /// <summary>Allocates what computing needs, so that no hop does.</summary>
    /// <param name="tasks">The tasks to expect; null for all that the options of open sessions can lead to, or all there are if none is open.</param>
    /// <param name="sampling">Draws and sampler; null for the default.</param>
    /// <param name="progress">Told the share that is done, 0 to 1.</param>
    /// <param name="cancellation">Stops between tasks.</param>
    /// <exception cref="Engine.ConfigurationException">The sampler does not fit the network or a task.</exception>
    public void WarmUp(IEnumerable<CardioTask>? tasks = null, StreamSampling? sampling = null, IProgress<double>? progress = null, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <summary>Opens a session.</summary>
    /// <param name="options">What it takes and makes.</param>
    /// <param name="handler">Receives the frames; null to read them from <see cref="StreamingSession.ReadAllAsync"/>.</param>
    /// <exception cref="Engine.ConfigurationException">An option is out of range; it is named.</exception>
    /// <exception cref="TooManySessionsException">The host is full.</exception>
    /// <exception cref="ObjectDisposedException">The host is disposed.</exception>
    public StreamingSession Open(StreamingSessionOptions options, FrameHandler? handler = null) => throw new NotImplementedException();

    /// <summary>Goes on with a session where <see cref="StreamingSession.Checkpoint"/> left it: the frames that follow are those that would have followed.</summary>
    /// <param name="checkpoint">What the session wrote. Anything may stand there: it is checked before it is believed.</param>
    /// <param name="handler">As in <see cref="Open"/>.</param>
    /// <exception cref="CheckpointException">It is not a sound checkpoint of a session on a network with this window.</exception>
    /// <exception cref="TooManySessionsException">The host is full.</exception>
    /// <exception cref="ObjectDisposedException">The host is disposed.</exception>
    public StreamingSession Restore(ReadOnlySpan<byte> checkpoint, FrameHandler? handler = null) => throw new NotImplementedException();

    /// <summary>Computes and delivers on the calling thread until no hop waits. Only where <see cref="StreamingHostOptions.OwnThread"/> is off.</summary>
    /// <param name="cancellation">Stops at the next sampler step; the batch under way is computed again by the next call.</param>
    /// <returns>Batches computed.</returns>
    /// <exception cref="InvalidOperationException">The host has a thread of its own, or another call is under way.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public int RunPending(CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <summary>Waits until no hop waits or is computed.</summary>
    /// <param name="cancellation">Stops waiting.</param>
    public Task DrainAsync(CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <summary>Stops computing at the next sampler step and closes every session. Call <see cref="DrainAsync"/> first to finish what waits.</summary>
    public void Dispose() => throw new NotImplementedException();
}
