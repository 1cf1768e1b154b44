using UniCardio.Engine.Quality;

namespace UniCardio.Engine.Reference;

/// <summary><see cref="ReferenceQuality"/> as a network of float32 in and out, one window after the other.</summary>
internal sealed class ReferenceQualityNetwork(QualityWeights weights) : IQualityNetwork
{
    /// <summary>The network in double.</summary>
    public ReferenceQuality Network { get; } = new(weights);

    public string Name => "reference";

    public QualityConfiguration Configuration => weights.Configuration;

    public void Encode(ReadOnlySpan<float> windows, int count, Span<float> features)
    {
        int samples = QualityChecks.Samples(Configuration, windows, count), window = samples * Configuration.Channels;
        int made = Configuration.TokensOf(samples) * Configuration.Width;
        QualityChecks.Length(features.Length, (long)count * made, "[count, tokens, d]", nameof(features));
        for (int i = 0; i < count; i++)
            Narrow(Network.Encode(Widen(windows.Slice(i * window, window))), features.Slice(i * made, made));
    }

    public void Decode(ReadOnlySpan<float> features, int count, Span<float> amplitude, Span<float> phase)
    {
        int d = Configuration.Width, whole = Configuration.Tokens * d, made = Configuration.TokensOf(d) * d;
        QualityChecks.Length(features.Length, (long)count * whole, "[count, tokens, d]", nameof(features));
        QualityChecks.Length(amplitude.Length, (long)count * made, "[count, outputs, d]", nameof(amplitude));
        QualityChecks.Length(phase.Length, amplitude.Length, "[count, outputs, d]", nameof(phase));
        for (int i = 0; i < count; i++)
        {
            (double[] a, double[] p) = Network.Decode(Widen(features.Slice(i * whole, whole)));
            Narrow(a, amplitude.Slice(i * made, made));
            Narrow(p, phase.Slice(i * made, made));
        }
    }

    public void Head(QualityHead head, ReadOnlySpan<float> features, int count, Span<float> results)
    {
        int window = QualityChecks.Tokens(Configuration, features, count) * Configuration.Width;
        QualityChecks.Linear(head, weights);
        int outputs = QualityCatalog.For(Configuration, head)[0].Shape[0];
        QualityChecks.Length(results.Length, (long)count * outputs, "[count, outputs]", nameof(results));
        for (int i = 0; i < count; i++)
            Narrow(Network.Head(head, Widen(features.Slice(i * window, window))), results.Slice(i * outputs, outputs));
    }

    public void Alarm(ReadOnlySpan<float> windows, int count, Span<float> logits)
    {
        int window = QualityChecks.Samples(Configuration, windows, count) * Configuration.Channels;
        QualityChecks.Length(logits.Length, count, "[count]", nameof(logits));
        QualityChecks.Has(QualityHead.VentricularTachycardia, weights);
        for (int i = 0; i < count; i++)
            logits[i] = (float)Network.Alarm(Widen(windows.Slice(i * window, window)));
    }

    public void Dispose()
    {
    }

    private static double[] Widen(ReadOnlySpan<float> values)
    {
        double[] wide = new double[values.Length];
        for (int i = 0; i < wide.Length; i++)
            wide[i] = values[i];
        return wide;
    }

    private static void Narrow(ReadOnlySpan<double> values, Span<float> narrow)
    {
        for (int i = 0; i < narrow.Length; i++)
            narrow[i] = (float)values[i];
    }
}
