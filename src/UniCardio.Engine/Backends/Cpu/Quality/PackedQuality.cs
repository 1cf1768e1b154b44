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

/// <summary>Packs a network's weights for one vector width.</summary>
internal sealed class QualityPacking(QualityWeights weights, int panel)
{
    private readonly FoldedQuality _folded = new(weights);

    public PackedQualityPart Part(string part, int channels) => new(
        [.. _folded.Tokeniser(part, channels).Select(Pack)],
        [.. Enumerable.Range(1, QualityConfiguration.TokeniserStages)
            .Select(i => new PackedNorm(weights, $"{part}.patch_embed.norm{i}", panel))],
        [.. Enumerable.Range(0, weights.Configuration.Layers).Select(i => Block($"{part}.longformer_encoder.layers.{i}."))],
        Linear($"{part}.output_feature_layer"));

    public PackedMatrix Linear(string name) => new(_folded.Linear(name), panel);

    /// <summary>A convolution; with a batch norm in it, if one is named.</summary>
    public PackedConvolution Convolution(string name, int inputs, int stride, string? norm) =>
        Pack(_folded.Convolution(name, inputs, stride, norm));

    /// <summary>A linear map with a batch norm after it.</summary>
    public PackedMatrix NormedLinear(string name, string norm) => new(_folded.NormedLinear(name, norm), panel);

    private PackedConvolution Pack(FoldedConvolution c) => new(new PackedMatrix(c.Map, panel), c.Inputs, c.Kernel, c.Stride);

    private PackedQualityBlock Block(string name) => new(
        new PackedMatrix(_folded.AttentionIn(name), panel),
        Linear(name + "self_attn.out_proj"),
        Linear(name + "linear1"),
        Linear(name + "linear2"),
        new PackedNorm(weights, name + "norm1", panel),
        new PackedNorm(weights, name + "norm2", panel));
}
