using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Training.Curricula;
using UniCardio.Training.Data;
using UniCardio.Training.Distillation;
using UniCardio.Training.Network;
using UniCardio.Training.Objectives;
using UniCardio.Training.Optimization;
using UniCardio.Training.Runs;
using UniCardio.Training.Tests.Runs;
using UniCardio.Weights;

namespace UniCardio.Training.Tests.Distillation;

public class DistillationTests
{
    private static readonly ModelConfiguration Network = new()
    {
        Channels = 60, Heads = 2, Blocks = 1, FeedForward = 16, Embedding = 16, SlotSamples = 60, SamplesPerToken = 5,
            Positions = PositionKind.Slot, Prediction = PredictionKind.V,
    };

    private static readonly CardioTask[] Tasks = [CardioTask.Parse("ppg->bp"), CardioTask.Parse("impute bp | ecg")];

    private static (ModelWeights Weights, TeacherPairs Pairs, WaveExamples Source) Teach(int count, int draws = 1)
    {
        ModelWeights weights = new WeightRecipe(3, Network).Create();
        var source = new WaveExamples(4, Network.SlotSamples);
        using var engine = new InferenceEngine(weights, new EngineOptions { Threads = 1 });
        return (weights, TeacherPairs.Draw(engine, new TeacherDraw("recipe", Tasks, count, Seed: 9, draws), source), source);
    }

    [Fact]
    public void ASampleIsWhatTheTeacherDrawsFromItsNoiseAndCondition()
    {
        (ModelWeights weights, TeacherPairs pairs, WaveExamples source) = Teach(40);
        using ModelWeights teacher = weights;
        using var engine = new InferenceEngine(teacher, new EngineOptions { Threads = 1 });
        using InferenceSession session = engine.CreateSession(Tasks[1], new SessionOptions { Sampler = TeacherPairs.Sampler });
        var batch = new TrainingBatch(1, Network.SlotSamples);
        var examples = new DistilledExamples(pairs, source, (Network, 1), isHeldOut: true);
        examples.Fill(0, Tasks[1], batch, 0);

        // The only held-out pair of the second task among 40: number 15 of its 20, that is 2 x 15 + 1.
        float[] conditions = new float[session.Plan.ConditionSamples], drawn = new float[Network.SlotSamples];
        for (int c = 0; c < session.Plan.Conditions.Count; c++)
            batch.Condition(0, session.Plan.Conditions[c]).CopyTo(conditions.AsSpan(c * Network.SlotSamples));
        session.Run(conditions, drawn, NoiseSource.Explicit(batch.WindowNoise(0)));

        // A window alone or among others: the same up to the order of sums in attention, which is the same here.
        Assert.Equal(drawn, batch.CleanTarget(0).ToArray());
        Assert.Equal(pairs.Sample(31).ToArray(), drawn);
        Assert.Throws<ArgumentException>(() => examples.Fill(0, CardioTask.Parse("ecg->bp"), batch, 0));
        Assert.Equal(
            "distil", Assert.Throws<ConfigurationException>(() =>
                new DistilledExamples(pairs, new WaveExamples(5, Network.SlotSamples), (Network, 1), false)).Setting);
    }

    [Fact]
    public void DrawsOfAWindowShareItsConditionAndNotTheirNoise()
    {
        // Two tasks, four draws: pairs 1, 3, 5, 7 are of the second task's first window, 9 of its second; 21 pairs leave that task two of
        // its third.
        (ModelWeights weights, TeacherPairs pairs, WaveExamples source) = Teach(21, draws: 4);
        using ModelWeights teacher = weights;
        Assert.Equal([1, 1, 1, 1, 3, 3, 3, 3, 5, 5], Enumerable.Range(0, 10).Select(j => pairs.WindowOf((2 * j) + 1)));
        using var engine = new InferenceEngine(teacher, new EngineOptions { Threads = 1 });
        using InferenceSession session = engine.CreateSession(Tasks[1], new SessionOptions { Sampler = TeacherPairs.Sampler });
        var batch = new TrainingBatch(1, Network.SlotSamples);
        float[] conditions = new float[session.Plan.ConditionSamples], drawn = new float[Network.SlotSamples],
            noise = new float[Network.SlotSamples];
        foreach (int pair in (int[])[1, 7, 9, 19])
        {
            source.Fill(pairs.WindowOf(pair), Tasks[1], batch, 0);
            for (int c = 0; c < session.Plan.Conditions.Count; c++)
                batch.Condition(0, session.Plan.Conditions[c]).CopyTo(conditions.AsSpan(c * Network.SlotSamples));
            pairs.Noise(pair, noise);
            session.Run(conditions, drawn, NoiseSource.Explicit(noise));
            Assert.Equal(pairs.Sample(pair).ToArray(), drawn);
        }
    }

    [Fact]
    public void AFileHoldsEveryPairAndNothingElseIsTakenForOne()
    {
        (ModelWeights weights, TeacherPairs pairs, _) = Teach(34, draws: 2);
        weights.Dispose();
        string path = Path.Combine(Directory.CreateTempSubdirectory("unicardio-pairs-").FullName, "pairs.safetensors");
        pairs.Write(path);
        TeacherPairs again = TeacherPairs.Read(path);
        Assert.Equal((pairs.Identity, pairs.Count, pairs.Draws, pairs.Seed, pairs.Source, pairs.Teacher),
            (again.Identity, again.Count, again.Draws, again.Seed, again.Source, again.Teacher));
        Assert.Equal(pairs.Tasks, again.Tasks);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^8]);
        Assert.Throws<WeightFormatException>(() => TeacherPairs.Read(path));
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public void TheLossIsTheSquaredErrorOfTheCleanSignalAndItsSlope()
    {
        (ModelWeights weights, TeacherPairs pairs, WaveExamples source) = Teach(34);
        weights.Dispose();
        var batch = new TrainingBatch(1, Network.SlotSamples);
        new DistilledExamples(pairs, source, (Network, 1), isHeldOut: false).Fill(3, Tasks[0], batch, 0);
        float[] noise = batch.WindowNoise(0).ToArray();
        var objective = new DiffusionObjective(Network, new ObjectiveOptions { Distils = true });
        objective.Prepare(batch, seed: 1);
        Assert.Equal(49, batch.Steps[0]);
        Assert.Equal(noise, batch.Slot(0, (int)Tasks[0].Target).ToArray());
        float[] prediction = [.. noise.Select(z => 0.3f * z)], gradient = new float[noise.Length], scratch = new float[noise.Length];
        double loss = objective.Evaluate(batch, 0, prediction, gradient);
        double alpha = objective.Schedule.Alpha[49], sigma = objective.Schedule.Sigma[49];
        Assert.Equal(noise.Select((z, s) => Math.Pow((alpha * z) - (sigma * prediction[s]) - batch.Clean[s], 2)).Average(), loss,
            1e-5 * loss);
        const float H = 1f / 64;
        for (int s = 0; s < noise.Length; s++)
        {
            // A square: a central difference is exact but for the rounding of prediction + h, 1e-7 / h of it.
            float[] up = [.. prediction], down = [.. prediction];
            (up[s], down[s]) = (up[s] + H, down[s] - H);
            Assert.Equal((objective.Evaluate(batch, 0, up, scratch) - objective.Evaluate(batch, 0, down, scratch)) / (2 * H),
                gradient[s], 1e-4);
        }
    }

    [Fact]
    public void TheFirstOfTwoCallsLandsOnTheTeachersStateAndTheSecondGoesOnFromIt()
    {
        (ModelWeights weights, TeacherPairs pairs, WaveExamples source) = Teach(64);
        using ModelWeights teacher = weights;
        SamplerTable student = SamplerTable.Create(TeacherPairs.Student(2) with { Threshold = false }, Network, Tasks[1]);
        Assert.Equal([49, 23], student.Steps.Select(r => r.T));

        // The state that the teacher itself has there: it is a state of its own sampler, seen after the row before.
        SamplerTable table = SamplerTable.Create(TeacherPairs.Sampler, Network, Tasks[1]);
        int row = table.Steps.Select(r => r.T).ToList().IndexOf(23);
        using var engine = new InferenceEngine(teacher, new EngineOptions { Threads = 1 });
        using InferenceSession session = engine.CreateSession(Tasks[1], new SessionOptions { Sampler = TeacherPairs.Sampler });
        var batch = new TrainingBatch(1, Network.SlotSamples);
        source.Fill(pairs.WindowOf(5), Tasks[1], batch, 0);
        float[] conditions = new float[session.Plan.ConditionSamples], drawn = new float[Network.SlotSamples],
            noise = new float[drawn.Length], middle = new float[drawn.Length];
        for (int c = 0; c < session.Plan.Conditions.Count; c++)
            batch.Condition(0, session.Plan.Conditions[c]).CopyTo(conditions.AsSpan(c * Network.SlotSamples));
        pairs.Noise(5, noise);
        session.Run(conditions, drawn, NoiseSource.Explicit(noise), (in StepObservation seen) =>
        {
            if (seen.Step == row - 1)
                seen.CopyState(middle);
        });
        Assert.Equal(middle, pairs.Middle(5).ToArray());

        // Both calls come up; with the clean signal that an example asks for, the sampler's own row makes the trajectory's next state.
        var examples = new DistilledExamples(pairs, source, (Network, 2), isHeldOut: false);
        bool[] seenCalls = new bool[2];
        for (int index = 0; index < 40; index++)
        {
            examples.Fill(index, Tasks[1], batch, 0);
            int call = batch.Steps[0] == 49 ? 0 : 1;
            Assert.Equal(student.Steps[call].T, batch.Steps[0]);
            seenCalls[call] = true;
            float[] state = batch.WindowNoise(0).ToArray(), clean = batch.CleanTarget(0).ToArray();
            int pair = Enumerable.Range(0, pairs.Count).First(i => pairs.TaskOf(i) == Tasks[1]
                && (call == 0 ? Started(pairs, i, state) : pairs.Middle(i).SequenceEqual(state)));
            float[] next = [.. state.Select((x, s) => (float)((student.Steps[call].State * x) + (student.Steps[call].Clean0 * clean[s])))];
            float[] wanted = (call == 0 ? pairs.Middle(pair) : pairs.Sample(pair)).ToArray();

            // Rounding of three products of numbers below 8 in float32: 8 x 3 x 6e-8.
            Assert.All(next.Zip(wanted), p => Assert.Equal(p.Second, p.First, 2e-6f));
            Assert.Equal(call == 0, batch.Weight(0).ToArray().All(w => w > 0));
        }

        Assert.All(seenCalls, Assert.True);
    }

    private static bool Started(TeacherPairs pairs, int pair, float[] state)
    {
        float[] noise = new float[state.Length];
        pairs.Noise(pair, noise);
        return noise.AsSpan().SequenceEqual(state);
    }

    [Theory]
    [InlineData(1, "ddim:1")]
    [InlineData(2, "ddim:2,placement=logsnr")]
    public void AStudentLearnsItsTeachersSamplesAndNamesItsSampler(int calls, string sampler)
    {
        (ModelWeights weights, TeacherPairs pairs, WaveExamples source) = Teach(64);
        using ModelWeights teacher = weights;
        using var folder = new RunTestFolder();
        var options = new TrainingOptions
        {
            Network = Network, Steps = 80, Batch = 8, Initialization = InitializationKind.Published, LearningRate =
                new LearningRateSchedule { Peak = 2e-3, WarmupSteps = 5 }, EmaDecay = 0.8,
            Curriculum = new CurriculumOptions { Kind = CurriculumKind.Mixed, Tasks = [.. Tasks.Select(t => t.ToString())] },
            Objective = new ObjectiveOptions { Distils = true }, PairFile = "pairs", StudentCalls = calls,
            Validation = new ValidationOptions { Every = 80, Windows = 4, ChecksRaw = false },
        };
        using var network = new TrainingNetwork(Network, new TrainingNetworkOptions { Threads = 1 });
        using var run = new TrainingRun(folder.Run, options, network, new DistilledExamples(pairs, source, (Network, calls), false),
            new DistilledExamples(pairs, source, (Network, calls), true), new RunSettings(), new StartWeights(teacher, "teacher"));
        Assert.Equal(RunOutcome.Completed, run.Run());
        double[] losses = [.. File.ReadAllLines(folder.Run.LogFile).Skip(1).Select(r => double.Parse(r.Split(',')[3]))];
        Assert.True(losses[^1] < 0.7 * losses[0], $"{losses[0]} -> {losses[^1]}");

        string path = Path.Combine(folder.Run.Path, "student.safetensors");
        RunExport.Write(folder.Run, path);
        using LoadedWeights student = WeightFile.Load(path);
        Assert.Equal(sampler, student.Configuration.OwnSampler);

        // Whoever names no sampler gets the student's calls; another one that is named is taken.
        Assert.Equal(calls, SamplerTable.Create(SamplerOptions.Default, student.Configuration, Tasks[0]).NetworkCalls);
        Assert.Equal(4, SamplerTable.Create(SamplerOptions.Parse("ddim:4"), student.Configuration, Tasks[0]).NetworkCalls);
        Assert.Equal(SamplerOptions.Default.Steps, SamplerTable.Create(SamplerOptions.Default, Network, Tasks[0]).NetworkCalls);
    }
}
