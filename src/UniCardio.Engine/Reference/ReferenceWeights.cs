using UniCardio.Engine.Model;

namespace UniCardio.Engine.Reference;

/// <summary>A linear map in double.</summary>
/// <param name="Weight">[outputs, inputs].</param>
/// <param name="Bias">[outputs].</param>
public sealed record ReferenceLinearWeights(double[] Weight, double[] Bias)
{
    /// <summary>Columns of the weight.</summary>
    public int Inputs => Weight.Length / Bias.Length;

    /// <summary>Rows of the weight.</summary>
    public int Outputs => Bias.Length;

    /// <summary>y = x W^T + b for rows of x.</summary>
    /// <param name="x">[rows, inputs].</param>
    /// <param name="y">[rows, outputs].</param>
    public void Forward(ReadOnlySpan<double> x, Span<double> y) => ReferenceLinear.Forward(x, Weight, Bias, y, Inputs);

    /// <summary>The same for only some of the outputs, e.g. the keys' third of an attention's first map.</summary>
    /// <param name="firstOutput">First row of the weight.</param>
    /// <param name="outputs">Number of rows.</param>
    /// <param name="x">[rows, inputs].</param>
    /// <param name="y">[rows, <paramref name="outputs"/>].</param>
    public void Forward(int firstOutput, int outputs, ReadOnlySpan<double> x, Span<double> y) =>
        ReferenceLinear.Forward(x, Weight.AsSpan(firstOutput * Inputs, outputs * Inputs), Bias.AsSpan(firstOutput, outputs), y, Inputs);
}

/// <summary>Affine part of a LayerNorm in double.</summary>
/// <param name="Gamma">[n].</param>
/// <param name="Beta">[n].</param>
public sealed record ReferenceNormWeights(double[] Gamma, double[] Beta)
{
    /// <summary>LayerNorm of rows, in place, with the network's epsilon.</summary>
    /// <param name="x">[rows, n].</param>
    public void Apply(Span<double> x) => ReferenceLayerNorm.Forward(x, Gamma, Beta, ModelConfiguration.LayerNormEpsilon, x);
}

/// <summary>One slot's encoder in double.</summary>
/// <param name="Convolutions">Six; weights [C/(6p), k].</param>
/// <param name="Norm">Over the [C, S/p] plane.</param>
public sealed record ReferenceEncoderWeights(IReadOnlyList<ReferenceLinearWeights> Convolutions, ReferenceNormWeights Norm);

/// <summary>One modality's decoder in double.</summary>
/// <param name="Hidden">C -&gt; C.</param>
/// <param name="Output">C -&gt; p.</param>
public sealed record ReferenceDecoderWeights(ReferenceLinearWeights Hidden, ReferenceLinearWeights Output);

/// <summary>One residual block in double; the names are those of <see cref="BlockWeights"/>.</summary>
public sealed record ReferenceBlockWeights(
    ReferenceLinearWeights DiffusionProjection,
    ReferenceLinearWeights ConditionProjection,
    ReferenceLinearWeights MidProjection,
    ReferenceLinearWeights OutputProjection,
    ReferenceLinearWeights AttentionIn,
    ReferenceLinearWeights AttentionOut,
    ReferenceLinearWeights FeedForwardIn,
    ReferenceLinearWeights FeedForwardOut,
    ReferenceNormWeights Norm1,
    ReferenceNormWeights Norm2);

/// <summary>All parameters of a network in double: a copy, independent of the tensors it was made from.</summary>
public sealed class ReferenceWeights
{
    /// <summary>Copies the weights.</summary>
    public ReferenceWeights(ModelWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        Configuration = weights.Configuration;
        Embedding1 = Linear(weights.Embedding1);
        Embedding2 = Linear(weights.Embedding2);
        Encoders = [.. weights.Encoders.Select(e => new ReferenceEncoderWeights([.. e.Convolutions.Select(Linear)], Norm(e.Norm)))];
        Decoders = [.. weights.Decoders.Select(d => new ReferenceDecoderWeights(Linear(d.Hidden), Linear(d.Output)))];
        Blocks = [.. weights.Blocks.Select(b => new ReferenceBlockWeights(
            Linear(b.DiffusionProjection),
            Linear(b.ConditionProjection),
            Linear(b.MidProjection),
            Linear(b.OutputProjection),
            Linear(b.AttentionIn),
            Linear(b.AttentionOut),
            Linear(b.FeedForwardIn),
            Linear(b.FeedForwardOut),
            Norm(b.Norm1),
            Norm(b.Norm2)))];
    }

    /// <summary>The network's sizes.</summary>
    public ModelConfiguration Configuration { get; }

    /// <summary>First linear map of the diffusion embedding.</summary>
    public ReferenceLinearWeights Embedding1 { get; }

    /// <summary>Second linear map of the diffusion embedding.</summary>
    public ReferenceLinearWeights Embedding2 { get; }

    /// <summary>Encoders of slots A, B, C, D.</summary>
    public IReadOnlyList<ReferenceEncoderWeights> Encoders { get; }

    /// <summary>Decoders of PPG, BP, ECG.</summary>
    public IReadOnlyList<ReferenceDecoderWeights> Decoders { get; }

    /// <summary>The residual blocks in order.</summary>
    public IReadOnlyList<ReferenceBlockWeights> Blocks { get; }

    private static ReferenceLinearWeights Linear(LinearWeights weights) => new(Widen(weights.Weight), Widen(weights.Bias));

    private static ReferenceNormWeights Norm(NormWeights weights) => new(Widen(weights.Gamma), Widen(weights.Beta));

    private static double[] Widen(ParameterTensor tensor)
    {
        ReadOnlySpan<float> source = tensor.Span;
        double[] wide = new double[source.Length];
        for (int i = 0; i < wide.Length; i++)
            wide[i] = source[i];
        return wide;
    }
}
