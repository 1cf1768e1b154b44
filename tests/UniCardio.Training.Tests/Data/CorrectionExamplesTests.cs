using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Training.Data;
using UniCardio.Training.Objectives;

namespace UniCardio.Training.Tests.Data;

public class CorrectionExamplesTests
{
    private const int Samples = 500;

    private static readonly CardioTask Task = CardioTask.Parse("impute bp | ecg");

    [Fact]
    public void WindowsHoldAProposalInTheGapOfNearlyAll()
    {
        var source = new CorrectionExamples(7, Samples);
        var batch = new TrainingBatch(48, Samples);
        int proposed = 0;
        double own = 0, nothing = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            source.Fill(i, Task, batch, i);
            float[] gap = batch.Weight(i).ToArray(), given = batch.Condition(i, Modality.Bp).ToArray();
            int from = Array.IndexOf(gap, 1f), length = gap.Count(w => w == 1);

            // 0.4 to 3 s, in one piece, and three quarters of the window at most.
            Assert.InRange(length, 50, 375);
            Assert.All(gap[from..(from + length)], w => Assert.Equal(1, w));
            Assert.All((float[])[.. batch.Condition(i, Modality.Ppg)], x => Assert.Equal(0, x));
            Assert.True(given.All(float.IsFinite) && batch.CleanTarget(i).ToArray().All(float.IsFinite));
            if (Proposal.IsMissing(given.AsSpan(from, length)))
                continue;
            proposed++;
            own += Math.Sqrt(ProposalLoss.MeanSquare(batch, i, []));
            nothing += Math.Sqrt(batch.CleanTarget(i).ToArray().Where((_, s) => gap[s] == 1).Average(x => (double)x * x));
        }

        // All 48 but the few of which no beat can be made.
        Assert.InRange(proposed, 42, 48);

        // The own beat errs by less than half of what an empty gap does, or it is none.
        Assert.True(own < 0.5 * nothing, $"{own / proposed} against {nothing / proposed}");
    }

    [Fact]
    public void AWindowIsTheSameInAnyOrder()
    {
        var batch = new TrainingBatch(4, Samples);
        var source = new CorrectionExamples(7, Samples);
        source.Fill(33, Task, batch, 0);
        source.Fill(2, Task, batch, 1);
        source.Fill(40, Task, batch, 2);
        new CorrectionExamples(7, Samples).Fill(33, Task, batch, 3);
        source.Fill(33, Task, batch, 1);
        Assert.Equal(batch.Slot(0, 0).ToArray(), batch.Slot(3, 0).ToArray());
        foreach (int place in (int[])[1, 3])
        {
            Assert.Equal(batch.Condition(0, Modality.Bp).ToArray(), batch.Condition(place, Modality.Bp).ToArray());
            Assert.Equal(batch.CleanTarget(0).ToArray(), batch.CleanTarget(place).ToArray());
        }

        Assert.NotEqual(batch.CleanTarget(0).ToArray(), batch.CleanTarget(2).ToArray());
        Assert.NotEqual(source.Identity, new CorrectionExamples(8, Samples).Identity);
    }

    [Fact]
    public void SixteenWindowsInARowAreOfSixteenSubjects()
    {
        for (long first = 0; first < 1024; first += 16)
            Assert.Equal(16, Enumerable.Range(0, 16).Select(i => CorrectionExamples.SubjectOf(first + i)).Distinct().Count());
        Assert.All(Enumerable.Range(0, 4096).GroupBy(i => CorrectionExamples.SubjectOf(i)), windows => Assert.Equal(16, windows.Count()));
        Assert.Equal(256, Enumerable.Range(0, 4096).Select(i => CorrectionExamples.SubjectOf(i)).Distinct().Count());
    }

    [Fact]
    public void OnlyGapsHaveProposals()
    {
        var source = new CorrectionExamples(7, Samples);
        Assert.Throws<ArgumentException>(() => source.Fill(0, CardioTask.Parse("ppg->ecg"), new TrainingBatch(1, Samples), 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CorrectionExamples(1, 100));
    }
}
