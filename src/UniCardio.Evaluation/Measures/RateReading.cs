namespace UniCardio.Evaluation.Measures;

/// <summary>The heart rate read off an estimate beside the true one.</summary>
/// <param name="Truth">Beats a minute of the truth.</param>
/// <param name="Estimate">Beats a minute of the estimate; null if fewer than two beats were found in it, which is a failure.</param>
internal readonly record struct RateReading(double Truth, double? Estimate)
{
    /// <summary>Absolute error in beats a minute. A failure counts as a reading of 0, that is with the whole true rate.</summary>
    public double AbsoluteError => Math.Abs((Estimate ?? 0) - Truth);

    /// <summary>Whether no rate could be read.</summary>
    public bool Failed => Estimate is null;

    /// <summary>Mean rate of a run of beats, 60 (n - 1) / (last - first); null with fewer than two.</summary>
    /// <param name="beats">Samples of the beats, ascending.</param>
    /// <param name="sampleRate">Samples a second.</param>
    public static double? OfBeats(IReadOnlyList<int> beats, double sampleRate) =>
        beats.Count < 2 || beats[^1] <= beats[0] ? null : 60 * (beats.Count - 1) * sampleRate / (beats[^1] - beats[0]);
}
