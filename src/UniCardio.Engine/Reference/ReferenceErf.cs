namespace UniCardio.Engine.Reference;

/// <summary>The error function and its complement in double.</summary>
/// <remarks>
/// Rational approximations of W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation
/// 23 (1969), 631-637, three ranges: |x| up to 0.46875, up to 4, and beyond. The coefficients are good to about 1e-18 relative; what is left
/// is double rounding, at most 6e-16 relative for erf and for erfc down to where it underflows (x near 26.5), which the tests measure.
/// </remarks>
public static class ReferenceErf
{
    private const double OneOverSqrtPi = 0.56418958354775628695;

    private static readonly double[] SmallNumerator = [1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3];
    private static readonly double[] SmallDenominator = [1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3];

    private static readonly double[] MiddleNumerator =
    [
        2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
        8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
    ];

    private static readonly double[] MiddleDenominator =
    [
        1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
        3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
    ];

    private static readonly double[] LargeNumerator =
    [
        1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4,
    ];

    private static readonly double[] LargeDenominator =
    [
        1, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3,
    ];

    /// <summary>erf(x) = 2/sqrt(pi) times the integral of exp(-u^2) from 0 to x.</summary>
    public static double Erf(double x)
    {
        double magnitude = Math.Abs(x);
        if (!(magnitude > 0.46875))
            return SmallErf(x);
        double erf = 1 - Complement(magnitude);
        return x < 0 ? -erf : erf;
    }

    /// <summary>erfc(x) = 1 - erf(x), without its cancellation for large x.</summary>
    public static double Erfc(double x)
    {
        double magnitude = Math.Abs(x);
        if (!(magnitude > 0.46875))
            return 1 - SmallErf(x);
        double complement = Complement(magnitude);
        return x < 0 ? 2 - complement : complement;
    }

    private static double SmallErf(double x) => x * Polynomial(SmallNumerator, x * x) / Polynomial(SmallDenominator, x * x);

    // erfc of y > 0.46875. exp(-y^2) is taken in two parts, y rounded to sixteenths first: y^2 alone would lose the bits that a large exponent needs.
    private static double Complement(double y)
    {
        if (y > 27)
            return 0;
        double rational;
        if (y <= 4)
        {
            rational = Polynomial(MiddleNumerator, y) / Polynomial(MiddleDenominator, y);
        }
        else
        {
            double z = 1 / (y * y);
            rational = (OneOverSqrtPi - (z * Polynomial(LargeNumerator, z) / Polynomial(LargeDenominator, z))) / y;
        }

        double coarse = Math.Truncate(y * 16) / 16;
        return Math.Exp(-coarse * coarse) * Math.Exp(-(y - coarse) * (y + coarse)) * rational;
    }

    // Horner's rule; the highest power stands first.
    private static double Polynomial(double[] coefficients, double x)
    {
        double sum = coefficients[0];
        for (int i = 1; i < coefficients.Length; i++)
            sum = (sum * x) + coefficients[i];
        return sum;
    }
}
