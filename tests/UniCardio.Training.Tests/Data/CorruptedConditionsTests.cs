using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Signals.Synthesis;
using UniCardio.Training.Data;
using UniCardio.Training.Tests.Runs;

namespace UniCardio.Training.Tests.Data;

public class CorruptedConditionsTests
{
    private const int Samples = 256, Windows = 400;

    private static (TrainingBatch Good, TrainingBatch Spoiled) Fill(string name, double share)
    {
        CardioTask task = CardioTask.Parse(name);
        var source = new WaveExamples(1, Samples);
        var spoiled = new CorruptedConditions(source, share, 3);
        TrainingBatch good = new(Windows, Samples), bad = new(Windows, Samples);
        for (int i = 0; i < Windows; i++)
        {
            source.Fill(i, task, good, i);
            spoiled.Fill(i, task, bad, i);
        }

        return (good, bad);
    }

    private static bool Differs(TrainingBatch a, TrainingBatch b, int window, Modality of) =>
        !a.Condition(window, of).SequenceEqual(b.Condition(window, of));

    [Theory]
    [InlineData("impute bp | ppg,ecg")]
    [InlineData("ppg,bp->ecg")]
    [InlineData("denoise ppg | bp")]
    public void OneFurtherConditionOfAShareIsSpoiledAndNothingElse(string name)
    {
        (TrainingBatch good, TrainingBatch bad) = Fill(name, 0.4);
        CardioTask task = CardioTask.Parse(name);
        Modality[] further = CorruptedConditions.Further(task);
        int spoiled = 0;
        for (int w = 0; w < Windows; w++)
        {
            int changed = further.Count(m => Differs(good, bad, w, m));
            Assert.InRange(changed, 0, 1);
            spoiled += changed;
            foreach (Modality other in Modalities.All.Except(further))
                Assert.False(Differs(good, bad, w, other));
            foreach (Modality m in further)
            {
                Assert.All(bad.Condition(w, m).ToArray(), x => Assert.True(float.IsFinite(x)));
                if (m != Modality.Bp)
                    Assert.All(bad.Condition(w, m).ToArray(), x => Assert.InRange(x, -1.0001f, 1.0001f));
            }
        }

        Assert.Equal(good.Clean, bad.Clean);
        Assert.Equal(good.LossWeight, bad.LossWeight);

        // 400 windows with a chance of 0.4: 160 +- 4 standard deviations of 9.8.
        Assert.InRange(spoiled, 120, 200);
        Assert.All(further, m => Assert.Contains(Enumerable.Range(0, Windows), w => Differs(good, bad, w, m)));
    }

    [Theory]
    [InlineData("ppg->ecg")]
    [InlineData("impute bp")]
    public void TheOnlyConditionStays(string name)
    {
        (TrainingBatch good, TrainingBatch bad) = Fill(name, 1);
        Assert.Equal(good.Conditions, bad.Conditions);
    }

    [Fact]
    public void AWindowIsTheSameEachTimeAndFourKindsComeAlike()
    {
        (TrainingBatch good, TrainingBatch once) = Fill("impute bp | ppg", 1);
        (_, TrainingBatch again) = Fill("impute bp | ppg", 1);
        Assert.Equal(once.Conditions, again.Conditions);

        // Straight lines are told by their range, another subject's wave (a sine of the same period) by its own; a quarter of 400 each,
        // 100 +- 4 standard deviations of 8.7.
        int flat = Enumerable.Range(0, Windows)
            .Count(w => once.Condition(w, Modality.Ppg).IndexOfAnyExcept(once.Condition(w, Modality.Ppg)[0]) < 0);
        Assert.InRange(flat, 65, 135);
        int waves = Enumerable.Range(0, Windows).Count(w => IsSine(once.Condition(w, Modality.Ppg)));
        Assert.InRange(waves, 65, 135);
        Assert.Contains(Enumerable.Range(0, Windows), w => IsSine(once.Condition(w, Modality.Ppg)) && Differs(good, once, w, Modality.Ppg));
    }

    // x[n-1] + x[n+1] = 2 cos(0.3) x[n].
    private static bool IsSine(ReadOnlySpan<float> x)
    {
        for (int i = 1; i < x.Length - 1; i++)
        {
            if (Math.Abs(x[i - 1] + x[i + 1] - (2 * Math.Cos(0.3) * x[i])) > 1e-4)
                return false;
        }

        return x.IndexOfAnyExcept(x[0]) >= 0;
    }

    [Fact]
    public void ABadShareIsNamed() => Assert.Equal("condition_corruption",
        Assert.Throws<ConfigurationException>(() => new CorruptedConditions(new WaveExamples(1), 1.5, 1)).Setting);

    [Fact]
    public void ABadSignalKeepsLevelAndLength()
    {
        float[] good = [.. Enumerable.Range(0, 1000).Select(i => 80 + (20 * MathF.Sin(0.05f * i)))];
        foreach (BadSignalKind kind in Enum.GetValues<BadSignalKind>())
        {
            float[] bad = [.. good], foreign = [.. good.Select(x => x + 1)];
            BadSignal.Apply(kind, bad, foreign, 125, 7);
            Assert.NotEqual(good, bad);

            // Noise correlated over up to a second has eight independent values in eight seconds: its mean is within 4 x 14 / sqrt(8).
            Assert.InRange(bad.Average(), 60, 100);
        }

        Assert.Throws<ArgumentException>(() => BadSignal.Apply(BadSignalKind.Foreign, good, [], 125, 7));
    }
}
