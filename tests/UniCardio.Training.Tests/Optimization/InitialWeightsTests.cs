using UniCardio.Engine.Model;
using UniCardio.Training.Network;
using UniCardio.Training.Optimization;

namespace UniCardio.Training.Tests.Optimization;

public class InitialWeightsTests
{
    private static readonly ModelConfiguration Compact = ModelConfiguration.Compact with { Positions = PositionKind.Slot };

    private static ModelWeights Create(ModelConfiguration configuration, InitializationKind kind = InitializationKind.Published,
        ulong seed = 1)
    {
        var layout = new ParameterLayout(configuration);
        float[] flat = new float[layout.Length];
        Array.Fill(flat, 9);
        InitialWeights.Fill(layout, kind, seed, flat);
        return layout.Write(flat);
    }

    private static double Deviation(ParameterTensor tensor) => Math.Sqrt(tensor.Span.ToArray().Average(x => (double)x * x));

    private static double Largest(ParameterTensor tensor) => tensor.Span.ToArray().Max(x => Math.Abs((double)x));

    // The deviation of n values has a relative spread of about 1 / sqrt(2n) (normal) or 0.45 / sqrt(n) (uniform): 5 of them.
    private static void Normal(double variance, ParameterTensor tensor) =>
        Assert.Equal(Math.Sqrt(variance), Deviation(tensor), 5 * Math.Sqrt(variance / (2.0 * tensor.Span.Length)));

    private static void Uniform(double bound, ParameterTensor tensor)
    {
        Assert.Equal(bound / Math.Sqrt(3), Deviation(tensor), 5 * 0.45 * bound / Math.Sqrt(tensor.Span.Length));
        Assert.True(Largest(tensor) <= bound);
    }

    [Fact]
    public void SpreadsAreThoseOfTheOfficialCode()
    {
        using ModelWeights weights = Create(Compact);
        BlockWeights<WeightAndBias<ParameterTensor>> block = weights.Network.Blocks[2];
        Normal(2.0 / 180, block.MidProjection.Weight);
        Normal(2.0 / 180, block.OutputProjection.Weight);
        Normal(2.0 / 180, block.ConditionProjection.Weight);
        Normal(2.0 / 180, weights.Network.Decoders[1].Output.Weight);
        Normal(2.0 / 7, weights.Network.Encoders[3].Convolutions[3].Weight);
        Uniform(1 / Math.Sqrt(180), block.MidProjection.Bias);
        Uniform(1 / Math.Sqrt(7), weights.Network.Encoders[3].Convolutions[3].Bias);
        Uniform(1 / Math.Sqrt(128), weights.Network.Embedding1.Weight);
        Uniform(1 / Math.Sqrt(64), block.FeedForwardOut.Weight);
        Uniform(1 / Math.Sqrt(64), block.FeedForwardOut.Bias);
        Uniform(1 / Math.Sqrt(180), block.AttentionOut.Weight);
        Uniform(Math.Sqrt(6.0 / (180 + 540)), block.AttentionIn.Weight);
        Assert.Equal(0, Largest(block.AttentionIn.Bias));
        Assert.Equal(0, Largest(block.AttentionOut.Bias));
        Assert.All(block.Norm1.Weight.Span.ToArray(), x => Assert.Equal(1, x));
        Assert.All(weights.Network.Encoders[0].Norm.Bias.Span.ToArray(), x => Assert.Equal(0, x));
    }

    [Fact]
    public void SeedAndTensorTellWeightsApart()
    {
        using ModelWeights a = Create(Compact), again = Create(Compact), b = Create(Compact, seed: 2);
        Assert.Equal(a.Tensors.Select(t => t.Span[0]), again.Tensors.Select(t => t.Span[0]));
        Assert.NotEqual(a.Network.Blocks[0].MidProjection.Weight.Span[0], b.Network.Blocks[0].MidProjection.Weight.Span[0]);
        Assert.NotEqual(a.Network.Blocks[0].MidProjection.Weight.Span[0], a.Network.Blocks[1].MidProjection.Weight.Span[0]);
        Assert.NotEqual(a.Network.Blocks[0].FeedForwardIn.Weight.Span[0], a.Network.Blocks[1].FeedForwardIn.Weight.Span[0]);
    }

    [Fact]
    public void TheAlignedStartChangesOnlyItsOwn()
    {
        using ModelWeights published = Create(Compact), aligned = Create(Compact, InitializationKind.Aligned);
        var changed = published.Tensors.Zip(aligned.Tensors).Where(p => !p.First.Span.SequenceEqual(p.Second.Span))
            .Select(p => p.First.Name[ParameterCatalog.Prefix.Length..]).ToList();
        Assert.All(changed,
            n => Assert.True(n.EndsWith("in_proj_weight", StringComparison.Ordinal)
                || n.Contains(".output_projection.", StringComparison.Ordinal)
            || n is ['n', 'o', 'r', 'm', _, '.', 'w', ..]
                || (n.StartsWith("output_projection", StringComparison.Ordinal) && n.EndsWith("_2.weight", StringComparison.Ordinal)), n));
        Assert.Equal((4 * 3) + 4 + 3, changed.Count);
        // Values, skips and the other heads are left alone.
        BlockWeights<WeightAndBias<ParameterTensor>> before = published.Network.Blocks[1], after = aligned.Network.Blocks[1];
        Assert.True(
            before.AttentionIn.Weight.Span[(60 * 180)..(180 * 180)].SequenceEqual(after.AttentionIn.Weight.Span[(60 * 180)..(180 * 180)]));
        Assert.True(before.AttentionIn.Weight.Span[(240 * 180)..].SequenceEqual(after.AttentionIn.Weight.Span[(240 * 180)..]));
        Assert.True(before.OutputProjection.Weight.Span[(60 * 180)..].SequenceEqual(after.OutputProjection.Weight.Span[(60 * 180)..]));
    }
}
