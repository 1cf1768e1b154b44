using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Weights;

namespace UniCardio.Engine.Tests.Sessions;

/// <summary>
/// The session looks at its results only, so no kernel may turn a NaN into a number: an encoder's LayerNorm spreads one bad
/// sample over the whole slot, and from there it has to reach every sample of the prediction.
/// </summary>
public sealed class NonFinitePropagationTests
{
    private const int S = 100;
    private static readonly CardioTask Task = CardioTask.Parse("ppg->ecg");

    public static TheoryData<CpuInstructionSet> InstructionSets => [.. Enum.GetValues<CpuInstructionSet>()];

    [SkippableTheory]
    [MemberData(nameof(InstructionSets))]
    public void ANaNInTheStateReachesTheWholePredictionOfItsDrawAndNoOther(CpuInstructionSet set)
    {
        using CpuBackend backend = Backend(set);
        using var executor = backend.CreateExecutor(new InferencePlan(backend.Configuration, Task, 1, 2));
        float[] state = new float[2 * S], prediction = new float[2 * S];
        state[S + 17] = float.NaN;
        executor.SetConditions(new float[S]);
        executor.SetState(state);
        executor.Predict(25, prediction);
        Assert.All(prediction[..S], v => Assert.True(float.IsFinite(v)));
        Assert.All(prediction[S..], v => Assert.True(float.IsNaN(v)));
    }

    [SkippableTheory]
    [MemberData(nameof(InstructionSets))]
    public void AnOverflowInTheConditionsEncoderReachesTheWholePrediction(CpuInstructionSet set)
    {
        using CpuBackend backend = Backend(set);
        using var executor = backend.CreateExecutor(new InferencePlan(backend.Configuration, Task));
        float[] conditions = new float[S], prediction = new float[S];
        conditions[40] = 3e38f;
        executor.SetConditions(conditions);
        executor.SetState(new float[S]);
        executor.Predict(25, prediction);
        Assert.All(prediction, v => Assert.True(float.IsNaN(v)));
    }

    [SkippableTheory]
    [MemberData(nameof(InstructionSets))]
    public void ThresholdingKeepsNaN(CpuInstructionSet set)
    {
        using CpuBackend backend = Backend(set);
        using var executor = backend.CreateExecutor(new InferencePlan(backend.Configuration, Task));
        float[] state = new float[S], clean = new float[S];
        state[17] = float.NaN;
        executor.SetConditions(new float[S]);
        executor.SetState(state);
        executor.Step(new SamplerStep
        {
            T = 25, CleanFromState = 1, CleanFromPrediction = -1, State = 0, Clean0 = 1, ClampLow = -2, ClampHigh = 2,
        }, default);
        executor.GetState(state);
        executor.GetClean(clean);
        Assert.All(clean, v => Assert.True(float.IsNaN(v)));
        Assert.All(state, v => Assert.True(float.IsNaN(v)));
    }

    [Fact]
    public void SoTheSessionThrowsAndNamesTheFirstStep()
    {
        using var engine = new InferenceEngine(Backend(default));
        using InferenceSession session = engine.CreateSession(Task, new() { Windows = 2 });
        float[] conditions = new float[2 * S], results = new float[2 * S];
        conditions[S + 40] = 3e38f;
        var error = Assert.Throws<NonFiniteResultException>(() => session.Run(conditions, results));
        Assert.Equal((1, 0, 0, 49), (error.Window, error.Draw, error.Step, error.T));
        conditions[S + 40] = 0;
        session.Run(conditions, results);
    }

    private static CpuBackend Backend(CpuInstructionSet set)
    {
        try
        {
            return new CpuBackend(WeightRecipe.Parse("recipe:1,tiny").Create(),
                new CpuBackendOptions { Threads = 1, InstructionSet = set });
        }
        catch (ConfigurationException problem) when (set != default)
        {
            Skip.If(true, problem.Message);
            throw;
        }
    }
}
