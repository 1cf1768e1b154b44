using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;
using UniCardio.Gpu.Kernels;

namespace UniCardio.Gpu.Backend;

/// <summary>Weights in the device's layout: folded in double, rounded once, input-major, padded with zeros.</summary>
internal sealed class FoldedWeights(ModelWeights weights, DeviceLayout layout)
{
    private readonly ModelConfiguration _m = weights.Configuration;

    // Softmax's 1/sqrt(head dim), and log2(e) so that e^x becomes 2^s.
    private double QueryScale => 1 / (Math.Sqrt(_m.HeadDim) * Math.Log(2));

    /// <summary>One block, as <see cref="DeviceLayout.Block"/> says.</summary>
    public float[] Block(int index)
    {
        BlockWeights b = weights.Blocks[index];
        BlockLayout at = layout.Block;
        int c = _m.Channels, f = _m.FeedForward, width = 4 * layout.HeadQuads;
        double scale = QueryScale;
        float[] gamma2 = b.Norm2.Gamma.Span.ToArray();
        float[] target = new float[4 * layout.BlockQuads];
        Matrix(target, at.Qkv, 3 * width, b.AttentionIn, n => ((n / c) * width) + layout.HeadColumn(n % c), k => k, (n, _) => n < c ? scale : 1);
        Matrix(target, at.AttentionOut, 4 * layout.Quads, b.AttentionOut, n => n, layout.HeadColumn, (_, _) => 1);
        b.Norm1.Gamma.Span.CopyTo(target.AsSpan(4 * at.Norm1Gamma));
        b.Norm1.Beta.Span.CopyTo(target.AsSpan(4 * at.Norm1Beta));
        Matrix(target, at.FeedForwardIn, 4 * layout.FeedForwardQuads, b.FeedForwardIn, n => n, k => k, (_, _) => 1);
        b.FeedForwardIn.Bias.Span[..f].CopyTo(target.AsSpan(4 * at.FeedForwardInBias));
        Matrix(target, at.FeedForwardOut, 4 * layout.Quads, b.FeedForwardOut, n => n, k => k, (_, _) => 1);
        b.FeedForwardOut.Bias.Span.CopyTo(target.AsSpan(4 * at.FeedForwardOutBias));
        Matrix(target, at.Mid, 8 * layout.Quads, b.MidProjection, Halves, k => k, (_, k) => gamma2[k]);
        Matrix(target, at.Output, 8 * layout.Quads, b.OutputProjection, Halves, k => k, (_, _) => 1);
        for (int n = 0; n < 2 * c; n++)
            target[(4 * at.OutputBias) + Halves(n)] = b.OutputProjection.Bias.Span[n];
        return target;
    }

    /// <summary>[T, blocks, 3 heads + C] biases that depend on t: with y = x + d(t), W y + b = W x + (b + W d).</summary>
    /// <remarks>2 E^2 + blocks (E C + 3 C^2) multiply-adds a t, 0.09 G in all at full size: cheaper than waiting for the device between steps.</remarks>
    public float[] Steps()
    {
        int length = 4 * layout.StepQuads * _m.Blocks;
        float[] target = new float[(long)_m.DiffusionSteps * length];
        Parallel.For(0, _m.DiffusionSteps, t => Step(t, target.AsSpan(t * length, length)));
        return target;
    }

    /// <summary>[4 encoders, 11 taps + bias, C].</summary>
    public float[] Convolutions()
    {
        int p = _m.SamplesPerToken, perKernel = _m.ChannelsPerKernel, size = 4 * Convolution.WeightQuads(layout.Quads);
        float[] target = new float[ModelConfiguration.SlotCount * size];
        for (int slot = 0; slot < ModelConfiguration.SlotCount; slot++)
        {
            for (int channel = 0; channel < _m.Channels; channel++)
            {
                int convolution = channel / p, kernel = convolution / perKernel, row = convolution % perKernel;
                LinearWeights linear = weights.Encoders[slot].Convolutions[kernel];
                int taps = ModelConfiguration.EncoderKernels[kernel];
                for (int j = 0; j < taps; j++)
                    target[(slot * size) + ((j + Convolution.Reach - (taps / 2)) * 4 * layout.Quads) + channel] = linear.Weight.Span[(row * taps) + j];
                target[(slot * size) + (Convolution.Taps * 4 * layout.Quads) + channel] = linear.Bias.Span[row];
            }
        }

        return target;
    }

    /// <summary>[4 encoders, T, gamma and beta, C]; with slot positions the position code is in beta.</summary>
    public float[] EncoderAffine()
    {
        int c = _m.Channels, tokens = _m.SlotTokens, width = 4 * layout.Quads;
        float[] target = new float[(long)ModelConfiguration.SlotCount * tokens * 2 * width];
        double[] code = new double[c];
        for (int slot = 0; slot < ModelConfiguration.SlotCount; slot++)
        {
            NormWeights norm = weights.Encoders[slot].Norm;
            for (int token = 0; token < tokens; token++)
            {
                if (_m.Positions == PositionKind.Slot)
                    ReferencePositionCode.Row(token, code);
                long at = ((long)slot * tokens + token) * 2 * width;
                for (int channel = 0; channel < c; channel++)
                {
                    target[at + channel] = norm.Gamma.Span[(channel * tokens) + token];
                    target[at + width + channel] = (float)(norm.Beta.Span[(channel * tokens) + token] + code[channel]);
                }
            }
        }

        return target;
    }

    /// <summary>One decoder; 1/sqrt(blocks) of the skip sum is in its first map.</summary>
    public float[] Decoder(int index)
    {
        DecoderWeights decoder = weights.Decoders[index];
        double scale = 1 / Math.Sqrt(_m.Blocks);
        float[] target = new float[4 * layout.DecoderQuads];
        Matrix(target, 0, 4 * layout.Quads, decoder.Hidden, n => n, k => k, (_, _) => scale);
        int at = 16 * layout.Quads * layout.Quads;
        decoder.Hidden.Bias.Span.CopyTo(target.AsSpan(at));
        at += 4 * layout.Quads;
        for (int j = 0; j < _m.SamplesPerToken; j++)
            decoder.Output.Weight.Span.Slice(j * _m.Channels, _m.Channels).CopyTo(target.AsSpan(at + (j * 4 * layout.Quads)));
        decoder.Output.Bias.Span.CopyTo(target.AsSpan(at + (_m.SamplesPerToken * 4 * layout.Quads)));
        return target;
    }

    private void Step(int t, Span<float> target)
    {
        int c = _m.Channels, e = _m.Embedding, width = 4 * layout.HeadQuads;
        double[] table = new double[e], hidden = new double[e], embedding = new double[e], d = new double[c], bias = new double[3 * c];
        ReferenceDiffusionEmbedding.Table(t, table);
        Map(weights.Embedding1, table, hidden);
        ReferenceSilu.Forward(hidden, hidden);
        Map(weights.Embedding2, hidden, embedding);
        ReferenceSilu.Forward(embedding, embedding);
        for (int i = 0; i < _m.Blocks; i++)
        {
            BlockWeights b = weights.Blocks[i];
            Map(b.DiffusionProjection, embedding, d);
            Map(b.AttentionIn, d, bias);
            Span<float> row = target[(4 * layout.StepQuads * i)..];
            for (int n = 0; n < 3 * c; n++)
                row[((n / c) * width) + layout.HeadColumn(n % c)] = (float)(n < c ? bias[n] * QueryScale : bias[n]);
            for (int n = 0; n < c; n++)
                row[(3 * width) + n] = (float)(b.AttentionOut.Bias.Span[n] + d[n]);
        }
    }

    private int Halves(int n) => layout.HalfColumn(n);

    // target[input, output] = scale W[output, input], at a quad.
    private static void Matrix(float[] target, int quad, int columns, LinearWeights linear, Func<int, int> column, Func<int, int> row, Func<int, int, double> scale)
    {
        ReadOnlySpan<float> w = linear.Weight.Span;
        for (int n = 0; n < linear.Outputs; n++)
        {
            for (int k = 0; k < linear.Inputs; k++)
                target[(4 * quad) + (row(k) * columns) + column(n)] = (float)(w[(n * linear.Inputs) + k] * scale(n, k));
        }
    }

    internal static void Map(LinearWeights linear, double[] x, double[] y)
    {
        ReadOnlySpan<float> w = linear.Weight.Span;
        for (int n = 0; n < linear.Outputs; n++)
        {
            double sum = linear.Bias.Span[n];
            for (int k = 0; k < x.Length; k++)
                sum += (double)w[(n * x.Length) + k] * x[k];
            y[n] = sum;
        }
    }
}
