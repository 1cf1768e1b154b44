using UniCardio.Engine.Quality;

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
    public const int Rate = 125;

    private readonly IQualityNetwork _network;
    private readonly int _seconds;

    /// <summary>Creates a reader.</summary>
    /// <param name="network">A network of two channels whose tokens are seconds at 125 Hz; it stays the caller's.</param>
    /// <exception cref="ArgumentException">Its tokens are no seconds, or it has not two channels.</exception>
    public QualityReader(IQualityNetwork network)
    {
        ArgumentNullException.ThrowIfNull(network);
        QualityConfiguration m = network.Configuration;
        if (m.Channels != 2 || m.Samples % Rate != 0 || m.Tokens != m.Samples / Rate)
            throw new ArgumentException("The network's tokens are not the seconds of two signals at 125 Hz.", nameof(network));
        _network = network;
        _seconds = m.Tokens;
    }

    /// <summary>Reads signals of the same time.</summary>
    /// <param name="pulse">[n] a PPG or pressure at 125 Hz, NaN where missing; empty for none.</param>
    /// <param name="ecg">[n] an ECG at 125 Hz; empty for none.</param>
    /// <param name="cancellation">Stops between windows.</param>
    /// <exception cref="ArgumentException">The lengths differ, or both are empty.</exception>
    public QualityReading Read(ReadOnlySpan<float> pulse, ReadOnlySpan<float> ecg, CancellationToken cancellation = default)
    {
        int n = Math.Max(pulse.Length, ecg.Length);
        if (n == 0 || (!pulse.IsEmpty && !ecg.IsEmpty && pulse.Length != ecg.Length))
            throw new ArgumentException($"{pulse.Length} and {ecg.Length} samples; expected as many, or none of one signal.", nameof(ecg));
        int seconds = n / Rate;
        var reading = new QualityReading([new float[seconds], new float[seconds]], [new float[seconds], new float[seconds]],
            new float[seconds][]);
        QualityConfiguration m = _network.Configuration;
        float[] window = new float[2 * m.Samples], features = new float[m.Tokens * m.Width], marks = new float[m.Tokens * 4],
            rhythm = new float[QualityCatalog.RhythmClasses];
        int[] depth = new int[seconds];
        Array.Fill(depth, -1);
        int hop = Math.Max(1, _seconds / 3), last = Math.Max(0, seconds - _seconds);
        for (int from = 0; from < last + hop; from += hop)
        {
            cancellation.ThrowIfCancellationRequested();
            int start = Math.Min(from, last);
            Fill(pulse, start, window.AsSpan(0, m.Samples));
            Fill(ecg, start, window.AsSpan(m.Samples));
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

    private static void Fill(ReadOnlySpan<float> signal, int second, Span<float> window)
    {
        window.Clear();
        int from = second * Rate, length = Math.Min(window.Length, signal.Length - from);
        if (length > 0)
            QualityScale.Apply(signal.Slice(from, length), window[..length]);
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
