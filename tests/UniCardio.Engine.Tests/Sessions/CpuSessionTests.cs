using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Weights;

namespace UniCardio.Engine.Tests.Sessions;

/// <summary>Sessions over the CPU backend and the reference.</summary>
public sealed class CpuSessionTests
{
    private const int S = 100;
    private static readonly CardioTask Task = CardioTask.Parse("impute ecg | ppg");
    private static readonly SamplerOptions Sampler = SamplerOptions.Parse("ddim:4,eta=1");

    [Fact]
    public void BitsDoNotDependOnBatchOrThreads()
    {
        float[] conditions = Conditions(3), whole = new float[3 * 4 * S], part = new float[2 * S];
        using (InferenceEngine two = Engine(new() { Threads = 2 }))
        using (InferenceSession session = two.CreateSession(Task, new() { Windows = 3, Draws = 4, Sampler = Sampler, Seed = 5 }))
            session.Run(conditions, whole, [9, 8, 7]);

        using InferenceEngine one = Engine(new() { Threads = 1 });
        using InferenceSession pair = one.CreateSession(Task, new() { Draws = 2, Sampler = Sampler });
        for (int window = 0; window < 3; window++)
        {
            for (int first = 0; first < 4; first += 2)
            {
                pair.Run(conditions.AsSpan(window * 2 * S, 2 * S), part, NoiseSource.Philox(5, [(uint)(9 - window)], (uint)first));
                Assert.Equal(whole.AsSpan(((window * 4) + first) * S, 2 * S).ToArray(), part);
            }
        }
    }

    [Fact]
    public void WindowsWithSeedsOfTheirOwnAreThoseOfOneWindowEach()
    {
        float[] conditions = Conditions(3), whole = new float[3 * 2 * S], part = new float[2 * S];
        ulong[] seeds = [5, 6, ulong.MaxValue];
        using InferenceEngine engine = Engine(new() { Threads = 2 });
        using (InferenceSession session = engine.CreateSession(Task, new() { Windows = 3, Draws = 2, Sampler = Sampler }))
            session.Run(conditions, whole, NoiseSource.Philox(seeds, [9, 9, 7]));
        for (int window = 0; window < 3; window++)
        {
            using InferenceSession one = engine.CreateSession(Task, new() { Draws = 2, Sampler = Sampler, Seed = seeds[window] });
            one.Run(conditions.AsSpan(window * 2 * S, 2 * S), part, [window < 2 ? 9u : 7]);
            Assert.Equal(whole.AsSpan(window * 2 * S, 2 * S).ToArray(), part);
        }
    }

    [Fact]
    public void TheReferenceAgreesUnderKeyedNoise()
    {
        float[] conditions = Conditions(1), cpu = new float[2 * S], reference = new float[2 * S];
        foreach ((BackendKind kind, float[] results) in ((BackendKind, float[])[])[(BackendKind.Cpu, cpu),
            (BackendKind.Reference, reference)])
        {
            using InferenceEngine engine = Engine(new() { Threads = 1, Backend = kind });
            using InferenceSession session = engine.CreateSession(Task, new() { Draws = 2, Sampler = Sampler, Seed = 3 });
            session.Run(conditions, results);
        }

        // The bound that golden runs of the CPU backend have to meet: 1e-5 of the largest value.
        float largest = reference.Max(Math.Abs);
        Assert.All(cpu.Zip(reference), p => Assert.InRange(p.First - p.Second, -1e-5f * largest, 1e-5f * largest));
    }

    [Fact]
    public void NothingIsAllocatedAfterTheFirstRun()
    {
        using InferenceEngine engine = Engine(new() { Threads = 1 });
        using InferenceSession session = engine.CreateSession(Task, new() { Draws = 2, Sampler = Sampler });
        float[] conditions = Conditions(1), results = new float[2 * S];
        session.Run(conditions, results);
        Assert.Equal(0, Allocations.Of(() => session.Run(conditions, results)));
    }

    private static InferenceEngine Engine(EngineOptions options) => new(WeightRecipe.Parse("recipe:1,tiny").Create(), options);

    private static float[] Conditions(int windows) => [.. Enumerable.Range(0, windows * 2 * S).Select(i => MathF.Sin(i * 0.37f))];
}
