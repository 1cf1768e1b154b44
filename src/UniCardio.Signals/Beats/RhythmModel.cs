namespace UniCardio.Signals.Beats;

/// <summary>Multinomial logistic function of <see cref="RhythmFeatures"/>: softmax over four rhythms of b + W f.</summary>
/// <remarks>Fitted by <c>evaluate --study rhythm --fit</c> on synthetic hearts alone, all four rhythms alike often. Sinus rhythm's row is
/// 0.</remarks>
internal sealed class RhythmModel(double[][] rows)
{
    /// <summary>[4][<see cref="RhythmFeatures.Count"/> + 1] bias, then weights.</summary>
    public double[][] Rows { get; } = rows;

    private static readonly RhythmModel s_ecg = new(RhythmCoefficients.Ecg), s_pulse = new(RhythmCoefficients.Pulse);

    public static RhythmModel For(ChannelKind kind) => kind == ChannelKind.Ecg ? s_ecg : s_pulse;

    /// <summary>Probabilities of the rhythms.</summary>
    public double[] Shares(ReadOnlySpan<double> features)
    {
        double[] z = new double[Rows.Length];
        for (int c = 0; c < z.Length; c++)
        {
            z[c] = Rows[c][0];
            for (int i = 0; i < features.Length; i++)
                z[c] += Rows[c][i + 1] * features[i];
        }

        return Softmax(z);
    }

    public static double[] Softmax(double[] z)
    {
        double largest = z.Max();
        double[] e = [.. z.Select(v => Math.Exp(v - largest))];
        double sum = e.Sum();
        return [.. e.Select(v => v / sum)];
    }
}
