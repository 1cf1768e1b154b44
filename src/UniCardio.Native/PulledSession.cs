using System.Collections.Concurrent;
using UniCardio.Streaming;

namespace UniCardio.Native;

/// <summary>A live session whose frames wait to be taken; the oldest goes where nobody takes them.</summary>
internal sealed class PulledSession : IDisposable
{
    private const int MaxWaiting = 256;

    private readonly BlockingCollection<StreamingFrame> _frames = new(new ConcurrentQueue<StreamingFrame>());
    private volatile bool _isOver;

    public PulledSession(CardioModel model, StreamingSessionOptions options) => Session = model.OpenSession(options, (_, frame) =>
    {
        while (_frames.Count >= MaxWaiting)
            _frames.TryTake(out StreamingFrame? _);
        // The session uses its own again for the next one.
        _frames.Add(frame.Clone());
        if (frame.IsLast)
            _frames.CompleteAdding();
    });

    public StreamingSession Session { get; }

    /// <summary>Whether the last frame has been taken.</summary>
    public bool IsOver => _isOver || _frames.IsCompleted;

    /// <exception cref="SessionClosedException">The session failed.</exception>
    public bool TryTake(int milliseconds, out StreamingFrame? frame)
    {
        if (_frames.TryTake(out frame, Math.Max(0, milliseconds)))
        {
            _isOver = frame.IsLast;
            return true;
        }
        return Session.Fault is { } fault ? throw fault : false;
    }

    public void Dispose()
    {
        Session.Dispose();
        _frames.Dispose();
    }
}
