namespace UniCardio.Evaluation.Baselines;

/// <summary>A filter with its settings fixed. Stateless; safe to share between threads.</summary>
public interface INoiseFilter
{
    /// <summary>The settings in words.</summary>
    string Settings { get; }

    /// <summary>Filters a window without delay.</summary>
    /// <param name="noisy">[n] at 125 Hz, every sample measured.</param>
    /// <param name="smooth">[n].</param>
    void Run(ReadOnlySpan<float> noisy, Span<float> smooth);
}

/// <summary>A kind of filter and the settings that tuning chooses from.</summary>
/// <param name="Name">Name in tables.</param>
/// <param name="Candidates">The filters.</param>
public sealed record NoiseFilterFamily(string Name, IReadOnlyList<INoiseFilter> Candidates)
{
    /// <summary>The four filters of the evaluation.</summary>
    public static IReadOnlyList<NoiseFilterFamily> All { get; } = [MovingAverage.Family, SavitzkyGolay.Family, ButterworthBandPass.Family, WaveletShrinkage.Family];
}
