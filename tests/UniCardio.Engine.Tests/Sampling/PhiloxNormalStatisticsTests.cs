using MathNet.Numerics;
using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Tests.Sampling;

/// <summary>The noise is standard normal and independent across keys, at fixed seeds.</summary>
/// <remarks>Bounds are 4 standard errors: a right generator fails one such test in 16,000, and as the seeds are fixed it fails none or
/// always.</remarks>
public sealed class PhiloxNormalStatisticsTests
{
    private const int Count = 1 << 18;
    private const double Sigmas = 4;

    [Theory]
    [InlineData(0ul)]
    [InlineData(1ul)]
    [InlineData(0xDEADBEEFCAFEBABEul)]
    public void MomentsAreThoseOfTheNormal(ulong seed)
    {
        float[] z = Draw(seed, 0, 0, 0);
        double mean = 0, m2 = 0, m3 = 0, m4 = 0;
        foreach (float v in z)
            mean += v;
        mean /= Count;
        foreach (float v in z)
        {
            double d = v - mean;
            m2 += d * d;
            m3 += d * d * d;
            m4 += d * d * d * d;
        }

        m2 /= Count;
        double skew = m3 / Count / Math.Pow(m2, 1.5), kurtosis = m4 / Count / (m2 * m2);

        // Standard errors: mean 1/sqrt(n), variance sqrt(2/n), skewness sqrt(6/n), kurtosis sqrt(24/n).
        Assert.InRange(mean * Math.Sqrt(Count), -Sigmas, Sigmas);
        Assert.InRange((m2 - 1) / Math.Sqrt(2.0 / Count), -Sigmas, Sigmas);
        Assert.InRange(skew / Math.Sqrt(6.0 / Count), -Sigmas, Sigmas);
        Assert.InRange((kurtosis - 3) / Math.Sqrt(24.0 / Count), -Sigmas, Sigmas);
    }

    [Theory]
    [InlineData(2ul, 0u, 0u, 0u)]
    [InlineData(2ul, 1u, 0u, 0u)]
    [InlineData(2ul, 0u, 49u, 0u)]
    [InlineData(2ul, 0u, 0u, 50u)]
    public void KolmogorovSmirnovDistanceToTheNormalIsSmall(ulong seed, uint window, uint draw, uint step)
    {
        float[] z = Draw(seed, window, draw, step);
        Array.Sort(z);
        double distance = 0;
        for (int i = 0; i < Count; i++)
        {
            double cdf = 0.5 * SpecialFunctions.Erfc(-z[i] / Math.Sqrt(2));
            distance = Math.Max(distance, Math.Max(cdf - ((double)i / Count), ((double)(i + 1) / Count) - cdf));
        }

        // P(sqrt(n) D > 2.2) = 2 exp(-2 * 2.2^2) = 1.2e-4 under the null.
        Assert.InRange(Math.Sqrt(Count) * distance, 0, 2.2);
    }

    [Fact]
    public void TailsHaveTheirShare()
    {
        float[] z = Draw(3, 0, 0, 0);
        foreach (double bound in (double[])[2, 3, 4])
        {
            double share = SpecialFunctions.Erfc(bound / Math.Sqrt(2)), expected = share * Count;
            int found = z.Count(v => Math.Abs(v) > bound);
            Assert.InRange((found - expected) / Math.Sqrt(expected * (1 - share)), -Sigmas, Sigmas);
        }

        Assert.All(z, v => Assert.InRange(Math.Abs(v), 0, 6.67));
    }

    // Neighbouring keys and samples: the correlation of n independent normals has standard error 1/sqrt(n).
    [Fact]
    public void KeysAndSamplesAreIndependent()
    {
        float[] z = Draw(4, 5, 6, 7);
        float[][] others =
            [Draw(5, 5, 6, 7), Draw(4 + (1ul << 32), 5, 6, 7), Draw(4, 6, 6, 7), Draw(4, 5, 7, 7), Draw(4, 5, 6, 8), Draw(4, 6, 5, 7)];
        foreach (float[] other in others)
        {
            Assert.InRange(Correlation(z, other), -Sigmas, Sigmas);
            Assert.InRange(Correlation(Squares(z), Squares(other)), -Sigmas, Sigmas);
        }

        foreach (int lag in (int[])[1, 2, 3, 4, 5, 8, 32, 500])
        {
            Assert.InRange(Correlation(z.AsSpan(lag), z.AsSpan(0, Count - lag)), -Sigmas, Sigmas);
            Assert.InRange(Correlation(Squares(z).AsSpan(lag), Squares(z).AsSpan(0, Count - lag)), -Sigmas, Sigmas);
        }
    }

    private static float[] Draw(ulong seed, uint window, uint draw, uint step)
    {
        float[] z = new float[Count];
        PhiloxNormal.Fill(seed, window, draw, step, z);
        return z;
    }

    private static float[] Squares(float[] z) => Array.ConvertAll(z, v => (v * v) - 1);

    /// <summary>Correlation in standard errors.</summary>
    private static double Correlation(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double ab = 0, aa = 0, bb = 0;
        for (int i = 0; i < a.Length; i++)
        {
            ab += (double)a[i] * b[i];
            aa += (double)a[i] * a[i];
            bb += (double)b[i] * b[i];
        }

        return ab / Math.Sqrt(aa * bb) * Math.Sqrt(a.Length);
    }
}
