using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Training.Data;

/// <summary>The gaps of a window to be imputed.</summary>
/// <remarks>
/// Half of the windows have one run of 30% of the samples, as in the published training; a quarter one run of 0.2 s up to 60% of the
/// window, short ones more often; 15% two to four runs; 10% one run of 60% up to the whole window.
/// </remarks>
internal sealed class GapPlan
{
    /// <summary>Length of the published gap as a share of the window (arXiv 2505.22306).</summary>
    public const double PublishedShare = 0.3;

    /// <summary>Shortest gap drawn, seconds.</summary>
    public const double MinSeconds = 0.2;

    private const int MaxGaps = 4;
    private readonly SampleRange[] _gaps = new SampleRange[MaxGaps];
    private int _count;

    /// <summary>Gaps in order of drawing; they may touch or overlap.</summary>
    public ReadOnlySpan<SampleRange> Gaps => _gaps.AsSpan(0, _count);

    /// <summary>Draws the gaps of a window.</summary>
    /// <param name="samples">Samples S of the window.</param>
    /// <param name="rate">Samples a second.</param>
    /// <param name="random">Where chance comes from.</param>
    public void Draw(int samples, double rate, ref CounterRandom random)
    {
        double kind = random.NextDouble();
        int shortest = Math.Clamp((int)Math.Round(MinSeconds * rate), 1, samples);
        _count = 0;
        if (kind < 0.5)
        {
            Place(samples, (int)Math.Round(PublishedShare * samples), ref random);
        }
        else if (kind < 0.75)
        {
            Place(samples, Between(shortest, 0.6 * samples, ref random), ref random);
        }
        else if (kind < 0.9)
        {
            int gaps = 2 + (int)(random.NextDouble() * (MaxGaps - 1));
            for (int g = 0; g < gaps; g++)
                Place(samples, Between(shortest, 0.3 * samples, ref random), ref random);
        }
        else
        {
            // Some of these are the whole window: what a gap that is longer than it leaves.
            Place(samples, (int)Math.Min(samples, random.NextUniform(0.6, 1.15) * samples), ref random);
        }
    }

    /// <summary>Whether so little of a window is left that its scale comes from its surroundings.</summary>
    public bool LeavesLittle(int samples)
    {
        int missing = 0;
        foreach (SampleRange gap in Gaps)
            missing += gap.Length;
        return 4L * (samples - missing) < samples;
    }

    private static int Between(double shortest, double longest, ref CounterRandom random) =>
        (int)Math.Round(shortest + Math.Max(longest - shortest, 0) * Square(random.NextDouble()));

    private static double Square(double x) => x * x;

    private void Place(int samples, int length, ref CounterRandom random)
    {
        length = Math.Clamp(length, 1, samples);
        int start = (int)(random.NextDouble() * (samples - length + 1));
        _gaps[_count++] = new SampleRange(start, length);
    }
}
