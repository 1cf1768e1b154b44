namespace UniCardio.Engine.Reference;

/// <summary>The gate of a residual block: sigmoid of the first half of the channels times tanh of the second.</summary>
public static class ReferenceGate
{
    /// <summary>1 / (1 + exp(-x)).</summary>
    public static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    /// <summary>Computes z[r, c] = sigmoid(y[r, c]) tanh(y[r, C + c]).</summary>
    /// <param name="y">[rows, 2C].</param>
    /// <param name="channels">C.</param>
    /// <param name="z">[rows, C].</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void Forward(ReadOnlySpan<double> y, int channels, Span<double> z)
    {
        int rows = ReferenceShape.Rows(y.Length, 2 * channels);
        ReferenceShape.Expect(z.Length, (long)rows * channels, "[rows, C]", nameof(z));
        for (int r = 0; r < rows; r++)
        {
            for (int c = 0; c < channels; c++)
                z[(r * channels) + c] = Sigmoid(y[(r * 2 * channels) + c]) * Math.Tanh(y[(r * 2 * channels) + channels + c]);
        }
    }
}
