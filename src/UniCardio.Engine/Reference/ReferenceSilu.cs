namespace UniCardio.Engine.Reference;

/// <summary>SiLU, x sigmoid(x), of the diffusion embedding.</summary>
public static class ReferenceSilu
{
    /// <summary>x sigmoid(x).</summary>
    public static double Value(double x) => x * ReferenceGate.Sigmoid(x);

    /// <summary>SiLU of every element.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="y">Same shape; may be <paramref name="x"/> itself.</param>
    public static void Forward(ReadOnlySpan<double> x, Span<double> y)
    {
        ReferenceShape.Expect(y.Length, x.Length, "of x", nameof(y));
        for (int i = 0; i < x.Length; i++)
            y[i] = Value(x[i]);
    }
}
