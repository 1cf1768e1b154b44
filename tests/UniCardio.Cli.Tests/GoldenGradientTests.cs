using System.Text.Json;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Reference;
using UniCardio.Training.Network;
using UniCardio.Weights;
using UniCardio.Weights.Golden;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Cli.Tests;

/// <summary><c>golden verify</c> on gradients: those of the official code, and a small file that the test makes.</summary>
public sealed class GoldenGradientTests : IDisposable
{
    private const int Batch = 2;
    private const string Name = "grad/cond=0/target=2/decoder=2", Tensor = Name + "/d/residual_layers.0.mid_projection.bias";

    private static readonly ModelConfiguration Configuration =
        new() { Channels = 18, Heads = 2, Blocks = 2, FeedForward = 10, Embedding = 8, SlotSamples = 16 };
    private static readonly CardioTask Task = CardioTask.Parse("ppg->ecg", null);
    private static readonly int[] Steps = [5, 31];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData("tiny.gradients", "recipe:1", 3)]
    [InlineData("p5.gradients", "recipe:3", 2)]
    public void OfficialGradientsVerify(string name, string weights, int losses)
    {
        string path = Project.Shared("golden", name + ".safetensors");
        JsonElement report = Cli.Succeed("golden", "verify", "--weights", weights, "--golden", path, "--threads", "1", "--json").Json;
        using GoldenFile file = GoldenFile.Open(path);
        Assert.Equal(losses, file.Entries.Count);
        Assert.Equal(losses + file.Entries.Cast<GoldenGradient>().Sum(g => g.Parameters.Count),
            report.GetProperty("entries").GetArrayLength());
        Assert.Equal(0, report.GetProperty("not_verified").GetArrayLength());
        Assert.Equal(ExitCode.Failed, Cli.Run("golden", "verify", "--weights", "recipe:9", "--golden", path, "--threads", "1").Code);
    }

    [Fact]
    public void EveryGradientIsCompared()
    {
        string path = Write(Tensors());
        JsonElement report = Cli.Succeed("golden", "verify", "--weights", "recipe:7", "--golden", path, "--json").Json;
        string?[] names = [.. report.GetProperty("entries").EnumerateArray().Select(e => e.GetProperty("name").GetString())];
        Assert.Equal(Tensors().Count(t => t.Name.Contains("/d/", StringComparison.Ordinal)) + 1, names.Length);
        Assert.Contains(Name + "/loss", names);
        Assert.Contains(Tensor, names);
        Assert.StartsWith("training network", report.GetProperty("gradients").GetString(), StringComparison.Ordinal);
        string table = Cli.Succeed("golden", "verify", "--weights", "recipe:7", "--golden", path).Out;
        Assert.Contains("tolerance 1e-", table, StringComparison.Ordinal);
        Assert.Contains("training network", table, StringComparison.Ordinal);
        Assert.DoesNotContain("not compared", table, StringComparison.Ordinal);
    }

    // The slope of the reference's loss along the gradient g is |g|, here 0.35. Central difference over h = 2e-3 of a direction of length
    // 1: the loss of about 0.5 is known to its float32 predictions' rounding (6e-8), 2 x 6e-8 x 0.5 / (2h) = 1.5e-5 of slope; the third
    // derivative times h^2 / 6 = 7e-7 stays below 1e-3 |g| while that derivative is below 500. A wrong factor or sign is far above.
    [Fact]
    public void GradientsAreTheSlopeOfTheReferencesLoss()
    {
        const double h = 2e-3;
        using ModelWeights weights = new WeightRecipe(7, Configuration).Create();
        LossGradients computed = Compute(weights);
        double length = Math.Sqrt(computed.Parameters.Values.Sum(g => g.ToArray().Sum(v => (double)v * v)));
        Assert.True(length > 0.1, $"{length}");
        using ModelWeights ahead = Moved(weights, computed, h / length), behind = Moved(weights, computed, -h / length);
        double slope = (ReferenceLoss(ahead) - ReferenceLoss(behind)) / (2 * h);
        Assert.Equal(ReferenceLoss(weights), computed.Loss, 1e-5 * computed.Loss);
        Assert.Equal(length, slope, 1e-3 * length);
    }

    // 1e-3 of the tensor's largest element is ten times what is allowed.
    [Theory]
    [InlineData(1e-3f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void APerturbedGradientFails(float share)
    {
        string path = Write(Tensors().Select(t => t.Name == Tensor ? Perturbed(t, share) : t));
        CliResult result = Cli.Run("golden", "verify", "--weights", "recipe:7", "--golden", path, "--json");
        Assert.Equal(ExitCode.Failed, result.Code);
        Assert.False(result.Json.GetProperty("passed").GetBoolean());
        Assert.Equal(Tensor, result.Json.GetProperty("worst_entry").GetString());
        Assert.Equal(Tensor, Assert.Single(result.Json.GetProperty("entries").EnumerateArray(), e => !e.GetProperty("passed").GetBoolean())
            .GetProperty("name").GetString());
        Assert.Contains("FAILED", Cli.Run("golden", "verify", "--weights", "recipe:7", "--golden", path).Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Name + "/loss")]
    [InlineData(Name + "/noise")]
    [InlineData(Name + "/x")]
    public void NaNInAnInputOrTheLossFails(string tensor)
    {
        string path = Write(Tensors().Select(t => t.Name == tensor ? Perturbed(t, float.NaN) : t));
        Assert.Equal(ExitCode.Failed, Cli.Run("golden", "verify", "--weights", "recipe:7", "--golden", path).Code);
    }

    [Fact]
    public void AGradientThatIsNotInTheFileFails()
    {
        string path = Write(Tensors().Where(t => t.Name != Tensor));
        CliResult result = Cli.Run("golden", "verify", "--weights", "recipe:7", "--golden", path, "--json");
        Assert.Equal(ExitCode.Failed, result.Code);
        Assert.Equal(Tensor, result.Json.GetProperty("worst_entry").GetString());
    }

    [Fact]
    public void BrokenFilesAreRefused()
    {
        string path = Write(Tensors());
        byte[] whole = File.ReadAllBytes(path);
        foreach (int length in (int[])[0, 7, 200, whole.Length / 2, whole.Length - 1])
        {
            File.WriteAllBytes(path, whole[..length]);
            Cli.Refuse("gradients.safetensors", "golden", "verify", "--weights", "recipe:7", "--golden", path);
        }

        Write(Tensors().Where(t => t.Name != Name + "/noise"));
        Cli.Refuse(Name + "/noise", "golden", "verify", "--weights", "recipe:7", "--golden", path);
    }

    private string Write(IEnumerable<ParameterTensor> tensors)
    {
        string path = _folder.File("gradients.safetensors");
        SafetensorsWriter.Write(path, [.. tensors], new Dictionary<string, string>(Configuration.ToMetadata()) { ["seed"] = "7" });
        return path;
    }

    // Of scalar instructions, so that the command's vectors round differently.
    private static LossGradients Compute(ModelWeights weights)
    {
        using var network = new TrainingNetwork(weights.Configuration,
            new TrainingNetworkOptions { Threads = 1, InstructionSet = CpuInstructionSet.Scalar, Dropout = 0 });
        network.Layout.Read(weights, network.Parameters);
        network.ParametersChanged();
        return GoldenGradients.Of(network, Task, Steps, Inputs(), Targets());
    }

    private static List<ParameterTensor> Tensors()
    {
        using ModelWeights weights = new WeightRecipe(7, Configuration).Create();
        LossGradients computed = Compute(weights);
        var shapes = ParameterCatalog.For(Configuration).ToDictionary(p => p.Name, p => p.Shape);
        return
        [
            new(Name + "/x", [Batch, 4 * Configuration.SlotSamples], Inputs()),
            new(Name + "/t", [Batch], (float[])[.. Steps]),
            new(Name + "/noise", [Batch, Configuration.SlotSamples], Targets()),
            new(Name + "/loss", [1], (float[])[(float)computed.Loss]),
            .. computed.Parameters.Where(p => p.Value.Span.IndexOfAnyExcept(0f) >= 0)
                .Select(p => new ParameterTensor($"{Name}/d/{p.Key}", shapes[ParameterCatalog.Prefix + p.Key], p.Value.ToArray())),
        ];
    }

    private static float[] Inputs() => Uniform(3, Batch * 4 * Configuration.SlotSamples);

    private static float[] Targets() => Uniform(4, Batch * Configuration.SlotSamples);

    private static float[] Uniform(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((4 * random.NextDouble()) - 2))];
    }

    private static ParameterTensor Perturbed(ParameterTensor tensor, float share)
    {
        float[] values = tensor.Span.ToArray();
        values[0] += share * values.Max(Math.Abs);
        return new ParameterTensor(tensor.Name, tensor.Shape, values);
    }

    private static ModelWeights Moved(ModelWeights weights, LossGradients along, double factor) => ModelWeights.Create(
        weights.Configuration,
        [.. weights.Tensors.Select(t => new ParameterTensor(
            t.Name,
            t.Shape,
            t.Span.ToArray().Zip(along.Parameters[t.Name[ParameterCatalog.Prefix.Length..]].ToArray(), (w, g) => (float)(w + (factor * g)))
                .ToArray()))]);

    private static double ReferenceLoss(ModelWeights weights)
    {
        int samples = Configuration.SlotSamples;
        float[] inputs = Inputs(), targets = Targets(), prediction = new float[samples];
        double loss = 0;
        using var reference = new ReferenceBackend(weights);
        using IExecutor executor = reference.CreateExecutor(new InferencePlan(Configuration, Task, 1));
        for (int window = 0; window < Batch; window++)
        {
            // ppg->ecg: slot 0 is the condition, slot 2 the state.
            executor.SetConditions(inputs.AsSpan(window * 4 * samples, samples));
            executor.SetState(inputs.AsSpan((window * 4 * samples) + (2 * samples), samples));
            executor.Predict(Steps[window], prediction);
            loss += prediction.Select((p, i) => Math.Pow(p - targets[(window * samples) + i], 2)).Sum() / (4 * samples);
        }

        return loss;
    }
}
