using System.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Serving.Protocol;
using UniCardio.Signals;
using UniCardio.Streaming;

namespace UniCardio.Serving.Live;

/// <summary>Plays a recording into a session at real speed or faster: its first channel of each kind, from time 0 on.</summary>
internal sealed class Replay
{
    // Real time between two blocks; a device would send some tens of milliseconds at a time too.
    private const double Beat = 0.04;
    private const int HopsBeforeWaiting = 8;

    private readonly ReplayTracks.Shared _shared;
    private readonly double _duration;
    private readonly bool _loops;

    /// <summary>Prepares a replay.</summary>
    /// <param name="tracks">What is played; given back when it has been.</param>
    /// <param name="source">What to call it, and its speed.</param>
    /// <param name="loops">Whether it starts over at its end; time continues.</param>
    public Replay(ReplayTracks.Shared tracks, LiveSource source, bool loops)
    {
        _shared = tracks;
        _duration = tracks.Tracks.Max(t => t.Samples.Length / t.Rate);
        _loops = loops;
        Source = source;
    }

    public LiveSource Source { get; }

    /// <summary>The options with the recording's channels.</summary>
    public StreamingSessionOptions Channels(StreamingSessionOptions options)
    {
        foreach (ReplayTrack track in _shared.Tracks)
        {
            var channel = new ChannelOptions(track.Rate);
            options = track.Modality switch
            {
                Modality.Ppg => options with { Ppg = channel },
                Modality.Bp => options with { Bp = channel },
                _ => options with { Ecg = channel },
            };
        }
        return options;
    }

    /// <summary>Plays until the end, or for ever; ends quietly when the session does or when cancelled.</summary>
    /// <param name="session">The session.</param>
    /// <param name="waitingHops">Hops of it that wait; faster than real time the replay waits for them.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>Whether it came to the end.</returns>
    public async Task<bool> RunAsync(StreamingSession session, Func<long> waitingHops, CancellationToken cancellation)
    {
        double speed = Source.Speed!.Value;
        try
        {
            double offset = 0;
            do
            {
                long start = Stopwatch.GetTimestamp();
                for (double from = 0; from < _duration; from += Beat * speed)
                {
                    foreach (ReplayTrack track in _shared.Tracks)
                        track.Push(session, offset, from, from + (Beat * speed));
                    while (speed > 1 && waitingHops() > HopsBeforeWaiting)
                        await Task.Delay(1, cancellation);
                    TimeSpan ahead =
                        TimeSpan.FromSeconds(Math.Min(from + (Beat * speed), _duration) / speed) - Stopwatch.GetElapsedTime(start);
                    if (ahead > TimeSpan.Zero)
                        await Task.Delay(ahead, cancellation);
                    cancellation.ThrowIfCancellationRequested();
                }
                offset += _duration;
            }
            while (_loops && offset < TimeSpan.FromDays(3650).TotalSeconds);
            return true;
        }
        catch (Exception problem) when (problem is OperationCanceledException or SessionClosedException or ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            _shared.Dispose();
        }
    }
}
