namespace UniCardio.Signals.Beats;

/// <summary>
/// A band-pass without delay: second-order Butterworth high-pass and low-pass sections run forward and backward, so that a peak stays where it
/// is. Each edge is down by 6 dB. Before filtering the signal is continued by point reflection at both ends, by up to a second.
/// </summary>
internal static class ZeroPhaseFilter
{
    public static double[] BandPass(ReadOnlySpan<float> samples, double sampleRate, double low, double high)
    {
        int pad = Math.Min(samples.Length - 1, (int)Math.Ceiling(sampleRate));
        var work = new double[samples.Length + 2 * pad];
        for (int i = 0; i < samples.Length; i++)
            work[pad + i] = samples[i];
        for (int i = 1; i <= pad; i++)
        {
            work[pad - i] = 2.0 * samples[0] - samples[i];
            work[^(pad + 1 - i)] = 2.0 * samples[^1] - samples[^(i + 1)];
        }
        for (int direction = 0; direction < 2; direction++)
        {
            Section.HighPass(low / sampleRate).Run(work);
            Section.LowPass(high / sampleRate).Run(work);
            Array.Reverse(work);
        }
        return work[pad..(pad + samples.Length)];
    }

    // Bilinear transform of 1 / (s^2 + sqrt 2 s + 1) and s^2 / (...), the edge prewarped; frequencies in cycles a sample.
    private readonly record struct Section(double B0, double B1, double B2, double A1, double A2)
    {
        private const double Root2 = 1.4142135623730951;

        public static Section LowPass(double edge)
        {
            (double k, double norm) = Prewarp(edge);
            return new Section(k * k / norm, 2 * k * k / norm, k * k / norm, 2 * (k * k - 1) / norm, (1 - Root2 * k + k * k) / norm);
        }

        public static Section HighPass(double edge)
        {
            (double k, double norm) = Prewarp(edge);
            return new Section(1 / norm, -2 / norm, 1 / norm, 2 * (k * k - 1) / norm, (1 - Root2 * k + k * k) / norm);
        }

        public void Run(Span<double> x)
        {
            // Starts in the state that the first sample, held for ever, would have led to: no transient from a baseline of 100 mmHg.
            double gain = (B0 + B1 + B2) / (1 + A1 + A2);
            double s2 = (B2 - A2 * gain) * x[0], s1 = (B1 - A1 * gain) * x[0] + s2;
            for (int i = 0; i < x.Length; i++)
            {
                double y = B0 * x[i] + s1;
                s1 = B1 * x[i] - A1 * y + s2;
                s2 = B2 * x[i] - A2 * y;
                x[i] = y;
            }
        }

        private static (double K, double Norm) Prewarp(double edge)
        {
            double k = Math.Tan(Math.PI * edge);
            return (k, 1 + Root2 * k + k * k);
        }
    }
}
