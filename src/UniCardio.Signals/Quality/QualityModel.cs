namespace UniCardio.Signals.Quality;

/// <summary>The index's logistic function of one kind of signal: 1 / (1 + exp(-(b + sum w f))).</summary>
/// <remarks>Fitted by <c>evaluate --study quality --fit</c> on synthetic recordings, spoiled in stretches
/// (<see cref="Synthesis.CorruptionEpisodes"/>); the label is whether the heart rate is within 5 bpm of that of the generator's beats. No real
/// recording took part.</remarks>
internal sealed class QualityModel(double bias, double[] weights)
{
    /// <summary>[<see cref="QualityFeatures.Count"/> + 1] bias, then weights.</summary>
    public double[] Coefficients => [bias, .. weights];

    private static readonly QualityModel s_ecg = new(-6, [1, -2, -1, 0, 3, 1.5, 1.5, -1, 3, 0.5, 0.2, 0.5, 0.5, 2]),
        s_ppg = new(-6, [1, -2, -1, 0, 3, 1.5, 1.5, -1, 3, 0, 0.2, 0.5, 0.5, 2]),
        s_pressure = new(-6, [1, -2, -1, -3, 3, 1.5, 1.5, -1, 3, 0, 0.2, 0.5, 0.5, 2]);

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
