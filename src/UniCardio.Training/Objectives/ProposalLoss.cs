using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Training.Data;

namespace UniCardio.Training.Objectives;

/// <summary>The loss of a network that corrects proposals: answer = proposal + prediction, counted in the gap.</summary>
/// <remarks>
/// L = 1/B sum over windows of ln(1 + m / 0.02^2) / 2, m the mean squared error over the window's gap: by how much an error is made larger
/// or smaller counts, whatever its size, so that a beat that is right already is left alone and one that is another beat than proposed does
/// not swamp the rest. (With the root of m + 0.01 in its place a proposal off by 0.03 was made worse by a quarter, at no cost.)
/// d L / d p = (answer - clean) / (B n (m + 0.02^2)) in a gap of n samples.
/// </remarks>
internal static class ProposalLoss
{
    /// <summary>What is added to the mean square: an error of 0.02 is as good as none.</summary>
    public const double Softening = 0.02 * 0.02;

    /// <summary>One window's part of the batch's loss, and its gradient.</summary>
    /// <param name="batch">A prepared batch; the scale of a window is one over its counted samples.</param>
    /// <param name="window">Index in the batch.</param>
    /// <param name="prediction">[S] the correction.</param>
    /// <param name="gradient">[S] receives d loss / d prediction.</param>
    public static double Evaluate(TrainingBatch batch, int window, ReadOnlySpan<float> prediction, Span<float> gradient)
    {
        double scale = batch.Scale[window], square = MeanSquare(batch, window, prediction) + Softening;
        ReadOnlySpan<float> weight = batch.Weight(window), clean = batch.CleanTarget(window),
            proposal = batch.Condition(window, batch.Tasks[window].Output);
        float slope = (float)(scale / (square * batch.Count)), proposes = Proposes(proposal, weight);
        for (int s = 0; s < gradient.Length; s++)
            gradient[s] = slope * weight[s] * ((proposes * proposal[s]) + prediction[s] - clean[s]);
        return 0.5 * Math.Log(square / Softening) / batch.Count;
    }

    /// <summary>Mean squared error of the answer in a window's gap.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="window">Index in the batch.</param>
    /// <param name="correction">[S] the correction; empty for none, that is for the proposal's own error.</param>
    public static double MeanSquare(TrainingBatch batch, int window, ReadOnlySpan<float> correction)
    {
        ReadOnlySpan<float> weight = batch.Weight(window), clean = batch.CleanTarget(window),
            proposal = batch.Condition(window, batch.Tasks[window].Output);
        double sum = 0, counted = 0;
        float proposes = Proposes(proposal, weight);
        for (int s = 0; s < clean.Length; s++)
        {
            float answer = (proposes * proposal[s]) + (correction.IsEmpty ? 0 : correction[s]);
            double error = (double)answer - clean[s];
            sum += weight[s] * error * error;
            counted += weight[s];
        }

        return sum / counted;
    }

    // 1; 0 where the gap holds no proposal.
    private static float Proposes(ReadOnlySpan<float> slot, ReadOnlySpan<float> weight)
    {
        int from = weight.IndexOfAnyExcept(0f), to = weight.LastIndexOfAnyExcept(0f) + 1;
        return from >= 0 && Proposal.IsMissing(slot[from..to]) ? 0 : 1;
    }
}
