namespace UniCardio.Engine.Reference;

/// <summary>1-D convolution over time from one input channel, zero padding k / 2, stride 1: the output is as long as the input.</summary>
public static class ReferenceConvolution
{
    /// <summary>Computes y[o, s] = b[o] + sum_j W[o, j] x[s + j - k/2], with x zero outside 0..S-1.</summary>
    /// <param name="x">[S] samples.</param>
    /// <param name="weight">[outputs, k], k odd. As in PyTorch it is a correlation: the kernel is not reversed.</param>
    /// <param name="bias">[outputs]; its length gives the number of outputs.</param>
    /// <param name="y">[outputs, S].</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or k is even.</exception>
    public static void Forward(ReadOnlySpan<double> x, ReadOnlySpan<double> weight, ReadOnlySpan<double> bias, Span<double> y)
    {
        int outputs = bias.Length, k = weight.Length / Math.Max(1, outputs), samples = x.Length;
        ReferenceShape.Expect(weight.Length, (long)outputs * k, "[outputs, k]", nameof(weight));
        ReferenceShape.Expect(y.Length, (long)outputs * samples, "[outputs, S]", nameof(y));
        if (k % 2 == 0)
            throw new ArgumentException($"a kernel of {k} has no middle; expected an odd size", nameof(weight));
        for (int o = 0; o < outputs; o++)
        {
            for (int s = 0; s < samples; s++)
            {
                double sum = bias[o];
                for (int j = 0; j < k; j++)
                {
                    int at = s + j - (k / 2);
                    if (at >= 0 && at < samples)
                        sum += weight[(o * k) + j] * x[at];
                }

                y[(o * samples) + s] = sum;
            }
        }
    }
}
