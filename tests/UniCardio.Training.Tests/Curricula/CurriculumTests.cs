using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Training.Curricula;

namespace UniCardio.Training.Tests.Curricula;

public class CurriculumTests
{
    private static readonly double[][] Published = [[1, 0, 0], [0.5, 0.5, 0], [0.25, 0.25, 0.5], [1 / 3.0, 1 / 3.0, 1 / 3.0]];

    private static Curriculum Create(CurriculumKind kind, double drop = 0, params string[] tasks) =>
        new(new CurriculumOptions { Kind = kind, ConditionDrop = drop, Tasks = tasks }, 800, 7);

    private static IEnumerable<CardioTask[]> Batches(Curriculum curriculum, int first, int last, int batch)
    {
        for (int step = first; step < last; step++)
        {
            var tasks = new CardioTask[batch];
            curriculum.Draw(step, tasks);
            yield return tasks;
        }
    }

    [Theory]
    [InlineData(CurriculumKind.Published)]
    [InlineData(CurriculumKind.Phased)]
    public void PhasesHaveThePublishedShares(CurriculumKind kind)
    {
        Curriculum curriculum = Create(kind);
        Assert.Equal([0, 0, 1, 1, 2, 2, 3, 3], new[] { 0, 199, 200, 399, 400, 599, 600, 799 }.Select(s => curriculum.Phase(s)));
        for (int phase = 0; phase < 4; phase++)
        {
            (CardioTask Task, double Share)[] shares = [.. curriculum.Tasks.Zip(curriculum.Shares(phase))];
            Assert.Equal(1, shares.Sum(s => s.Share), 1e-12);
            for (int conditions = 1; conditions <= 3; conditions++)
            {
                double all = Published[phase][conditions - 1];
                double Of(TaskKind task) =>
                    shares.Where(s => s.Task.Kind == task && s.Task.Conditions.Count() == conditions).Sum(s => s.Share);
                Assert.Equal(conditions == 3 ? 0 : all / 2, Of(TaskKind.Translate), 1e-12);
                Assert.Equal(conditions == 3 ? all / 2 : all / 4, Of(TaskKind.Impute), 1e-12);
                Assert.Equal(conditions == 3 ? all / 2 : all / 4, Of(TaskKind.Denoise), 1e-12);
            }
        }
    }

    [Fact]
    public void ThePublishedRunDrawsOneTaskABatchAtItsShare()
    {
        // 2000 steps of the last phase: a task of share p comes 2000 p times, give or take 5 sqrt(2000 p).
        var curriculum = new Curriculum(new CurriculumOptions { Kind = CurriculumKind.Published }, 8000, 7);
        var counts = new Dictionary<CardioTask, int>();
        foreach (CardioTask[] tasks in Batches(curriculum, 6000, 8000, 4))
        {
            Assert.Single(tasks.Distinct());
            counts[tasks[0]] = counts.GetValueOrDefault(tasks[0]) + 1;
        }

        foreach ((CardioTask task, double share) in curriculum.Tasks.Zip(curriculum.Shares(3)))
            Assert.True(Math.Abs(counts.GetValueOrDefault(task) - (2000 * share)) <= 5 * Math.Sqrt(2000 * share),
                $"{task}: {counts.GetValueOrDefault(task)} times, expected {2000 * share}");
    }

    [Theory]
    [InlineData(CurriculumKind.Mixed)]
    [InlineData(CurriculumKind.Phased)]
    public void ABatchHoldsEveryTaskAsOftenAsItShould(CurriculumKind kind)
    {
        Curriculum curriculum = Create(kind);
        foreach (CardioTask[] tasks in Batches(curriculum, 600, 700, 50))
        {
            foreach ((CardioTask task, double share) in curriculum.Tasks.Zip(curriculum.Shares(curriculum.Phase(600))))
                Assert.True(Math.Abs(tasks.Count(t => t == task) - (50 * share)) < 1 + 1e-9, $"{task}");
        }
    }

    [Fact]
    public void MixedHoldsAll33Alike()
    {
        Curriculum curriculum = Create(CurriculumKind.Mixed);
        Assert.Equal(1, curriculum.Phases);
        Assert.Equal(33, curriculum.Tasks.Count);
        Assert.All(curriculum.Shares(0), s => Assert.Equal(1 / 33.0, s, 1e-12));
    }

    [Fact]
    public void TasksComeAsOftenAsTheirWeightsSay()
    {
        Curriculum curriculum =
            new(new CurriculumOptions { Kind = CurriculumKind.Mixed, Weights = ["translate=2", "ppg->ecg=6", "denoise bp=0"] }, 800, 7);
        // 23 of weight 1, eight translations of 2, one of 6, one left out.
        foreach ((CardioTask task, double share) in curriculum.Tasks.Zip(curriculum.Shares(0)))
        {
            double weight = task.ToString() switch { "ppg->ecg" => 6, "denoise bp" => 0, _ => task.Kind == TaskKind.Translate ? 2 : 1 };
            Assert.Equal(weight / 45, share, 1e-12);
        }

        foreach (CardioTask[] tasks in Batches(curriculum, 0, 200, 45))
            Assert.DoesNotContain(CardioTask.Parse("denoise bp"), tasks);
    }

    [Theory]
    [InlineData("ppg->ecg")]
    [InlineData("ppg->ecg=")]
    [InlineData("ppg->ecg=-1")]
    [InlineData("ppg->ecg=NaN")]
    [InlineData("translation=2")]
    [InlineData("=2")]
    public void WhatIsNoWeightIsRefused(string text)
    {
        Assert.Throws<FormatException>(() => TaskWeight.Parse(text));
        Assert.Throws<FormatException>(() => new CurriculumOptions { Kind = CurriculumKind.Mixed, Weights = [text] }.Validate());
    }

    [Fact]
    public void WeightsAreForTheMixedCurriculumAndLeaveSomethingToLearn()
    {
        Assert.Throws<ConfigurationException>(() =>
            new CurriculumOptions { Kind = CurriculumKind.Phased, Weights = ["translate=2"] }.Validate());
        Assert.Throws<ConfigurationException>(
            () => new Curriculum(
                new CurriculumOptions { Kind = CurriculumKind.Mixed, Weights = ["translate=0", "impute=0", "denoise=0"] }, 8, 1));
    }

    [Fact]
    public void DroppedConditionsLeaveATaskOfTheSameOutput()
    {
        // With every window losing some: 'impute ecg | ppg,bp' loses at least one of two (three ways, alike), 'ppg,bp->ecg' one, 'ppg->ecg'
        // none.
        var counts = new Dictionary<string, int>();
        foreach (CardioTask task in Batches(Create(CurriculumKind.Mixed, 1, "impute ecg | ppg,bp", "ppg,bp->ecg", "ppg->ecg"), 0, 300, 30)
            .SelectMany(b => b))
            counts[task.ToString()] = counts.GetValueOrDefault(task.ToString()) + 1;
        Assert.Equal(["bp->ecg", "impute ecg", "impute ecg | bp", "impute ecg | ppg", "ppg->ecg"],
            counts.Keys.Order(StringComparer.Ordinal));
        // 3000 of each task; a third and a half of it give or take 5 sqrt(3000 p (1 - p)), 129 and 137.
        Assert.InRange(counts["impute ecg"], 871, 1129);
        Assert.InRange(counts["impute ecg | bp"], 871, 1129);
        Assert.InRange(counts["bp->ecg"], 1363, 1637);
        Assert.Equal(3000, counts["bp->ecg"] + counts["ppg->ecg"] - 3000);
        Assert.All(Batches(Create(CurriculumKind.Mixed, 0), 0, 5, 30).SelectMany(b => b), t => Assert.Contains(t, CardioTask.All));
    }

    [Fact]
    public void DrawsDependOnSeedAndStepAlone()
    {
        Curriculum a = Create(CurriculumKind.Mixed, 0.3), b = Create(CurriculumKind.Mixed, 0.3);
        CardioTask[] late = Batches(a, 500, 501, 32).Single();
        _ = Batches(b, 0, 400, 32).ToList();
        Assert.Equal(late, Batches(b, 500, 501, 32).Single());
        Assert.NotEqual(late, Batches(b, 501, 502, 32).Single());
    }

    [Fact]
    public void PhasesWithoutTasksAreRefused()
    {
        Assert.Throws<ConfigurationException>(() => Create(CurriculumKind.Phased, 0, "impute ecg | ppg,bp"));
        Assert.Equal(1, Create(CurriculumKind.Mixed, 0, "impute ecg | ppg,bp").Shares(0).Single());
        Assert.Throws<ConfigurationException>(() => Create(CurriculumKind.Mixed, 1.5));
        Assert.Throws<FormatException>(() => Create(CurriculumKind.Mixed, 0, "ecg->ecg"));
    }
}
