using UniCardio.Engine.Model;

namespace UniCardio.Engine.Quality;

/// <summary>A convolution over time as a map of its taps' inputs.</summary>
/// <param name="Map">[outputs, k inputs], tap-major.</param>
/// <param name="Inputs">Channels in.</param>
/// <param name="Kernel">Taps k, odd.</param>
/// <param name="Stride">Samples between outputs.</param>
internal sealed record FoldedConvolution(LinearMap Map, int Inputs, int Kernel, int Stride)
{
    /// <summary>Zeros before and after a signal.</summary>
    public int Padding => Kernel / 2;

    /// <summary>Samples that come out.</summary>
    public int Length(int samples) => (samples + Stride - 1) / Stride;
}

/// <summary>A QualityFM network's maps in double as backends compute them: log2(e) / sqrt(head dim) is in the queries' rows, batch norms
/// in their convolutions.</summary>
internal sealed class FoldedQuality(QualityWeights weights)
{
    private readonly QualityConfiguration _m = weights.Configuration;

    /// <summary>The three convolutions of encoder or decoder.</summary>
    public IEnumerable<FoldedConvolution> Tokeniser(string part, int channels) =>
        Enumerable.Range(0, QualityConfiguration.TokeniserStages).Select(i =>
            Convolution($"{part}.patch_embed.conv{i + 1}", i == 0 ? channels : _m.StageChannels[i - 1], _m.Strides[i], norm: null));

    /// <summary>A linear map.</summary>
    public LinearMap Linear(string name) => Map(weights[name + ".weight"], weights[name + ".bias"], 0, 1);

    /// <summary>Queries, keys and values of a block, of which the first carry the factor.</summary>
    public LinearMap AttentionIn(string block) =>
        Map(weights[block + "self_attn.in_proj_weight"], weights[block + "self_attn.in_proj_bias"], _m.Width,
            1 / (Math.Log(2) * Math.Sqrt(_m.HeadDim)));

    /// <summary>A convolution; with a batch norm, y = (Wx - mean) / sqrt(variance + eps) gamma + beta is one map.</summary>
    public FoldedConvolution Convolution(string name, int inputs, int stride, string? norm)
    {
        ParameterTensor tensor = weights[name + ".weight"];
        int outputs = tensor.Shape[0], kernel = tensor.Shape[2];
        float[] w = tensor.Span.ToArray();
        double[] scale = [.. Enumerable.Repeat(1.0, outputs)], shift = new double[outputs];
        if (!name.Contains(".stage", StringComparison.Ordinal))
            Widen(weights[name + ".bias"], shift);
        if (norm is not null)
            (scale, shift) = BatchNorm(norm, shift);
        return new FoldedConvolution(
            LinearMap.Of(outputs, kernel * inputs, (n, k) => scale[n] * w[(((n * inputs) + (k % inputs)) * kernel) + (k / inputs)], n =>
                shift[n]),
            inputs,
            kernel,
            stride);
    }

    /// <summary>A linear map with a batch norm after it.</summary>
    public LinearMap NormedLinear(string name, string norm)
    {
        ParameterTensor tensor = weights[name + ".weight"];
        float[] w = tensor.Span.ToArray();
        int inputs = tensor.Shape[1];
        double[] shift = new double[tensor.Shape[0]];
        Widen(weights[name + ".bias"], shift);
        (double[] scale, double[] moved) = BatchNorm(norm, shift);
        return LinearMap.Of(tensor.Shape[0], inputs, (n, k) => scale[n] * w[(n * inputs) + k], n => moved[n]);
    }

    // The first rows, as many as scaled says, carry a factor.
    private static LinearMap Map(ParameterTensor weight, ParameterTensor bias, int scaled, double factor)
    {
        int inputs = weight.Shape[1];
        float[] w = weight.Span.ToArray(), b = bias.Span.ToArray();
        return LinearMap.Of(weight.Shape[0], inputs, (n, k) => w[(n * inputs) + k] * (n < scaled ? factor : 1), n =>
            b[n] * (n < scaled ? factor : 1));
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
