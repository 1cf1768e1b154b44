using UniCardio.Engine;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;
using UniCardio.Tests.Shared;
using UniCardio.Weights.Golden;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Weights.Tests.Golden;

/// <summary>What is understood of a golden file, and what is refused by name.</summary>
public sealed class GoldenFileTests : IDisposable
{
    private const int S = 8;

    private static readonly ModelConfiguration Configuration =
        new() { Channels = 6, Heads = 1, Blocks = 1, FeedForward = 3, Embedding = 4, SlotSamples = S };

    private static readonly ParameterTensor[] Gradient =
    [
        Tensor("grad/cond=0/target=2/decoder=2/x", 1, 4 * S), Tensor("grad/cond=0/target=2/decoder=2/t", 1),
        Tensor("grad/cond=0/target=2/decoder=2/noise", 1, S),
        Tensor("grad/cond=0/target=2/decoder=2/loss", 1), Tensor("grad/cond=0/target=2/decoder=2/d/output_projection3_1.bias", 6),
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void UnderstandsEveryKindOfEntry()
    {
        using GoldenFile file = Open(
            Metadata(("cond", "01"), ("target", "2"), ("decoder", "2"), ("t", "13")),
            Tensor("eps/cond=02/target=3/decoder=2/t=7/x", 2, 4 * S),
            Tensor("eps/cond=02/target=3/decoder=2/t=7/eps", 2, S),
            Tensor("ddim/flag=20/decoder=0/steps=10/ratio=1.1/observed", 1, 4 * S),
            Tensor("ddim/flag=20/decoder=0/steps=10/ratio=1.1/noise", 1, 1, S),
            Tensor("ddim/flag=20/decoder=0/steps=10/ratio=1.1/result", 1, S),
            Tensor("grad/cond=0/target=2/decoder=2/x", 2, 4 * S),
            Tensor("grad/cond=0/target=2/decoder=2/d/output_projection3_1.bias", 6),
            Tensor("grad/cond=0/target=2/decoder=2/t", 2),
            Tensor("grad/cond=0/target=2/decoder=2/noise", 2, S),
            Tensor("grad/cond=0/target=2/decoder=2/loss", 1),
            Tensor("grad/cond=0/target=2/decoder=2/remark", 1),
            Tensor("x", 1, 4 * S),
            Tensor("eps", 1, S),
            Tensor("encoder1", 1, 6, S),
            Tensor("layer0/skip", 1, 6, 4 * S),
            Tensor("something/else", 3));
        Assert.Equal(Configuration, file.Configuration);
        Assert.Equal(77UL, file.Seed);
        Assert.Equal(["grad/cond=0/target=2/decoder=2/remark", "something/else"], file.Unrecognised);
        Assert.Equal(4, file.Entries.Count);
        var call = Assert.IsType<GoldenCall>(file.Entries[0]);
        Assert.Equal((CardioTask.Parse("impute ecg | ppg"), 7, 2), (call.Task, call.T, call.Batch));
        var run = Assert.IsType<GoldenRun>(file.Entries[1]);
        Assert.Equal((CardioTask.Parse("ecg->ppg"), SamplerOptions.Parse("ddim:10,official,ratio=1.1")), (run.Task, run.Sampler));
        var gradient = Assert.IsType<GoldenGradient>(file.Entries[2]);
        Assert.Equal(CardioTask.Parse("ppg->ecg"), gradient.Task);
        Assert.Equal(["output_projection3_1.bias"], gradient.Parameters);
        Assert.Equal([0, 0], gradient.Steps);
        var pass = Assert.IsType<GoldenActivations>(file.Entries[3]);
        Assert.Equal((CardioTask.Parse("ppg,bp->ecg"), 13), (pass.Task, pass.T));
        Assert.Equal(["encoder1", "layer0/skip"], pass.Values);
    }

    [Theory]
    [InlineData("eps/cond=0/target=2/decoder=2/t=50/x", "t = 50")]
    [InlineData("eps/cond=0/target=2/decoder=2/t=-1/x", "'-1' is not a whole number")]
    [InlineData("eps/cond=0/target=2/decoder=2/t=99999999999/x", "is not a whole number")]
    [InlineData("eps/cond=0/target=2/decoder=2/x", "no 't='")]
    [InlineData("eps/cond=/target=2/decoder=2/t=0/x", "at least one")]
    [InlineData("eps/cond=00/target=2/decoder=2/t=0/x", "each once")]
    [InlineData("eps/cond=3/target=2/decoder=2/t=0/x", "digits 0 to 2")]
    [InlineData("eps/cond=0/target=4/decoder=2/t=0/x", "target '4'")]
    [InlineData("eps/cond=0/target=0/decoder=0/t=0/x", "from itself")]
    [InlineData("eps/cond=0/target=3/decoder=1/t=0/x", "dirty")]
    [InlineData("eps/cond=0/cond=1/target=2/decoder=2/t=0/x", "each key once")]
    [InlineData("eps/nonsense/x", "key=value")]
    [InlineData("ddim/flag=2/decoder=2/observed", "flag '2'")]
    [InlineData("ddim/flag=02/decoder=2/steps=six/observed", "steps")]
    [InlineData("ddim/flag=02/decoder=2/steps=6/ratio=NaN/observed", "ratio")]
    [InlineData("run/flag=02/decoder=2/sampler=magic/observed", "magic")]
    public void NamesWhatIsWrongWithAName(string tensor, string expected)
    {
        var problem = Assert.Throws<GoldenException>(() =>
            Open(Metadata(), Tensor(tensor, 1, 4 * S), Tensor(tensor[..tensor.LastIndexOf('/')] + "/eps", 1, S)));
        Assert.Contains(expected, problem.Message, StringComparison.Ordinal);
        Assert.Contains(problem.Entry!, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NamesTensorsThatAreMissingOrMisshapen()
    {
        const string Call = "eps/cond=0/target=2/decoder=2/t=0", Run = "ddpm/flag=02/decoder=2";
        Refused(Call + "/x", Tensor(Call + "/x", 1, 3 * S), Tensor(Call + "/eps", 1, S));
        Refused(Call + "/x", Tensor(Call + "/x", 4 * S), Tensor(Call + "/eps", 1, S));
        Refused(Call + "/x", Tensor(Call + "/x", 0, 4 * S), Tensor(Call + "/eps", 0, S));
        Refused(Call + "/eps", Tensor(Call + "/x", 2, 4 * S), Tensor(Call + "/eps", 1, S));
        Refused(Call + "/eps", Tensor(Call + "/x", 2, 4 * S));
        Refused(Call + "/x", Tensor(Call + "/eps", 2, S));
        Refused(Run + "/noise", Tensor(Run + "/observed", 1, 4 * S), Tensor(Run + "/result", 1, S));
        Refused(Run + "/result", Tensor(Run + "/observed", 1, 4 * S), Tensor(Run + "/noise", 51, 1, S));
        Refused("x", Metadata(("cond", "0"), ("target", "2"), ("decoder", "2"), ("t", "0")), Tensor("encoder1", 1, 6, S));
        Refused("cond", Tensor("encoder1", 1, 6, S));
    }

    [Theory]
    [InlineData("ddpm/flag=02/decoder=2", 49, "holds 49 draws")]
    [InlineData("ddpm/flag=02/decoder=2", 52, "holds 52 draws")]
    [InlineData("ddpm/flag=02/decoder=2", 50, null)]
    [InlineData("improved/flag=012/decoder=2", 50, "one-condition")]
    [InlineData("ddim/flag=02/decoder=2/steps=51", 1, "51")]
    public void RefusesRunsThatDoNotFitTheirSampler(string name, int draws, string? expected)
    {
        using GoldenFile file =
            Open(Metadata(), Tensor(name + "/observed", 1, 4 * S), Tensor(name + "/noise", draws, 1, S), Tensor(name + "/result", 1, S));
        using ModelWeights weights = new WeightRecipe(77, Configuration).Create();
        if (expected is null)
        {
            // The last draw of the official run is not used. The expected result, all zeros, is not this network's.
            Assert.Equal(double.PositiveInfinity,
                Assert.Single(GoldenVerifier.Verify(file, weights, w => new ReferenceBackend(w)).Results).RelativeError);
            return;
        }

        var problem = Assert.Throws<GoldenException>(() => GoldenVerifier.Verify(file, weights, w => new ReferenceBackend(w)));
        Assert.Contains(expected, problem.Message, StringComparison.Ordinal);
        Assert.StartsWith(name, problem.Entry, StringComparison.Ordinal);
    }

    [Fact]
    public void OnlyTypedExceptionsComeOutOfMutants()
    {
        byte[][] seeds = [File.ReadAllBytes(Fixtures.Path("micro-p2")), Seed(),
            Seed(Tensor("x", 1, 4 * S), Tensor("eps", 1, S), Tensor("layer0/x", 1, 6, 4 * S)), Seed(Gradient)];
        FuzzReport report = MutationFuzzer.Run(seeds, MutationFuzzer.CountFor(6000), 4, bytes =>
            GoldenFile.FromBytes("mutant", bytes).Dispose(), e => e is UniCardioException);
        Assert.True(report.Accepted > 0 && report.RefusedBy.ContainsKey(nameof(GoldenException)), report.ToString());
    }

    private byte[] Seed(params ParameterTensor[] tensors)
    {
        Open(Metadata(("cond", "0"), ("target", "2"), ("decoder", "2"), ("t", "1")),
            [.. tensors, Tensor("ddpm/flag=02/decoder=2/observed", 1, 4 * S), Tensor("ddpm/flag=02/decoder=2/noise", 51, 1, S),
                Tensor("ddpm/flag=02/decoder=2/result", 1, S)]).Dispose();
        return File.ReadAllBytes(_folder.File("golden.safetensors"));
    }

    [Fact]
    public void NamesWhatIsWrongWithTheMetadata()
    {
        Dictionary<string, string> metadata = Metadata();
        metadata.Remove("heads");
        Refused("heads", metadata);
        Refused("seed", Metadata(("seed", "-1")));
        var problem = Assert.Throws<ConfigurationException>(() => Open(Metadata(("heads", "4"))));
        Assert.Equal("channels", problem.Setting);
    }

    [Fact]
    public void RefusesWeightsOfAnotherNetwork()
    {
        using GoldenFile file = Open(Metadata());
        using ModelWeights weights = new WeightRecipe(1, Configuration with { Heads = 2, Positions = PositionKind.Slot }).Create();
        var problem = Assert.Throws<GoldenException>(() => GoldenVerifier.Verify(file, weights, w => new ReferenceBackend(w)));
        Assert.Contains("heads 2 (the file's: 1)", problem.Message, StringComparison.Ordinal);
        Assert.Contains("positions slot", problem.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("channels", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SaysWhatItDoesNotVerify()
    {
        using GoldenFile file = Open(Metadata(), [.. Gradient, Tensor("stray", 1)]);
        using ModelWeights weights = new WeightRecipe(77, Configuration).Create();
        GoldenReport report = GoldenVerifier.Verify(file, weights, w => new ReferenceBackend(w));
        Assert.Equal(["stray", "grad/cond=0/target=2/decoder=2"], report.NotVerified.Select(o => o.Name));
        Assert.Contains("need a network that trains", report.NotVerified[1].Reason, StringComparison.Ordinal);
        Assert.False(report.Passed);
    }

    [Theory]
    [InlineData(1e-4f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void CatchesOneWrongValue(float added)
    {
        string path = _folder.File("recorded.safetensors");
        using ModelWeights weights = new WeightRecipe(77, Configuration).Create();
        GoldenRecorder.Record(path, weights, new GoldenRecording { Steps = [3], WeightSeed = 77, Activations = true });
        string tampered = _folder.File("tampered.safetensors");
        using (SafetensorsFile file = SafetensorsFile.Open(path))
        {
            SafetensorsWriter.Write(tampered, [.. file.Entries.Select(e => Tamper(file.Tensor(e.Name), added))], file.Metadata);
        }

        using GoldenFile golden = GoldenFile.Open(tampered);
        GoldenReport report = GoldenVerifier.Verify(golden, weights, w => new ReferenceBackend(w));
        Assert.Equal("eps/cond=12/target=0/decoder=0/t=3", Assert.Single(report.Results, r => !r.Passed).Name);
        Assert.Equal(report.Worst, report.Results.Single(r => !r.Passed));
        Assert.False(report.Passed);
    }

    private static ParameterTensor Tamper(ParameterTensor tensor, float added)
    {
        if (tensor.Name != "eps/cond=12/target=0/decoder=0/t=3/eps")
            return tensor;
        float[] values = tensor.Span.ToArray();
        values[5] += added;
        return new ParameterTensor(tensor.Name, tensor.Shape, values);
    }

    private void Refused(string entry, params ParameterTensor[] tensors) => Refused(entry, Metadata(), tensors);

    private void Refused(string entry, Dictionary<string, string> metadata, params ParameterTensor[] tensors)
    {
        var problem = Assert.Throws<GoldenException>(() => Open(metadata, tensors));
        Assert.Equal(entry, problem.Entry);
        Assert.EndsWith("golden.safetensors", problem.File, StringComparison.Ordinal);
    }

    private GoldenFile Open(Dictionary<string, string> metadata, params ParameterTensor[] tensors)
    {
        string path = _folder.File("golden.safetensors");
        SafetensorsWriter.Write(path, tensors, metadata);
        return GoldenFile.Open(path);
    }

    private static Dictionary<string, string> Metadata(params (string Key, string Value)[] changes)
    {
        var metadata = new Dictionary<string, string>(Configuration.ToMetadata()) { ["seed"] = "77" };
        foreach ((string key, string value) in changes)
            metadata[key] = value;
        return metadata;
    }

    private static ParameterTensor Tensor(string name, params int[] shape) =>
        new(name, shape, new float[shape.Aggregate(1, (a, b) => a * b)]);
}
