namespace UniCardio.Engine.Reference;

/// <summary>Scaled dot-product attention of several heads (Vaswani et al., arXiv 1706.03762), between the projections.</summary>
/// <remarks>
/// Queries may be any subset of the tokens, so the condition stream, the target stream and the dense four-slot form are one op.
/// Key rows may come in any order; only the order of summation changes with it.
/// </remarks>
public static class ReferenceAttention
{
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
