namespace UniCardio.Engine.Reference;

/// <summary>A linear map of rows, which is a 1x1 convolution over tokens too: y = x W^T + b.</summary>
public static class ReferenceLinear
{
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
        int r = 0;
        for (; r <= rows - 4; r += 4)
        {
            ReadOnlySpan<double> four = x.Slice(r * inputs, 4 * inputs);
            for (int o = 0; o < outputs; o++)
            {
                (double y0, double y1, double y2, double y3) = ReferenceVector.Dot4(four, weight.Slice(o * inputs, inputs));
                int at = (r * outputs) + o;
                y[at] = y0 + bias[o];
                y[at + outputs] = y1 + bias[o];
                y[at + (2 * outputs)] = y2 + bias[o];
                y[at + (3 * outputs)] = y3 + bias[o];
            }
        }

        for (; r < rows; r++)
        {
            for (int o = 0; o < outputs; o++)
                y[(r * outputs) + o] = ReferenceVector.Dot(x.Slice(r * inputs, inputs), weight.Slice(o * inputs, inputs)) + bias[o];
        }
    }
}
