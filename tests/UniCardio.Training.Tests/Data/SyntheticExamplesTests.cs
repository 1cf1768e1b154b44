using FsCheck;
using FsCheck.Fluent;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;
using UniCardio.Training.Data;

namespace UniCardio.Training.Tests.Data;

public class SyntheticExamplesTests
{
    private const int S = 500;
    private static readonly SyntheticExamples Source = new(new SyntheticExampleOptions { Seed = 3 });

    private static TrainingBatch Window(long index, CardioTask task, SyntheticExamples? source = null)
    {
        var batch = new TrainingBatch(1, S);
        // A place that was used before holds other values.
        batch.Conditions.AsSpan().Fill(77);
        batch.Clean.AsSpan().Fill(77);
        batch.LossWeight.AsSpan().Fill(77);
        (source ?? Source).Fill(index, task, batch, 0);
        return batch;
    }

    // Dirt in scaled units: of 361,545 windows drawn once the largest was 8.6 (motion and noise on a pressure). Normal noise has no bound;
    // twice that is one.
    private const float Max = 17;

    [Fact]
    public void EveryTaskGivesBoundedValuesAndLeavesDeadSlotsZero()
    {
        Gen<(long Index, CardioTask Task)> cases =
            Gen.Choose(0, int.MaxValue).SelectMany(i => Gen.Choose(0, 32), (i, t) => ((long)i, CardioTask.All[t]));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1000), Prop.ForAll(cases.ToArbitrary(), c =>
        {
            TrainingBatch batch = Window(c.Index, c.Task);
            Assert.Equal(c.Task, batch.Tasks[0]);
            foreach (Modality modality in Modalities.All)
            {
                Span<float> condition = batch.Condition(0, modality);
                if (!c.Task.Conditions.Contains(modality))
                    Assert.Equal(-1, condition.IndexOfAnyExcept(0f));
                else
                    AssertBounded(condition, Max);
            }
            for (int i = 0; i < batch.Clean.Length; i++)
            {
                // A gap that hides every QRS complex leaves a scale of P and T waves: what it hides is many times that (the objective
                // clamps it).
                bool hidden = c.Task.Kind == TaskKind.Impute && batch.LossWeight[i] == 1;
                AssertBounded(batch.Clean.AsSpan(i, 1), hidden ? float.MaxValue : Max);
            }

            Assert.DoesNotContain(batch.LossWeight, w => w is not (0 or 1));
            Assert.Contains(1f, batch.LossWeight);
            if (c.Task.Kind != TaskKind.Impute)
                Assert.DoesNotContain(0f, batch.LossWeight);
        }));
    }

    private static void AssertBounded(ReadOnlySpan<float> values, float max)
    {
        foreach (float x in values)
        {
            if (!(x >= -max && x <= max))
                Assert.Fail($"{x} is not within {max} of 0");
        }
    }

    [Fact]
    public void AnyThreadGivesTheSameWindowWheneverItIsAsked()
    {
        const int N = 66;
        var alone = new TrainingBatch(N, S);
        var together = new TrainingBatch(N, S);
        var source = new SyntheticExamples(new SyntheticExampleOptions { Seed = 3 });
        for (int i = 0; i < N; i++)
            Source.Fill(1000 + i, CardioTask.All[i % 33], alone, i);
        Thread[] threads = [.. Enumerable.Range(0, 3).Select(t => new Thread(() =>
        {
            for (int i = N - 1 - t; i >= 0; i -= 3)
                source.Fill(1000 + i, CardioTask.All[i % 33], together, i);
        }))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        Assert.Equal(alone.Tasks, together.Tasks);
        Assert.Equal(alone.Conditions, together.Conditions);
        Assert.Equal(alone.Clean, together.Clean);
        Assert.Equal(alone.LossWeight, together.LossWeight);
        Assert.Equal(Source.Identity, source.Identity);
    }

    [Fact]
    public void SeedsAndIndicesTellWindowsApart()
    {
        var other = new SyntheticExamples(new SyntheticExampleOptions { Seed = 4 });
        CardioTask task = CardioTask.Parse("ppg->bp");
        Assert.NotEqual(Window(5, task).Clean, Window(6, task).Clean);
        Assert.NotEqual(Window(5, task).Clean, Window(5, task, other).Clean);
        Assert.NotEqual(Source.Identity, other.Identity);
    }

    [Fact]
    public void OneIndexIsOneHeartWhateverTheTask()
    {
        // Translated pressure is the clean pressure in its fixed scale; so is that to be denoised, on a monitor that may delay it.
        for (int i = 0; i < 20; i++)
        {
            float[] pressure = Window(i, CardioTask.Parse("ppg->bp")).Clean, denoised = Window(i, CardioTask.Parse("denoise bp")).Clean;
            Assert.Equal(pressure, Window(i, CardioTask.Parse("ecg->bp")).Clean);
            Assert.Equal(denoised, Window(i, CardioTask.Parse("denoise bp | ecg")).Clean);
            ulong seed = CounterRandom.Derive(3, (ulong)i);
            bool delayed = SynthesisParameters.Draw(seed)
                .PressureDelay != SynthesisParameters.Draw(seed, limits: SubjectLimits.NoMonitorDelay).PressureDelay;
            Assert.Equal(!delayed, pressure.AsSpan().SequenceEqual(denoised));
        }
    }

    [Fact]
    public void WhatIsTranslatedToHasNoDelayOfAMonitorAndAnUprightLead()
    {
        for (int i = 0; i < 200; i++)
        {
            float[] ecg = Window(i, CardioTask.Parse("ppg->ecg")).Clean;
            SynthesisParameters p = SynthesisParameters.Draw(CounterRandom.Derive(3, (ulong)i), limits: SubjectLimits.UprightLead);
            // A T wave, a premature beat or the monitor's filter may still point further down than R points up.
            if (p.VentricularEctopy == 0 && Math.Abs(p.Ecg.T) < 0.5 * p.Ecg.R && Math.Abs(p.Ecg.S) < 0.5 * p.Ecg.R && p.EcgFilter is null)
                Assert.True(ecg.Average() < 0, $"window {i}");
        }
    }

    [Theory]
    [InlineData("impute ppg | bp", Modality.Ppg)]
    [InlineData("denoise bp | ecg", Modality.Ecg)]
    [InlineData("ppg,ecg->bp", Modality.Ppg)]
    public void ConditionsAreScaledByTheExtremesOfWhatIsMeasured(string text, Modality modality)
    {
        for (int i = 0; i < 100; i++)
        {
            TrainingBatch batch = Window(i, CardioTask.Parse(text));
            float[] measured = [.. batch.Condition(0, modality).ToArray()
                .Where((x, t) => modality != Modality.Ppg || batch.LossWeight[t] == 0 || batch.Tasks[0].Kind != TaskKind.Impute)];
            // The sparse-window rule looks beyond the window.
            if (4 * measured.Length < S)
                continue;
            // float32 rounding of (x - centre) / half range, whose terms may be some ten times the result.
            Assert.Equal(1f, measured.Max(), 1e-5f);
            Assert.Equal(-1f, measured.Min(), 1e-5f);
        }
    }

    [Theory]
    [InlineData("denoise ppg | bp")]
    [InlineData("denoise ecg")]
    public void ADenoisingTargetSharesTheMapOfItsDirtyWindow(string text)
    {
        CardioTask task = CardioTask.Parse(text);
        for (int i = 0; i < 100; i++)
        {
            TrainingBatch batch = Window(i, task);
            float[] dirty = batch.Condition(0, task.Output).ToArray();
            // Scaling what is already scaled by restoration's own rule changes nothing.
            AffineScale again = WindowScale.Of(task.Output, dirty, new SampleRange(0, S), isNoisy: true);
            Assert.Equal(0, again.Center, 1e-5);
            Assert.Equal(1, again.HalfRange, 1e-5);
        }
    }

    [Theory]
    [InlineData("denoise ppg")]
    [InlineData("denoise bp")]
    [InlineData("denoise ecg | ppg,bp")]
    public void WhatIsAddedInDenoisingKnowsNothingOfTheSignal(string text)
    {
        CardioTask task = CardioTask.Parse(text);
        var slopes = new List<double>();
        for (int i = 0; i < 400; i++)
        {
            TrainingBatch batch = Window(i, task);
            ReadOnlySpan<float> dirty = batch.Condition(0, task.Output);
            double mean = batch.Clean.Average(), products = 0, squares = 0;
            for (int t = 0; t < S; t++)
            {
                products += (batch.Clean[t] - mean) * dirty[t];
                squares += (batch.Clean[t] - mean) * (batch.Clean[t] - mean);
            }
            slopes.Add(products / squares);
        }
        slopes.Sort();
        // Dirty over clean is 1 if both share a map. Wander of a signal's own size correlates by 0.3 or so by chance, in a third of the
        // windows.
        Assert.InRange(slopes[200], 0.98, 1.02);
    }

    [Fact]
    public void BloodPressureHasOneScaleForAll()
    {
        double low = double.MaxValue, high = double.MinValue;
        for (int i = 0; i < 300; i++)
        {
            float[] clean = Window(i, CardioTask.Parse("ecg->bp")).Clean;
            low = Math.Min(low, clean.Min());
            high = Math.Max(high, clean.Max());
        }
        // In mmHg 100 + 50 x: hypotension and hypertension are both among 300 subjects, nothing outside 15 to 290 mmHg is.
        Assert.InRange(low, -1.7, -1.1);
        Assert.InRange(high, 1.5, 3.8);
    }

    [Fact]
    public void MissingSamplesAreMinusOneAndTheLossCountsThereAlone()
    {
        CardioTask task = CardioTask.Parse("impute bp | ppg");
        int published = 0, several = 0, max = 0;
        const int N = 1000;
        for (int i = 0; i < N; i++)
        {
            TrainingBatch batch = Window(i, task);
            int runs = 0, missing = 0;
            ReadOnlySpan<float> dirty = batch.Condition(0, Modality.Bp);
            for (int t = 0; t < S; t++)
            {
                bool gap = batch.LossWeight[t] == 1;
                if (gap)
                    Assert.Equal(AffineScale.Missing, dirty[t]);
                missing += gap ? 1 : 0;
                runs += gap && (t == 0 || batch.LossWeight[t - 1] == 0) ? 1 : 0;
            }
            Assert.True(missing >= 25, $"{missing} samples are less than 0.2 s");
            published += runs == 1 && missing == 150 ? 1 : 0;
            several += runs > 1 ? 1 : 0;
            max += missing == S ? 1 : 0;
        }
        // Five standard deviations of a binomial: 0.5 gives 0.08; several gaps are drawn in 0.15 (some of them merge), whole windows in
        // 0.027.
        Assert.InRange(published / (double)N, 0.42, 0.58);
        Assert.InRange(several / (double)N, 0.05, 0.21);
        Assert.InRange(max / (double)N, 0.002, 0.06);
    }

    [Fact]
    public void CleanConditionsAreCleanWhenAskedFor()
    {
        var clean = new SyntheticExamples(new SyntheticExampleOptions { Seed = 3, ConditionDirt = 0 });
        int differ = 0;
        for (int i = 0; i < 60; i++)
        {
            float[] dirty = Window(i, CardioTask.Parse("bp->ppg")).Condition(0, Modality.Bp).ToArray();
            float[] pure = Window(i, CardioTask.Parse("bp->ppg"), clean).Condition(0, Modality.Bp).ToArray();
            Assert.Equal(Window(i, CardioTask.Parse("ppg->bp")).Clean, pure);
            differ += dirty.SequenceEqual(pure) ? 0 : 1;
        }
        // Two of three, and dropouts: 0.69 of 60, five standard deviations are 18.
        Assert.InRange(differ, 23, 59);
    }

    [Fact]
    public void WhiteNoiseHasRatiosAboutThosePublished()
    {
        var ratios = new List<double>();
        for (int i = 0; i < 400; i++)
        {
            TrainingBatch batch = Window(i, CardioTask.Parse("denoise bp"));
            ReadOnlySpan<float> dirty = batch.Condition(0, Modality.Bp);
            double mean = batch.Clean.Average(), power = batch.Clean.Average(x => (x - mean) * (x - mean)), noise = 0;
            // Second differences of white noise have six times its variance, those of pressure and wander next to none.
            for (int t = 2; t < S; t++)
            {
                double e2 = dirty[t] - batch.Clean[t], e1 = dirty[t - 1] - batch.Clean[t - 1], e0 = dirty[t - 2] - batch.Clean[t - 2];
                noise += Math.Pow(e2 - 2 * e1 + e0, 2) / 6 / (S - 2);
            }
            ratios.Add(10 * Math.Log10(power / noise));
        }
        ratios.Sort();
        // -2 to 20 dB but for one in twenty; an estimate over 498 samples has a standard error of 0.4 dB.
        Assert.InRange(ratios[0], -4, 2);
        Assert.InRange(ratios[200], 10, 15);
        Assert.InRange(ratios[(int)(0.93 * 400)], 16, 22);
        Assert.InRange(ratios[^1], 20, 34);
    }

    [Fact]
    public void WhatIsOutOfRangeIsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new SyntheticExamples(new SyntheticExampleOptions { SlotSamples = 8 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SyntheticExamples(new SyntheticExampleOptions { ConditionDirt = double.NaN }));
        var batch = new TrainingBatch(1, S);
        Assert.Throws<ArgumentOutOfRangeException>(() => Source.Fill(-1, CardioTask.All[0], batch, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Source.Fill(0, CardioTask.All[0], batch, 1));
        Assert.Throws<ArgumentException>(() => Source.Fill(0, default, batch, 0));
        Assert.Throws<ArgumentException>(() => Source.Fill(0, CardioTask.All[0], new TrainingBatch(1, 100), 0));
    }
}
