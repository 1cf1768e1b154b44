using System.Globalization;
using MathNet.Numerics.Statistics;
using UniCardio.Pipeline;

namespace UniCardio.Evaluation.Baselines;

/// <summary>
/// A Butterworth band-pass run forward and backward, so that it has no delay; each edge is down by 6 dB. The window is continued by point
/// reflection at both ends, by up to a second. Its mean may pass below a lower edge too: then wander goes and the level stays.
/// </summary>
internal sealed class ButterworthBandPass : INoiseFilter
{
    private const double Rate = Pipeline.NetworkSignal.Rate;
    private readonly Biquad[] _sections;
    private readonly bool _keepsMean;

    /// <summary>Designs the filter.</summary>
    /// <param name="order">Order of each edge, even, 2 or more.</param>
    /// <param name="low">Lower edge (Hz), or null for a low-pass.</param>
    /// <param name="high">Upper edge (Hz), below 62.5.</param>
    /// <param name="keepsMean">Whether the window's mean passes whatever the lower edge.</param>
    public ButterworthBandPass(int order, double? low, double high, bool keepsMean = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 2);
        ArgumentOutOfRangeException.ThrowIfNotEqual(order % 2, 0);
        _keepsMean = keepsMean;
        string from = low is { } edge ? string.Create(CultureInfo.InvariantCulture, $"{edge:0.##}") : "0";
        Settings = string.Create(CultureInfo.InvariantCulture,
            $"order {order}, {from}-{high:0.##} Hz{(keepsMean && low is not null ? " and the mean" : "")}");
        var sections = new List<Biquad>();
        for (int k = 1; k <= order / 2; k++)
        {
            // Pole pairs of the prototype lie evenly on the unit circle.
            double damping = 2 * Math.Sin(((2 * k) - 1) * Math.PI / (2 * order));
            if (low is { } cut)
                sections.Add(Biquad.HighPass(cut / Rate, damping));
            sections.Add(Biquad.LowPass(high / Rate, damping));
        }

        _sections = [.. sections];
    }

    /// <summary>Orders 2 and 4, from 0 or 0.5 Hz to 4 to 40 Hz.</summary>
    public static NoiseFilterFamily Family { get; } = new("Butterworth",
        [.. from order in (int[])[2, 4] from low in (double?[])[null, 0.5] from high in (double[])[4, 5, 6, 8, 10, 12, 15, 18, 21, 25, 30,
            35, 40] select new ButterworthBandPass(order, low, high, keepsMean: true)]);

    /// <inheritdoc/>
    public string Settings { get; }

    /// <inheritdoc/>
    public void Run(ReadOnlySpan<float> noisy, Span<float> smooth)
    {
        int pad = Math.Min(noisy.Length - 1, (int)Rate);
        var work = new double[noisy.Length + (2 * pad)];
        double mean = _keepsMean ? ArrayStatistics.Mean(noisy.ToArray()) : 0;
        for (int i = 0; i < noisy.Length; i++)
            work[pad + i] = noisy[i] - mean;
        for (int i = 1; i <= pad; i++)
        {
            work[pad - i] = (2.0 * noisy[0]) - noisy[i] - mean;
            work[^(pad + 1 - i)] = (2.0 * noisy[^1]) - noisy[^(i + 1)] - mean;
        }

        for (int direction = 0; direction < 2; direction++)
        {
            foreach (Biquad section in _sections)
                section.Run(work);
            Array.Reverse(work);
        }

        for (int i = 0; i < smooth.Length; i++)
            smooth[i] = (float)(work[pad + i] + mean);
    }

    // Bilinear transform of 1 / (s^2 + damping s + 1) and s^2 / (...), the edge prewarped; frequencies in cycles a sample.
    private readonly record struct Biquad(double B0, double B1, double B2, double A1, double A2)
    {
        public static Biquad LowPass(double edge, double damping)
        {
            double k = Math.Tan(Math.PI * edge), norm = 1 + (damping * k) + (k * k);
            return new Biquad(k * k / norm, 2 * k * k / norm, k * k / norm, 2 * ((k * k) - 1) / norm, (1 - (damping * k) + (k * k)) / norm);
        }

        public static Biquad HighPass(double edge, double damping)
        {
            double k = Math.Tan(Math.PI * edge), norm = 1 + (damping * k) + (k * k);
            return new Biquad(1 / norm, -2 / norm, 1 / norm, 2 * ((k * k) - 1) / norm, (1 - (damping * k) + (k * k)) / norm);
        }

        public void Run(Span<double> x)
        {
            // Starts in the state that the first sample, held for ever, would have led to.
            double gain = (B0 + B1 + B2) / (1 + A1 + A2);
            double s2 = (B2 - (A2 * gain)) * x[0], s1 = ((B1 - (A1 * gain)) * x[0]) + s2;
            for (int i = 0; i < x.Length; i++)
            {
                double y = (B0 * x[i]) + s1;
                s1 = (B1 * x[i]) - (A1 * y) + s2;
                s2 = (B2 * x[i]) - (A2 * y);
                x[i] = y;
            }
        }
    }
}
