using UniCardio.Engine.Model;
using UniCardio.Evaluation.Baselines;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Measures;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Tests.Baselines;

public class BaselineTests
{
    private static readonly BaselineSet Set = new(500);

    private static WindowScore Score(IBaseline baseline, EvaluationWindow window)
    {
        var result = new float[500];
        baseline.Estimate(window, result);
        return new WindowScorer(window).Score(result);
    }

    [Fact]
    public void EveryTaskHasBaselinesAndEachGivesFiniteSignals()
    {
        EvaluationRecording heart = Make.Heart(40);
        foreach (CardioTask task in CardioTask.All)
        {
            Corruption corruption = task.Kind switch { TaskKind.Denoise => Corruption.Noise(10), TaskKind.Impute => Corruption.Gap(1.2),
                _ => Corruption.Absent };
            IBaseline[] baselines = [.. Set.For(task)];
            Assert.Equal(task.Kind switch { TaskKind.Denoise => 5, TaskKind.Translate => 3, _ => task.Conditions.Count() > 1 ? 8 : 5 },
                baselines.Length);
            EvaluationWindow window = Make.Window(heart, task.ToString(), corruption, 2000);
            foreach (IBaseline baseline in baselines)
            {
                var result = new float[500];
                result.AsSpan().Fill(float.NaN);
                baseline.Estimate(window, result);
                Assert.All(result, x => Assert.True(float.IsFinite(x), $"{baseline.Name}, {task}"));
            }
        }
    }

    [Fact]
    public void LinearInterpolationIsTheLineBetweenTheNeighbours()
    {
        EvaluationWindow window = Make.Window(Make.Heart(), "impute bp", Corruption.Gap(0.8));
        var result = new float[500];
        new LinearInterpolation().Estimate(window, result);
        SampleRange gap = window.Scope;
        float before = window.Truth.Span[gap.Start - 1], after = window.Truth.Span[gap.End];
        Assert.Equal(100, gap.Length);
        for (int i = 0; i < 100; i++)
            Assert.InRange(result[gap.Start + i], before + ((after - before) * (i + 1) / 101) - 1e-4,
                before + ((after - before) * (i + 1) / 101) + 1e-4);
        Assert.Equal(window.Truth.Span[..gap.Start].ToArray(), result[..gap.Start]);
    }

    [Fact]
    public void ACubicSplineFollowsASmoothWaveAndALineDoesNot()
    {
        // A gap of 80 ms in the diastole of a pulse.
        EvaluationWindow window = Make.Window(Make.Heart(), "impute ppg", Corruption.Gap(0.1));
        Assert.True(
            Score(new CubicSplineInterpolation(), window).RootMeanSquare < 0.5 * Score(new LinearInterpolation(), window).RootMeanSquare);
    }

    [Theory]
    [InlineData("impute bp | ecg", 0.02)]
    [InlineData("impute ppg | ecg", 0.05)]
    [InlineData("impute ecg | bp", 0.12)]
    public void AHeartWhoseBeatsAreAlikeIsFilledByItsOwnBeat(string task, double max)
    {
        EvaluationWindow window = Make.Window(Make.Heart(parameters: Make.Steady), task, Corruption.Gap(1.6));
        double line = Score(new LinearInterpolation(), window).RootMeanSquare;
        // Beats are found to a sample: half of one (4 ms) on the flank of an R wave, 1 in 20 ms, is an error of 0.2 on few samples.
        Assert.InRange(Score(new GapBeatTemplate(false, true), window).RootMeanSquare, 0, max);
        Assert.InRange(Score(new GapBeatTemplate(true, true), window).RootMeanSquare, 0, max);
        Assert.True(line > 2 * max, $"a line errs by {line}");
    }

    [Fact]
    public void AnotherSignalTellsWhatRhythmCannot()
    {
        // In atrial fibrillation intervals cannot be foreseen; the ECG tells them.
        double rhythm = 0, other = 0;
        EvaluationRecording heart = Make.Heart(90, 5, new SynthesisParameters { AtrialFibrillation = true, HeartRate = 100 });
        for (int start = 500; start < 10_000; start += 500)
        {
            EvaluationWindow window = Make.Window(heart, "impute ppg | ecg", Corruption.Gap(2.4), start);
            rhythm += Score(new GapBeatTemplate(false, true), window).MeanSquare;
            other += Score(new GapBeatTemplate(true, true), window).MeanSquare;
        }

        Assert.True(other < 0.8 * rhythm, $"{other} by the ECG, {rhythm} by rhythm");
    }

    [Theory]
    [InlineData("ecg->bp", 0.05)]
    [InlineData("bp->ecg", 0.2)]
    [InlineData("ppg,ecg->bp", 0.05)]
    public void ThePatientsBeatIsStrongWhereBeatsAreAlikeAndThePopulationsIsWeaker(string task, double max)
    {
        EvaluationWindow window = Make.Window(Make.Heart(parameters: Make.Steady), task);
        double patient = Score(new PatientTemplate(Set.Population), window).RootMeanSquare,
            population = Score(new PopulationTemplate(Set.Population), window).RootMeanSquare;
        Assert.InRange(patient, 0, max);
        Assert.True(population > 1.5 * patient, $"population {population}, patient {patient}");
    }

    [Fact]
    public void WhatSeesTheWindowAloneDoesNotChangeWithItsSurroundings()
    {
        // The same four seconds amid a recording, and alone.
        Signals.Recording made = new CardiovascularSynthesizer().Generate(new SynthesisParameters(), 5000, 3).ToRecording();
        EvaluationRecording whole = EvaluationRecording.From(made)!,
            alone = EvaluationRecording.From(made.WithChannels(made.Channels.Select(c => c.WithSamples(c.Samples.Slice(2000, 500)))))!;
        foreach (string task in (string[])["impute bp | ecg", "impute ecg | ppg", "denoise ppg", "ppg->bp", "bp->ecg"])
        {
            CardioTask parsed = CardioTask.Parse(task);
            Corruption corruption = parsed.Kind switch { TaskKind.Denoise => Corruption.Noise(10), TaskKind.Impute => Corruption.Gap(1.2),
                _ => Corruption.Absent };
            float[] one = new float[500], two = new float[500];
            foreach (IBaseline baseline in Set.For(parsed))
            {
                baseline.Estimate(Make.Window(whole, task, corruption, 2000), one);
                baseline.Estimate(Make.Window(alone, task, corruption, 0), two);
                Assert.True(baseline.SeesBeyondWindow != one.AsSpan().SequenceEqual(two), $"{baseline.Name}, {task}");
            }
        }
    }

    [Fact]
    public void ThePatientsBeatDoesNotLookIntoTheWindow()
    {
        EvaluationRecording heart = Make.Heart();
        EvaluationWindow window = Make.Window(heart, "ppg->bp");
        Assert.All(window.GivenWindow(Modality.Bp).ToArray(), x => Assert.True(float.IsNaN(x)));
        Assert.DoesNotContain(window.Given(Modality.Bp)[..window.Window.Start].ToArray(), float.IsNaN);
    }

    [Fact]
    public void ThePopulationHasPlausiblePressuresAndDelays()
    {
        Assert.InRange(Set.Population.LevelOf(Modality.Bp), 70, 130);
        Assert.InRange(Set.Population.LevelOf(Modality.Ecg), -1, 0);
        // Pulses peak some 0.2 to 0.5 s after the R peak, and R peaks lie as much before them.
        Assert.InRange(Set.Population.DelayOf(Modality.Ecg, Modality.Bp), 25, 63);
        Assert.Equal(Set.Population.DelayOf(Modality.Ecg, Modality.Bp), -Set.Population.DelayOf(Modality.Bp, Modality.Ecg), 2.0);
        Assert.InRange(Set.Population.DelayOf(Modality.Bp, Modality.Ppg), 1, 40);
    }

    [Fact]
    public void AFlatLineIsAtThePopulationsLevel()
    {
        EvaluationRecording heart = Make.Heart();
        var flat = new float[500];
        new FlatLevel(Set.Population).Estimate(Make.Window(heart, "ppg->bp"), flat);
        Assert.All(flat, x => Assert.Equal((float)Set.Population.LevelOf(Modality.Bp), x));
    }

    [Fact]
    public void TunedFiltersBeatNoFilterOnTheSignalsTheyWereTunedFor()
    {
        foreach (Modality modality in Modalities.All)
        {
            double given = 0;
            double[] filtered = new double[NoiseFilterFamily.All.Count];
            for (ulong seed = 100; seed < 106; seed++)
            {
                EvaluationWindow window = Make.Window(Make.Heart(12, seed, SynthesisParameters.Draw(seed)), $"denoise {modality.Name()}",
                    Corruption.Noise(8), 500);
                given += Score(new Untouched(), window).MeanSquare;
                for (int f = 0; f < filtered.Length; f++)
                    filtered[f] += Score(new NoiseFilterBaseline(NoiseFilterFamily.All[f], Set.Tuning), window).MeanSquare;
            }

            Assert.All(filtered, f => Assert.True(f < 0.8 * given, $"{modality}: {string.Join(", ", filtered)} against {given} as given"));
        }
    }
}
