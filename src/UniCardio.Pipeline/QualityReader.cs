using UniCardio.Engine.Quality;
using UniCardio.Signals.Quality;

namespace UniCardio.Pipeline;

/// <summary>What the quality network says of a pair of signals, second by second.</summary>
/// <param name="Quality">[2][seconds] estimated quality of pulse and ECG, 0 to 1.</param>
/// <param name="Readable">[2][seconds] estimated probability that the heart rate of the ten seconds that end there is right.</param>
/// <param name="Rhythm">[seconds] probabilities of sinus rhythm, fibrillation, ectopic beats and a ventricular run in the window about the
/// second.</param>
internal sealed record QualityReading(float[][] Quality, float[][] Readable, float[][] Rhythm);

/// <summary>Runs the quality network over signals of any length: windows of its length, a third of a window apart, of each second the
/// window that it stands deepest in.</summary>
internal sealed class QualityReader
{
    /// <summary>Samples a second of what it reads.</summary>
    public const int Rate = QualityTrack.WorkRate;

    private readonly IQualityNetwork _network;
    private readonly int _seconds;

    /// <summary>Creates a reader.</summary>
    /// <param name="network">A network of two signals (or of them and their indices) whose tokens are seconds at 125 Hz; it stays the
    /// caller's.</param>
    /// <exception cref="ArgumentException">Its tokens are no seconds, or its channels are not those.</exception>
    public QualityReader(IQualityNetwork network)
    {
        ArgumentNullException.ThrowIfNull(network);
        QualityConfiguration m = network.Configuration;
        if ((m.Channels != 2 && !QualityInputs.TakesIndices(m)) || m.Samples % Rate != 0 || m.Tokens != m.Samples / Rate)
            throw new ArgumentException("The network's tokens are not the seconds of two signals at 125 Hz.", nameof(network));
        _network = network;
        _seconds = m.Tokens;
    }

    /// <summary>Reads signals of the same time, window by window.</summary>
    /// <param name="pulse">A PPG or pressure; null for none.</param>
    /// <param name="ecg">An ECG; null for none.</param>
    /// <param name="cancellation">Stops between windows.</param>
    /// <exception cref="ArgumentException">Neither is there.</exception>
    public QualityReading Read(QualityTrack? pulse, QualityTrack? ecg, CancellationToken cancellation = default)
    {
        var source = new Source(_network.Configuration, pulse, ecg);
        int seconds = source.Seconds;
        QualityReading reading = Empty(seconds);
        int[] depth = new int[seconds];
        Array.Fill(depth, -1);
        int hop = Math.Max(1, _seconds / 3), last = Math.Max(0, seconds - _seconds);
        for (int from = 0; from < last + hop; from += hop)
        {
            cancellation.ThrowIfCancellationRequested();
            int start = Math.Min(from, last);
            float[] features = Encode(source, start, _seconds);
            float[] marks = Marks(features), shares = Rhythm(features);
            for (int s = start; s < Math.Min(seconds, start + _seconds); s++)
            {
                int at = s - start, deep = Math.Min(at, _seconds - 1 - at);
                if (deep <= depth[s])
                    continue;
                depth[s] = deep;
                Set(reading, s, marks.AsSpan(4 * at, 4), shares);
            }
        }

        return reading;
    }

    /// <summary>Reads signals of the same time in one pass over all of them, however long: the windowed attention's cost is linear in the
    /// seconds. Of a recording of the network's own length it is what <see cref="Read"/> gives. The rhythm of a second is that of the
    /// tokens about it, as many as a window has.</summary>
    /// <remarks>Scales, norms and position codes are then those of the whole recording: a network that was trained on windows of 30 s has
    /// seen none as long.</remarks>
    /// <param name="pulse">A PPG or pressure; null for none.</param>
    /// <param name="ecg">An ECG; null for none.</param>
    /// <param name="features">[seconds, d] of every second.</param>
    /// <exception cref="ArgumentException">Neither is there.</exception>
    public QualityReading ReadInOnePass(QualityTrack? pulse, QualityTrack? ecg, out float[] features)
    {
        var source = new Source(_network.Configuration, pulse, ecg);
        int seconds = source.Seconds, encoded = Math.Max(seconds, _seconds), d = _network.Configuration.Width;
        QualityReading reading = Empty(seconds);
        features = Encode(source, 0, encoded);
        float[] marks = Marks(features);
        for (int s = 0; s < seconds; s++)
        {
            int first = Math.Clamp(s - (_seconds / 2), 0, encoded - _seconds);
            Set(reading, s, marks.AsSpan(4 * s, 4), Rhythm(features.AsSpan(first * d, _seconds * d)));
        }

        features = features[..(seconds * d)];
        return reading;
    }

    private static QualityReading Empty(int seconds) =>
        new([new float[seconds], new float[seconds]], [new float[seconds], new float[seconds]], new float[seconds][]);

    private static void Set(QualityReading reading, int second, ReadOnlySpan<float> marks, float[] shares)
    {
        for (int c = 0; c < 2; c++)
        {
            reading.Quality[c][second] = Logistic(marks[c]);
            reading.Readable[c][second] = Logistic(marks[2 + c]);
        }

        reading.Rhythm[second] = shares;
    }

    // [seconds, d]; what is beyond the recording's end is missing.
    private float[] Encode(Source source, int start, int seconds)
    {
        QualityConfiguration m = _network.Configuration;
        float[] window = new float[m.Channels * seconds * Rate], features = new float[seconds * m.Width];
        source.Fill(start, seconds, window);
        _network.Encode(window, 1, features);
        return features;
    }

    private float[] Marks(float[] features)
    {
        int tokens = features.Length / _network.Configuration.Width;
        float[] marks = new float[4 * tokens];
        _network.Head(QualityHead.Quality, features, tokens, marks);
        return marks;
    }

    private float[] Rhythm(ReadOnlySpan<float> features)
    {
        float[] rhythm = new float[QualityCatalog.RhythmClasses];
        _network.Head(QualityHead.Rhythm, features, 1, rhythm);
        return Softmax(rhythm);
    }

    private static float Logistic(float z) => 1 / (1 + MathF.Exp(-z));

    private static float[] Softmax(float[] z)
    {
        float largest = z.Max();
        float[] e = [.. z.Select(v => MathF.Exp(v - largest))];
        float sum = e.Sum();
        return [.. e.Select(v => v / sum)];
    }

    // The two signals, with their indices where the network takes them.
    private sealed class Source
    {
        private readonly QualityConfiguration _m;
        private readonly QualityTrack?[] _tracks;
        private readonly float[][] _indices;

        public Source(QualityConfiguration m, QualityTrack? pulse, QualityTrack? ecg)
        {
            if (pulse is null && ecg is null)
                throw new ArgumentException("Neither a pulse nor an ECG.", nameof(ecg));
            _m = m;
            _tracks = [pulse, ecg];
            _indices = [.. _tracks.Select(t => t is null || !QualityInputs.TakesIndices(m) ? [] : QualityInputs.IndicesOf(t))];
            Seconds = Math.Min(pulse?.Seconds ?? int.MaxValue, ecg?.Seconds ?? int.MaxValue);
        }

        public int Seconds { get; }

        public void Fill(int start, int seconds, Span<float> window)
        {
            int length = Math.Min(seconds, Seconds - start);
            for (int c = 0; c < _tracks.Length; c++)
            {
                if (_tracks[c] is { } track)
                    QualityInputs.Fill(_m, c, track.Work.AsSpan(start * Rate, length * Rate),
                        _indices[c].AsSpan(Math.Min(_indices[c].Length, start * QualityInputs.Indices)), window);
            }
        }
    }
}
