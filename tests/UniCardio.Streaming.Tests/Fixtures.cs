using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;
using UniCardio.Signals.Synthesis;
using UniCardio.Weights;

namespace UniCardio.Streaming.Tests;

/// <summary>A clock that stands still until it is moved.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long _ticks = 1_000_000_000;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    public void Advance(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);
}

internal static class Make
{
    /// <summary>A network with the published window and next to no weights; untrained, so its output is noise with the right
    /// shapes.</summary>
    public static ModelConfiguration Small { get; } =
        new() { Channels = 30, Heads = 3, Blocks = 1, FeedForward = 8, Embedding = 8, SamplesPerToken = 5 };

    public static LiveSampling Quick { get; } =
        new() { Draws = 3, Sampler = new SamplerOptions { Kind = SamplerKind.Ddim, Steps = 2, Eta = 1 } };

    public static InferenceEngine Engine(int threads = 1) =>
        new(new WeightRecipe(77, Small).Create(), new EngineOptions { Threads = threads }, ownsWeights: true);

    public static StreamingHost Host(InferenceEngine engine, TimeProvider? time = null, StreamingHostOptions? options = null) =>
        new(engine, (options ?? new StreamingHostOptions()) with { OwnThread = false }, time ?? new ManualTime());

    public static StreamingSessionOptions Options(double ppg = 125, double bp = 125, double ecg = 125) => new()
    {
        Ppg = new ChannelOptions(ppg),
        Bp = new ChannelOptions(bp),
        Ecg = new ChannelOptions(ecg),
        Sampling = Quick,
        Seed = 11,
    };

    public static TimeSpan Seconds(double seconds) => TimeSpan.FromTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond));

    public static int[] Bits(IEnumerable<float> values) => [.. values.Select(BitConverter.SingleToInt32Bits)];
}

/// <summary>PPG, BP and ECG of a synthetic heart, each at its own rate, from time 0 on; NaN is not sent.</summary>
internal sealed class Patient
{
    private readonly float[][] _signals;

    public Patient(double seconds, StreamingSessionOptions options, ulong seed = 5)
    {
        _signals = [.. Modalities.All.Select(m =>
        {
            if (options.Channel(m) is not { } channel)
                return [];
            SyntheticRecording heart = new CardiovascularSynthesizer()
                .Generate(new SynthesisParameters { SampleRate = channel.SampleRate }, (int)Math.Round(seconds * channel.SampleRate), seed);
            return m switch { Modality.Ppg => heart.Ppg, Modality.Bp => heart.BloodPressure, _ => heart.Ecg };
        })];
        Options = options;
        Duration = seconds;
    }

    public StreamingSessionOptions Options { get; }

    public double Duration { get; }

    public float[] this[Modality modality] => _signals[(int)modality];

    public double Rate(Modality modality) => Options.Channel(modality)!.SampleRate;

    /// <summary>Takes a stretch away.</summary>
    public Patient Drop(Modality modality, double from, double to)
    {
        double rate = Rate(modality);
        int first = (int)Math.Round(from * rate), end = Math.Min(this[modality].Length, (int)Math.Round(to * rate));
        this[modality].AsSpan(first, end - first).Fill(float.NaN);
        return this;
    }

    /// <summary>Changes a stretch.</summary>
    public Patient Change(Modality modality, double from, double to, Func<float, float> change)
    {
        double rate = Rate(modality);
        for (int i = (int)Math.Round(from * rate); i < Math.Min(this[modality].Length, (int)Math.Round(to * rate)); i++)
            this[modality][i] = change(this[modality][i]);
        return this;
    }

    /// <summary>The blocks of all channels in order of time, cut every so often; stretches that are NaN are not sent.</summary>
    public IEnumerable<Block> Blocks(Func<Modality, double> seconds, double from = 0, double? to = null)
    {
        var blocks = new List<Block>();
        foreach (Modality modality in Modalities.All.Where(m => this[m].Length > 0))
        {
            double rate = Rate(modality);
            int end = Math.Min(this[modality].Length, (int)Math.Round((to ?? Duration) * rate));
            for (int at = (int)Math.Round(from * rate); at < end;)
            {
                int next = Math.Min(end, at + Math.Max(1, (int)Math.Round(seconds(modality) * rate)));
                foreach ((int first, int last) in Runs(this[modality], at, next))
                    blocks.Add(new Block(modality, Make.Seconds(first / rate), this[modality][first..last]));
                at = next;
            }
        }
        return blocks.OrderBy(b => b.Time);
    }

    public IEnumerable<Block> Blocks(double seconds) => Blocks(_ => seconds);

    private static IEnumerable<(int First, int Last)> Runs(float[] signal, int from, int to)
    {
        for (int i = from; i < to;)
        {
            int first = i;
            while (i < to && float.IsNaN(signal[i]) == float.IsNaN(signal[first]))
                i++;
            if (!float.IsNaN(signal[first]))
                yield return (first, i);
        }
    }
}

internal sealed record Block(Modality Modality, TimeSpan Time, float[] Samples);

/// <summary>Collects copies of the frames of a session.</summary>
internal sealed class Frames
{
    public List<StreamingFrame> All { get; } = [];

    public void Handle(StreamingSession session, StreamingFrame frame) => All.Add(frame.Clone());

    /// <summary>Frames follow each other in number and in time.</summary>
    public void CheckContinuity()
    {
        for (int i = 0; i < All.Count; i++)
        {
            Assert.Equal(i + All[0].Index, All[i].Index);
            if (i > 0 && All[i].Segment == All[i - 1].Segment)
                Assert.Equal(All[i - 1].End, All[i].Start);
        }
    }

    public float[] Values(Modality modality) => [.. All.SelectMany(f => f.Values(modality).ToArray())];

    public float[] Low(Modality modality) => [.. All.SelectMany(f => f.Low(modality).ToArray())];

    public float[] High(Modality modality) => [.. All.SelectMany(f => f.High(modality).ToArray())];

    public Provenance[] Provenances(Modality modality) => [.. All.SelectMany(f => f.Provenance(modality).ToArray())];

    public static void Same(Frames expected, Frames actual, bool delays = false)
    {
        Assert.Equal(expected.All.Count, actual.All.Count);
        for (int i = 0; i < expected.All.Count; i++)
            Same(expected.All[i], actual.All[i], delays);
    }

    public static void Same(StreamingFrame expected, StreamingFrame actual, bool delays = false)
    {
        Assert.Equal((expected.Index, expected.Segment, expected.Start, expected.Count, expected.IsLast, expected.Window),
            (actual.Index, actual.Segment, actual.Start, actual.Count, actual.IsLast, actual.Window));
        if (delays)
            Assert.Equal(expected.AlgorithmicDelay, actual.AlgorithmicDelay);
        foreach (Modality m in Modalities.All)
        {
            Assert.Equal(expected.Status(m), actual.Status(m));
            Assert.Equal(expected.Provenance(m).ToArray(), actual.Provenance(m).ToArray());
            Assert.Equal(Make.Bits(expected.Values(m).ToArray()), Make.Bits(actual.Values(m).ToArray()));
            Assert.Equal(Make.Bits(expected.Low(m).ToArray()), Make.Bits(actual.Low(m).ToArray()));
            Assert.Equal(Make.Bits(expected.High(m).ToArray()), Make.Bits(actual.High(m).ToArray()));
            Assert.Equal(Make.Bits(expected.Measured(m).ToArray()), Make.Bits(actual.Measured(m).ToArray()));
        }
    }
}

/// <summary>Runs blocks through a session of its own host, computing after every push.</summary>
internal static class Live
{
    /// <summary>Two hosts: the first takes blocks up to the cut and computes up to an earlier one, so that hops wait when the end comes;
    /// the second is given its checkpoint and the rest.</summary>
    public static Frames Across(InferenceEngine engine, StreamingSessionOptions options, Block[] blocks, int cut, int computed,
        Action<StreamingSession>? look = null)
    {
        var frames = new Frames();
        byte[] checkpoint;
        using (StreamingHost first = Make.Host(engine))
        {
            using StreamingSession session = first.Open(options, frames.Handle);
            for (int i = 0; i < cut; i++)
            {
                session.Push(blocks[i].Modality, blocks[i].Time, blocks[i].Samples);
                if (i < computed)
                    first.RunPending();
            }
            checkpoint = session.Checkpoint();
        }

        using StreamingHost second = Make.Host(engine);
        using StreamingSession restored = second.Restore(checkpoint, frames.Handle);
        Assert.Equal(checkpoint, restored.Checkpoint());
        for (int i = cut; i < blocks.Length; i++)
        {
            restored.Push(blocks[i].Modality, blocks[i].Time, blocks[i].Samples);
            second.RunPending();
        }
        restored.Complete();
        second.RunPending();
        look?.Invoke(restored);
        return frames;
    }

    public static Frames Run(InferenceEngine engine, StreamingSessionOptions options, IEnumerable<Block> blocks, bool complete = true,
        Action<StreamingSession>? look = null)
    {
        using StreamingHost host = Make.Host(engine);
        var frames = new Frames();
        using StreamingSession session = host.Open(options, frames.Handle);
        foreach (Block block in blocks)
        {
            session.Push(block.Modality, block.Time, block.Samples);
            host.RunPending();
        }
        if (complete)
            session.Complete();
        host.RunPending();
        Assert.Null(session.Fault);
        Assert.Null(host.Failure);
        look?.Invoke(session);
        return frames;
    }
}
