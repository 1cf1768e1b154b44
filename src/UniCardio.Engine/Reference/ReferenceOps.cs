using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Reference;

/// <summary>A linear map of rows, which is a 1x1 convolution over tokens too: y = x W^T + b.</summary>
internal static class ReferenceLinear
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

/// <summary>1-D convolution over time from one input channel, zero padding k / 2, stride 1: the output is as long as the input.</summary>
internal static class ReferenceConvolution
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

/// <summary>LayerNorm with an affine map (Ba, Kiros and Hinton, arXiv 1607.06450): the variance is the biased one.</summary>
internal static class ReferenceLayerNorm
{
    /// <summary>Computes y = (x - mean) / sqrt(variance + epsilon) * gamma + beta for each row.</summary>
    /// <param name="x">[rows, n]: a row is a token's C channels, or the whole [C, S/p] plane of an encoder.</param>
    /// <param name="gamma">[n]; its length gives n.</param>
    /// <param name="beta">[n].</param>
    /// <param name="epsilon">Added to the variance; the network's is 1e-5.</param>
    /// <param name="y">[rows, n]; may be <paramref name="x"/> itself.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void Forward(ReadOnlySpan<double> x, ReadOnlySpan<double> gamma, ReadOnlySpan<double> beta, double epsilon,
        Span<double> y)
    {
        int n = gamma.Length, rows = ReferenceShape.Rows(x.Length, n);
        ReferenceShape.Expect(beta.Length, n, "[n]", nameof(beta));
        ReferenceShape.Expect(y.Length, x.Length, "[rows, n]", nameof(y));
        for (int r = 0; r < rows; r++)
        {
            ReadOnlySpan<double> row = x.Slice(r * n, n);
            double mean = 0;
            foreach (double value in row)
                mean += value;
            mean /= n;
            double variance = 0;
            foreach (double value in row)
                variance += (value - mean) * (value - mean);
            variance /= n;
            double scale = 1 / Math.Sqrt(variance + epsilon);
            for (int i = 0; i < n; i++)
                y[(r * n) + i] = ((row[i] - mean) * scale * gamma[i]) + beta[i];
        }
    }
}

/// <summary>Scaled dot-product attention of several heads (Vaswani et al., arXiv 1706.03762), between the projections.</summary>
/// <remarks>
/// Queries may be any subset of the tokens, so the condition rows, the target rows and the dense four-slot form are one op.
/// Key rows may come in any order; only the order of summation changes with it.
/// </remarks>
internal static class ReferenceAttention
{
    /// <summary>
    /// For each query q and head h: out[q, h] = sum_k softmax_k(Q[q, h] . K[k, h] / sqrt(d) + mask[q, k]) V[k, h], with d = C / heads
    /// channels a head, head h being channels h d to h d + d - 1.
    /// </summary>
    /// <param name="queries">[queries, C].</param>
    /// <param name="keys">[keys, C].</param>
    /// <param name="values">[keys, C].</param>
    /// <param name="mask">[queries, keys] added to the scores: 0 to read, negative infinity not to. Empty: every query reads every
    /// key.</param>
    /// <param name="heads">Number of heads; divides C.</param>
    /// <param name="channels">C.</param>
    /// <param name="output">[queries, C], heads side by side.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a query may read nothing.</exception>
    public static void Forward(
        ReadOnlySpan<double> queries,
        ReadOnlySpan<double> keys,
        ReadOnlySpan<double> values,
        ReadOnlySpan<double> mask,
        int heads,
        int channels,
        Span<double> output)
    {
        int rows = ReferenceShape.Rows(queries.Length, channels), count = ReferenceShape.Rows(keys.Length, channels);
        ReferenceShape.Expect(values.Length, keys.Length, "[keys, C]", nameof(values));
        ReferenceShape.Expect(output.Length, queries.Length, "[queries, C]", nameof(output));
        ReferenceShape.Expect(mask.Length, mask.IsEmpty ? 0 : (long)rows * count, "[queries, keys]", nameof(mask));
        if (heads < 1 || channels % heads != 0)
            throw new ArgumentException($"{channels} channels do not divide into {heads} heads", nameof(heads));
        int headDim = channels / heads;
        // One head at a time, channels first: the inner loops then run over keys, which are many, and not over a head's few channels.
        double[] headKeys = new double[headDim * count], headValues = new double[headDim * count], scores = new double[count];
        double scale = 1 / Math.Sqrt(headDim);
        for (int head = 0; head < heads; head++)
        {
            int first = head * headDim;
            ChannelsFirst(keys, channels, first, headDim, headKeys);
            ChannelsFirst(values, channels, first, headDim, headValues);
            for (int q = 0; q < rows; q++)
            {
                Array.Clear(scores);
                for (int i = 0; i < headDim; i++)
                    ReferenceVector.AddScaled(queries[(q * channels) + first + i] * scale, headKeys.AsSpan(i * count, count), scores);
                if (!mask.IsEmpty)
                    ReferenceVector.AddScaled(1, mask.Slice(q * count, count), scores);
                Softmax(scores);
                for (int i = 0; i < headDim; i++)
                    output[(q * channels) + first + i] = ReferenceVector.Dot(scores, headValues.AsSpan(i * count, count));
            }
        }
    }

    /// <summary>Softmax of one row in place: p_k = exp(s_k - max) / sum. Negative infinity becomes 0.</summary>
    /// <param name="row">Scores; at least one of them finite.</param>
    /// <exception cref="ArgumentException">No score is above negative infinity.</exception>
    public static void Softmax(Span<double> row)
    {
        double largest = double.NegativeInfinity;
        foreach (double score in row)
            largest = Math.Max(largest, score);
        if (double.IsNegativeInfinity(largest))
            throw new ArgumentException("a query may read no key: its whole row of the mask is negative infinity", nameof(row));
        double sum = ReferenceVector.ExpMinus(largest, row);
        for (int k = 0; k < row.Length; k++)
            row[k] /= sum;
    }

    // rows [tokens, channels], channels first to first + count - 1 -> [count, tokens].
    private static void ChannelsFirst(ReadOnlySpan<double> rows, int channels, int first, int count, double[] result)
    {
        int tokens = rows.Length / channels;
        for (int k = 0; k < tokens; k++)
        {
            for (int i = 0; i < count; i++)
                result[(i * tokens) + k] = rows[(k * channels) + first + i];
        }
    }
}

/// <summary>GELU in its exact form, x Phi(x) (Hendrycks and Gimpel, arXiv 1606.08415).</summary>
internal static class ReferenceGelu
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

/// <summary>The gate of a residual block: sigmoid of the first half of the channels times tanh of the second.</summary>
internal static class ReferenceGate
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

/// <summary>SiLU, x sigmoid(x), of the diffusion embedding.</summary>
internal static class ReferenceSilu
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

/// <summary>Executes a row of a sampler's table on values: the predicted clean signal and the new state.</summary>
internal static class ReferenceSamplerUpdate
{
    /// <summary>
    /// Computes x0 = clamp(CleanFromState x + CleanFromPrediction p) and x &lt;- State x + Clean0 x0 + Clean1 x0' + Clean2 x0'' + Noise z.
    /// </summary>
    /// <param name="step">The row.</param>
    /// <param name="prediction">[n] the network's output p at x and <see cref="SamplerStep.T"/>.</param>
    /// <param name="state">[n] x, replaced.</param>
    /// <param name="clean">[n] takes x0.</param>
    /// <param name="clean1">[n] x0 of one row before.</param>
    /// <param name="clean2">[n] x0 of two rows before.</param>
    /// <param name="noise">[n] z; may be empty where <see cref="SamplerStep.Noise"/> is 0.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void Forward(
        in SamplerStep step,
        ReadOnlySpan<double> prediction,
        Span<double> state,
        Span<double> clean,
        ReadOnlySpan<double> clean1,
        ReadOnlySpan<double> clean2,
        ReadOnlySpan<double> noise)
    {
        int n = state.Length;
        ReferenceShape.Expect(prediction.Length, n, "[n]", nameof(prediction));
        ReferenceShape.Expect(clean.Length, n, "[n]", nameof(clean));
        ReferenceShape.Expect(clean1.Length, n, "[n]", nameof(clean1));
        ReferenceShape.Expect(clean2.Length, n, "[n]", nameof(clean2));
        if (step.Noise != 0)
            ReferenceShape.Expect(noise.Length, n, "[n]", nameof(noise));
        for (int i = 0; i < n; i++)
        {
            double x0 = Math.Clamp((step.CleanFromState * state[i]) + (step.CleanFromPrediction * prediction[i]), step.ClampLow,
                step.ClampHigh);
            clean[i] = x0;
            state[i] = (step.State * state[i]) + (step.Clean0 * x0) + (step.Clean1 * clean1[i]) + (step.Clean2 * clean2[i])
                + (step.Noise == 0 ? 0 : step.Noise * noise[i]);
        }
    }
}
