using UniCardio.Engine.Backends;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;
using UniCardio.Weights;

namespace UniCardio.Engine.Tests.Backends.Cpu;

/// <summary>The whole network on the CPU backend against the reference in double, over odd sizes, tasks, threads and instruction
/// sets.</summary>
public sealed class CpuBackendTests
{
    // Relative to the largest value: some 20 roundings a layer and block in float32 (u = 6e-8) against double; the golden suite's bound.
    private const double Tolerance = 1e-5;

    private static readonly ModelConfiguration[] Configurations =
    [
        new() { Channels = 48, Heads = 4, Blocks = 2, Embedding = 16, SlotSamples = 100, DiffusionSteps = 10 },
        new() { Channels = 60, Heads = 4, Blocks = 2, Embedding = 16, SlotSamples = 85, SamplesPerToken = 5, DiffusionSteps = 10,
            Positions = PositionKind.Slot },
        new() { Channels = 36, Heads = 1, Blocks = 1, Embedding = 8, SlotSamples = 33, DiffusionSteps = 10, FeedForward = 7 },
        new() { Channels = 180, Heads = 6, Blocks = 2, Embedding = 32, SlotSamples = 150, SamplesPerToken = 5, DiffusionSteps = 10,
            Prediction = PredictionKind.V },
        new() { Channels = 12, Heads = 2, Blocks = 3, Embedding = 4, SlotSamples = 1, DiffusionSteps = 10 },
        new() { Channels = 72, Heads = 2, Blocks = 2, Embedding = 16, SlotSamples = 214, SamplesPerToken = 2, DiffusionSteps = 10 },
    ];

    private static readonly string[] Tasks = ["ppg->ecg", "ppg,ecg->bp", "impute bp", "denoise ecg | ppg,bp"];

    public static TheoryData<CpuInstructionSet, int> Cases
    {
        get
        {
            var data = new TheoryData<CpuInstructionSet, int>();
            foreach (CpuInstructionSet isa in (CpuInstructionSet[])[CpuInstructionSet.Scalar, CpuInstructionSet.Vector128,
                CpuInstructionSet.Avx2, CpuInstructionSet.Avx512])
            {
                for (int i = 0; i < Configurations.Length; i++)
                    data.Add(isa, i);
            }

            return data;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void PredictionsMatchTheReference(CpuInstructionSet isa, int configuration)
    {
        Skip.IfNot(CpuInstructionSets.IsSupported(isa), $"this machine has no {isa}");
        ModelConfiguration m = Configurations[configuration];
        using ModelWeights weights = new WeightRecipe(7, m).Create();
        using var reference = new ReferenceBackend(weights);
        using var cpu = new CpuBackend(weights, new CpuBackendOptions { Threads = 2, InstructionSet = isa });
        foreach (string task in Tasks)
        {
            var plan = new InferencePlan(m, CardioTask.Parse(task), windows: 2, draws: 2);
            float[] expected = Predict(reference, plan, 6), actual = Predict(cpu, plan, 6);
            double largest = expected.Max(Math.Abs), error = expected.Zip(actual, (e, a) => Math.Abs((double)e - a)).Max();
            Assert.True(error <= Tolerance * largest, $"{task}: error {error:E2} of {largest:E2}");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void BitsDoNotDependOnThreadsBatchOrOrder(CpuInstructionSet isa)
    {
        Skip.IfNot(CpuInstructionSets.IsSupported(isa), $"this machine has no {isa}");
        ModelConfiguration m = Configurations[0];
        using ModelWeights weights = new WeightRecipe(3, m).Create();
        CardioTask task = CardioTask.Parse("ppg,bp->ecg");
        float[]? first = null;
        foreach ((int threads, int strip) in ((int, int)[])[(1, 0), (2, 0), (3, 32), (4, 0), (1, 32)])
        {
            using var cpu = new CpuBackend(weights, new CpuBackendOptions { Threads = threads, InstructionSet = isa, StripRows = strip });
            float[] batch = Sample(cpu, new InferencePlan(m, task, windows: 2, draws: 3), [4, 9]);
            first ??= batch;
            Assert.Equal(first, batch);
            float[] alone = Sample(cpu, new InferencePlan(m, task, windows: 1, draws: 3), [9], window: 1);
            Assert.Equal(first.AsSpan(3 * m.SlotSamples).ToArray(), alone);
            float[] single = Sample(cpu, new InferencePlan(m, task, windows: 1, draws: 1), [4]);
            Assert.Equal(first.AsSpan(0, m.SlotSamples).ToArray(), single);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void AStepAllocatesNothingAfterTheFirst(int threads)
    {
        ModelConfiguration m = Configurations[1];
        using ModelWeights weights = new WeightRecipe(3, m).Create();
        using var cpu = new CpuBackend(weights, new CpuBackendOptions { Threads = threads });
        var plan = new InferencePlan(m, CardioTask.Parse("impute bp | ppg"), draws: 3);
        using IExecutor executor = cpu.CreateExecutor(plan);
        SamplerTable table = SamplerTable.Create(SamplerOptions.Parse("ddpm"), m, plan.Task);
        float[] conditions = KernelCase.Values(plan.ConditionSamples, 1), results = new float[plan.StateSamples];
        uint[] windows = [0];
        void Run()
        {
            executor.SetConditions(conditions);
            executor.SetState(NoiseSource.Philox(5, windows));
            foreach (SamplerStep step in (SamplerStep[])table.Steps)
                executor.Step(step, NoiseSource.Philox(5, windows));
            executor.GetState(results);
        }

        Assert.IsType<SamplerStep[]>(table.Steps);
        Run();
        Run();
        Assert.Equal(0, Allocations.Of(Run));
        Assert.All(results, v => Assert.True(float.IsFinite(v)));
    }

    [Fact]
    public void NewConditionsTakeEffectAtTheSameStep()
    {
        ModelConfiguration m = Configurations[0];
        using ModelWeights weights = new WeightRecipe(3, m).Create();
        using var cpu = new CpuBackend(weights);
        var plan = new InferencePlan(m, CardioTask.Parse("ppg->bp"));
        using IExecutor executor = cpu.CreateExecutor(plan);
        float[] a = KernelCase.Values(plan.ConditionSamples, 1), b = KernelCase.Values(plan.ConditionSamples, 2),
            state = KernelCase.Values(plan.StateSamples, 3);
        float[] once = new float[plan.StateSamples], again = new float[plan.StateSamples], other = new float[plan.StateSamples];
        executor.SetState(state);
        executor.SetConditions(a);
        executor.Predict(5, once);
        executor.SetConditions(b);
        executor.Predict(5, other);
        executor.SetConditions(a);
        executor.Predict(5, again);
        Assert.Equal(once, again);
        Assert.NotEqual(once, other);
        executor.Predict(4, other);
        executor.Predict(5, again);
        Assert.Equal(once, again);
        Assert.NotEqual(once, other);
    }

    [Fact]
    public void ArenaOfFullSizeStaysSmall()
    {
        // Sizes only: bytes of packed-independent working memory for 1 and 50 draws of the published network.
        ModelConfiguration m = ModelConfiguration.Full with { Blocks = 5 };
        using ModelWeights weights = new WeightRecipe(1, m).Create();
        using var cpu = new CpuBackend(weights, new CpuBackendOptions { Threads = 2 });
        CardioTask task = CardioTask.Parse("ppg->ecg");
        using IExecutor one = cpu.CreateExecutor(new InferencePlan(m, task)),
            fifty = cpu.CreateExecutor(new InferencePlan(m, task, draws: 50));
        Assert.InRange(one.ArenaBytes, 1, 40_000_000);
        Assert.InRange(fifty.ArenaBytes, 1, 200_000_000);
    }

    [Fact]
    public void WrongUseIsRefusedByName()
    {
        ModelConfiguration m = Configurations[2];
        using ModelWeights weights = new WeightRecipe(3, m).Create();
        Assert.Throws<ConfigurationException>(() => new CpuBackend(weights, new CpuBackendOptions { Threads = -1 }));
        Assert.Throws<ConfigurationException>(() => new CpuBackend(weights, new CpuBackendOptions { StripRows = 31 }));
        Assert.Throws<ConfigurationException>(() => new CpuBackend(weights, new CpuBackendOptions { StripRows = 4097 }));
        var cpu = new CpuBackend(weights);
        Assert.Throws<ConfigurationException>(() => cpu.CreateExecutor(new InferencePlan(ModelConfiguration.Tiny, CardioTask.All[0])));
        var plan = new InferencePlan(m, CardioTask.All[0]);
        IExecutor executor = cpu.CreateExecutor(plan);
        Assert.Throws<ArgumentException>(() => executor.SetConditions(new float[1]));
        Assert.Throws<ConfigurationException>(() => executor.Predict(m.DiffusionSteps, new float[plan.StateSamples]));
        Assert.Throws<ConfigurationException>(() => executor.SetState(NoiseSource.Philox(1, [])));
        executor.Dispose();
        Assert.Throws<ObjectDisposedException>(() => executor.SetState(new float[plan.StateSamples]));
        cpu.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cpu.CreateExecutor(plan));
    }

    private static float[] Predict(IBackend backend, InferencePlan plan, int t)
    {
        using IExecutor executor = backend.CreateExecutor(plan);
        executor.SetConditions(KernelCase.Values(plan.ConditionSamples, 11));
        executor.SetState(KernelCase.Values(plan.StateSamples, 12, 2));
        float[] prediction = new float[plan.StateSamples];
        executor.Predict(t, prediction);
        return prediction;
    }

    private static float[] Sample(IBackend backend, InferencePlan plan, uint[] windows, int window = 0)
    {
        using IExecutor executor = backend.CreateExecutor(plan);
        int perWindow = plan.ConditionSamples / plan.Windows;
        executor.SetConditions(KernelCase.Values((window + plan.Windows) * perWindow, 11).AsSpan(window * perWindow));
        executor.SetState(NoiseSource.Philox(1, windows));
        foreach (SamplerStep step in SamplerTable.Create(SamplerOptions.Parse("ddpm"), plan.Configuration, plan.Task).Steps)
            executor.Step(step, NoiseSource.Philox(1, windows));
        float[] state = new float[plan.StateSamples];
        executor.GetState(state);
        return state;
    }
}
