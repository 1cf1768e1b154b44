using FsCheck;
using FsCheck.Fluent;
using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Tests.Processing;

public class GapAndQualityTests
{
    private const float N = float.NaN;

    [Fact]
    public void GapsAreFoundWhereTheyAre()
    {
        Assert.Equal([new SampleRange(0, 2), new SampleRange(3, 1), new SampleRange(6, 2)], GapFinder.Find([N, N, 1, N, 2, 3, N, N]));
        Assert.Empty(GapFinder.Find([]));
        Assert.Empty(GapFinder.Find([1, 2]));
    }

    [Fact]
    public void SmallMeasuredRunsJoinTheGapsAboutThem()
    {
        Assert.Equal([new SampleRange(0, 4), new SampleRange(6, 2)], GapFinder.Find([N, N, 1, N, 2, 3, N, N], 2));
        Assert.Equal([new SampleRange(0, 8)], GapFinder.Find([N, N, 1, N, 2, 3, N, N], 3));
        Assert.Equal([new SampleRange(0, 4)], GapFinder.Find([1, N, N, 2], 2));
        Assert.Empty(GapFinder.Find([1], 5));
    }

    [Fact]
    public void GapsAndMeasuredRunsPartitionAnySignal()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<bool[]>(), ArbMap.Default.ArbFor<byte>(), (missing, shortest) =>
        {
            float[] x = [.. missing.Select(m => m ? N : 1f)];
            int min = shortest % 6;
            var gaps = GapFinder.Find(x, min);
            var runs = GapFinder.FindMeasured(x, min);
            var all = gaps.Concat(runs).OrderBy(r => r.Start).ToArray();
            int at = 0;
            foreach (SampleRange r in all)
            {
                Assert.Equal(at, r.Start);
                Assert.True(r.Length > 0);
                at = r.End;
            }
            Assert.Equal(x.Length, at);
            Assert.All(runs, r => Assert.True(x[r.Start..r.End].All(v => !float.IsNaN(v)) && (r.Length >= min || gaps.Count == 0)));
            Assert.All(gaps, g => Assert.Contains(x[g.Start..g.End], float.IsNaN));
            if (min <= 1)
                Assert.Equal(x.Count(float.IsNaN), gaps.Sum(g => g.Length));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void FlatLinesAreFoundWithinToleranceAndNeverAcrossAGap()
    {
        float[] x = [1, 2, 2, 2, N, 2, 2, 2, 2.05f, 3];
        Assert.Equal([new FlatRun(new(1, 3), 2), new FlatRun(new(5, 3), 2)], SignalQuality.FindFlatRuns(x, 3));
        Assert.Equal([new FlatRun(new(5, 4), 2)], SignalQuality.FindFlatRuns(x, 4, 0.1f));
        Assert.Empty(SignalQuality.FindFlatRuns(x, 5));
    }

    [Fact]
    public void ClippingIsFoundAtEitherEnd()
    {
        var x = new float[1000];
        for (int i = 0; i < x.Length; i++)
            x[i] = (float)Math.Clamp(Math.Sin(2 * Math.PI * i / 100), -2, 0.8);
        var runs = SignalQuality.FindClippedRuns(x);
        Assert.Equal(10, runs.Count);
        Assert.All(runs, r => Assert.Equal((ClippingSide.High, 0.8f), (r.Side, r.Level)));
        // sin > 0.8 between 53.13 and 126.87 degrees: samples 14.8 to 35.2 of a period of 100.
        Assert.Equal(new SampleRange(15, 21), runs[0].Range);
    }

    [Fact]
    public void ANaturalCrestAndAConstantAreNotClipping()
    {
        var x = new float[1000];
        for (int i = 0; i < x.Length; i++)
            x[i] = (float)Math.Round(100 * Math.Exp(-(i - 500.0) * (i - 500.0) / 20000)) / 100;
        int crest = x.Count(v => v == 1);
        Assert.InRange(crest, 5, 40);
        Assert.DoesNotContain(SignalQuality.FindClippedRuns(x, 4, 50), r => r.Side == ClippingSide.High);
        Assert.Empty(SignalQuality.FindClippedRuns(new float[100]));
    }

    [Fact]
    public void AChannelIsInspectedByTime()
    {
        var x = new float[1250];
        for (int i = 0; i < x.Length; i++)
            x[i] = i is >= 300 and < 450 ? 5 : i is >= 600 and < 650 ? N : (float)Math.Sin(i * 0.05) * 10;
        ChannelReport report = RecordingPreparation.Inspect(new Channel("ABP", "mmHg", 125, x));
        Assert.Equal(new SampleRange(300, 150), Assert.Single(report.FlatRuns).Range);
        Assert.Equal(new SampleRange(600, 50), Assert.Single(report.Gaps));
        Assert.Empty(report.ClippedRuns);
        Assert.Equal(1200, report.Measured);
        Assert.Contains("1.2 s in all, the first at 2.4 s", Assert.Single(report.Warnings()).Message);
    }
}
