namespace UniCardio.Engine.Reference;

/// <summary>Scaled dot-product attention of several heads (Vaswani et al., arXiv 1706.03762), between the projections.</summary>
/// <remarks>
/// Queries may be any subset of the tokens, so the condition stream, the target stream and the dense four-slot form are one op.
/// Key rows may come in any order; only the order of summation changes with it.
/// </remarks>
public static class ReferenceAttention
{
    // A row of K or V serves this many queries while it is in the first-level cache.
    private const int QueryBlock = 8;

    /// <summary>
    /// For each query q and head h: out[q, h] = sum_k softmax_k(Q[q, h] . K[k, h] / sqrt(d) + mask[q, k]) V[k, h], with d = C / heads
    /// channels a head, head h being channels h d to h d + d - 1.
    /// </summary>
    /// <param name="queries">[queries, C].</param>
    /// <param name="keys">[keys, C].</param>
    /// <param name="values">[keys, C].</param>
    /// <param name="mask">[queries, keys] added to the scores: 0 to read, negative infinity not to. Empty: every query reads every key.</param>
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
        double[] scores = new double[QueryBlock * count];
        for (int start = 0; start < rows; start += QueryBlock)
        {
            int block = Math.Min(QueryBlock, rows - start);
            ReadOnlySpan<double> blockMask = mask.IsEmpty ? mask : mask.Slice(start * count, block * count);
            Span<double> probabilities = scores.AsSpan(0, block * count);
            for (int head = 0; head < heads; head++)
            {
                int at = head * headDim;
                Scores(queries.Slice(start * channels, block * channels), keys, blockMask, channels, at, headDim, probabilities, count);
                for (int q = 0; q < block; q++)
                    Softmax(probabilities.Slice(q * count, count));
                WeightedSum(probabilities, values, channels, at, headDim, count, output.Slice(start * channels, block * channels));
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
        double sum = 0;
        for (int k = 0; k < row.Length; k++)
        {
            row[k] = double.IsNegativeInfinity(row[k]) ? 0 : Math.Exp(row[k] - largest);
            sum += row[k];
        }

        for (int k = 0; k < row.Length; k++)
            row[k] /= sum;
    }

    // scores [queries, keys]; a masked score is negative infinity whatever the product is, so it is not computed.
    private static void Scores(ReadOnlySpan<double> queries, ReadOnlySpan<double> keys, ReadOnlySpan<double> mask, int channels, int at, int headDim, Span<double> scores, int count)
    {
        double scale = 1 / Math.Sqrt(headDim);
        int rows = queries.Length / channels;
        for (int k = 0; k < count; k++)
        {
            ReadOnlySpan<double> key = keys.Slice((k * channels) + at, headDim);
            for (int q = 0; q < rows; q++)
            {
                double added = mask.IsEmpty ? 0 : mask[(q * count) + k];
                scores[(q * count) + k] = double.IsNegativeInfinity(added)
                    ? added
                    : (ReferenceVector.Dot(queries.Slice((q * channels) + at, headDim), key) * scale) + added;
            }
        }
    }

    private static void WeightedSum(ReadOnlySpan<double> probabilities, ReadOnlySpan<double> values, int channels, int at, int headDim, int count, Span<double> output)
    {
        int rows = output.Length / channels;
        for (int q = 0; q < rows; q++)
            output.Slice((q * channels) + at, headDim).Clear();
        for (int k = 0; k < count; k++)
        {
            ReadOnlySpan<double> value = values.Slice((k * channels) + at, headDim);
            for (int q = 0; q < rows; q++)
            {
                double p = probabilities[(q * count) + k];
                if (p != 0)
                    ReferenceVector.AddScaled(p, value, output.Slice((q * channels) + at, headDim));
            }
        }
    }
}
