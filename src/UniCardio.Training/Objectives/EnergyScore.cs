using System.Buffers;
using UniCardio.Training.Data;

namespace UniCardio.Training.Objectives;

/// <summary>How far M draws of one condition are from being draws of what is true: the energy score, at several lengths at once.</summary>
/// <remarks>
/// <para>L = 1/M sum_m d(x_m, y) - 1 / (2 M (M - 1)) sum_m sum_m' d(x_m, x_m') (Gneiting and Raftery, JASA 102, 2007, eq. 21, unbiased for
/// M draws): least in expectation where the draws have the distribution of y, since d is conditionally negative definite. The first term
/// draws towards the truth, the second keeps draws apart; with one sample a patch it is the CRPS.</para>
/// <para>d = 1/2 D(e) + 1/2 D(4 e'), e = x - y where the loss counts, e' its first differences (what is before a gap is measured: error 0
/// there), D(e) = mean over lengths n of the mean over patches of n samples, each counted by its k samples that count, of sqrt(q / k +
/// delta^2) - delta, q the sum of squares. Single samples tell levels and spread; patches and the whole window, that the samples of one
/// draw belong together; differences, edges such as a QRS, which are a small part of the energy.</para>
/// <para>O(M^2 S) a window in double: under a thousandth of a training step.</para>
/// </remarks>
internal static class EnergyScore
{
    /// <summary>Lengths of patches in samples; the last is the whole window.</summary>
    private static readonly int[] s_lengths = [1, 8, 64, int.MaxValue];

    private const double Softening = 0.005;
    private const double OfDifferences = 4;

    /// <summary>One draw's part of its condition's score, and its gradient.</summary>
    /// <param name="batch">A prepared batch whose predictions are known for all draws of the window.</param>
    /// <param name="window">Index in the batch: one draw.</param>
    /// <param name="cleanFrom">x0 = a x_t + b prediction.</param>
    /// <param name="gradient">[S] receives d loss / d prediction.</param>
    /// <returns>The part; a condition's score is the sum over its draws.</returns>
    public static double Evaluate(TrainingBatch batch, int window, (double OfNoisy, double OfPrediction) cleanFrom, Span<float> gradient)
    {
        int samples = batch.SlotSamples, draws = batch.Draws, first = window - (window % draws);
        double[] rented = ArrayPool<double>.Shared.Rent(3 * samples);
        try
        {
            Span<double> own = rented.AsSpan(0, samples), error = rented.AsSpan(samples, samples);
            Span<double> slope = rented.AsSpan(2 * samples, samples);
            ReadOnlySpan<float> clean = batch.CleanTarget(window), counts = batch.Weight(window);
            void Draw(int place, Span<double> x)
            {
                ReadOnlySpan<float> noise = batch.WindowNoise(place), prediction = batch.Prediction(place);
                for (int s = 0; s < x.Length; s++)
                    x[s] = (cleanFrom.OfNoisy * noise[s]) + (cleanFrom.OfPrediction * prediction[s]);
            }

            slope.Clear();
            Draw(window, own);
            for (int s = 0; s < samples; s++)
                error[s] = own[s] - clean[s];
            double score = Distance(error, counts, 1.0 / draws, slope) / draws;
            for (int place = first; place < first + draws; place++)
            {
                if (place == window)
                    continue;
                Draw(place, error);
                for (int s = 0; s < samples; s++)
                    error[s] = own[s] - error[s];

                // A pair stands in both draws' parts by half its distance, and in both draws' slopes whole.
                double share = 1.0 / (draws * (draws - 1));
                score -= 0.5 * share * Distance(error, counts, -share, slope);
            }

            double scale = batch.Scale[window];
            for (int s = 0; s < gradient.Length; s++)
                gradient[s] = (float)(scale * slope[s] * cleanFrom.OfPrediction);
            return scale * score;
        }
        finally
        {
            ArrayPool<double>.Shared.Return(rented);
        }
    }

    /// <summary>d of an error, and its gradient.</summary>
    /// <param name="error">[S] e.</param>
    /// <param name="counts">[S] above 0 where the loss counts.</param>
    /// <param name="factor">Of the gradient.</param>
    /// <param name="slope">[S], factor d d / d e is added.</param>
    internal static double Distance(ReadOnlySpan<double> error, ReadOnlySpan<float> counts, double factor, Span<double> slope)
    {
        int counted = counts.Length - counts.Count(0f);
        double sum = 0, share = 0.5 / (s_lengths.Length * counted);
        foreach (int length in s_lengths)
        {
            for (int from = 0; from < error.Length; from += Math.Min(length, error.Length))
            {
                int to = (int)Math.Min((long)from + length, error.Length), own = 0;
                double squares = 0, differences = 0;
                for (int s = from; s < to; s++)
                {
                    if (!(counts[s] > 0))
                        continue;
                    own++;
                    squares += error[s] * error[s];
                    double step = Step(error, counts, s);
                    differences += step * step;
                }

                if (own == 0)
                    continue;
                double root = Math.Sqrt((squares / own) + (Softening * Softening)),
                    rootOfSteps = Math.Sqrt((differences / own) + (Softening * Softening));
                sum += share * own * (root + rootOfSteps - (2 * Softening));
                for (int s = from; s < to; s++)
                {
                    if (!(counts[s] > 0))
                        continue;
                    double ofStep = factor * share * OfDifferences * Step(error, counts, s) / rootOfSteps;
                    slope[s] += (factor * share * error[s] / root) + ofStep;
                    if (s > 0 && counts[s - 1] > 0)
                        slope[s - 1] -= ofStep;
                }
            }
        }

        return sum;
    }

    // 4 e'.
    private static double Step(ReadOnlySpan<double> error, ReadOnlySpan<float> counts, int s) =>
        OfDifferences * (error[s] - (s > 0 && counts[s - 1] > 0 ? error[s - 1] : 0));
}
