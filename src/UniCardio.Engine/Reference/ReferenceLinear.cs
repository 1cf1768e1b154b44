namespace UniCardio.Engine.Reference;

/// <summary>A linear map of rows, which is a 1x1 convolution over tokens too: y = x W^T + b.</summary>
public static class ReferenceLinear
{
    // A row of the weight serves this many rows of x while it is in the first-level cache.
    private const int RowBlock = 8;

    /// <summary>Computes y[r, o] = sum_i x[r, i] W[o, i] + b[o].</summary>
    /// <param name="x">[rows, inputs].</param>
    /// <param name="weight">[outputs, inputs].</param>
    /// <param name="bias">[outputs]; its length gives the number of outputs.</param>
    /// <param name="y">[rows, outputs]; must not overlap <paramref name="x"/>.</param>
    /// <param name="inputs">Columns of x.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void Forward(ReadOnlySpan<double> x, ReadOnlySpan<double> weight, ReadOnlySpan<double> bias, Span<double> y, int inputs)
    {
        int rows = ReferenceShape.Rows(x.Length, inputs), outputs = bias.Length;
        ReferenceShape.Expect(weight.Length, (long)outputs * inputs, "[outputs, inputs]", nameof(weight));
        ReferenceShape.Expect(y.Length, (long)rows * outputs, "[rows, outputs]", nameof(y));
        for (int start = 0; start < rows; start += RowBlock)
        {
            int end = Math.Min(rows, start + RowBlock);
            for (int o = 0; o < outputs; o++)
            {
                ReadOnlySpan<double> w = weight.Slice(o * inputs, inputs);
                for (int r = start; r < end; r++)
                    y[(r * outputs) + o] = ReferenceVector.Dot(x.Slice(r * inputs, inputs), w) + bias[o];
            }
        }
    }
}
