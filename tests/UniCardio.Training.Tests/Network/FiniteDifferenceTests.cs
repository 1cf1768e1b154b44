using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;
using UniCardio.Training.Data;
using UniCardio.Training.Network;

namespace UniCardio.Training.Tests.Network;

/// <summary>Gradients against central differences of the double reference, one random direction a tensor.</summary>
public class FiniteDifferenceTests
{
    private static readonly CardioTask[] Tasks =
    [
        CardioTask.Parse("ppg->ecg"), CardioTask.Parse("bp,ecg->ppg"), CardioTask.Parse("impute bp"),
        CardioTask.Parse("denoise ecg | ppg,bp"),
    ];

    // Small enough that no ReLU changes side, and exact: slopes are taken over the float32 steps as they came out.
    private const float Step = 1f / 1048576;

    [Theory]
    [InlineData(1, PositionKind.Global)]
    [InlineData(5, PositionKind.Slot)]
    public void EveryTensorsGradientIsTheReferencesSlope(int samplesPerToken, PositionKind positions)
    {
        ModelConfiguration m = TestNetworks.Configuration(samplesPerToken, positions);
        TrainingBatch batch = TestNetworks.Batch(m, samplesPerToken == 1 ? Tasks[2..] : Tasks, 5);
        using TrainingNetwork first = TestNetworks.Create(m, CpuInstructionSet.Scalar);
        float[] parameters = first.Parameters.ToArray();
        double[] slopes = [.. first.Layout.Slices.Select(slice => Slope(first.Layout, parameters, slice, batch))];
        foreach (CpuInstructionSet set in CpuInstructionSets.Supported)
        {
            using TrainingNetwork network = TestNetworks.Create(m, set);
            network.Accumulate(batch, TestNetworks.Loss, 0, new double[batch.Count]);
            for (int i = 0; i < slopes.Length; i++)
            {
                ParameterSlice slice = network.Layout.Slices[i];
                (double along, double size) =
                    Along(network.Gradients.Slice(slice.Offset, slice.Count), parameters.AsSpan(slice.Offset, slice.Count));

                // Float32 through some 20 layers of depth K up to 180: about 20 sqrt(180) u = 1.6e-5 of the gradient's size; the
                // difference's own curvature term is 1e-12 of the third derivative. The size is the scale, since slopes cancel.
                Assert.True(Math.Abs(along - slopes[i]) <= (1e-4 * size) + 1e-6,
                    $"{set} {slice.Name}: {along:G9}, reference {slopes[i]:G9}, size {size:G3}");
            }
        }
    }

    // The two ends of a step of +-1 an element, as float32 holds them.
    private static (float Up, float Down) Ends(float parameter, int i)
    {
        float step = (i * 7 % 5) < 2 ? Step : -Step;
        return (parameter + step, parameter - step);
    }

    private static (double Along, double Size) Along(ReadOnlySpan<float> gradient, ReadOnlySpan<float> parameters)
    {
        double along = 0, squares = 0;
        for (int i = 0; i < gradient.Length; i++)
        {
            (float up, float down) = Ends(parameters[i], i);
            along += gradient[i] * ((double)up - down) / (2 * Step);
            squares += (double)gradient[i] * gradient[i];
        }

        return (along, Math.Sqrt(squares));
    }

    private static double Slope(ParameterLayout layout, float[] parameters, ParameterSlice slice, TrainingBatch batch)
    {
        float[] above = [.. parameters], below = [.. parameters];
        for (int i = 0; i < slice.Count; i++)
            (above[slice.Offset + i], below[slice.Offset + i]) = Ends(parameters[slice.Offset + i], i);
        return (Loss(layout, above, batch) - Loss(layout, below, batch)) / (2 * Step);
    }

    private static double Loss(ParameterLayout layout, float[] parameters, TrainingBatch batch)
    {
        using ModelWeights weights = layout.Write(parameters);
        var network = new ReferenceNetwork(weights, 1);
        int samples = batch.SlotSamples;
        double[] x = new double[4 * samples], prediction = new double[samples];
        double loss = 0;
        for (int window = 0; window < batch.Count; window++)
        {
            for (int i = 0; i < x.Length; i++)
                x[i] = batch.Inputs[(window * x.Length) + i];
            network.Dense(batch.Tasks[window], x, batch.Steps[window], prediction);
            for (int i = 0; i < samples; i++)
                loss += (1 + (0.1 * i) + window) * prediction[i] * prediction[i] / 2;
        }

        return loss;
    }
}
