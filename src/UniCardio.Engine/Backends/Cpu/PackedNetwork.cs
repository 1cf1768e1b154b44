using UniCardio.Engine.Model;

namespace UniCardio.Engine.Backends.Cpu;

/// <summary>One residual block's maps, folded and packed.</summary>
internal sealed class PackedBlock : IDisposable
{
    /// <summary>x -&gt; [Q, K, V], N = 3C; Q carries log2(e) / sqrt(head dim). Its bias depends on t (<see cref="StepTables"/>).</summary>
    public required PackedMatrix AttentionIn { get; init; }

    /// <summary>Heads -&gt; C. Its bias depends on t.</summary>
    public required PackedMatrix AttentionOut { get; init; }

    public required PackedMatrix FeedForwardIn { get; init; }

    public required PackedMatrix FeedForwardOut { get; init; }

    /// <summary>C -&gt; 2C with the second LayerNorm's gamma folded in; everything constant is in the slot's table.</summary>
    public required PackedMatrix Mid { get; init; }

    /// <summary>C -&gt; [residual / sqrt 2, skip].</summary>
    public required PackedMatrix Output { get; init; }

    /// <summary>[padded C] gamma, then beta, of the first LayerNorm.</summary>
    public required AlignedBuffer Norm1 { get; init; }

    public long Bytes => AttentionIn.Bytes + AttentionOut.Bytes + FeedForwardIn.Bytes + FeedForwardOut.Bytes + Mid.Bytes + Output.Bytes + Norm1.Bytes;

    public void Dispose()
    {
        foreach (IDisposable part in (IDisposable[])[AttentionIn, AttentionOut, FeedForwardIn, FeedForwardOut, Mid, Output, Norm1])
            part.Dispose();
    }
}

/// <summary>The encoder of one slot, packed.</summary>
internal sealed class PackedEncoder : IDisposable
{
    /// <summary>p + 10 samples around a token -&gt; C: the six convolutions as one map.</summary>
    public required PackedMatrix Convolutions { get; init; }

    /// <summary>[tokens, stride] gamma of the plane's LayerNorm, token-major.</summary>
    public required AlignedBuffer Gamma { get; init; }

    /// <summary>[tokens, stride] beta; with slot positions the position code is added in.</summary>
    public required AlignedBuffer Beta { get; init; }

    public long Bytes => Convolutions.Bytes + Gamma.Bytes + Beta.Bytes;

    public void Dispose()
    {
        Convolutions.Dispose();
        Gamma.Dispose();
        Beta.Dispose();
    }
}

/// <summary>A decoder, packed; 1/sqrt(blocks) of the skip sum is folded into its first map.</summary>
internal sealed class PackedDecoder : IDisposable
{
    public required PackedMatrix Hidden { get; init; }

    public required PackedMatrix Output { get; init; }

    public long Bytes => Hidden.Bytes + Output.Bytes;

    public void Dispose()
    {
        Hidden.Dispose();
        Output.Dispose();
    }
}

/// <summary>
/// A network's weights, folded in double, rounded once and packed for one vector width. Shared by all executors; immutable but
/// for the tables, which fill on first use of a step t or a slot.
/// </summary>
internal sealed unsafe class PackedNetwork : IDisposable
{
    /// <summary>Samples that the widest encoder convolution reads on either side.</summary>
    public const int EncoderReach = 5;

    public PackedNetwork(ModelWeights weights, int lanes, int threads)
    {
        Configuration = weights.Configuration;
        Lanes = lanes;
        int c = Configuration.Channels, panel = 2 * lanes;
        Stride = RoundUp(c, panel);
        VectorChannels = RoundUp(c, lanes);
        Mask = new AlignedBuffer(Stride);
        Mask.Span[..c].Fill(1);
        Zeros = new AlignedBuffer(Stride);
        Blocks = [.. weights.Blocks.Select(b => PackBlock(b, Configuration, panel, Stride))];
        Encoders = [.. Enumerable.Range(0, ModelConfiguration.SlotCount).Select(slot => PackEncoder(weights.Encoders[slot], slot, Configuration, panel, Stride))];
        double skipScale = 1 / Math.Sqrt(Configuration.Blocks);
        Decoders = [.. weights.Decoders.Select(d => new PackedDecoder
        {
            Hidden = Pack(d.Hidden, panel, (_, k) => k < 0 ? 1 : skipScale),
            Output = Pack(d.Output, panel, (_, _) => 1),
        })];
        Steps = new StepTables(weights, panel);
        Slots = new SlotTables(weights, panel, threads);
    }

    public ModelConfiguration Configuration { get; }

    /// <summary>Lanes W of a vector.</summary>
    public int Lanes { get; }

    /// <summary>Floats of a token's row of C channels: C rounded up to whole panels.</summary>
    public int Stride { get; }

    /// <summary>C rounded up to whole vectors: how far row passes go.</summary>
    public int VectorChannels { get; }

    /// <summary>[stride] 1 for a channel, 0 for padding.</summary>
    public AlignedBuffer Mask { get; }

    /// <summary>[stride] zeros, the bias of a pass that has none.</summary>
    public AlignedBuffer Zeros { get; }

    public IReadOnlyList<PackedBlock> Blocks { get; }

    public IReadOnlyList<PackedEncoder> Encoders { get; }

    public IReadOnlyList<PackedDecoder> Decoders { get; }

    /// <summary>Biases that depend on t.</summary>
    public StepTables Steps { get; }

    /// <summary>Constants that depend on the slot and position.</summary>
    public SlotTables Slots { get; }

    /// <summary>Bytes of packed weights and of the tables filled so far.</summary>
    public long Bytes => Mask.Bytes + Zeros.Bytes + Blocks.Sum(b => b.Bytes) + Encoders.Sum(e => e.Bytes) + Decoders.Sum(d => d.Bytes) + Steps.Bytes + Slots.Bytes;

    public void Dispose()
    {
        foreach (IDisposable part in (IEnumerable<IDisposable>)[Mask, Zeros, .. Blocks, .. Encoders, .. Decoders, Steps, Slots])
            part.Dispose();
    }

    internal static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;

    // The bias is scaled by scale(output, -1).
    private static PackedMatrix Pack(LinearWeights linear, int panel, Func<int, int, double> scale, bool withBias = true)
    {
        int inputs = linear.Inputs;
        float[] weight = linear.Weight.Span.ToArray(), bias = linear.Bias.Span.ToArray();
        return new PackedMatrix(linear.Outputs, inputs, panel, (n, k) => weight[(n * inputs) + k] * scale(n, k), withBias ? n => bias[n] * scale(n, -1) : null);
    }

    private static PackedBlock PackBlock(BlockWeights b, ModelConfiguration m, int panel, int stride)
    {
        int c = m.Channels;
        double queryScale = StepTables.QueryScale(m), half = 1 / Math.Sqrt(2);
        float[] gamma2 = b.Norm2.Gamma.Span.ToArray();
        var norm1 = new AlignedBuffer(2 * stride);
        b.Norm1.Gamma.Span.CopyTo(norm1.Span);
        b.Norm1.Beta.Span.CopyTo(norm1.Span[stride..]);
        return new PackedBlock
        {
            AttentionIn = Pack(b.AttentionIn, panel, (n, _) => n < c ? queryScale : 1, withBias: false),
            AttentionOut = Pack(b.AttentionOut, panel, (_, _) => 1, withBias: false),
            FeedForwardIn = Pack(b.FeedForwardIn, panel, (_, _) => 1),
            FeedForwardOut = Pack(b.FeedForwardOut, panel, (_, _) => 1),
            Mid = Pack(b.MidProjection, panel, (_, k) => gamma2[k], withBias: false),
            Output = Pack(b.OutputProjection, panel, (n, _) => n < c ? half : 1),
            Norm1 = norm1,
        };
    }

    private static PackedEncoder PackEncoder(EncoderWeights encoder, int slot, ModelConfiguration m, int panel, int stride)
    {
        int p = m.SamplesPerToken, perKernel = m.ChannelsPerKernel, tokens = m.SlotTokens, c = m.Channels;
        float[][] kernels = [.. encoder.Convolutions.Select(k => k.Weight.Span.ToArray())];
        float[][] biases = [.. encoder.Convolutions.Select(k => k.Bias.Span.ToArray())];

        // Channel = convolution channel * p + offset; column k of the map is sample (token * p - reach + k).
        double Weight(int channel, int k)
        {
            int convolution = channel / p, offset = channel % p, kernel = convolution / perKernel;
            int size = ModelConfiguration.EncoderKernels[kernel], tap = k - EncoderReach - offset + (size / 2);
            return tap >= 0 && tap < size ? kernels[kernel][((convolution % perKernel) * size) + tap] : 0;
        }

        var gamma = new AlignedBuffer((long)tokens * stride);
        var beta = new AlignedBuffer((long)tokens * stride);
        ReadOnlySpan<float> g = encoder.Norm.Gamma.Span, b = encoder.Norm.Beta.Span;
        double[] code = new double[c];
        for (int token = 0; token < tokens; token++)
        {
            if (m.Positions == PositionKind.Slot)
                Reference.ReferencePositionCode.Row(Reference.ReferencePositionCode.Position(m, slot, token), code);
            for (int channel = 0; channel < c; channel++)
            {
                gamma.Span[(token * stride) + channel] = g[(channel * tokens) + token];
                beta.Span[(token * stride) + channel] = (float)(b[(channel * tokens) + token] + code[channel]);
            }
        }

        return new PackedEncoder
        {
            Convolutions = new PackedMatrix(c, p + (2 * EncoderReach), panel, Weight, n => biases[n / p / perKernel][n / p % perKernel]),
            Gamma = gamma,
            Beta = beta,
        };
    }
}
