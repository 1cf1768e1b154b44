using UniCardio.CheckingDevice;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Weights;

namespace UniCardio.Kernels.Tests.Checking;

/// <summary>The kernels rewritten as coroutines give the bits of the kernels as the compiler made them.</summary>
public sealed class CoroutineTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void BitsAreThoseOfTheCompiledKernels(bool fused)
    {
        var m = new ModelConfiguration { Channels = 12, Heads = 1, Blocks = 2, FeedForward = 8, Embedding = 8, SlotSamples = 3 };
        float[] coroutines = Predict(m, fused);
        BarrierRewriter.Disabled = true;
        try
        {
            Assert.Equal(Predict(m, fused), coroutines);
        }
        finally
        {
            BarrierRewriter.Disabled = false;
        }
    }

    private static float[] Predict(ModelConfiguration m, bool fused)
    {
        using ModelWeights weights = new WeightRecipe(2, m).Create();
        using DeviceLease lease = TestDevices.Open(thorough: false);
        using var backend = new GpuBackend(lease.Device, weights, new GpuOptions { FuseBlocks = fused, GroupRows = 1 });
        var plan = new InferencePlan(m, CardioTask.Parse("ppg->ecg", null));
        using IExecutor executor = backend.CreateExecutor(plan);
        float[] result = [0.1f, 0.9f, -0.4f];
        executor.SetConditions(result);
        executor.SetState(result);
        executor.Predict(9, result);
        return result;
    }
}
