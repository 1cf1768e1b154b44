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

    private readonly Track[] _tracks;
    private readonly double _duration;
    private readonly bool _loops;

    private Replay(Track[] tracks, LiveSource source, bool loops)
    {
        _tracks = tracks;
        _duration = tracks.Max(t => t.Samples.Length / t.Rate);
        _loops = loops;
        Source = source;
    }

    public LiveSource Source { get; }

    /// <summary>Prepares a replay.</summary>
    /// <param name="recording">The recording.</param>
    /// <param name="source">What to call it, and its speed.</param>
    /// <param name="loops">Whether it starts over at its end; time continues.</param>
    /// <exception cref="ProtocolException">It has no channel that a session takes.</exception>
    public static Replay Of(Recording recording, LiveSource source, bool loops)
    {
        Track[] tracks = [.. Modalities.All.Select(m => Track.Of(recording, m)).OfType<Track>()];
        if (tracks.Length == 0)
            throw new ProtocolException(ErrorCode.Invalid,
                $"the recording has no PPG, blood pressure or ECG at {ChannelOptions.LowestRate} to {ChannelOptions.HighestRate} Hz");
        return new Replay(tracks, source, loops);
    }

    /// <summary>The options with the recording's channels.</summary>
    public StreamingSessionOptions Channels(StreamingSessionOptions options)
    {
        foreach (Track track in _tracks)
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
                    foreach (Track track in _tracks)
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
    }

    private sealed record Track(Modality Modality, double Rate, float[] Samples)
    {
        public static Track? Of(Recording recording, Modality modality)
        {
            Channel? channel = recording.Find(Pipeline.NetworkSignal.KindOf(modality));
            if (channel is null || channel.SampleRate is < ChannelOptions.LowestRate or > ChannelOptions.HighestRate || channel.Length == 0)
                return null;
            string unit = modality switch { Modality.Bp => SignalUnit.MillimetresOfMercury, Modality.Ecg => "mV", _ => channel.Unit };
            float[] samples = channel.Samples.ToArray();
            if (SignalUnit.TryGetFactor(channel.Unit, unit, out double factor) && factor != 1)
            {
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = (float)(samples[i] * factor);
            }
            return new Track(modality, channel.SampleRate, samples);
        }

        public void Push(StreamingSession session, double offset, double from, double to)
        {
            int first = Index(from), end = Index(to);
            if (end > first)
                session.Push(Modality, TimeSpan.FromSeconds(offset + (first / Rate)), Samples.AsSpan(first, end - first));
        }

        // Blocks follow each other without a hole: the end of one is the start of the next, whatever is rounded.
        private int Index(double seconds) => (int)Math.Min(Samples.Length, Math.Floor((seconds * Rate) + 1e-6));
    }
}
