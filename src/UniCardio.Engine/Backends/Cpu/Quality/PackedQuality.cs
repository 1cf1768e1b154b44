using UniCardio.Engine.Model;
using UniCardio.Engine.Quality;

namespace UniCardio.Engine.Backends.Cpu.Quality;

/// <summary>One convolution over time as a product: time-major rows overlap, so that row s of A is k times C consecutive floats from s
/// times stride.</summary>
/// <param name="Matrix">[outputs, k inputs], tap-major.</param>
/// <param name="Inputs">Channels in.</param>
/// <param name="Kernel">Taps k, odd.</param>
/// <param name="Stride">Samples between outputs.</param>
internal sealed record PackedConvolution(PackedMatrix Matrix, int Inputs, int Kernel, int Stride) : IDisposable
{
    /// <summary>Zeros before and after a signal.</summary>
    public int Padding => Kernel / 2;

    /// <summary>Samples that come out.</summary>
    public int Length(int samples) => (samples + Stride - 1) / Stride;

    public void Dispose() => Matrix.Dispose();
}

/// <summary>Affine part of a norm over C channels, with the mask of real ones; padded to whole panels.</summary>
internal sealed class PackedNorm : IDisposable
{
    public PackedNorm(QualityWeights weights, string name, int panel)
    {
        ReadOnlySpan<float> gamma = weights[name + ".weight"].Span, beta = weights[name + ".bias"].Span;
        Channels = gamma.Length;
        Padded = PackedNetwork.RoundUp(Channels, panel);
        Vectors = PackedNetwork.RoundUp(Channels, panel / 2);
        Gamma = new AlignedBuffer(Padded);
        Beta = new AlignedBuffer(Padded);
        Mask = new AlignedBuffer(Padded);
        gamma.CopyTo(Gamma.Span);
        beta.CopyTo(Beta.Span);
        Mask.Span[..Channels].Fill(1);
    }

    public int Channels { get; }

    /// <summary>C rounded up to whole panels.</summary>
    public int Padded { get; }

    /// <summary>C rounded up to whole vectors: how far row passes go.</summary>
    public int Vectors { get; }

    public AlignedBuffer Gamma { get; }

    public AlignedBuffer Beta { get; }

    public AlignedBuffer Mask { get; }

    public void Dispose()
    {
        Gamma.Dispose();
        Beta.Dispose();
        Mask.Dispose();
    }
}

/// <summary>One post-norm block: x &lt;- LN(x + out(attention(in(x)))), x &lt;- LN(x + W2 GELU(W1 x)).</summary>
internal sealed record PackedQualityBlock(PackedMatrix AttentionIn, PackedMatrix AttentionOut, PackedMatrix FeedForwardIn,
    PackedMatrix FeedForwardOut, PackedNorm Norm1, PackedNorm Norm2) : IDisposable
{
    public void Dispose()
    {
        foreach (IDisposable part in (IDisposable[])[AttentionIn, AttentionOut, FeedForwardIn, FeedForwardOut, Norm1, Norm2])
            part.Dispose();
    }
}

/// <summary>Encoder or decoder: tokeniser, blocks, output map.</summary>
internal sealed record PackedQualityPart(IReadOnlyList<PackedConvolution> Convolutions, IReadOnlyList<PackedNorm> Norms,
    IReadOnlyList<PackedQualityBlock> Blocks, PackedMatrix Output) : IDisposable
{
    public void Dispose()
    {
        foreach (IDisposable part in (IEnumerable<IDisposable>)[.. Convolutions, .. Norms, .. Blocks, Output])
            part.Dispose();
    }
}

/// <summary>Packs a network's weights for one vector width. Folded: log2(e) / sqrt(head dim) into the queries' rows; batch norms into their
/// convolutions.</summary>
internal sealed class QualityPacking(QualityWeights weights, int panel)
{
    private readonly QualityConfiguration _m = weights.Configuration;

    public PackedQualityPart Part(string part, int channels) => new(
        [.. Enumerable.Range(0, QualityConfiguration.TokeniserStages).Select(i =>
            Convolution($"{part}.patch_embed.conv{i + 1}", i == 0 ? channels : _m.StageChannels[i - 1], _m.Strides[i], norm: null))],
        [.. Enumerable.Range(1, QualityConfiguration.TokeniserStages)
            .Select(i => new PackedNorm(weights, $"{part}.patch_embed.norm{i}", panel))],
        [.. Enumerable.Range(0, _m.Layers).Select(i => Block($"{part}.longformer_encoder.layers.{i}."))],
        Linear($"{part}.output_feature_layer"));

    public PackedMatrix Linear(string name) => Map(weights[name + ".weight"], weights[name + ".bias"], 0, 1);

    /// <summary>A convolution; with a batch norm, y = (Wx - mean) / sqrt(variance + eps) gamma + beta is one map.</summary>
    public PackedConvolution Convolution(string name, int inputs, int stride, string? norm)
    {
        ParameterTensor tensor = weights[name + ".weight"];
        int outputs = tensor.Shape[0], kernel = tensor.Shape[2];
        float[] w = tensor.Span.ToArray();
        double[] scale = [.. Enumerable.Repeat(1.0, outputs)], shift = new double[outputs];
        if (!name.Contains(".stage", StringComparison.Ordinal))
            Widen(weights[name + ".bias"], shift);
        if (norm is not null)
            (scale, shift) = BatchNorm(norm, shift);
        return new PackedConvolution(
            new PackedMatrix(
                LinearMap.Of(outputs, kernel * inputs, (n, k) => scale[n] * w[(((n * inputs) + (k % inputs)) * kernel) + (k / inputs)], n =>
                    shift[n]), panel),
            inputs,
            kernel,
            stride);
    }

    /// <summary>A linear map with a batch norm after it.</summary>
    public PackedMatrix NormedLinear(string name, string norm)
    {
        ParameterTensor tensor = weights[name + ".weight"];
        float[] w = tensor.Span.ToArray();
        int inputs = tensor.Shape[1];
        double[] shift = new double[tensor.Shape[0]];
        Widen(weights[name + ".bias"], shift);
        (double[] scale, double[] moved) = BatchNorm(norm, shift);
        return new PackedMatrix(LinearMap.Of(tensor.Shape[0], inputs, (n, k) => scale[n] * w[(n * inputs) + k], n => moved[n]), panel);
    }

    private PackedQualityBlock Block(string name) => new(
        Map(weights[name + "self_attn.in_proj_weight"], weights[name + "self_attn.in_proj_bias"], _m.Width,
            1 / (Math.Log(2) * Math.Sqrt(_m.HeadDim))),
        Linear(name + "self_attn.out_proj"),
        Linear(name + "linear1"),
        Linear(name + "linear2"),
        new PackedNorm(weights, name + "norm1", panel),
        new PackedNorm(weights, name + "norm2", panel));

    // The first rows, as many as scaled says, carry a factor.
    private PackedMatrix Map(ParameterTensor weight, ParameterTensor bias, int scaled, double factor)
    {
        int inputs = weight.Shape[1];
        float[] w = weight.Span.ToArray(), b = bias.Span.ToArray();
        return new PackedMatrix(
            LinearMap.Of(weight.Shape[0], inputs, (n, k) => w[(n * inputs) + k] * (n < scaled ? factor : 1), n =>
                b[n] * (n < scaled ? factor : 1)), panel);
    }

    private (double[] Scale, double[] Shift) BatchNorm(string name, double[] bias)
    {
        ReadOnlySpan<float> gamma = weights[name + ".weight"].Span, beta = weights[name + ".bias"].Span;
        ReadOnlySpan<float> mean = weights[name + ".running_mean"].Span, variance = weights[name + ".running_var"].Span;
        double[] scale = new double[bias.Length], shift = new double[bias.Length];
        for (int n = 0; n < scale.Length; n++)
        {
            scale[n] = gamma[n] / Math.Sqrt(variance[n] + QualityConfiguration.NormEpsilon);
            shift[n] = ((bias[n] - mean[n]) * scale[n]) + beta[n];
        }

        return (scale, shift);
    }

    private static void Widen(ParameterTensor source, double[] target)
    {
        ReadOnlySpan<float> values = source.Span;
        for (int i = 0; i < target.Length; i++)
            target[i] = values[i];
    }
}
