using UniCardio.Engine.Quality;
using UniCardio.Signals.Quality;

namespace UniCardio.Pipeline;

/// <summary>What enters the quality network: pulse and ECG, scaled (<see cref="QualityScale"/>), and, of a network of 16 channels, the
/// product's index and the six published ones of each, as steps of a second.</summary>
/// <remarks>Channels: pulse, ECG, seven indices of the pulse, seven of the ECG. 0 where a signal is missing.</remarks>
internal static class QualityInputs
{
    /// <summary>Indices of one signal: the product's, then those of <see cref="PublishedIndices.Names"/>.</summary>
    public const int Indices = 7;

    /// <summary>Channels of a network that takes indices.</summary>
    public const int IndexedChannels = 2 + (2 * Indices);

    /// <summary>Whether a network takes indices beside the signals.</summary>
    public static bool TakesIndices(QualityConfiguration m) => m.Channels == IndexedChannels;

    /// <summary>[seconds, 7] the indices of every second, each about 0 to 1.</summary>
    public static float[] IndicesOf(QualityTrack track)
    {
        float[] indices = new float[Indices * track.Seconds];
        Span<double> published = stackalloc double[Indices - 1];
        for (int s = 0; s < track.Seconds; s++)
        {
            indices[Indices * s] = (float)track.Index[s];
            track.Indices[s].Write(published);
            for (int i = 0; i < published.Length; i++)
                indices[(Indices * s) + 1 + i] = (float)published[i];
        }

        return indices;
    }

    /// <summary>Writes a signal and, where the network takes them, its indices into a window.</summary>
    /// <param name="m">The network.</param>
    /// <param name="which">0 a pulse, 1 an ECG.</param>
    /// <param name="signal">[n] at 125 Hz from the window's start, NaN where missing; what is beyond the window is left out.</param>
    /// <param name="indices">[seconds, 7] from the window's start; not read by a network that takes none.</param>
    /// <param name="window">[channels, samples]; what is not written stays.</param>
    public static void Fill(QualityConfiguration m, int which, ReadOnlySpan<float> signal, ReadOnlySpan<float> indices, Span<float> window)
    {
        int samples = window.Length / m.Channels, length = Math.Min(samples, signal.Length);
        QualityScale.Apply(signal[..length], window.Slice(which * samples, length));
        if (!TakesIndices(m))
            return;
        int seconds = Math.Min(samples / QualityTrack.WorkRate, indices.Length / Indices);
        for (int i = 0; i < Indices; i++)
        {
            Span<float> row = window.Slice((2 + (which * Indices) + i) * samples, samples);
            for (int s = 0; s < seconds; s++)
                row.Slice(s * QualityTrack.WorkRate, QualityTrack.WorkRate).Fill(indices[(Indices * s) + i]);
        }
    }
}
