using UniCardio.Engine.Model;
using UniCardio.Weights;

namespace UniCardio.Engine.Tests.Model;

public class ModelWeightsTests
{
    private static readonly ModelConfiguration Small =
        new() { Channels = 12, Heads = 3, Blocks = 2, FeedForward = 5, Embedding = 4, SlotSamples = 8, SamplesPerToken = 2 };

    private static List<ParameterTensor> Tensors(ModelConfiguration configuration) =>
        [.. ParameterCatalog.For(configuration).Select(new WeightRecipe(1, configuration).Tensor)];

    [Fact]
    public void TheCatalogHoldsTheCheckpointsLiveParameters()
    {
        // 8,122,211 parameters in the published checkpoint, 1,856,480 of them in feature_layer, which is never called.
        Assert.Equal(8_122_211 - 1_856_480, ParameterCatalog.For(ModelConfiguration.Full).Sum(p => p.Count));
        IReadOnlyList<ParameterShape> all = ParameterCatalog.For(ModelConfiguration.Full);
        Assert.Equal(all.Count, all.Select(p => p.Name).Distinct(StringComparer.Ordinal).Count());
        Assert.All(all, p => Assert.StartsWith("diffmodel.", p.Name, StringComparison.Ordinal));
        Assert.DoesNotContain(all, p => ParameterCatalog.IsKnownUnused(p.Name));
    }

    [Theory]
    [InlineData("alpha_torch", true)]
    [InlineData("diffmodel.residual_layers.0.feature_layer.layers.0.linear1.weight", true)]
    [InlineData("diffmodel.residual_layers.0.time_layer.layers.0.linear1.weight", false)]
    [InlineData("diffmodel.alpha_torch", false)]
    [InlineData("feature_layer.weight", false)]
    [InlineData("", false)]
    public void UnusedTensorsAreKnownByName(string name, bool unused) => Assert.Equal(unused, ParameterCatalog.IsKnownUnused(name));

    [Fact]
    public void EveryTensorHasItsPlaceInTheStructure()
    {
        using ModelWeights weights = ModelWeights.Create(Small, Tensors(Small));
        var placed = new HashSet<ParameterTensor>();
        void Linear(WeightAndBias<ParameterTensor> l, int outputs, int inputs)
        {
            Assert.Equal((outputs, inputs), (l.Weight.Shape[0], l.Weight.Span.Length / l.Weight.Shape[0]));
            Assert.Equal(outputs, l.Bias.Data.Length);
            Assert.True(placed.Add(l.Weight) && placed.Add(l.Bias), l.Weight.Name);
        }

        void Norm(WeightAndBias<ParameterTensor> n, params int[] shape)
        {
            Assert.Equal(shape, n.Weight.Shape);
            Assert.Equal(shape, n.Bias.Shape);
            Assert.True(placed.Add(n.Weight) && placed.Add(n.Bias), n.Weight.Name);
        }

        Linear(weights.Network.Embedding1, 4, 4);
        Linear(weights.Network.Embedding2, 4, 4);
        foreach (EncoderWeights<WeightAndBias<ParameterTensor>> encoder in weights.Network.Encoders)
        {
            Assert.Equal(6, encoder.Convolutions.Count);
            for (int k = 0; k < 6; k++)
                Linear(encoder.Convolutions[k], 1, (2 * k) + 1);
            Norm(encoder.Norm, 12, 4);
        }

        foreach (DecoderWeights<WeightAndBias<ParameterTensor>> decoder in weights.Network.Decoders)
        {
            Linear(decoder.Hidden, 12, 12);
            Linear(decoder.Output, 2, 12);
        }

        foreach (BlockWeights<WeightAndBias<ParameterTensor>> block in weights.Network.Blocks)
        {
            Linear(block.DiffusionProjection, 12, 4);
            Linear(block.ConditionProjection, 24, 12);
            Linear(block.MidProjection, 24, 12);
            Linear(block.OutputProjection, 24, 12);
            Linear(block.AttentionIn, 36, 12);
            Linear(block.AttentionOut, 12, 12);
            Linear(block.FeedForwardIn, 5, 12);
            Linear(block.FeedForwardOut, 12, 5);
            Norm(block.Norm1, 12);
            Norm(block.Norm2, 12);
        }

        Assert.Equal((4, 3, 2), (weights.Network.Encoders.Count, weights.Network.Decoders.Count, weights.Network.Blocks.Count));
        Assert.Equal(weights.Tensors.ToHashSet(), placed);
        // Twins are told apart by name: slot 3's norm, decoder 2, block 1.
        Assert.Equal("diffmodel.norm3.weight", weights.Network.Encoders[2].Norm.Weight.Name);
        Assert.Equal("diffmodel.output_projection2_2.bias", weights.Network.Decoders[1].Output.Bias.Name);
        Assert.Equal("diffmodel.residual_layers.1.mid_projection.weight", weights.Network.Blocks[1].MidProjection.Weight.Name);
        Assert.Equal("diffmodel.residual_layers.1.time_layer.layers.0.linear2.bias", weights.Network.Blocks[1].FeedForwardOut.Bias.Name);
    }

    [Fact]
    public void AnyOrderAndUnusedTensorsAreFine()
    {
        List<ParameterTensor> tensors = Tensors(Small);
        tensors.Reverse();
        tensors.Insert(3, new ParameterTensor("alpha_torch", [1], new float[] { float.NaN }));
        using ModelWeights weights = ModelWeights.Create(Small, tensors);
        Assert.Equal(ParameterCatalog.For(Small).Select(p => p.Name), weights.Tensors.Select(t => t.Name));
    }

    [Fact]
    public void AllProblemsComeAtOnce()
    {
        List<ParameterTensor> tensors = Tensors(Small);
        void Replace(string name, Func<ParameterTensor, ParameterTensor?> change)
        {
            int at = tensors.FindIndex(t => t.Name == name);
            ParameterTensor? now = change(tensors[at]);
            if (now is null)
                tensors.RemoveAt(at);
            else
                tensors[at] = now;
        }

        Replace("diffmodel.norm1.weight", _ => null);
        Replace("diffmodel.norm4.bias", _ => null);
        Replace("diffmodel.output_projection1_1.weight", t => new ParameterTensor(t.Name, [12, 12], t.Data));
        Replace("diffmodel.residual_layers.0.mid_projection.bias", t => new ParameterTensor(t.Name, [23], new float[23]));
        Replace("diffmodel.residual_layers.1.mid_projection.bias", t =>
            new ParameterTensor(t.Name, t.Shape, t.Span.ToArray().Select((v, i) => i == 5 ? float.NegativeInfinity : v).ToArray()));
        tensors.Add(tensors[0]);
        tensors.Add(new ParameterTensor("diffmodel.residual_layers.2.mid_projection.bias", [24], new float[24]));
        string[] expected =
        [
            $"{tensors[0].Name}: there twice",
            "diffmodel.norm1.weight: missing, expected [12, 4]",
            "diffmodel.norm4.bias: missing, expected [12, 4]",
            "diffmodel.output_projection1_1.weight: shape [12, 12], expected [12, 12, 1]",
            "diffmodel.residual_layers.0.mid_projection.bias: shape [23], expected [24]",
            "diffmodel.residual_layers.1.mid_projection.bias: element 5 is -\u221e",
            "diffmodel.residual_layers.2.mid_projection.bias: not part of this model",
        ];
        var e = Assert.Throws<WeightsException>(() => ModelWeights.Create(Small, tensors));
        Assert.Equal(expected.Order(StringComparer.Ordinal),
            e.Problems.Select(p => p.Replace("-Infinity", "-\u221e", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.All(e.Problems, p => Assert.Contains(p, e.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void AValueThatIsNotFiniteIsFoundWhereverItStands()
    {
        // 24 elements: whole vectors of every width and the rest after them.
        List<ParameterTensor> tensors = Tensors(Small);
        int at = tensors.FindIndex(t => t.Name == "diffmodel.residual_layers.0.mid_projection.bias");
        float[] values = tensors[at].Span.ToArray();
        foreach (float bad in (float[])[float.NaN, BitConverter.UInt32BitsToSingle(0xFF800001), float.PositiveInfinity,
            float.NegativeInfinity])
        {
            for (int i = 0; i < values.Length; i++)
            {
                float[] changed = [.. values];
                changed[i] = bad;
                changed[^1] = bad;
                tensors[at] = new ParameterTensor(tensors[at].Name, tensors[at].Shape, changed);
                var e = Assert.Throws<WeightsException>(() => ModelWeights.Create(Small, tensors));
                Assert.StartsWith($"{tensors[at].Name}: element {i} is", Assert.Single(e.Problems), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void TheLargestAndTheSmallestNumbersAreFinite()
    {
        List<ParameterTensor> tensors = Tensors(Small);
        float[] edge = [float.MaxValue, float.MinValue, float.Epsilon, -float.Epsilon, 0, float.NegativeZero,
            BitConverter.UInt32BitsToSingle(0x007FFFFF), 1, 1, 1, 1, 1];
        int at = tensors.FindIndex(t => t.Name == "diffmodel.output_projection1_1.bias");
        tensors[at] = new ParameterTensor(tensors[at].Name, [12], edge);
        using ModelWeights weights = ModelWeights.Create(Small, tensors);
        Assert.True(weights.Network.Decoders[0].Hidden.Bias.Span.SequenceEqual(edge));
    }

    [Fact]
    public void AConfigurationThatDoesNotHoldTogetherIsRefusedFirst() =>
        Assert.Throws<ConfigurationException>(() => ModelWeights.Create(Small with { Heads = 5 }, []));

    [Fact]
    public void TheOwnerIsDisposedWithTheWeightsAndNotOnFailure()
    {
        var owner = new Owner();
        Assert.Throws<WeightsException>(() => ModelWeights.Create(Small, [], owner));
        Assert.Equal(0, owner.Disposed);
        ModelWeights.Create(Small, Tensors(Small), owner).Dispose();
        Assert.Equal(1, owner.Disposed);
    }

    [Fact]
    public void ATensorsShapeAndDataAgree()
    {
        Assert.Throws<WeightsException>(() => new ParameterTensor("w", [2, 3], new float[5]));
        Assert.Throws<WeightsException>(() => new ParameterTensor("w", [0], new float[1]));
        Assert.Equal(1, new ParameterShape("scalar", []).Count);
    }

    private sealed class Owner : IDisposable
    {
        public int Disposed { get; private set; }

        public void Dispose() => Disposed++;
    }
}
