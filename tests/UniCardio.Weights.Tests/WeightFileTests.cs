using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Weights.Safetensors;
using UniCardio.Weights.Tests.Torch;

namespace UniCardio.Weights.Tests;

public class WeightFileTests
{
    private static readonly ModelConfiguration Small = SmallNetwork.Configuration;

    [SkippableFact]
    public void ConvertsTheOfficialCheckpointBitForBit()
    {
        string golden = Project.Shared("golden/tiny.safetensors");
        using var folder = new TemporaryFolder();
        string path = folder.File("tiny.safetensors");
        using LoadedWeights report = WeightFile.Convert(Project.Shared("golden/tiny.pth"), path, new WeightLoadOptions { Heads = 4 });
        Assert.Contains(report.Notes, n => n.StartsWith("left out", StringComparison.Ordinal)
            && n.Contains("feature_layer", StringComparison.Ordinal) && n.Contains("alpha_torch", StringComparison.Ordinal));

        using SafetensorsFile expected = SafetensorsFile.Open(golden), actual = SafetensorsFile.Open(path);
        string[] live = [.. expected.Entries.Select(e => e.Name).Where(n => !ParameterCatalog.IsKnownUnused(n))];
        Assert.Equal(live.Order(StringComparer.Ordinal), actual.Entries.Select(e => e.Name).Order(StringComparer.Ordinal));
        Assert.All(live, n => Assert.StartsWith("diffmodel.", n, StringComparison.Ordinal));
        foreach (string name in live)
        {
            Assert.Equal(expected.Entry(name).Shape, actual.Entry(name).Shape);
            Assert.True(expected.Bytes(name).SequenceEqual(actual.Bytes(name)), name);
        }

        Assert.Equal(expected.Entries.Count - live.Length, report.Dropped.Count);
        Assert.Equal(ModelConfiguration.Tiny, ModelConfiguration.FromMetadata(actual.Metadata));
        Assert.Equal("recipe:1", actual.Metadata["untrained"]);
    }

    [SkippableTheory]
    [InlineData("golden/tiny.safetensors")]
    [InlineData("golden/tiny.pth")]
    public void LoadsTheGoldenWeightsAndKnowsThemAsUntrained(string file)
    {
        using LoadedWeights loaded = WeightFile.Load(Project.Shared(file), new WeightLoadOptions { Fallback = ModelConfiguration.Tiny });
        Assert.Equal(ModelConfiguration.Tiny, loaded.Configuration);
        Assert.Equal("recipe:1", loaded.Recipe);
        using ModelWeights recipe = new WeightRecipe(1, ModelConfiguration.Tiny).Create();
        foreach ((ParameterTensor a, ParameterTensor b) in recipe.Tensors.Zip(loaded.Weights.Tensors))
            Assert.True(a.Span.SequenceEqual(b.Span), a.Name);
    }

    [SkippableFact]
    public void LoadsTheInterimCheckpoint()
    {
        var options = new WeightLoadOptions { Heads = 4, Positions = PositionKind.Slot, Prediction = PredictionKind.V };
        using LoadedWeights loaded = WeightFile.Load(Project.Shared("weights/interim-p5slot.pth"), options);
        ModelConfiguration expected = new() { Channels = 120, Heads = 4, Blocks = 4, Embedding = 64, SamplesPerToken = 5,
            Positions = PositionKind.Slot, Prediction = PredictionKind.V };
        Assert.Equal(expected, loaded.Configuration);
        Assert.False(loaded.IsUntrained);
        Assert.Equal(["alpha_torch"], loaded.Dropped);
        Assert.DoesNotContain(loaded.Notes, n => n.StartsWith("warning", StringComparison.Ordinal));
    }

    [Fact]
    public void ARecipeIsUntrainedAndStaysSoThroughConversion()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("w.anything");
        WeightFile.Convert("recipe:987654321,tiny", path, metadata: new Dictionary<string, string> { ["trained"] = "not at all" })
            .Dispose();
        using LoadedWeights loaded = WeightFile.Load(path);
        Assert.Equal("recipe:987654321", loaded.Recipe);
        Assert.Equal("not at all", loaded.Description);
        Assert.Equal(WeightFormat.Safetensors, loaded.Format);
        Assert.Equal(ModelConfiguration.Tiny, loaded.Configuration);
    }

    [Theory]
    [InlineData("pth")]
    [InlineData("safetensors")]
    public void FormatsAreToldByContentAndNotByName(string name)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("weights." + name);
        byte[] checkpoint = TorchBuilder.Of(SmallNetwork.Tensors(5000)).Bytes();
        if (name == "safetensors")
            File.WriteAllBytes(path, checkpoint);
        else
            SafetensorsWriter.Write(path, SmallNetwork.Tensors(5000));
        using LoadedWeights loaded = WeightFile.Load(path, new WeightLoadOptions { Heads = Small.Heads });
        Assert.Equal(name == "safetensors" ? WeightFormat.TorchCheckpoint : WeightFormat.Safetensors, loaded.Format);
        Assert.Equal(Small, loaded.Configuration);
        Assert.False(loaded.IsUntrained);
    }

    [Fact]
    public void UnusedTensorsAreLeftOutOfASafetensorsFileToo()
    {
        using var folder = new TemporaryFolder();
        List<ParameterTensor> tensors = [.. SmallNetwork.Tensors(5000), new("alpha_torch", [50, 1, 1], new float[50]),
            new("diffmodel.residual_layers.0.feature_layer.layers.0.norm1.bias", [12], new float[12])];
        SafetensorsWriter.Write(folder.File("w"), tensors, Small.ToMetadata());
        using LoadedWeights loaded = WeightFile.Load(folder.File("w"));
        Assert.Equal(["alpha_torch", "diffmodel.residual_layers.0.feature_layer.layers.0.norm1.bias"],
            loaded.Dropped.Order(StringComparer.Ordinal));
        // An alpha_torch of zeros belongs to no schedule, and that is said.
        Assert.Contains(loaded.Notes, n => n.StartsWith("warning: the file's alpha_torch", StringComparison.Ordinal));
    }

    [Fact]
    public void AllProblemsComeAtOnce()
    {
        using var folder = new TemporaryFolder();
        List<ParameterTensor> tensors = [.. SmallNetwork.Tensors(5000)];
        string missing = "diffmodel.norm3.bias", shaped = "diffmodel.output_projection2_1.bias",
            bad = "diffmodel.residual_layers.1.mid_projection.bias";
        tensors.RemoveAll(t => t.Name == missing);
        tensors[tensors.FindIndex(t => t.Name == shaped)] = new ParameterTensor(shaped, [2], new float[2]);
        ParameterTensor nan = tensors.Find(t => t.Name == bad)!;
        float[] values = nan.Span.ToArray();
        values[7] = float.NaN;
        tensors[tensors.IndexOf(nan)] = new ParameterTensor(bad, nan.Shape, values);
        tensors.Add(new ParameterTensor("diffmodel.extra", [1], new float[1]));
        SafetensorsWriter.Write(folder.File("w"), tensors, Small.ToMetadata());

        var e = Assert.Throws<WeightsException>(() => WeightFile.Load(folder.File("w")));
        Assert.Equal(4, e.Problems.Count);
        Assert.Contains(e.Problems, p =>
            p.StartsWith(missing, StringComparison.Ordinal) && p.Contains("missing", StringComparison.Ordinal));
        Assert.Contains(e.Problems, p => p.StartsWith(shaped, StringComparison.Ordinal) && p.Contains("[2]", StringComparison.Ordinal)
            && p.Contains("[12]", StringComparison.Ordinal));
        Assert.Contains(e.Problems, p => p.StartsWith(bad, StringComparison.Ordinal) && p.Contains('7', StringComparison.Ordinal));
        Assert.Contains(e.Problems, p => p.StartsWith("diffmodel.extra", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void WeightsThatAreNotFiniteAreRefused(float value)
    {
        using var folder = new TemporaryFolder();
        ParameterTensor[] tensors = [.. SmallNetwork.Tensors(5000)];
        float[] values = tensors[^1].Span.ToArray();
        values[^1] = value;
        tensors[^1] = new ParameterTensor(tensors[^1].Name, tensors[^1].Shape, values);
        SafetensorsWriter.Write(folder.File("w"), tensors, Small.ToMetadata());
        var e = Assert.Throws<WeightsException>(() => WeightFile.Load(folder.File("w")));
        Assert.StartsWith($"{tensors[^1].Name}: element {values.Length - 1}", Assert.Single(e.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void AFileOfOtherTensorsIsToldApart()
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.Write(folder.File("w"), [new("encoder.weight", [1], new float[1])]);
        var e = Assert.Throws<WeightFormatException>(() => WeightFile.Load(folder.File("w")));
        Assert.Contains("none of them of a UniCardio network", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 25088000\n", "Git LFS")]
    [InlineData("<!DOCTYPE html><html><body>404</body></html>", "web page")]
    [InlineData("short", "5 bytes")]
    public void FilesThatAreSomethingElseAreNamed(string content, string expected)
    {
        using var folder = new TemporaryFolder();
        foreach (string name in (string[])["w.safetensors", "w.pth"])
        {
            File.WriteAllText(folder.File(name), content);
            var e = Assert.Throws<WeightFormatException>(() => WeightFile.Load(folder.File(name)));
            Assert.Contains(expected, e.Message, StringComparison.Ordinal);
            Assert.Equal(folder.File(name), e.File);
        }
    }

    [Fact]
    public void AMissingFileAFolderAndAnEmptyFileAreToldApart()
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<FileNotFoundException>(() => WeightFile.Load(folder.File("none")));
        File.WriteAllBytes(folder.File("empty"), []);
        Assert.Contains("empty", Assert.Throws<WeightFormatException>(() => WeightFile.Load(folder.File("empty"))).Message,
            StringComparison.Ordinal);
        Assert.Contains("folder", Assert.Throws<WeightFormatException>(() => WeightFile.Load(Path.GetDirectoryName(folder.File("x"))!))
            .Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void LinksAreFollowedAndDevicesAreNotWaitedFor()
    {
        Skip.If(OperatingSystem.IsWindows(), "links need rights there, and devices have no paths");
        using var folder = new TemporaryFolder();
        WeightFile.Convert("recipe:1,tiny", folder.File("w")).Dispose();
        File.CreateSymbolicLink(folder.File("link"), folder.File("w"));
        File.CreateSymbolicLink(folder.File("broken"), folder.File("gone"));
        File.CreateSymbolicLink(folder.File("zero"), "/dev/zero");
        using (LoadedWeights loaded = WeightFile.Load(folder.File("link")))
            Assert.Equal(ModelConfiguration.Tiny, loaded.Configuration);
        Assert.Throws<FileNotFoundException>(() => WeightFile.Load(folder.File("broken")));
        Assert.Contains("not a regular file", Assert.Throws<WeightFormatException>(() => WeightFile.Load("/dev/zero")).Message,
            StringComparison.Ordinal);
        Assert.Contains("not a regular file", Assert.Throws<WeightFormatException>(() => WeightFile.Load(folder.File("zero"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void AFailedConversionLeavesTheDestinationAsItWas()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("out"), "precious");
        File.WriteAllText(folder.File("in"), "not weights at all");
        Assert.Throws<WeightFormatException>(() => WeightFile.Convert(folder.File("in"), folder.File("out")));
        Assert.Throws<OperationCanceledException>(() =>
            WeightFile.Convert("recipe:1,tiny", folder.File("out"), cancellation: new CancellationToken(true)));
        Assert.Equal("precious", File.ReadAllText(folder.File("out")));
        Assert.Equal(["in", "out"], folder.Names);
    }

    [Fact]
    public void AFileIsNotConvertedOntoItself()
    {
        using var folder = new TemporaryFolder();
        WeightFile.Convert("recipe:1,tiny", folder.File("w")).Dispose();
        byte[] before = File.ReadAllBytes(folder.File("w"));
        Assert.Throws<WeightFormatException>(() =>
            WeightFile.Convert(folder.File("w"), Path.Combine(Path.GetDirectoryName(folder.File("w"))!, ".", "w")));
        Assert.Equal(before, File.ReadAllBytes(folder.File("w")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void DisposingReleasesTheFile(bool memoryMap)
    {
        using var folder = new TemporaryFolder();
        WeightFile.Convert("recipe:1,tiny", folder.File("w")).Dispose();
        LoadedWeights loaded = WeightFile.Load(folder.File("w"), new WeightLoadOptions { MemoryMap = memoryMap });
        ParameterTensor tensor = loaded.Weights.Tensors[0];
        loaded.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tensor.Span.Length);
    }
}
