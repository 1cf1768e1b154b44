using System.Collections.Concurrent;
using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Baselines;

/// <summary>A filter with its settings fixed. Stateless; safe to share between threads.</summary>
internal interface INoiseFilter
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
internal sealed record NoiseFilterFamily(string Name, IReadOnlyList<INoiseFilter> Candidates)
{
    /// <summary>The four filters of the evaluation.</summary>
    public static IReadOnlyList<NoiseFilterFamily> All { get; } =
        [MovingAverage.Family, SavitzkyGolay.Family, ButterworthBandPass.Family, WaveletShrinkage.Family];
}

/// <summary>A filter with the settings that suit signal and noise best.</summary>
/// <param name="family">The filter.</param>
/// <param name="tuning">Chooses the settings.</param>
internal sealed class NoiseFilterBaseline(NoiseFilterFamily family, FilterTuning tuning) : IBaseline
{
    /// <inheritdoc/>
    public string Name => family.Name;

    /// <inheritdoc/>
    public bool SeesBeyondWindow => false;

    /// <inheritdoc/>
    public bool Fits(CardioTask task) => task.Kind == TaskKind.Denoise;

    /// <inheritdoc/>
    public void Estimate(EvaluationWindow window, Span<float> result) =>
        tuning.Choose(family, window.Task.Output, window.Corruption).Run(window.GivenWindow(window.Task.Output), result);
}

/// <summary>
/// The settings of each filter for each signal and noise: those with the least mean squared error over windows of synthetic subjects, so
/// that the recordings that are measured on have no say. Equal populations give equal choices. Safe to share between threads.
/// </summary>
/// <param name="population">The subjects.</param>
/// <param name="windowSamples">Samples of a window, S.</param>
internal sealed class FilterTuning(SyntheticPopulation population, int windowSamples)
{
    private const ulong Seed = 0xF117E5;
    private readonly ConcurrentDictionary<(string Family, Modality Modality, Corruption Noise), INoiseFilter> _choices = new();

    /// <summary>What was chosen so far.</summary>
    public IReadOnlyDictionary<(string Family, Modality Modality, Corruption Noise), INoiseFilter> Choices => _choices;

    /// <summary>The best filter of a family.</summary>
    /// <param name="family">The family.</param>
    /// <param name="modality">The signal.</param>
    /// <param name="noise">The noise.</param>
    /// <exception cref="ArgumentException">It is no noise.</exception>
    public INoiseFilter Choose(NoiseFilterFamily family, Modality modality, Corruption noise)
    {
        ArgumentNullException.ThrowIfNull(family);
        if (!noise.Fits(TaskKind.Denoise))
            throw new ArgumentException($"'{noise}' is no noise.", nameof(noise));
        return _choices.GetOrAdd((family.Name, modality, noise), _ => Search(family, modality, noise));
    }

    private INoiseFilter Search(NoiseFilterFamily family, Modality modality, Corruption noise)
    {
        var errors = new double[family.Candidates.Count];
        var smooth = new float[windowSamples];
        for (int i = 0; i < population.Subjects.Count; i++)
        {
            ReadOnlySpan<float> signal = population.Subjects[i].Signal(modality);
            var middle = new SampleRange(Math.Max(0, (signal.Length - windowSamples) / 2), Math.Min(windowSamples, signal.Length));
            float[] clean = signal.Slice(middle.Start, middle.Length).ToArray(), noisy = [.. clean];
            noise.Apply(noisy, CounterRandom.Derive(Seed, (ulong)i));
            // Every subject has the same weight, however large its pulse or QRS.
            double unit = WindowScale.FromExtremes(clean, new SampleRange(0, clean.Length)).HalfRange;
            for (int c = 0; c < errors.Length; c++)
            {
                Span<float> made = smooth.AsSpan(0, clean.Length);
                family.Candidates[c].Run(noisy, made);
                double error = Signals.Processing.Measures.RootMeanSquareError(made, clean)!.Value / unit;
                errors[c] += error * error;
            }
        }

        return family.Candidates[Array.IndexOf(errors, errors.Min())];
    }
}

/// <summary>The noisy signal as it is given.</summary>
internal sealed class Untouched : IBaseline
{
    /// <inheritdoc/>
    public string Name => "as given";

    /// <inheritdoc/>
    public bool SeesBeyondWindow => false;

    /// <inheritdoc/>
    public bool Fits(CardioTask task) => task.Kind == TaskKind.Denoise;

    /// <inheritdoc/>
    public void Estimate(EvaluationWindow window, Span<float> result) => window.GivenWindow(window.Task.Output).CopyTo(result);
}
