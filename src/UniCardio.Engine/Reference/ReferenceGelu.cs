namespace UniCardio.Engine.Reference;

/// <summary>GELU in its exact form, x Phi(x) (Hendrycks and Gimpel, arXiv 1606.08415).</summary>
public static class ReferenceGelu
{
    /// <summary>x/2 (1 + erf(x / sqrt 2)), taken as x/2 erfc(-x / sqrt 2), which does not cancel for negative x.</summary>
    public static double Value(double x) => 0.5 * x * ReferenceErf.Erfc(-x / Math.Sqrt(2));

    /// <summary>GELU of every element.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="y">Same shape; may be <paramref name="x"/> itself.</param>
    public static void Forward(ReadOnlySpan<double> x, Span<double> y)
    {
        ReferenceShape.Expect(y.Length, x.Length, "of x", nameof(y));
        for (int i = 0; i < x.Length; i++)
            y[i] = Value(x[i]);
    }
}
