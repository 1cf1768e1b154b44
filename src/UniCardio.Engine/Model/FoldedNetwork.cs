using System.Numerics;
using UniCardio.Engine.Reference;

namespace UniCardio.Engine.Model;

/// <summary>A folded encoder: the six convolutions as one map, and the plane's norm by token.</summary>
/// <param name="Patch">
/// p + 10 samples around a token -&gt; C: output c p + offset of a token reads the samples of <see cref="EncoderPatch"/>; 11 of its columns
/// at most are not 0.
/// </param>
/// <param name="Plane">[S/p, C] gain and offset, token-major; with slot positions the position code is in the offset.</param>
public sealed record FoldedEncoder(LinearMap Patch, LinearMap Plane);

/// <summary>Where the taps of an encoder's convolutions stand in the map from a token's patch of samples to its channels.</summary>
internal static class EncoderPatch
{
    /// <summary>Samples that the widest convolution reads on either side.</summary>
    public const int Reach = 5;

    /// <summary>Samples of a patch, p + 10.</summary>
    public static int Samples(ModelConfiguration m)
    {
        ArgumentNullException.ThrowIfNull(m);
        return m.SamplesPerToken + (2 * Reach);
    }

    /// <summary>Channel of a token that output <paramref name="output"/> of convolution <paramref name="kernel"/> at sample offset
    /// becomes.</summary>
    public static int Channel(ModelConfiguration m, int kernel, int output, int offset)
    {
        ArgumentNullException.ThrowIfNull(m);
        return (((kernel * m.ChannelsPerKernel) + output) * m.SamplesPerToken) + offset;
    }

    /// <summary>Column of the patch that the first tap of a convolution reads for the sample at an offset in the token.</summary>
    public static int FirstColumn(int kernel, int offset) => Reach - (ModelConfiguration.EncoderKernels[kernel] / 2) + offset;
}

/// <summary>
/// A network with everything that is constant multiplied out, in double. A backend lays these numbers out for its kernels, rounding each
/// once, and computes none of its own.
/// </summary>
/// <remarks>
/// <para>What a block computes of a token's row x at step t and position i, with what is folded in brackets:</para>
/// <code>
/// [Q, K, V] = [AttentionIn, Q's third times log2(e)/sqrt(head dim)] x + [bias + AttentionIn d(t)]
/// r = norm1(x + AttentionOut heads + [bias + d(t)])
/// n = normalised(r + FeedForwardOut gelu(FeedForwardIn r))        without norm2's gain and offset
/// [a, b] = [MidProjection times norm2's gain] n + [MidProjection norm2's offset + both biases + ConditionProjection code(i)]
/// [residual, skip] = [OutputProjection, residual's half over sqrt 2] (sigmoid(a) tanh(b))
/// x = x / sqrt 2 + residual
/// </code>
/// <para>The skips' factor 1/sqrt(blocks) is in the decoder's first map. The tensors are not needed afterwards.</para>
/// </remarks>
public sealed class FoldedNetwork
{
    /// <summary>Folds the weights.</summary>
    public FoldedNetwork(ModelWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        Configuration = weights.Configuration;
        NetworkWeights<LinearMap> network = weights.Network.Select(LinearMap.Of);
        Blocks = [.. network.Blocks.Select(Fold)];
        Encoders = [.. network.Encoders.Select(Fold)];
        double skipScale = 1 / Math.Sqrt(Configuration.Blocks);
        Decoders = [.. network.Decoders.Select(d => d with { Hidden = d.Hidden.Scale((_, _) => skipScale) })];
        Steps = new StepBiases(Configuration, network);
        Positions = new PositionConstants(Configuration, network);
    }

    /// <summary>The network's sizes.</summary>
    public ModelConfiguration Configuration { get; }

    /// <summary>The blocks. Projections of step and position and the second norm have become part of others and are
    /// <see cref="LinearMap.None"/>.</summary>
    public IReadOnlyList<BlockWeights<LinearMap>> Blocks { get; }

    /// <summary>Encoders of slots A, B, C, D.</summary>
    public IReadOnlyList<FoldedEncoder> Encoders { get; }

    /// <summary>Decoders of PPG, BP, ECG; they take the sum of the skips.</summary>
    public IReadOnlyList<DecoderWeights<LinearMap>> Decoders { get; }

    /// <summary>Biases that depend on t.</summary>
    public StepBiases Steps { get; }

    /// <summary>Constants that depend on the position.</summary>
    public PositionConstants Positions { get; }

    /// <summary>What multiplies Q: softmax's 1/sqrt(head dim), and log2(e) so that e^x becomes 2^s.</summary>
    public static double QueryScale(ModelConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return 1 / (Math.Sqrt(configuration.HeadDim) * Math.Log(2));
    }

    private BlockWeights<LinearMap> Fold(BlockWeights<LinearMap> b)
    {
        int c = Configuration.Channels;
        double queryScale = QueryScale(Configuration), half = 1 / Math.Sqrt(2);
        LinearMap output = b.OutputProjection;
        return new(
            DiffusionProjection: LinearMap.None,
            ConditionProjection: LinearMap.None,
            MidProjection: b.MidProjection.Scale((_, k) => b.Norm2.Weight[k]).WithoutBias(),
            OutputProjection: output.Scale((n, _) => n < c ? half : 1)
                with { Bias = [.. output.Bias.Select((v, n) => n < c ? v * half : v)] },
            AttentionIn: b.AttentionIn.Scale((n, _) => n < c ? queryScale : 1).WithoutBias(),
            AttentionOut: b.AttentionOut.WithoutBias(),
            FeedForwardIn: b.FeedForwardIn,
            FeedForwardOut: b.FeedForwardOut,
            Norm1: b.Norm1,
            Norm2: LinearMap.None);
    }

    private FoldedEncoder Fold(EncoderWeights<LinearMap> encoder, int slot)
    {
        ModelConfiguration m = Configuration;
        int c = m.Channels, p = m.SamplesPerToken, tokens = m.SlotTokens, samples = EncoderPatch.Samples(m);
        var patch = new LinearMap(new double[c * samples], new double[c]);
        for (int kernel = 0; kernel < encoder.Convolutions.Count; kernel++)
        {
            LinearMap convolution = encoder.Convolutions[kernel];
            for (int output = 0; output < convolution.Outputs; output++)
            {
                for (int offset = 0; offset < p; offset++)
                {
                    int channel = EncoderPatch.Channel(m, kernel, output, offset);
                    patch.Bias[channel] = convolution.Bias[output];
                    convolution.Weight.AsSpan(output * convolution.Inputs, convolution.Inputs)
                        .CopyTo(patch.Weight.AsSpan((channel * samples) + EncoderPatch.FirstColumn(kernel, offset)));
                }
            }
        }

        var plane = new LinearMap(new double[tokens * c], new double[tokens * c]);
        if (m.Positions == PositionKind.Slot)
            ReferencePositionCode.Slot(m, slot, plane.Bias);
        for (int token = 0; token < tokens; token++)
        {
            for (int channel = 0; channel < c; channel++)
            {
                plane.Weight[(token * c) + channel] = encoder.Norm.Weight[(channel * tokens) + token];
                plane.Bias[(token * c) + channel] += encoder.Norm.Bias[(channel * tokens) + token];
            }
        }

        return new FoldedEncoder(patch, plane);
    }
}

/// <summary>One block's biases at one step t.</summary>
/// <param name="AttentionIn">[3C] bias of Q, K, V.</param>
/// <param name="AttentionOut">[C] bias of attention's output plus d(t).</param>
public sealed record StepBias(double[] AttentionIn, double[] AttentionOut);

/// <summary>
/// Biases that depend on the diffusion step: with y = x + d(t), a map of y is W x + (b + W d), and y itself enters only the residual
/// beside attention's output.
/// </summary>
/// <remarks>2 E^2 + blocks (E C + 3 C^2) multiply-adds a step, 1.7 M at full size. Safe to use from several threads.</remarks>
public sealed class StepBiases
{
    private readonly ModelConfiguration _m;
    private readonly LinearMap _embedding1, _embedding2;
    private readonly (LinearMap Diffusion, LinearMap AttentionIn, double[] AttentionOut)[] _blocks;

    internal StepBiases(ModelConfiguration configuration, NetworkWeights<LinearMap> network)
    {
        _m = configuration;
        (_embedding1, _embedding2) = (network.Embedding1, network.Embedding2);
        _blocks = [.. network.Blocks.Select(b => (b.DiffusionProjection, b.AttentionIn, b.AttentionOut.Bias))];
    }

    /// <summary>Every block's biases at a step.</summary>
    /// <param name="t">0 to T - 1.</param>
    public IReadOnlyList<StepBias> At(int t)
    {
        double[] embedding = new double[_m.Embedding], d = new double[_m.Channels];
        ReferenceDiffusionEmbedding.Forward(_embedding1, _embedding2, t, embedding);
        double scale = FoldedNetwork.QueryScale(_m);
        var result = new StepBias[_blocks.Length];
        for (int i = 0; i < result.Length; i++)
        {
            (LinearMap diffusion, LinearMap attentionIn, double[] attentionOut) = _blocks[i];
            diffusion.Forward(embedding, d);
            double[] qkv = new double[3 * _m.Channels];
            attentionIn.Forward(d, qkv);
            foreach (ref double query in qkv.AsSpan(0, _m.Channels))
                query *= scale;
            result[i] = new StepBias(qkv, [.. attentionOut.Select((v, n) => v + d[n])]);
        }

        return result;
    }
}

/// <summary>What enters a block's gate without depending on the input: cond(code) + both biases + mid(the second norm's offset).</summary>
/// <remarks>2 C^2 blocks tokens multiply-adds a slot (0.4 G at full size): ask for live slots only. Safe to use from several
/// threads.</remarks>
public sealed class PositionConstants
{
    private readonly ModelConfiguration _m;

    // By column: each channel's code scales one contiguous row of 2C.
    private readonly (double[] Condition, double[] Constant)[] _blocks;

    internal PositionConstants(ModelConfiguration configuration, NetworkWeights<LinearMap> network)
    {
        _m = configuration;
        _blocks = [.. network.Blocks.Select(b => (Transpose(b.ConditionProjection), Constant(b)))];
    }

    /// <summary>[S/p, C] codes of a slot's tokens, to be given to <see cref="Row"/>.</summary>
    /// <param name="slot">0 to 3; with slot positions all give the same.</param>
    public double[] Codes(int slot)
    {
        double[] codes = new double[_m.SlotTokens * _m.Channels];
        ReferencePositionCode.Slot(_m, slot, codes);
        return codes;
    }

    /// <summary>One token's constants.</summary>
    /// <param name="block">Number of the block.</param>
    /// <param name="code">[C] the token's code.</param>
    /// <param name="row">[2C].</param>
    public void Row(int block, ReadOnlySpan<double> code, Span<double> row)
    {
        (double[] condition, double[] constant) = _blocks[block];
        int width = Vector<double>.Count;
        constant.CopyTo(row);
        for (int n = 0; n < row.Length; n += 4 * width)
        {
            if (n + (4 * width) > row.Length)
            {
                for (int k = 0; k < code.Length; k++)
                {
                    for (int j = n; j < row.Length; j++)
                        row[j] += code[k] * condition[(k * row.Length) + j];
                }

                break;
            }

            var s0 = new Vector<double>(row[n..]);
            var s1 = new Vector<double>(row[(n + width)..]);
            var s2 = new Vector<double>(row[(n + (2 * width))..]);
            var s3 = new Vector<double>(row[(n + (3 * width))..]);
            for (int k = 0; k < code.Length; k++)
            {
                var x = new Vector<double>(code[k]);
                ReadOnlySpan<double> w = condition.AsSpan((k * row.Length) + n, 4 * width);
                s0 += x * new Vector<double>(w);
                s1 += x * new Vector<double>(w[width..]);
                s2 += x * new Vector<double>(w[(2 * width)..]);
                s3 += x * new Vector<double>(w[(3 * width)..]);
            }

            s0.CopyTo(row[n..]);
            s1.CopyTo(row[(n + width)..]);
            s2.CopyTo(row[(n + (2 * width))..]);
            s3.CopyTo(row[(n + (3 * width))..]);
        }
    }

    private static double[] Transpose(LinearMap map)
    {
        double[] transposed = new double[map.Weight.Length];
        for (int n = 0; n < map.Outputs; n++)
        {
            for (int k = 0; k < map.Inputs; k++)
                transposed[(k * map.Outputs) + n] = map.Weight[(n * map.Inputs) + k];
        }

        return transposed;
    }

    private static double[] Constant(BlockWeights<LinearMap> b)
    {
        int inputs = b.MidProjection.Inputs;
        double[] constant = new double[b.MidProjection.Outputs];
        for (int n = 0; n < constant.Length; n++)
        {
            double sum = b.ConditionProjection.Bias[n] + b.MidProjection.Bias[n];
            for (int k = 0; k < inputs; k++)
                sum += b.MidProjection.Weight[(n * inputs) + k] * b.Norm2.Bias[k];
            constant[n] = sum;
        }

        return constant;
    }
}
