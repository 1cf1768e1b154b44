using UniCardio.Engine.Model;
using UniCardio.Serving.Hosting;
using UniCardio.Serving.Protocol;
using UniCardio.Signals;
using UniCardio.Streaming;

namespace UniCardio.Serving.Live;

/// <summary>
/// Recordings that are replayed, each loaded once however many replay it, counted in the budget of all requests and freed with its last
/// replay.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA1001", Justification =
    "A semaphore without a wait handle holds nothing; this lives as long as the server.")]
internal sealed class ReplayTracks(ByteBudget budget)
{
    private const long MaxBytes = 256L << 20;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Path, long Length, DateTime Written), Loaded> _loaded = [];
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>A recording's tracks, to be disposed once they are not played any more.</summary>
    /// <exception cref="ProtocolException">It cannot be read, has nothing to play, or there is no memory for it now.</exception>
    public async Task<Shared> LoadAsync(string path, CancellationToken cancellation)
    {
        // One after the other: reading takes more than what is kept, and who comes second finds it loaded.
        await _turn.WaitAsync(cancellation);
        try
        {
            var file = new FileInfo(path);
            (string, long, DateTime) key = (path, file.Exists ? file.Length : 0, file.LastWriteTimeUtc);
            lock (_lock)
            {
                if (_loaded.TryGetValue(key, out Loaded? there))
                    return new Shared(this, key, there);
            }
            Loaded loaded = await Task.Run(() => Load(path, cancellation), cancellation);
            lock (_lock)
            {
                _loaded.Add(key, loaded);
                return new Shared(this, key, loaded);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    // While it is read, half of what is free is taken: the file, the samples of all its channels and those that are kept must fit it.
    private Loaded Load(string path, CancellationToken cancellation)
    {
        ByteBudget.Lease memory;
        try
        {
            memory = budget.Take(Math.Min(MaxBytes, budget.Free / 2));
        }
        catch (RequestException problem)
        {
            throw new ProtocolException(ErrorCode.Full, problem.Message, problem);
        }
        try
        {
            Recording recording = ReplayFolder.Read(path, memory.Bytes, cancellation);
            ReplayTrack[] tracks = [.. Modalities.All.Select(m => ReplayTrack.Of(recording, m)).OfType<ReplayTrack>()];
            if (tracks.Length == 0)
                throw new ProtocolException(ErrorCode.Invalid,
                    $"the recording has no PPG, blood pressure or ECG at {ChannelOptions.MinRate} to {ChannelOptions.MaxRate} Hz "
                    + $"with a sample in it");
            memory.ShrinkTo(tracks.Sum(t => sizeof(float) * (long)t.Samples.Length));
            return new Loaded(tracks, memory);
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    private sealed class Loaded(ReplayTrack[] tracks, ByteBudget.Lease memory)
    {
        public ReplayTrack[] Tracks => tracks;

        public ByteBudget.Lease Memory => memory;

        public int Users { get; set; }
    }

    /// <summary>One user's hold of a recording.</summary>
    public sealed class Shared : IDisposable
    {
        private readonly ReplayTracks _owner;
        private readonly (string, long, DateTime) _key;
        private Loaded? _loaded;

        // Under the owner's lock.
        internal Shared(ReplayTracks owner, (string, long, DateTime) key, object loaded)
        {
            (_owner, _key, _loaded) = (owner, key, (Loaded)loaded);
            _loaded.Users++;
            Tracks = _loaded.Tracks;
        }

        public IReadOnlyList<ReplayTrack> Tracks { get; }

        public void Dispose()
        {
            lock (_owner._lock)
            {
                if (_loaded is not Loaded loaded)
                    return;
                _loaded = null;
                if (--loaded.Users > 0)
                    return;
                _owner._loaded.Remove(_key);
                loaded.Memory.Dispose();
            }
        }
    }
}

/// <summary>A channel to be replayed, in the unit that sessions take.</summary>
internal sealed record ReplayTrack(Modality Modality, double Rate, float[] Samples)
{
    /// <summary>The recording's first channel of a kind; null if there is none that a session takes or it holds nothing.</summary>
    public static ReplayTrack? Of(Recording recording, Modality modality)
    {
        Channel? channel = recording.Find(Pipeline.NetworkSignal.KindOf(modality));
        if (channel is null || channel.SampleRate is < ChannelOptions.MinRate or > ChannelOptions.MaxRate
            || channel.Samples.Span.IndexOfAnyExcept(float.NaN) < 0)
            return null;
        string unit = modality switch { Modality.Bp => SignalUnit.MillimetresOfMercury, Modality.Ecg => "mV", _ => channel.Unit };
        float[] samples = channel.Samples.ToArray();
        if (SignalUnit.TryGetFactor(channel.Unit, unit, out double factor) && factor != 1)
        {
            for (int i = 0; i < samples.Length; i++)
                samples[i] = (float)(samples[i] * factor);
        }
        return new ReplayTrack(modality, channel.SampleRate, samples);
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
