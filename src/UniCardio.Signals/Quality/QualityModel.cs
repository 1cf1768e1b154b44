namespace UniCardio.Signals.Quality;

/// <summary>The index's logistic function of one kind of signal: 1 / (1 + exp(-(b + sum w f))).</summary>
/// <remarks>Fitted by <c>evaluate --study quality --fit</c> on synthetic recordings, spoiled in stretches
/// (<see cref="Synthesis.CorruptionEpisodes"/>); the label is whether the heart rate is within 5 bpm of that of the generator's beats. No
/// real recording took part.</remarks>
internal sealed class QualityModel(double bias, double[] weights)
{
    /// <summary>[<see cref="QualityFeatures.Count"/> + 1] bias, then weights.</summary>
    public double[] Coefficients => [bias, .. weights];

    private static readonly QualityModel s_ecg = new(-3.718,
            [-0.137, -0.062, 0, 0, 1.248, 2.043, 1.917, -4.436, 2.048, 0.764, 0.175, -0.295, -0.009, 2.48]),
        s_ppg = new(-2.863, [-0.363, 0.257, 0, 0, 3.818, 1.232, 1.253, -4.786, 1.128, 1.066, 0.781, -0.109, -0.952, 0.905]),
        s_pressure = new(-0.514, [-0.19, 0, 0, -0.657, 0.818, 0.251, 0.447, -4.411, 2.474, -0.729, 0.523, 0.094, -0.122, 1.774]);

    public static QualityModel For(ChannelKind kind) => kind switch
    {
        ChannelKind.Ecg => s_ecg,
        ChannelKind.Ppg => s_ppg,
        _ => s_pressure,
    };

    /// <summary>The index; 0 where there is no rate.</summary>
    public double Index(in QualityFeatures features)
    {
        if (features.HasRate < 1)
            return 0;
        Span<double> f = stackalloc double[QualityFeatures.Count];
        features.Write(f);
        double sum = bias;
        for (int i = 0; i < f.Length; i++)
            sum += weights[i] * f[i];
        return 1 / (1 + Math.Exp(-sum));
    }
}
