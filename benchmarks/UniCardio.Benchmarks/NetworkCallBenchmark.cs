using BenchmarkDotNet.Attributes;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Weights;

namespace UniCardio.Benchmarks;

/// <summary>A whole network call, condition rows included, on one thread; the baseline is the same call with scalar kernels.</summary>
public class NetworkCallBenchmark : KernelBenchmark
{
    [Params("compact", "tiny")]
    public string Size { get; set; } = "compact";

    [Params(1, 8)]
    public int Draws { get; set; } = 1;

    public override string Case => "NetworkCall " + Size + Draws;

    public override double Flop => 1e9 * WorkCount.CallGflop(Plan);

    private InferencePlan Plan =>
        new(Size == "compact" ? ModelConfiguration.Compact : ModelConfiguration.Tiny, CardioTask.Parse("ppg->ecg"), draws: Draws);

    internal override (Action Kernel, Action Naive) Make<S, V>() => (Call(Isa), Call(CpuInstructionSet.Scalar));

    private Action Call(CpuInstructionSet isa)
    {
        InferencePlan plan = Plan;
        using ModelWeights weights = new WeightRecipe(1, plan.Configuration).Create();
        IExecutor executor = new CpuBackend(weights, new CpuBackendOptions { Threads = 1, InstructionSet = isa }).CreateExecutor(plan);
        executor.SetConditions(new float[plan.ConditionSamples]);
        executor.SetState(new float[plan.StateSamples]);
        float[] prediction = new float[plan.StateSamples];
        int t = 0;

        // Another t each time: the condition rows is computed anew.
        return () => executor.Predict(t = (t + 1) % 50, prediction);
    }
}
