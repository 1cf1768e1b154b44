using UniCardio.Signals.Synthesis;

namespace UniCardio.Signals.Processing;

/// <summary>How much white noise a signal carries, estimated from the signal itself.</summary>
internal static class WhiteNoise
{
    // A fourth difference of unit white noise has the variance 1 + 16 + 36 + 16 + 1.
    private const double Gain = 70;

    // Median of |z| for a standard normal z.
    private const double MedianOfNormal = 0.6744897501960817;

    private const int ProbeSamples = 4096;

    /// <summary>
    /// What <see cref="Level(ReadOnlySpan{float})"/> of a resampled signal has to be multiplied by: to the white noise at its new rate with
    /// as much power per Hertz as the channel has below its own upper edge, which is what a state of the diffusion holds. Found with white
    /// noise.
    /// </summary>
    /// <param name="resampler">What resamples the channel, from its own rate to the new one.</param>
    /// <returns>1 where the rates are equal; 0 where the channel has less than half the new rate, where nothing is left of the noise that
    /// could be measured.</returns>
    public static double ResamplingFactor(Resampler resampler)
    {
        ArgumentNullException.ThrowIfNull(resampler);
        double rate = resampler.InputRate;
        if (resampler.IsIdentity)
            return 1;
        if (rate < resampler.OutputRate / 2)
            return 0;
        float[] probe = new float[(int)Math.Ceiling(ProbeSamples * rate / resampler.OutputRate)];
        var random = new CounterRandom(1, 0);
        for (int i = 0; i < probe.Length; i++)
            probe[i] = (float)random.NextGaussian();
        return Math.Sqrt(resampler.OutputRate / rate) / Level(resampler.Resample(probe));
    }

    /// <summary>Standard deviation of the white noise: median of the fourth differences' size over 0.6745 sqrt(70).</summary>
    /// <remarks>
    /// Fourth differences let through what lies in the upper half of the band and little of a pulse or a T wave; the median passes over the
    /// few that meet a QRS complex (the median rule of Donoho and Johnstone, Biometrika 81(3), 1994, on differences in place of wavelets).
    /// It says nothing of noise that is not up there, such as wander and motion.
    /// </remarks>
    /// <param name="signal">[n] samples, NaN where missing; differences that meet a missing one are left out.</param>
    /// <returns>In the signal's unit; 0 where fewer than eight differences can be formed.</returns>
    public static double Level(ReadOnlySpan<float> signal) => Level(signal, new double[signal.Length]);

    /// <summary>The same in memory that is given.</summary>
    /// <param name="signal">[n] samples, NaN where missing.</param>
    /// <param name="work">[n] or more; overwritten.</param>
    /// <returns>In the signal's unit; 0 where fewer than eight differences can be formed.</returns>
    /// <exception cref="ArgumentException"><paramref name="work"/> is shorter than the signal.</exception>
    public static double Level(ReadOnlySpan<float> signal, Span<double> work)
    {
        if (work.Length < signal.Length)
            throw new ArgumentException($"{work.Length} numbers to work in, expected {signal.Length}", nameof(work));
        int count = 0;
        for (int i = 0; i + 4 < signal.Length; i++)
        {
            double d = signal[i] - (4.0 * signal[i + 1]) + (6.0 * signal[i + 2]) - (4.0 * signal[i + 3]) + signal[i + 4];
            if (double.IsFinite(d))
                work[count++] = Math.Abs(d);
        }

        if (count < 8)
            return 0;
        work[..count].Sort();
        double median = (work[(count - 1) / 2] + work[count / 2]) / 2;
        return median / (MedianOfNormal * Math.Sqrt(Gain));
    }
}
