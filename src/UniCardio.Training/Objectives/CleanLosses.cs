using System.Buffers;

namespace UniCardio.Training.Objectives;

/// <summary>A window's prediction, as a clean signal, and its truth; everything is [S].</summary>
internal readonly ref struct CleanPrediction
{
    /// <summary>a and b of x0 = a x_t + b prediction.</summary>
    public required (double OfNoisy, double OfPrediction) CleanFrom { get; init; }

    /// <summary>x_t.</summary>
    public required ReadOnlySpan<float> Noisy { get; init; }

    /// <summary>The network's output.</summary>
    public required ReadOnlySpan<float> Prediction { get; init; }

    /// <summary>The truth.</summary>
    public required ReadOnlySpan<float> Clean { get; init; }

    /// <summary>1 where the loss counts, else 0.</summary>
    public required ReadOnlySpan<float> Counts { get; init; }

    /// <summary>Weights of peaks.</summary>
    public required ReadOnlySpan<float> Peaks { get; init; }
}

/// <summary>Losses on the clean signal that a prediction stands for: spectral distance and peak-weighted absolute error.</summary>
/// <remarks>Where a sample does not count, the truth stands in for the prediction, so that the spectrum of an imputed window is that of the
/// whole window.</remarks>
internal sealed class CleanLosses
{
    private readonly SpectralLoss? _spectral;
    private readonly double _peakL1;

    private CleanLosses(SpectralLoss? spectral, double peakL1)
    {
        _spectral = spectral;
        _peakL1 = peakL1;
    }

    /// <summary>The losses that some options ask for, null if none.</summary>
    public static CleanLosses? Of(ObjectiveOptions options, int samples)
    {
        bool spectral = options.SpectralAmplitude > 0 || options.SpectralPhase > 0;
        return spectral || options.PeakL1 > 0
            ? new CleanLosses(spectral ? new SpectralLoss(samples, options.SpectralAmplitude, options.SpectralPhase) : null, options.PeakL1)
            : null;
    }

    /// <summary>Adds the losses' gradient by the prediction.</summary>
    /// <param name="window">What is predicted of the window, and the truth.</param>
    /// <param name="scale">Factor of loss and gradient.</param>
    /// <param name="gradient">[S], added to.</param>
    /// <returns>The loss.</returns>
    public double Add(in CleanPrediction window, double scale, Span<float> gradient)
    {
        (double ofNoisy, double ofPrediction) = window.CleanFrom;
        ReadOnlySpan<float> noisy = window.Noisy, prediction = window.Prediction, clean = window.Clean, counts = window.Counts,
            peaks = window.Peaks;
        int samples = clean.Length;
        double[] rented = ArrayPool<double>.Shared.Rent(3 * samples);
        try
        {
            Span<double> predicted = rented.AsSpan(0, samples), truth = rented.AsSpan(samples, samples),
                slope = rented.AsSpan(2 * samples, samples);
            slope.Clear();
            double absolute = 0, counted = 0;
            for (int s = 0; s < samples; s++)
            {
                truth[s] = clean[s];
                double error = counts[s] * ((ofNoisy * noisy[s]) + (ofPrediction * prediction[s]) - clean[s]);
                predicted[s] = clean[s] + error;
                counted += counts[s];
                absolute += peaks[s] * Math.Abs(error);
            }

            // Not Math.Sign, which throws at NaN: the loss itself tells of one.
            for (int s = 0; s < samples; s++)
                slope[s] = scale * _peakL1 / counted * peaks[s] * (predicted[s] > truth[s] ? 1 : predicted[s] < truth[s] ? -1 : 0);
            double loss = (scale * _peakL1 / counted * absolute) + (_spectral?.Add(predicted, truth, slope, scale) ?? 0);
            for (int s = 0; s < samples; s++)
                gradient[s] += (float)(ofPrediction * counts[s] * slope[s]);
            return loss;
        }
        finally
        {
            ArrayPool<double>.Shared.Return(rented);
        }
    }
}
