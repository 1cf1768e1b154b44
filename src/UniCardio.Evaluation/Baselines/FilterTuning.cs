using System.Collections.Concurrent;
using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Baselines;

/// <summary>
/// The settings of each filter for each signal and noise: those with the least mean squared error over windows of synthetic subjects, so that the
/// recordings that are measured on have no say. Equal populations give equal choices. Safe to share between threads.
/// </summary>
/// <param name="population">The subjects.</param>
/// <param name="windowSamples">Samples of a window, S.</param>
public sealed class FilterTuning(SyntheticPopulation population, int windowSamples)
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
