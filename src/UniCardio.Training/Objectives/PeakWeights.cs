namespace UniCardio.Training.Objectives;

/// <summary>Weights that make peaks and valleys of a clean signal count more, as the official fine-tuning finds them (thu-ml/UniCardio,
/// MIT).</summary>
/// <remarks>
/// With d1 and d2 the first and second differences, each averaged over 9 samples (zeros beyond the ends): a peak is where d2 &lt; -0.01 and
/// |d1| &lt; 0.2, or where the signal is over 6 times its mean; a valley where d2 &gt; 0.01 and |d1| &lt; 0.2, or where (x - mean)/|mean|
/// is below -3. What is both is a valley.
/// </remarks>
internal static class PeakWeights
{
    public const float Peak = 3, Valley = 2;

    private const int Half = 4;
    private const double Curved = 0.01, Flat = 0.2, FarAbove = 5, FarBelow = -3;

    /// <summary>Finds the weights.</summary>
    /// <param name="clean">[S].</param>
    /// <param name="weights">[S] receives 1, 2 or 3.</param>
    public static void Fill(ReadOnlySpan<float> clean, Span<float> weights)
    {
        double mean = 0;
        foreach (float x in clean)
            mean += x / (double)clean.Length;
        for (int s = 0; s < clean.Length; s++)
        {
            double slope = 0, curvature = 0;
            for (int i = Math.Max(0, s - Half); i <= Math.Min(clean.Length - 1, s + Half); i++)
            {
                slope += First(clean, i) / ((2 * Half) + 1);
                curvature += (First(clean, i) - First(clean, i - 1)) / ((2 * Half) + 1);
            }

            double far = mean == 0 ? 0 : (clean[s] - mean) / Math.Abs(mean);
            bool flat = Math.Abs(slope) < Flat;
            weights[s] = (flat && curvature > Curved) || far < FarBelow ? Valley : (flat && curvature < -Curved)
                || far > FarAbove ? Peak : 1;
        }
    }

    private static double First(ReadOnlySpan<float> x, int i) => i < 1 ? 0 : (double)x[i] - x[i - 1];
}
