namespace UniCardio.Engine.Quality;

/// <summary>A QualityFM network on some backend. Calls from several threads queue up.</summary>
public interface IQualityNetwork : IDisposable
{
    /// <summary>What runs it, e.g. <c>reference</c> or <c>cpu avx2</c>.</summary>
    string Name { get; }

    /// <summary>The network's sizes.</summary>
    QualityConfiguration Configuration { get; }

    /// <summary>Features of windows.</summary>
    /// <param name="windows">[count, channels, samples] scaled samples, finite.</param>
    /// <param name="count">Windows.</param>
    /// <param name="features">[count, tokens, d], tokens as <see cref="QualityConfiguration.TokensOf"/> says.</param>
    /// <exception cref="ArgumentException">A length does not fit, or a sample is not finite.</exception>
    void Encode(ReadOnlySpan<float> windows, int count, Span<float> features);

    /// <summary>The decoder's spectra from the features of whole windows.</summary>
    /// <param name="features">[count, tokens, d].</param>
    /// <param name="count">Windows.</param>
    /// <param name="amplitude">[count, outputs, d]; outputs are the tokens that the decoder's tokeniser makes of d samples (2 in the
    /// published sizes).</param>
    /// <param name="phase">The same shape.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    void Decode(ReadOnlySpan<float> features, int count, Span<float> amplitude, Span<float> phase);

    /// <summary>A linear head on the mean over tokens.</summary>
    /// <param name="head"><see cref="QualityHead.AtrialFibrillation"/> (one logit), <see cref="QualityHead.BloodPressure"/> (two values) or
    /// <see cref="QualityHead.Rhythm"/> (a logit a class). <see cref="QualityHead.Quality"/> is of each token: there a token is a
    /// window.</param>
    /// <param name="features">[count, tokens, d].</param>
    /// <param name="count">Windows.</param>
    /// <param name="results">[count, outputs].</param>
    /// <exception cref="ArgumentException">A length does not fit, or the weights lack the head.</exception>
    void Head(QualityHead head, ReadOnlySpan<float> features, int count, Span<float> results);

    /// <summary>The logit of <see cref="QualityHead.VentricularTachycardia"/>, from the raw signals of 10 s.</summary>
    /// <param name="windows">[count, channels, samples].</param>
    /// <param name="count">Windows.</param>
    /// <param name="logits">[count].</param>
    /// <exception cref="ArgumentException">A length does not fit, or the weights lack the head.</exception>
    void Alarm(ReadOnlySpan<float> windows, int count, Span<float> logits);
}
