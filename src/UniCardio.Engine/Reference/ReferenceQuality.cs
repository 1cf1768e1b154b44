using UniCardio.Engine.Model;
using UniCardio.Engine.Quality;

namespace UniCardio.Engine.Reference;

/// <summary>Told every intermediate value of a pass: its name as in the golden files, and its elements.</summary>
internal delegate void QualityTrace(string name, ReadOnlySpan<double> values);

/// <summary>
/// QualityFM in double, one window at a time, written to be read beside the paper: the twin that every backend is held to.
/// </summary>
/// <remarks>
/// <para>Tokeniser: three times convolution, GroupNorm over channels and time, GELU. Position code. Blocks, post-norm: x &lt;- LN(x +
/// MHA(x)), x &lt;- LN(x + W2 GELU(W1 x)). Output map. The decoder is a second encoder whose channels are the tokens and whose time is the
/// feature axis.</para>
/// <para>Position code as float32 makes it, since its rounding is part of the model: w_i = exp(fl(2i) fl(-ln 10000 / d)), sin and cos of
/// fl(n w_i).</para>
/// </remarks>
internal sealed class ReferenceQuality(QualityWeights weights)
{
    private readonly QualityConfiguration _m = weights.Configuration;

    /// <summary>Features of a window: [tokens, d].</summary>
    /// <param name="x">[channels, samples]; any number of samples that makes a token.</param>
    /// <param name="trace">Told intermediate values.</param>
    public double[] Encode(ReadOnlySpan<double> x, QualityTrace? trace = null) => Part("encoder", x, _m.Channels, trace);

    /// <summary>Spectral targets from features: amplitude and phase, each [outputs, d].</summary>
    /// <param name="features">[tokens, d] of a whole window.</param>
    /// <param name="trace">Told intermediate values.</param>
    /// <exception cref="ArgumentException">The features are not those of a whole window.</exception>
    public (double[] Amplitude, double[] Phase) Decode(ReadOnlySpan<double> features, QualityTrace? trace = null)
    {
        ReferenceShape.Expect(features.Length, (long)_m.Tokens * _m.Width, "[tokens, d]", nameof(features));
        double[] decoded = Part("decoder", features, _m.Tokens, trace);
        return (Spectral("decoder_amp_layer", decoded), Spectral("decoder_pha_layer", decoded));
    }

    /// <summary>The spectrum of a window that the decoder learns: amplitude and phase of DFT bins 0 .. d-1, each row less its mean over its
    /// unbiased standard deviation + 1e-6.</summary>
    /// <param name="x">[channels, samples].</param>
    public (double[] Amplitude, double[] Phase) Targets(ReadOnlySpan<double> x)
    {
        int samples = x.Length / _m.Channels, d = _m.Width;
        double[] amplitude = new double[_m.Channels * d], phase = new double[amplitude.Length];
        for (int c = 0; c < _m.Channels; c++)
        {
            ReadOnlySpan<double> row = x.Slice(c * samples, samples);
            for (int k = 0; k < d; k++)
            {
                double real = 0, imaginary = 0;
                for (int s = 0; s < samples; s++)
                {
                    (double sin, double cos) = Math.SinCos(2 * Math.PI * ((long)k * s % samples) / samples);
                    real += row[s] * cos;
                    imaginary -= row[s] * sin;
                }

                amplitude[(c * d) + k] = Math.Sqrt((real * real) + (imaginary * imaginary));
                // At bin 0 the sum is real: its sine part is rounding alone.
                phase[(c * d) + k] = k == 0 ? (real < 0 ? Math.PI : 0) : Math.Atan2(imaginary, real);
            }

            Standardise(amplitude.AsSpan(c * d, d));
            Standardise(phase.AsSpan(c * d, d));
        }

        return (amplitude, phase);
    }

    /// <summary>A linear head on the mean over tokens: as <see cref="QualityHead"/> says.</summary>
    /// <param name="head">Which.</param>
    /// <param name="features">[tokens, d].</param>
    public double[] Head(QualityHead head, ReadOnlySpan<double> features)
    {
        int d = _m.Width, tokens = features.Length / d;
        double[] mean = new double[d];
        for (int t = 0; t < tokens; t++)
            ReferenceVector.AddScaled(1.0 / tokens, features.Slice(t * d, d), mean);
        return Linear(QualityCatalog.MapOf(head), mean, d);
    }

    /// <summary>The logit of a false alarm of ventricular tachycardia, from the raw signals.</summary>
    /// <remarks>The author's code computes a branch from the encoder's features too and drops it (traced as
    /// <c>encoder_output</c>).</remarks>
    /// <param name="x">[channels, samples] of 10 s.</param>
    /// <param name="trace">Told intermediate values.</param>
    public double Alarm(ReadOnlySpan<double> x, QualityTrace? trace = null)
    {
        const string head = QualityCatalog.HeadPrefix + "vtac.";
        if (trace is not null)
        {
            double[] features = Encode(x);
            trace("features", features);
            double[] hidden = Linear(head + "fcn.0", features, features.Length);
            Rectify(hidden);
            trace("encoder_output", Linear(head + "fcn.3", hidden, hidden.Length));
        }

        double[] y = Convolve(head + "fcn_head.conv0", x, _m.Channels, stride: 2);
        BatchNorm(head + "fcn_head.bn1", y);
        Rectify(y);
        int channels = 64;
        for (int stage = 0; stage < QualityCatalog.ResidualStages.Count; stage++)
        {
            for (int block = 0; block < 2; block++)
            {
                y = Residual($"{head}fcn_head.stage{stage}.{block}.", y, channels, block == 0 ? 2 : 1);
                channels = QualityCatalog.ResidualStages[stage].Channels;
            }

            trace?.Invoke($"stage{stage}_mean", TimeMean(y, channels));
        }

        double[] projected = Linear(head + "fcn_head.projector.0", TimeMean(y, channels), channels);
        BatchNorm(head + "fcn_head.projector.1", projected);
        Rectify(projected);
        trace?.Invoke("resnet_features", projected);
        return Linear(head + "classifier", projected, projected.Length)[0];
    }

    // x [channels, length] -> [tokens, d].
    private double[] Part(string part, ReadOnlySpan<double> x, int channels, QualityTrace? trace)
    {
        double[] y = x.ToArray();
        for (int stage = 0; stage < QualityConfiguration.TokeniserStages; stage++)
        {
            y = Convolve($"{part}.patch_embed.conv{stage + 1}", y, channels, _m.Strides[stage]);
            channels = _m.StageChannels[stage];
            trace?.Invoke($"{part}/conv{stage + 1}", y);
            GroupNorm($"{part}.patch_embed.norm{stage + 1}", y, channels);
            ReferenceGelu.Forward(y, y);
            trace?.Invoke($"{part}/tokeniser{stage + 1}", y);
        }

        int d = _m.Width, tokens = y.Length / d;
        double[] rows = new double[y.Length];
        for (int t = 0; t < tokens; t++)
        {
            for (int i = 0; i < d; i++)
                rows[(t * d) + i] = y[(i * tokens) + t] + PositionCode(t, i, d);
        }

        trace?.Invoke($"{part}/tokens", rows);
        double[] mask = Mask(tokens);
        for (int layer = 0; layer < _m.Layers; layer++)
            rows = Block($"{part}.longformer_encoder.layers.{layer}.", $"{part}/layer{layer}", rows, mask, trace);
        double[] features = Linear($"{part}.output_feature_layer", rows, d);
        trace?.Invoke($"{part}/features", features);
        return features;
    }

    private double[] Block(string name, string label, double[] x, double[] mask, QualityTrace? trace)
    {
        int d = _m.Width, tokens = x.Length / d;
        double[] qkv = Map(name + "self_attn.in_proj_weight", name + "self_attn.in_proj_bias", x, d);
        double[] q = new double[x.Length], k = new double[x.Length], v = new double[x.Length], read = new double[x.Length];
        for (int t = 0; t < tokens; t++)
        {
            ReadOnlySpan<double> row = qkv.AsSpan(t * 3 * d, 3 * d);
            row[..d].CopyTo(q.AsSpan(t * d));
            row.Slice(d, d).CopyTo(k.AsSpan(t * d));
            row[(2 * d)..].CopyTo(v.AsSpan(t * d));
        }

        ReferenceAttention.Forward(q, k, v, mask, _m.Heads, d, read);
        double[] y = Linear(name + "self_attn.out_proj", read, d);
        trace?.Invoke(label + "/attention", y);
        ReferenceVector.AddScaled(1, x, y);
        Norm(name + "norm1", y);
        trace?.Invoke(label + "/norm1", y);
        double[] hidden = Linear(name + "linear1", y, d);
        ReferenceGelu.Forward(hidden, hidden);
        double[] z = Linear(name + "linear2", hidden, _m.FeedForward);
        ReferenceVector.AddScaled(1, y, z);
        Norm(name + "norm2", z);
        trace?.Invoke(label, z);
        return z;
    }

    /// <summary>[tokens, tokens] 0 where a query may read a key, else negative infinity.</summary>
    public double[] Mask(int tokens)
    {
        double[] mask = new double[tokens * tokens];
        for (int q = 0; q < tokens; q++)
        {
            for (int k = 0; k < tokens; k++)
                mask[(q * tokens) + k] = _m.Reads(q, k) ? 0 : double.NegativeInfinity;
        }

        return mask;
    }

    /// <summary>The position code of token <paramref name="position"/>, channel <paramref name="channel"/>, as float32 rounds it.</summary>
    public static double PositionCode(int position, int channel, int width)
    {
        float frequency = MathF.Exp((float)(channel / 2 * 2) * (float)(-Math.Log(10000.0) / width));
        float angle = position * frequency;
        return channel % 2 == 0 ? (float)Math.Sin(angle) : (float)Math.Cos(angle);
    }

    private double[] Spectral(string name, double[] decoded)
    {
        double[] hidden = Linear(name + ".0", decoded, _m.Width);
        for (int i = 0; i < hidden.Length; i++)
            hidden[i] = Math.Tanh(hidden[i]);
        return Linear(name + ".2", hidden, _m.Width);
    }

    private double[] Residual(string name, double[] x, int channels, int stride)
    {
        double[] y = Convolve(name + "conv1", x, channels, stride);
        BatchNorm(name + "bn1", y);
        Rectify(y);
        y = Convolve(name + "conv2", y, weights[name + "conv1.weight"].Shape[0], 1);
        BatchNorm(name + "bn2", y);
        double[] shortcut = x;
        if (stride != 1)
        {
            shortcut = Convolve(name + "shortcut.0", x, channels, stride);
            BatchNorm(name + "shortcut.1", shortcut);
        }

        ReferenceVector.AddScaled(1, shortcut, y);
        Rectify(y);
        return y;
    }

    // [inputs, length] -> [outputs, ceil(length / stride)], zero padding k / 2; without bias where the network has none.
    private double[] Convolve(string name, ReadOnlySpan<double> x, int inputs, int stride)
    {
        ParameterTensor tensor = weights[name + ".weight"];
        int outputs = tensor.Shape[0], k = tensor.Shape[2], length = ReferenceShape.Rows(x.Length, inputs),
            made = (length + stride - 1) / stride;
        double[] weight = Widen(tensor), y = new double[outputs * made];
        double[] bias = HasBias(name) ? Widen(weights[name + ".bias"]) : new double[outputs];
        double[] input = x.ToArray();
        Parallel.For(0, outputs, o =>
        {
            for (int s = 0; s < made; s++)
            {
                int first = (s * stride) - (k / 2), from = Math.Max(0, -first), to = Math.Min(k, length - first);
                double sum = bias[o];
                for (int c = 0; c < inputs && to > from; c++)
                {
                    ReadOnlySpan<double> kernel = weight.AsSpan((((o * inputs) + c) * k) + from, to - from);
                    sum += ReferenceVector.Dot(kernel, input.AsSpan((c * length) + first + from, to - from));
                }

                y[(o * made) + s] = sum;
            }
        });
        return y;
    }

    // Convolutions of the residual blocks have no bias.
    private static bool HasBias(string name) => !name.Contains(".stage", StringComparison.Ordinal);

    // One group: mean and biased variance over channels and time, an affine map a channel.
    private void GroupNorm(string name, double[] x, int channels)
    {
        double[] gamma = Widen(weights[name + ".weight"]), beta = Widen(weights[name + ".bias"]);
        int length = x.Length / channels;
        double mean = x.Average(), variance = x.Sum(v => (v - mean) * (v - mean)) / x.Length,
            scale = 1 / Math.Sqrt(variance + QualityConfiguration.NormEpsilon);
        for (int i = 0; i < x.Length; i++)
            x[i] = ((x[i] - mean) * scale * gamma[i / length]) + beta[i / length];
    }

    // In use: running statistics, an affine map a channel.
    private void BatchNorm(string name, double[] x)
    {
        double[] gamma = Widen(weights[name + ".weight"]), beta = Widen(weights[name + ".bias"]);
        double[] mean = Widen(weights[name + ".running_mean"]), variance = Widen(weights[name + ".running_var"]);
        int length = x.Length / gamma.Length;
        for (int i = 0; i < x.Length; i++)
        {
            int c = i / length;
            x[i] = ((x[i] - mean[c]) / Math.Sqrt(variance[c] + QualityConfiguration.NormEpsilon) * gamma[c]) + beta[c];
        }
    }

    private void Norm(string name, double[] x) =>
        ReferenceLayerNorm.Forward(x, Widen(weights[name + ".weight"]), Widen(weights[name + ".bias"]),
            QualityConfiguration.NormEpsilon, x);

    private double[] Linear(string name, ReadOnlySpan<double> x, int inputs) => Map(name + ".weight", name + ".bias", x, inputs);

    private double[] Map(string weight, string bias, ReadOnlySpan<double> x, int inputs)
    {
        double[] b = Widen(weights[bias]), y = new double[x.Length / inputs * b.Length];
        ReferenceLinear.Forward(x, Widen(weights[weight]), b, y, inputs);
        return y;
    }

    private static double[] TimeMean(double[] x, int channels)
    {
        int length = x.Length / channels;
        return [.. Enumerable.Range(0, channels).Select(c => x.AsSpan(c * length, length).ToArray().Average())];
    }

    private static void Rectify(double[] x)
    {
        for (int i = 0; i < x.Length; i++)
            x[i] = Math.Max(0, x[i]);
    }

    private static void Standardise(Span<double> row)
    {
        double mean = 0, squares = 0;
        foreach (double value in row)
            mean += value / row.Length;
        foreach (double value in row)
            squares += (value - mean) * (value - mean);
        double scale = 1 / (Math.Sqrt(squares / (row.Length - 1)) + 1e-6);
        for (int i = 0; i < row.Length; i++)
            row[i] = (row[i] - mean) * scale;
    }

    private static double[] Widen(ParameterTensor tensor)
    {
        ReadOnlySpan<float> source = tensor.Span;
        double[] wide = new double[source.Length];
        for (int i = 0; i < wide.Length; i++)
            wide[i] = source[i];
        return wide;
    }
}
