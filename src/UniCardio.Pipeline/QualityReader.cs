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

    /// <summary>Reads signals of the same time.</summary>
    /// <param name="pulse">A PPG or pressure; null for none.</param>
    /// <param name="ecg">An ECG; null for none.</param>
    /// <param name="cancellation">Stops between windows.</param>
    /// <exception cref="ArgumentException">Neither is there.</exception>
    public QualityReading Read(QualityTrack? pulse, QualityTrack? ecg, CancellationToken cancellation = default)
    {
        if (pulse is null && ecg is null)
            throw new ArgumentException("Neither a pulse nor an ECG.", nameof(ecg));
        int seconds = Math.Min(pulse?.Seconds ?? int.MaxValue, ecg?.Seconds ?? int.MaxValue);
        var reading = new QualityReading([new float[seconds], new float[seconds]], [new float[seconds], new float[seconds]],
            new float[seconds][]);
        QualityConfiguration m = _network.Configuration;
        float[] window = new float[m.Channels * m.Samples], features = new float[m.Tokens * m.Width], marks = new float[m.Tokens * 4],
            rhythm = new float[QualityCatalog.RhythmClasses];
        QualityTrack?[] tracks = [pulse, ecg];
        float[][] indices = [.. tracks.Select(t => t is null || !QualityInputs.TakesIndices(m) ? [] : QualityInputs.IndicesOf(t))];
        int[] depth = new int[seconds];
        Array.Fill(depth, -1);
        int hop = Math.Max(1, _seconds / 3), last = Math.Max(0, seconds - _seconds);
        for (int from = 0; from < last + hop; from += hop)
        {
            cancellation.ThrowIfCancellationRequested();
            int start = Math.Min(from, last);
            window.AsSpan().Clear();
            for (int c = 0; c < tracks.Length; c++)
            {
                if (tracks[c] is { } track)
                    QualityInputs.Fill(m, c, track.Work.AsSpan(start * Rate, Math.Min(m.Samples, (seconds - start) * Rate)),
                        indices[c].AsSpan(Math.Min(indices[c].Length, start * QualityInputs.Indices)), window);
            }

            _network.Encode(window, 1, features);
            _network.Head(QualityHead.Quality, features, m.Tokens, marks);
            _network.Head(QualityHead.Rhythm, features, 1, rhythm);
            float[] shares = Softmax(rhythm);
            for (int s = start; s < Math.Min(seconds, start + _seconds); s++)
            {
                int at = s - start, deep = Math.Min(at, _seconds - 1 - at);
                if (deep <= depth[s])
                    continue;
                depth[s] = deep;
                for (int c = 0; c < 2; c++)
                {
                    reading.Quality[c][s] = Logistic(marks[(4 * at) + c]);
                    reading.Readable[c][s] = Logistic(marks[(4 * at) + 2 + c]);
                }

                reading.Rhythm[s] = shares;
            }
        }

        return reading;
    }

    private static float Logistic(float z) => 1 / (1 + MathF.Exp(-z));

    private static float[] Softmax(float[] z)
    {
        float largest = z.Max();
        float[] e = [.. z.Select(v => MathF.Exp(v - largest))];
        float sum = e.Sum();
        return [.. e.Select(v => v / sum)];
    }
}
