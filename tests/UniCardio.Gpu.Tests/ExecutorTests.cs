using UniCardio.Engine;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Weights;

namespace UniCardio.Gpu.Tests;

/// <summary>What the GPU backend refuses.</summary>
public abstract class ExecutorTests(TestDevice device) : DeviceTests(device), IDisposable
{
    private static readonly ModelConfiguration s_model =
        new() { Channels = 12, Heads = 2, Blocks = 1, FeedForward = 4, Embedding = 8, SlotSamples = 6 };

    private readonly DeviceLease _lease = TestDevices.Open();
    private readonly ModelWeights _weights = new WeightRecipe(1, s_model).Create();

    [SkippableFact]
    public void WrongUseIsRefused()
    {
        using var backend = new GpuBackend(_lease.Device, _weights);
        var plan = new InferencePlan(s_model, CardioTask.Parse("ppg->ecg", null));
        IExecutor executor = backend.CreateExecutor(plan);
        float[] six = new float[6];
        Assert.Throws<InvalidOperationException>(() => executor.Predict(0, six));
        Assert.Throws<ArgumentException>(() => executor.SetConditions(new float[5]));
        Assert.Throws<ArgumentException>(() => executor.SetState(new float[7]));
        executor.SetConditions(six);
        Assert.Throws<ArgumentOutOfRangeException>(() => executor.Predict(50, six));
        Assert.Throws<ArgumentException>(() => executor.Predict(0, new float[5]));
        Assert.Throws<ArgumentException>(() => executor.SetState(NoiseSource.Explicit(new float[5])));
        Assert.Throws<ArgumentException>(() => executor.SetState(NoiseSource.Philox(1, [1, 2])));
        Assert.True(executor.ArenaBytes > 0);
        executor.Dispose();
        executor.Dispose();
        Assert.Throws<ObjectDisposedException>(() => executor.GetState(six));
        Assert.Throws<ConfigurationException>(() =>
            backend.CreateExecutor(new InferencePlan(s_model with { Blocks = 2 }, CardioTask.Parse("ppg->ecg", null))));
    }

    // The first run launches kernel by kernel, the second records each step, the third launches what was recorded.
    [SkippableFact]
    public void RecordedStepsGiveTheSameBits()
    {
        Skip.IfNot(TestDevices.IsCuda, "graphs are CUDA's");
        var plan = new InferencePlan(s_model, CardioTask.Parse("ppg->ecg", null), windows: 1, draws: 2);
        float[][] runs = new float[3][];
        foreach (bool graphs in (bool[])[false, true])
        {
            using var backend = new GpuBackend(_lease.Device, _weights, new GpuOptions { Graphs = graphs });
            using IExecutor executor = backend.CreateExecutor(plan);
            int before = TestDevices.GraphLaunches;
            for (int run = 0; run < runs.Length; run++)
            {
                // Other conditions and another seed every time: what is recorded are launches, not values.
                var noise = NoiseSource.Philox((ulong)run, [3]);
                executor.SetConditions([0.1f * run, 0.5f, -0.5f, 1, -1, 0]);
                executor.SetState(noise);
                var row = new SamplerStep { T = 40, CleanFromState = 0.9, CleanFromPrediction = -0.3, State = 0.5, Clean0 = 0.4 };
                executor.Step(row with { Noise = 0.2, NoiseIndex = 1 }, noise);
                executor.Step(row with { T = 20, Clean1 = 0.1 }, noise);
                executor.Step(row with { T = 20, Clean1 = 0.1 }, noise);
                float[] state = new float[plan.StateSamples];
                executor.GetState(state);
                if (graphs)
                    Assert.Equal(runs[run], state);
                runs[run] = state;
            }

            TestDevices.AssertGraphs(graphs ? 6 : 0, before);
        }

        Assert.NotEqual(runs[0], runs[1]);
    }

    // The first run goes row by row, the second is recorded whole, the third launches what was recorded: with one launch.
    [SkippableFact]
    public void RunsThatComeAgainAreOneGraph()
    {
        Skip.IfNot(TestDevices.IsCuda, "graphs are CUDA's");
        var plan = new InferencePlan(s_model, CardioTask.Parse("ppg->ecg", null), windows: 1, draws: 2);
        SamplerStep row = new() { T = 40, CleanFromState = 0.9, CleanFromPrediction = -0.3, State = 0.5, Clean0 = 0.4 };
        SamplerStep[] rows = [row with { Noise = 0.2, NoiseIndex = 1 }, row with { T = 20, Clean1 = 0.1 },
            row with { T = 20, Clean1 = 0.1 }, row with { T = 3, Clean1 = 0.2, Clean2 = 0.1 }];
        using var eager = new GpuBackend(_lease.Device, _weights, new GpuOptions { Graphs = false });
        using var recording = new GpuBackend(_lease.Device, _weights);
        using IExecutor expected = eager.CreateExecutor(plan), actual = recording.CreateExecutor(plan);
        for (int run = 0; run < 5; run++)
        {
            int before = TestDevices.GraphLaunches;
            // Other conditions and another seed every time; from the fourth on other draws, which are another run.
            Assert.False(Run(expected, rows, run, out float[] state, out float[] clean));
            Assert.Equal(run is 1 or 2 or 4, Run(actual, rows, run, out float[] recordedState, out float[] recordedClean));
            // The fourth's rows without noise came before, and are recorded one by one.
            TestDevices.AssertGraphs(run switch { 0 => 0, 3 => 3, _ => 1 }, before);
            Assert.Equal(state, recordedState);
            Assert.Equal(clean, recordedClean);
        }
    }

    // What a session does: nobody looks in between, so its second run is one launch.
    [SkippableFact]
    public void SessionsLaunchTheirRunsWhole()
    {
        Skip.IfNot(TestDevices.IsCuda, "graphs are CUDA's");
        using var engine = new InferenceEngine(new GpuBackend(_lease.Device, _weights));
        using InferenceSession session = engine.CreateSession(CardioTask.Parse("ppg->ecg", null), new SessionOptions { Draws = 2 });
        float[] conditions = [0.1f, 0.5f, -0.5f, 1, -1, 0], first = new float[12], again = new float[12], watched = new float[12];
        session.Run(conditions, first);
        int before = TestDevices.GraphLaunches, rows = 0;
        session.Run(conditions, again);
        TestDevices.AssertGraphs(1, before);
        Assert.Equal(first, again);
        session.Run(conditions, watched, observer: (in StepObservation _) => rows++);
        Assert.Equal(first, watched);
        Assert.Equal(session.Sampler.Steps.Count, rows);
    }

    [SkippableFact]
    public void WarmUpRunsEveryKernelOfACall()
    {
        Skip.If(TestDevices.Current != TestDevice.Simulated, "launches are counted by the simulated driver");
        _ = TestDevices.Driver;
        var plan = new InferencePlan(s_model, CardioTask.Parse("ppg->ecg", null));
        float[] samples = [0.1f, 0.5f, -0.5f, 1, -1, 0];
        TestDevices.Driver.ClearLaunches();
        using var cold = new GpuBackend(_lease.Device, _weights);
        Assert.Empty(TestDevices.Driver.Launches);
        using var warm = new GpuBackend(_lease.Device, _weights, new GpuOptions { WarmUp = true });
        string[] warmed = [.. TestDevices.Driver.Launches.Select(l => l.Kernel.Name)];
        float[] expected = Predict(cold, plan, samples);
        TestDevices.Driver.ClearLaunches();
        Assert.Equal(expected, Predict(warm, plan, samples));
        Assert.All(TestDevices.Driver.Launches, l => Assert.Contains(l.Kernel.Name, warmed));
    }

    private static float[] Predict(GpuBackend backend, InferencePlan plan, float[] samples)
    {
        using IExecutor executor = backend.CreateExecutor(plan);
        float[] result = new float[plan.StateSamples];
        executor.SetConditions(samples);
        executor.SetState(samples);
        executor.Predict(9, result);
        return result;
    }

    private static bool Run(IExecutor executor, SamplerStep[] rows, int run, out float[] state, out float[] clean)
    {
        var noise = NoiseSource.Philox((ulong)run, [3], firstDraw: run < 3 ? 0u : 2u);
        executor.SetConditions([0.1f * run, 0.5f, -0.5f, 1, -1, 0]);
        executor.SetState(noise);
        bool whole = executor.TryRun(rows, noise);
        for (int i = 0; !whole && i < rows.Length; i++)
            executor.Step(rows[i], noise);
        (state, clean) = (new float[executor.Plan.StateSamples], new float[executor.Plan.StateSamples]);
        executor.GetState(state);
        executor.GetClean(clean);
        return whole;
    }

    [SkippableTheory]
    [InlineData("heads", 264, 2, 1)]
    [InlineData("channels", 600, 600, 1)]
    [InlineData("group_rows", 12, 2, 9)]
    public void NetworksThatDoNotFitAreRefused(string setting, int channels, int heads, int groupRows)
    {
        ModelConfiguration m = s_model with { Channels = channels, Heads = heads, Blocks = 1 };
        using ModelWeights weights = new WeightRecipe(1, m).Create();
        Assert.Equal(
            setting, Assert.Throws<ConfigurationException>(() =>
                new GpuBackend(_lease.Device, weights, new GpuOptions { GroupRows = groupRows })).Setting);
    }

    [SkippableTheory]
    [InlineData("window", -1, 0)]
    [InlineData("global_tokens", 4, -1)]
    public void PatternsOutOfRangeAreRefused(string setting, int window, int globals)
    {
        var pattern = new AttentionPattern { Window = window, GlobalTokens = globals };
        Assert.Equal(
            setting, Assert.Throws<ConfigurationException>(() =>
                new GpuBackend(_lease.Device, _weights, new GpuOptions { Attention = pattern })).Setting);
        Assert.Equal(setting, Assert.Throws<ConfigurationException>(() => new ReferenceBackend(_weights, pattern: pattern)).Setting);
    }

    public void Dispose()
    {
        _weights.Dispose();
        _lease.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>On OpenCL.</summary>
public sealed class OpenClExecutorTests() : ExecutorTests(TestDevice.OpenCl);

/// <summary>On the simulator.</summary>
public sealed class SimulatedExecutorTests() : ExecutorTests(TestDevice.Simulated);
