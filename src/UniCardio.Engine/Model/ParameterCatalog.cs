namespace UniCardio.Engine.Model;

/// <summary>Names and shapes of every live parameter of a configuration, in the official checkpoint's order.</summary>
internal static class ParameterCatalog
{
    /// <summary>Prefix of every parameter's name.</summary>
    public const string Prefix = "diffmodel.";

    /// <summary>The live parameters; <c>feature_layer</c> and <c>alpha_torch</c>, which the network never reads, are not among
    /// them.</summary>
    public static IReadOnlyList<ParameterShape> For(ModelConfiguration configuration) =>
        [.. Network(configuration).Parts.SelectMany(p => (ParameterShape[])[p.Weight, p.Bias])];

    /// <summary>The same parameters in the structure of the network.</summary>
    public static NetworkWeights<WeightAndBias<ParameterShape>> Network(ModelConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ModelConfiguration m = configuration.Validate();
        int c = m.Channels, e = m.Embedding;
        return new(
            Linear("diffusion_embedding.projection1", e, e),
            Linear("diffusion_embedding.projection2", e, e),
            [.. Enumerable.Range(1, ModelConfiguration.SlotCount).Select(slot => Encoder(m, slot))],
            [.. Enumerable.Range(1, 3).Select(d => new DecoderWeights<WeightAndBias<ParameterShape>>(
                Pointwise($"output_projection{d}_1", c, c),
                Pointwise($"output_projection{d}_2", m.SamplesPerToken, c)))],
            [.. Enumerable.Range(0, m.Blocks).Select(block => Block(m, block))]);
    }

    /// <summary>Whether a tensor of the official checkpoint is known to be unused: the dead <c>feature_layer</c> twins and the buffer
    /// <c>alpha_torch</c>.</summary>
    public static bool IsKnownUnused(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name == "alpha_torch"
            || (name.StartsWith(Prefix, StringComparison.Ordinal) && name.Contains(".feature_layer.", StringComparison.Ordinal));
    }

    private static EncoderWeights<WeightAndBias<ParameterShape>> Encoder(ModelConfiguration m, int slot) => new(
        [.. ModelConfiguration.EncoderKernels.Select((size, k) =>
            Pair($"input_projection_modality_{slot}.conv_layers.{k}", [m.ChannelsPerKernel, 1, size], [m.ChannelsPerKernel]))],
        Norm($"norm{slot}", m.Channels, m.SlotTokens));

    private static BlockWeights<WeightAndBias<ParameterShape>> Block(ModelConfiguration m, int block)
    {
        int c = m.Channels;
        string name = $"residual_layers.{block}.", layer = name + "time_layer.layers.0.";
        return new(
            DiffusionProjection: Linear(name + "diffusion_projection", c, m.Embedding),
            ConditionProjection: Pointwise(name + "cond_projection", 2 * c, c),
            MidProjection: Pointwise(name + "mid_projection", 2 * c, c),
            OutputProjection: Pointwise(name + "output_projection", 2 * c, c),
            AttentionIn: new(Shape(layer + "self_attn.in_proj_weight", 3 * c, c), Shape(layer + "self_attn.in_proj_bias", 3 * c)),
            AttentionOut: Linear(layer + "self_attn.out_proj", c, c),
            FeedForwardIn: Linear(layer + "linear1", m.FeedForward, c),
            FeedForwardOut: Linear(layer + "linear2", c, m.FeedForward),
            Norm1: Norm(layer + "norm1", c),
            Norm2: Norm(layer + "norm2", c));
    }

    private static ParameterShape Shape(string name, params int[] shape) => new(Prefix + name, shape);

    private static WeightAndBias<ParameterShape> Pair(string name, int[] weight, int[] bias) =>
        new(Shape(name + ".weight", weight), Shape(name + ".bias", bias));

    private static WeightAndBias<ParameterShape> Linear(string name, int outputs, int inputs) => Pair(name, [outputs, inputs], [outputs]);

    // A 1x1 convolution.
    private static WeightAndBias<ParameterShape> Pointwise(string name, int outputs, int inputs) =>
        Pair(name, [outputs, inputs, 1], [outputs]);

    private static WeightAndBias<ParameterShape> Norm(string name, params int[] shape) => Pair(name, shape, shape);
}
