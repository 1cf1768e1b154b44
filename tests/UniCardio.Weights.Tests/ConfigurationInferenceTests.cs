using System.Globalization;
using UniCardio.Engine;
using UniCardio.Engine.Model;

namespace UniCardio.Weights.Tests;

public class ConfigurationInferenceTests
{
    private static readonly Dictionary<string, string> NoMetadata = [];

    public static TheoryData<string> Sizes => ["full", "compact", "tiny", "small", "interim"];

    private static ModelConfiguration Size(string name) => name switch
    {
        "full" => ModelConfiguration.Full,
        "compact" => ModelConfiguration.Compact,
        "tiny" => ModelConfiguration.Tiny,
        "small" => SmallNetwork.Configuration,
        _ => new() { Channels = 120, Heads = 4, Blocks = 4, Embedding = 64, SamplesPerToken = 5, Positions = PositionKind.Slot,
            Prediction = PredictionKind.V },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void ShapesAndWhatIsToldGiveTheWholeConfiguration(string name)
    {
        ModelConfiguration expected = Size(name);
        var notes = new List<string>();
        var options = new WeightLoadOptions { Heads = expected.Heads, Positions = expected.Positions, Prediction = expected.Prediction };
        Assert.Equal(expected, ConfigurationInference.Infer("w", Shapes(expected), NoMetadata, options, notes));
        Assert.Empty(notes);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void MetadataGivesTheWholeConfiguration(string name)
    {
        ModelConfiguration expected = Size(name);
        var notes = new List<string>();
        Assert.Equal(expected, ConfigurationInference.Infer("w", Shapes(expected), expected.ToMetadata(), new WeightLoadOptions(), notes));
        Assert.Empty(notes);
    }

    [Fact]
    public void WithoutBeingToldTheOfficialConventionsAreAssumedAndNamed()
    {
        var notes = new List<string>();
        ModelConfiguration found =
            ConfigurationInference.Infer("w", Shapes(ModelConfiguration.Full), NoMetadata, new WeightLoadOptions(), notes);
        Assert.Equal(ModelConfiguration.Full, found);
        Assert.StartsWith("heads 8, positions global, prediction epsilon assumed", Assert.Single(notes), StringComparison.Ordinal);
    }

    [Fact]
    public void AnotherSizeGivesOtherShapes() =>
        Assert.Equal(
            3, ConfigurationInference.Infer("w", Shapes(ModelConfiguration.Full with { Blocks = 3 }), NoMetadata, new WeightLoadOptions(),
                []).Blocks);

    [Fact]
    public void TheNoiseScheduleTellsTheSteps()
    {
        List<ParameterShape> shapes = [.. Shapes(ModelConfiguration.Full), new("alpha_torch", [77, 1, 1])];
        Assert.Equal(77, ConfigurationInference.Infer("w", shapes, NoMetadata, new WeightLoadOptions(), []).DiffusionSteps);
    }

    [Fact]
    public void BeliefGoesByShapesThenToldThenMetadataThenFallback()
    {
        ModelConfiguration shaped = ModelConfiguration.Tiny;
        var metadata = new Dictionary<string, string> { ["heads"] = "6", ["prediction"] = "sample", ["seed"] = "not ours" };
        var options = new WeightLoadOptions { Heads = 12,
            Fallback = ModelConfiguration.Compact with { Positions = PositionKind.Slot, Prediction = PredictionKind.V, BetaEnd = 0.25 } };
        var notes = new List<string>();
        ModelConfiguration found = ConfigurationInference.Infer("w", Shapes(shaped), metadata, options, notes);
        Assert.Equal(shaped with { Heads = 12, Prediction = PredictionKind.Sample, Positions = PositionKind.Slot, BetaEnd = 0.25 }, found);
        Assert.Contains("heads 12 as told", Assert.Single(notes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("channels", "60")]
    [InlineData("layers", "5")]
    [InlineData("slot", "500")]
    [InlineData("samples_per_token", "5")]
    [InlineData("embedding", "64")]
    [InlineData("feed_forward", "63")]
    public void MetadataThatContradictsTheShapesIsRefused(string key, string value)
    {
        var metadata = new Dictionary<string, string>(ModelConfiguration.Tiny.ToMetadata()) { [key] = value };
        var e = Assert.Throws<WeightFormatException>(() =>
            ConfigurationInference.Infer("w", Shapes(ModelConfiguration.Tiny), metadata, new WeightLoadOptions(), []));
        Assert.Contains($"{key} is {value} by the metadata", e.Message, StringComparison.Ordinal);
        Assert.Equal("__metadata__", e.Entry);
    }

    [Theory]
    [InlineData("heads", "many")]
    [InlineData("heads", "-4")]
    [InlineData("heads", "0")]
    [InlineData("heads", "5")]
    [InlineData("positions", "everywhere")]
    [InlineData("beta_end", "NaN")]
    [InlineData("beta_end", "1e999")]
    [InlineData("steps", "99999999999")]
    public void MetadataThatIsNoConfigurationIsRefused(string key, string value)
    {
        var metadata = new Dictionary<string, string>(ModelConfiguration.Tiny.ToMetadata()) { [key] = value };
        Exception e = Assert.ThrowsAny<UniCardioException>(() =>
            ConfigurationInference.Infer("w", Shapes(ModelConfiguration.Tiny), metadata, new WeightLoadOptions(), []));
        Assert.Contains(key, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HeadsThatWereAssumedAndDoNotFitAreAskedFor()
    {
        var e = Assert.Throws<ConfigurationException>(() =>
            ConfigurationInference.Infer("w.pth", Shapes(ModelConfiguration.Compact), NoMetadata, new WeightLoadOptions(), []));
        Assert.Equal("heads", e.Setting);
        Assert.Contains("8 was assumed", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OneMisshapenTensorIsReportedAsItself()
    {
        // Each of them alone shows a number; the others outvote it.
        ModelConfiguration size = ModelConfiguration.Compact;
        foreach (string name in (string[])["diffmodel.residual_layers.1.time_layer.layers.0.self_attn.in_proj_weight",
            "diffmodel.output_projection2_2.weight", "diffmodel.diffusion_embedding.projection1.weight", "diffmodel.norm4.weight",
            "diffmodel.residual_layers.0.time_layer.layers.0.linear1.weight"])
        {
            List<ParameterShape> shapes = [.. Shapes(size)];
            int at = shapes.FindIndex(s => s.Name == name);
            shapes[at] = new ParameterShape(name, [.. shapes[at].Shape.Select(d => d + 7)]);
            ModelConfiguration found =
                ConfigurationInference.Infer("w", shapes, NoMetadata, new WeightLoadOptions { Heads = size.Heads }, []);
            Assert.Equal(size, found);
        }
    }

    [Fact]
    public void ShapesThatCannotBeANetworkAreRefused()
    {
        List<ParameterShape> shapes =
            [.. Shapes(ModelConfiguration.Tiny).Select(s => new ParameterShape(s.Name, [.. s.Shape.Select(_ => int.MaxValue)]))];
        Assert.ThrowsAny<UniCardioException>(() => ConfigurationInference.Infer("w", shapes, NoMetadata, new WeightLoadOptions(), []));
        IEnumerable<ParameterShape> blocks = Enumerable.Range(0, 1000).Select(i =>
            new ParameterShape(string.Create(CultureInfo.InvariantCulture, $"diffmodel.residual_layers.{i}.mid_projection.bias"), [1]));
        Assert.Equal(
            "blocks", Assert.Throws<ConfigurationException>(() =>
                ConfigurationInference.Infer("w", blocks, NoMetadata, new WeightLoadOptions(), [])).Setting);
    }

    private static IReadOnlyList<ParameterShape> Shapes(ModelConfiguration configuration) => ParameterCatalog.For(configuration);
}
