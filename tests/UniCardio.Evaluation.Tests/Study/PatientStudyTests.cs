using UniCardio.Engine.Model;
using UniCardio.Evaluation.Study;
using UniCardio.Evaluation.Study.Rates;

namespace UniCardio.Evaluation.Tests.Study;

public class PatientStudyTests
{
    // A chain of 20 s episodes over 20,000 s has some 500 to 750 of them: the share of bad seconds errs by less than 0.05 (two deviations
    // of sqrt(2 d (1 - d) tau / n), tau up to 15 s).
    [Theory]
    [InlineData(0.25)]
    [InlineData(0.5)]
    [InlineData(0.75)]
    public void EpisodesTakeTheirShareOfTheTime(double duty)
    {
        bool[] bad = MarkovCorruption.Episodes(20_000, duty, 3);
        Assert.InRange(bad.Count(b => b) / 20_000.0, duty - 0.05, duty + 0.05);
        int begun = Enumerable.Range(1, bad.Length - 1).Count(s => bad[s] && !bad[s - 1]);
        Assert.InRange(bad.Count(b => b) / (double)begun, 16, 24);
    }

    [Fact]
    public void GoodSecondsStayAsTheyAreAndBadOnesDoNot()
    {
        float[] clean = [.. Enumerable.Range(0, 125 * 60).Select(i => (float)(90 + (20 * Math.Sin(i * 0.06))))];
        bool[] bad = [.. Enumerable.Range(0, 60).Select(s => s is >= 20 and < 40)];
        float[] spoiled = MarkovCorruption.Apply(Modality.Bp, clean, bad, 5);
        Assert.Equal(clean[..2500], spoiled[..2500]);
        Assert.Equal(clean[5000..], spoiled[5000..]);
        Assert.NotEqual(clean[2500..5000], spoiled[2500..5000]);
    }

    // 100 subjects of deviation 1: the mean's deviation is 0.1, its 95% interval 0.39 wide, told within a quarter by 2000 resamples of 100.
    [Fact]
    public void AnIntervalIsOverSubjects()
    {
        double[] values = [.. Enumerable.Range(0, 100).Select(i => i % 2 == 0 ? 1.0 : -1.0)];
        SubjectInterval interval = SubjectInterval.Of(values, 1);
        Assert.Equal(0, interval.Mean, 12);
        Assert.InRange(interval.High - interval.Low, 0.3, 0.49);
        Assert.Equal("2.0", SubjectInterval.Of([2], 1).ToText("0.0"));
    }
}
