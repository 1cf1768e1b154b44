namespace UniCardio.Engine.Model;

/// <summary>A linear map or 1x1 convolution: y = W x + b.</summary>
/// <param name="Weight">[outputs, inputs] or [outputs, inputs, 1].</param>
/// <param name="Bias">[outputs].</param>
public sealed record LinearWeights(ParameterTensor Weight, ParameterTensor Bias)
{
    /// <summary>Rows of the weight.</summary>
    public int Outputs => Weight.Shape[0];

    /// <summary>Columns of the weight (the kernel size for an encoder convolution).</summary>
    public int Inputs => Weight.Span.Length / Weight.Shape[0];
}

/// <summary>Affine part of a LayerNorm.</summary>
/// <param name="Gamma">[C], or [C, S/p] for an encoder's plane.</param>
/// <param name="Beta">Same shape.</param>
public sealed record NormWeights(ParameterTensor Gamma, ParameterTensor Beta);

/// <summary>Encoder of one slot.</summary>
/// <param name="Convolutions">Six, kernels 1, 3, 5, 7, 9, 11; weights [C/(6p), 1, k].</param>
/// <param name="Norm">LayerNorm over the [C, S/p] plane.</param>
public sealed record EncoderWeights(IReadOnlyList<LinearWeights> Convolutions, NormWeights Norm);

/// <summary>Decoder of one modality: C -&gt; C, ReLU, C -&gt; p.</summary>
/// <param name="Hidden">First map.</param>
/// <param name="Output">Second map.</param>
public sealed record DecoderWeights(LinearWeights Hidden, LinearWeights Output);

/// <summary>One residual block.</summary>
/// <param name="DiffusionProjection">E -&gt; C, of the diffusion embedding.</param>
/// <param name="ConditionProjection">C -&gt; 2C, of the position code.</param>
/// <param name="MidProjection">C -&gt; 2C.</param>
/// <param name="OutputProjection">C -&gt; 2C, [residual, skip].</param>
/// <param name="AttentionIn">C -&gt; 3C, [Q, K, V].</param>
/// <param name="AttentionOut">C -&gt; C.</param>
/// <param name="FeedForwardIn">C -&gt; feed-forward.</param>
/// <param name="FeedForwardOut">feed-forward -&gt; C.</param>
/// <param name="Norm1">After attention.</param>
/// <param name="Norm2">After the feed-forward layer.</param>
public sealed record BlockWeights(
    LinearWeights DiffusionProjection,
    LinearWeights ConditionProjection,
    LinearWeights MidProjection,
    LinearWeights OutputProjection,
    LinearWeights AttentionIn,
    LinearWeights AttentionOut,
    LinearWeights FeedForwardIn,
    LinearWeights FeedForwardOut,
    NormWeights Norm1,
    NormWeights Norm2);

/// <summary>All parameters of a network as one typed structure that mirrors it, checked against the configuration.</summary>
/// <remarks>Immutable and safe to share between threads until disposed. Disposing releases a mapped file, if there is one.</remarks>
public sealed class ModelWeights : IDisposable
{
    private readonly IDisposable? _owner;

    private ModelWeights(ModelConfiguration configuration, IReadOnlyDictionary<string, ParameterTensor> tensors, IDisposable? owner)
    {
        Configuration = configuration;
        _owner = owner;
        Tensors = [.. ParameterCatalog.For(configuration).Select(p => tensors[p.Name])];
        LinearWeights Linear(string name) => new(tensors[ParameterCatalog.Prefix + name + ".weight"], tensors[ParameterCatalog.Prefix + name + ".bias"]);
        NormWeights Norm(string name) => new(tensors[ParameterCatalog.Prefix + name + ".weight"], tensors[ParameterCatalog.Prefix + name + ".bias"]);
        Embedding1 = Linear("diffusion_embedding.projection1");
        Embedding2 = Linear("diffusion_embedding.projection2");
        Encoders = [.. Enumerable.Range(1, ModelConfiguration.SlotCount).Select(slot => new EncoderWeights(
            [.. Enumerable.Range(0, ModelConfiguration.EncoderKernels.Count).Select(k => Linear($"input_projection_modality_{slot}.conv_layers.{k}"))],
            Norm($"norm{slot}")))];
        Decoders = [.. Enumerable.Range(1, 3).Select(d => new DecoderWeights(Linear($"output_projection{d}_1"), Linear($"output_projection{d}_2")))];
        Blocks = [.. Enumerable.Range(0, configuration.Blocks).Select(i =>
        {
            string block = $"residual_layers.{i}.", layer = block + "time_layer.layers.0.";
            return new BlockWeights(
                Linear(block + "diffusion_projection"),
                Linear(block + "cond_projection"),
                Linear(block + "mid_projection"),
                Linear(block + "output_projection"),
                new LinearWeights(tensors[ParameterCatalog.Prefix + layer + "self_attn.in_proj_weight"], tensors[ParameterCatalog.Prefix + layer + "self_attn.in_proj_bias"]),
                Linear(layer + "self_attn.out_proj"),
                Linear(layer + "linear1"),
                Linear(layer + "linear2"),
                Norm(layer + "norm1"),
                Norm(layer + "norm2"));
        })];
    }

    /// <summary>The configuration that the tensors were checked against.</summary>
    public ModelConfiguration Configuration { get; }

    /// <summary>Every live tensor in the catalog's order.</summary>
    public IReadOnlyList<ParameterTensor> Tensors { get; }

    /// <summary>First linear map of the diffusion embedding, E -&gt; E.</summary>
    public LinearWeights Embedding1 { get; }

    /// <summary>Second linear map of the diffusion embedding, E -&gt; E.</summary>
    public LinearWeights Embedding2 { get; }

    /// <summary>Encoders of slots A, B, C, D.</summary>
    public IReadOnlyList<EncoderWeights> Encoders { get; }

    /// <summary>Decoders of PPG, BP, ECG.</summary>
    public IReadOnlyList<DecoderWeights> Decoders { get; }

    /// <summary>The residual blocks in order.</summary>
    public IReadOnlyList<BlockWeights> Blocks { get; }

    /// <summary>Checks tensors against a configuration and arranges them.</summary>
    /// <param name="configuration">The network's sizes.</param>
    /// <param name="tensors">Tensors by name, in any order; the known unused ones of the official checkpoint are ignored.</param>
    /// <param name="owner">What to dispose with the result, e.g. the mapped file behind the tensors. On failure the caller keeps it.</param>
    /// <exception cref="ConfigurationException">The configuration does not hold together.</exception>
    /// <exception cref="WeightsException">All missing, extra, duplicate, mis-shaped and non-finite tensors at once.</exception>
    public static ModelWeights Create(ModelConfiguration configuration, IEnumerable<ParameterTensor> tensors, IDisposable? owner = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        IReadOnlyList<ParameterShape> expected = ParameterCatalog.For(configuration);
        var problems = new List<string>();
        var found = new Dictionary<string, ParameterTensor>(StringComparer.Ordinal);
        foreach (ParameterTensor tensor in tensors)
        {
            if (!found.TryAdd(tensor.Name, tensor))
                problems.Add($"{tensor.Name}: there twice");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (ParameterShape parameter in expected)
        {
            names.Add(parameter.Name);
            if (!found.TryGetValue(parameter.Name, out ParameterTensor? tensor))
                problems.Add($"{parameter.Name}: missing, expected [{string.Join(", ", parameter.Shape)}]");
            else if (!tensor.Shape.SequenceEqual(parameter.Shape))
                problems.Add($"{parameter.Name}: shape [{string.Join(", ", tensor.Shape)}], expected [{string.Join(", ", parameter.Shape)}]");
            else if (FiniteScan.FirstNonFinite(tensor.Span) is int at and >= 0)
                problems.Add($"{parameter.Name}: element {at} is {tensor.Span[at]}");
        }

        problems.AddRange(found.Keys.Where(n => !names.Contains(n) && !ParameterCatalog.IsKnownUnused(n)).Order(StringComparer.Ordinal).Select(n => $"{n}: not part of this model"));
        return problems.Count == 0 ? new ModelWeights(configuration, found, owner) : throw new WeightsException(problems);
    }

    /// <summary>Releases the mapped file behind the tensors, if there is one.</summary>
    public void Dispose() => _owner?.Dispose();
}
