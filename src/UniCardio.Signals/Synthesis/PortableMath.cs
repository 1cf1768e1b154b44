namespace UniCardio.Signals.Synthesis;

/// <summary>
/// Elementary functions out of double additions, multiplications and divisions alone. IEEE 754 rounds those alike everywhere, while
/// <see cref="Math"/> defers to the platform's C library: with these a seed gives the same signal, bit for bit, on every machine.
/// </summary>
internal static class PortableMath
{
    // The natural logarithm of 2 in two parts; the first has 20 trailing zero bits, so that k times it is exact.
    private const double Ln2High = 6.93147180369123816490e-01;
    private const double Ln2Low = 1.90821492927058770002e-10;

    /// <summary>e^x, to 1e-15 relative for |x| up to 700; 0 below and the value at 700 above.</summary>
    public static double Exp(double x)
    {
        if (x < -700)
            return 0;
        double k = Math.Round(Math.Min(x, 700) * 1.4426950408889634);
        double r = Math.Min(x, 700) - k * Ln2High - k * Ln2Low;
        // Taylor, |r| <= 0.3466: the first term left out is 0.3466^13 / 13! = 1.7e-16.
        double sum = 1.0 / 479001600;
        sum = sum * r + 1.0 / 39916800;
        sum = sum * r + 1.0 / 3628800;
        sum = sum * r + 1.0 / 362880;
        sum = sum * r + 1.0 / 40320;
        sum = sum * r + 1.0 / 5040;
        sum = sum * r + 1.0 / 720;
        sum = sum * r + 1.0 / 120;
        sum = sum * r + 1.0 / 24;
        sum = sum * r + 1.0 / 6;
        sum = sum * r + 0.5;
        sum = sum * r + 1;
        sum = sum * r + 1;
        return sum * BitConverter.Int64BitsToDouble(((long)k + 1023) << 52);
    }

    /// <summary>The natural logarithm of a normal number above 0, to 1e-15.</summary>
    public static double Log(double x)
    {
        long bits = BitConverter.DoubleToInt64Bits(x);
        int exponent = (int)(bits >> 52) - 1023;
        double m = BitConverter.Int64BitsToDouble((bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000);
        if (m > 1.4142135623730951)
        {
            m *= 0.5;
            exponent++;
        }
        // 2 artanh(s), |s| <= 0.1716: the first term left out is 0.0294^11 / 23 = 6e-19.
        double s = (m - 1) / (m + 1), s2 = s * s, sum = 0;
        for (int k = 21; k >= 1; k -= 2)
            sum = sum * s2 + 1.0 / k;
        return exponent * Ln2High + (2 * s * sum + exponent * Ln2Low);
    }

    /// <summary>sin(2 pi x), to 1e-15 for |x| up to 1e6 or so.</summary>
    public static double SinTurns(double x)
    {
        double r = x - Math.Round(x);
        if (r > 0.25)
            r = 0.5 - r;
        else if (r < -0.25)
            r = -0.5 - r;
        // Taylor, |a| <= pi / 2: the first term left out is 1.571^21 / 21! = 2.6e-16.
        double a = r * 6.283185307179586, a2 = a * a;
        double sum = -1.0 / 121645100408832000;
        sum = sum * a2 + 1.0 / 355687428096000;
        sum = sum * a2 - 1.0 / 1307674368000;
        sum = sum * a2 + 1.0 / 6227020800;
        sum = sum * a2 - 1.0 / 39916800;
        sum = sum * a2 + 1.0 / 362880;
        sum = sum * a2 - 1.0 / 5040;
        sum = sum * a2 + 1.0 / 120;
        sum = sum * a2 - 1.0 / 6;
        sum = sum * a2 + 1;
        return a * sum;
    }

    /// <summary>cos(2 pi x).</summary>
    public static double CosTurns(double x) => SinTurns(x + 0.25);
}
