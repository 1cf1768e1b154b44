using UniCardio.Engine;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;
using UniCardio.Training.Data;
using UniCardio.Training.Network;

namespace UniCardio.Training.Tests.Network;

public class TrainingNetworkTests
{
    private static readonly ModelConfiguration Small = TestNetworks.Configuration(5, PositionKind.Slot);

    public static TheoryData<CpuInstructionSet> Sets() => [.. CpuInstructionSets.Supported];

    [Theory]
    [MemberData(nameof(Sets))]
    public void AnyNumberOfThreadsGivesTheSameBits(CpuInstructionSet set)
    {
        TrainingBatch batch = TestNetworks.Batch(Small, [.. CardioTask.All], 3);
        float[]? expected = null;
        foreach (int threads in (int[])[1, 2, 3, 4])
        {
            using TrainingNetwork network = TestNetworks.Create(Small, set, threads, dropout: 0.1, lanes: 8);
            network.Accumulate(batch, TestNetworks.Loss, 77, new double[batch.Count]);
            float[] gradients = network.Gradients.ToArray();
            expected ??= gradients;
            Assert.Equal(expected, gradients);
        }
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void PredictionsEqualTheReferencesForEveryTask(CpuInstructionSet set)
    {
        TrainingBatch batch = TestNetworks.Batch(Small, [.. CardioTask.All], 4);
        using TrainingNetwork network = TestNetworks.Create(Small, set);
        using ModelWeights weights = network.Layout.Write(network.Parameters);
        var reference = new ReferenceNetwork(weights, 1);
        int samples = batch.SlotSamples;
        float[] predictions = new float[batch.Count * samples];
        network.Predict(batch, predictions);
        double[] expected = new double[samples];
        for (int window = 0; window < batch.Count; window++)
        {
            double[] x = [.. batch.Inputs.AsSpan(window * 4 * samples, 4 * samples).ToArray().Select(v => (double)v)];
            reference.Dense(batch.Tasks[window], x, batch.Steps[window], expected);
            double scale = expected.Max(Math.Abs);

            // The golden files' bound for a whole float32 network.
            for (int i = 0; i < samples; i++)
                Assert.True(Math.Abs(predictions[(window * samples) + i] - expected[i]) <= 1e-5 * scale,
                    $"{batch.Tasks[window]} sample {i}");
        }
    }

    [Fact]
    public void DeadSlotsAreNotRead()
    {
        TrainingBatch batch = TestNetworks.Batch(Small, [CardioTask.Parse("ppg->ecg")], 6);
        batch.Slot(0, (int)Slot.Bp).Fill(float.NaN);
        batch.Slot(0, (int)Slot.Restoration).Fill(float.NaN);
        using TrainingNetwork network = TestNetworks.Create(Small, CpuInstructionSet.Auto);
        double[] losses = new double[1];
        network.Accumulate(batch, TestNetworks.Loss, 0, losses);
        Assert.True(double.IsFinite(losses[0]));
        Assert.True(network.Gradients.ToArray().All(float.IsFinite));
    }

    [Fact]
    public void GradientsDoNotRememberTheLastBatch()
    {
        TrainingBatch batch = TestNetworks.Batch(Small, [CardioTask.Parse("impute bp | ppg"), CardioTask.Parse("ecg->bp")], 7);
        TrainingBatch other = TestNetworks.Batch(Small, [.. CardioTask.All], 8);
        using TrainingNetwork network = TestNetworks.Create(Small, CpuInstructionSet.Auto);
        network.Accumulate(batch, TestNetworks.Loss, 0, new double[batch.Count]);
        float[] first = network.Gradients.ToArray();
        network.Accumulate(other, TestNetworks.Loss, 0, new double[other.Count]);
        Assert.NotEqual(first, network.Gradients.ToArray());
        network.Accumulate(batch, TestNetworks.Loss, 0, new double[batch.Count]);
        Assert.Equal(first, network.Gradients.ToArray());
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void WithDropoutTheGradientIsTheSlopeOfTheMaskedNetwork(CpuInstructionSet set)
    {
        TrainingBatch batch = TestNetworks.Batch(Small, [CardioTask.Parse("ppg->ecg"), CardioTask.Parse("denoise bp | ppg,ecg")], 9);
        using TrainingNetwork network = TestNetworks.Create(Small, set, dropout: 0.3);
        double[] losses = new double[batch.Count];
        network.Accumulate(batch, TestNetworks.Loss, 5, losses);
        float[] gradient = network.Gradients.ToArray(), parameters = network.Parameters.ToArray();
        double base0 = losses.Sum();
        network.Accumulate(batch, TestNetworks.Loss, 6, losses);
        Assert.NotEqual(base0, losses.Sum());
        foreach (string name in (string[])["in_proj_weight", "out_proj.weight", "linear1.weight", "linear2.weight", "norm1.weight",
            "conv_layers"])
        {
            // Along the gradient itself, so that the slope is its length.
            float[] direction = new float[gradient.Length];
            foreach (ParameterSlice slice in network.Layout.Slices.Where(s => s.Name.Contains(name, StringComparison.Ordinal)))
                gradient.AsSpan(slice.Offset, slice.Count).CopyTo(direction.AsSpan(slice.Offset));
            double length = Math.Sqrt(direction.Sum(v => (double)v * v));
            double h = 2e-3;
            double slope = (At(h / length) - At(-h / length)) / (2 * h);

            // Loss rounding: 1e-6 of the loss over 2 h; curvature: h^2 of the third derivative, measured well below 1e-3 of the slope.
            Assert.True(Math.Abs(slope - length) <= (5e-3 * length) + (1e-6 * base0 / h),
                $"{set} {name}: slope {slope:G6}, gradient {length:G6}");

            double At(double step)
            {
                for (int i = 0; i < parameters.Length; i++)
                    network.Parameters[i] = parameters[i] + (float)(step * direction[i]);
                network.ParametersChanged();
                network.Accumulate(batch, TestNetworks.Loss, 5, losses);
                return losses.Sum();
            }
        }
    }

    [Fact]
    public void BadBatchesAreRefused()
    {
        using TrainingNetwork network = TestNetworks.Create(Small, CpuInstructionSet.Auto);
        TrainingBatch batch = TestNetworks.Batch(Small, [CardioTask.Parse("ppg->ecg")], 1);
        batch.Steps[0] = 50;
        Assert.Contains("expected 0 to 49",
            Assert.Throws<ArgumentException>(() => network.Accumulate(batch, TestNetworks.Loss, 0, new double[1])).Message,
            StringComparison.Ordinal);
        batch.Steps[0] = 1;
        batch.Tasks[0] = default;
        Assert.Contains("no task", Assert.Throws<ArgumentException>(() => network.Accumulate(batch, TestNetworks.Loss, 0, new double[1]))
            .Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() =>
            network.Predict(TestNetworks.Batch(Small with { SlotSamples = 40 }, [CardioTask.Parse("ppg->ecg")], 1), new float[40]));
        Assert.Throws<ConfigurationException>(() => new TrainingNetwork(Small, new TrainingNetworkOptions { Dropout = 1 }));
        Assert.Throws<ConfigurationException>(() => new TrainingNetwork(Small, new TrainingNetworkOptions { Lanes = 0 }));
    }
}
