namespace UniCardio.Signals.Processing;

/// <summary>How well a score ranks cases above others.</summary>
internal static class RankOrder
{
    /// <summary>Area under the receiver operating characteristic: the probability that a case of the class has a higher score than one
    /// that is not of it, ties counted half (Mann and Whitney 1947). Null without cases of both; a NaN score counts as the
    /// lowest.</summary>
    /// <param name="scores">[n].</param>
    /// <param name="isOfClass">[n].</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double? Auroc(ReadOnlySpan<double> scores, ReadOnlySpan<bool> isOfClass)
    {
        if (scores.Length != isOfClass.Length)
            throw new ArgumentException($"{scores.Length} scores for {isOfClass.Length} cases", nameof(isOfClass));
        double[] keys = scores.ToArray();
        int[] order = new int[keys.Length];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
            if (double.IsNaN(keys[i]))
                keys[i] = double.NegativeInfinity;
        }

        Array.Sort(keys, order);
        double ranks = 0;
        long members = 0;
        for (int i = 0; i < keys.Length;)
        {
            int j = i, here = 0;
            while (j < keys.Length && keys[j] == keys[i])
                here += isOfClass[order[j++]] ? 1 : 0;
            ranks += here * ((double)i + j + 1) / 2;
            members += here;
            i = j;
        }

        long others = keys.Length - members;
        return members == 0 || others == 0 ? null : (ranks - (members * (members + 1) / 2.0)) / ((double)members * others);
    }
}
