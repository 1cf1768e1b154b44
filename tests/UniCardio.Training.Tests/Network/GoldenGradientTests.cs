using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Training.Data;
using UniCardio.Training.Network;
using UniCardio.Weights;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Training.Tests.Network;

/// <summary>Gradients of the official PyTorch code: loss = sum((noise - eps)^2) / (4S), no dropout.</summary>
public class GoldenGradientTests
{
    // Asked for by the project: 1e-4 of the largest element of each tensor. PyTorch's own float32 rounding is in the vectors.
    private const double Tolerance = 1e-4;

    public static TheoryData<string, CpuInstructionSet> Cases()
    {
        var data = new TheoryData<string, CpuInstructionSet>();
        foreach (string file in (string[])["tiny", "p5"])
        {
            foreach (CpuInstructionSet set in CpuInstructionSets.Supported)
                data.Add(file, set);
        }

        return data;
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void GradientsMatchTheOfficialCode(string file, CpuInstructionSet set)
    {
        using SafetensorsFile golden = SafetensorsFile.Open(Project.Shared("golden", $"{file}.gradients.safetensors"));
        ModelConfiguration configuration = ModelConfiguration.FromMetadata(golden.Metadata);
        using ModelWeights weights = new WeightRecipe(
            ulong.Parse(golden.Metadata["seed"], System.Globalization.CultureInfo.InvariantCulture), configuration).Create();
        using var network =
            new TrainingNetwork(configuration, new TrainingNetworkOptions { Threads = 2, InstructionSet = set, Dropout = 0 });
        network.Layout.Read(weights, network.Parameters);
        network.ParametersChanged();
        string[] cases =
            [.. golden.Entries.Select(e => e.Name).Where(n => n.EndsWith("/loss", StringComparison.Ordinal)).Select(n => n[..^5])];
        Assert.NotEmpty(cases);
        foreach (string name in cases)
            CheckCase(network, golden, name);
    }

    private static void CheckCase(TrainingNetwork network, SafetensorsFile golden, string name)
    {
        TrainingBatch batch = Batch(network.Configuration, golden, name);
        float[] noise = golden.Floats($"{name}/noise").ToArray();
        double[] losses = new double[batch.Count];
        network.Accumulate(batch, Loss(noise, network.Configuration.SlotSamples), 0, losses);
        Assert.Equal(golden.Floats($"{name}/loss").Span[0], losses.Sum(), 1e-5 * losses.Sum());
        int compared = 0;
        var failures = new List<string>();
        foreach (ParameterSlice slice in network.Layout.Slices)
        {
            ReadOnlySpan<float> actual = network.Gradients.Slice(slice.Offset, slice.Count);
            string entry = $"{name}/d/{slice.Name[ParameterCatalog.Prefix.Length..]}";
            if (!golden.Contains(entry))
            {
                Assert.True(actual.IndexOfAnyExcept(0f) < 0, $"{name}: {slice.Name} should have no gradient");
                continue;
            }

            ReadOnlySpan<float> expected = golden.Floats(entry).Span;
            double scale = 0, worst = 0;
            for (int i = 0; i < expected.Length; i++)
            {
                scale = Math.Max(scale, Math.Abs(expected[i]));
                worst = Math.Max(worst, double.IsNaN(actual[i]) ? double.PositiveInfinity : Math.Abs(actual[i] - expected[i]));
            }

            compared++;
            if (!(worst <= Tolerance * scale))
                failures.Add($"{slice.Name}: {worst / scale:E2} of {scale:E2}");
        }

        Assert.True(failures.Count == 0, $"{name}: {string.Join("; ", failures)}");
        Assert.True(compared > 40, $"{name}: only {compared} tensors");
    }

    internal static TrainingBatch Batch(ModelConfiguration configuration, SafetensorsFile golden, string name)
    {
        var parts = name.Split('/').Where(p => p.Contains('=', StringComparison.Ordinal))
            .ToDictionary(p => p.Split('=')[0], p => p.Split('=')[1]);
        ModalitySet conditions = parts["cond"].Aggregate(ModalitySet.None, (set, digit) => set | ((Modality)(digit - '0')).ToSet());
        CardioTask task = CardioTask.FromSlots(conditions, (Slot)(parts["target"][0] - '0'), (Modality)(parts["decoder"][0] - '0'));
        ReadOnlySpan<float> steps = golden.Floats($"{name}/t").Span;
        var batch = new TrainingBatch(steps.Length, configuration.SlotSamples);
        golden.Floats($"{name}/x").Span.CopyTo(batch.Inputs);
        for (int i = 0; i < steps.Length; i++)
        {
            batch.Tasks[i] = task;
            batch.Steps[i] = (int)steps[i];
        }

        return batch;
    }

    private static WindowLoss Loss(float[] noise, int samples) => (window, prediction, gradient) =>
    {
        double loss = 0;
        for (int i = 0; i < samples; i++)
        {
            double difference = prediction[i] - noise[(window * samples) + i];
            loss += difference * difference;
            gradient[i] = (float)(2 * difference / (4 * samples));
        }

        return loss / (4 * samples);
    };
}
