using UniCardio.Evaluation.Measures;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Tests.Measures;

public class DrawSpreadTests
{
    [Fact]
    public void FiguresOfThreeDrawsByHand()
    {
        // Draws 0, 1, 4 and truth 2; a second sample lies outside the scope.
        DrawSpread spread = DrawSpread.Of([0, 9, 1, 9, 4, 9], [2, 0], new SampleRange(0, 1));

        // Mean distance to the truth (2 + 1 + 2) / 3; mean distance of pairs (1 + 4 + 3) 2 / 9, of which half is taken off.
        Assert.Equal((5 / 3.0) - (8 / 9.0), spread.MeanCrps, 12);

        // Mean 5/3, variance (25/9 + 4/9 + 49/9) / 2, squared error 1/9.
        Assert.Equal(78 / 18.0, spread.Variance, 12);
        Assert.Equal(Math.Sqrt(4 / 3.0 * 78 / 18 * 9), spread.SpreadOverError!.Value, 9);

        // Two of three below: the third quarter, 0.5 to 0.75.
        Assert.Equal([0, 0, 0, 0, 0, 0.4, 0.4, 0.2, 0, 0], spread.Ranks.Select(r => Math.Round(r, 9)));
    }

    [Fact]
    public void DrawsOfTheTruthsOwnDistributionAreCalibrated()
    {
        // 20,000 samples of 32 normal draws and a normal truth: sd over error is 1 within 3 / sqrt(2 x 20,000) = 1.5%, every tenth within
        // 3 sqrt(0.09 / 20,000) = 0.6%, the CRPS (1 + 1/N) / sqrt(pi) = 0.5818 within 3 x 0.45 / sqrt(20,000) = 0.01.
        const int Samples = 20000, Draws = 32;
        var random = new Random(4);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        float[] truth = [.. Enumerable.Range(0, Samples).Select(_ => (float)Normal())],
            draws = [.. Enumerable.Range(0, Samples * Draws).Select(_ => (float)Normal())];
        DrawSpread right = DrawSpread.Of(draws, truth, new SampleRange(0, Samples));
        Assert.Equal(1, right.SpreadOverError!.Value, 0.015);
        Assert.All(right.Ranks, r => Assert.Equal(0.1, r / Samples, 0.006));
        Assert.Equal((1 + (1.0 / Draws)) / Math.Sqrt(Math.PI), right.MeanCrps, 0.01);

        // Half the spread: the truth lies outside too often, and the score is worse.
        DrawSpread narrow = DrawSpread.Of([.. draws.Select(x => x / 2)], truth, new SampleRange(0, Samples));
        Assert.InRange(narrow.SpreadOverError!.Value, 0.45, 0.55);
        Assert.True(narrow.MeanCrps > right.MeanCrps + 0.02 && narrow.PitDistance > 0.2 && right.PitDistance < 0.03,
            $"{narrow.MeanCrps} {narrow.PitDistance} {right.PitDistance}");
    }

    [Fact]
    public void SumsAreThoseOfBothWindows()
    {
        DrawSpread a = DrawSpread.Of([0, 1], [0.5f], new SampleRange(0, 1)), b = DrawSpread.Of([3, 3], [3], new SampleRange(0, 1)),
            both = a + b;
        Assert.Equal((2L, a.Crps + b.Crps, a.Variance + b.Variance), (both.Samples, both.Crps, both.Variance));

        // The truth equals both draws: it may have any rank, so it is shared out evenly.
        Assert.All(b.Ranks, r => Assert.Equal(0.1, r, 9));
        Assert.Throws<ArgumentException>(() => a + DrawSpread.Of([0], [0.5f], new SampleRange(0, 1)));
    }
}
