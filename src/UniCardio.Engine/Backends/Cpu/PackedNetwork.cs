using UniCardio.Engine.Model;

namespace UniCardio.Engine.Backends.Cpu;

/// <summary>The encoder of one slot, packed.</summary>
internal sealed class PackedEncoder : IDisposable
{
    public PackedEncoder(FoldedEncoder encoder, int tokens, int panel, int stride)
    {
        Patch = new PackedMatrix(encoder.Patch, panel);
        Gamma = Rows(encoder.Plane.Weight, tokens, stride);
        Beta = Rows(encoder.Plane.Bias, tokens, stride);
    }

    /// <summary>p + 10 samples around a token -&gt; C: the six convolutions as one map.</summary>
    public PackedMatrix Patch { get; }

    /// <summary>[tokens, stride] gamma of the plane's LayerNorm, token-major.</summary>
    public AlignedBuffer Gamma { get; }

    /// <summary>[tokens, stride] beta; with slot positions the position code is added in.</summary>
    public AlignedBuffer Beta { get; }

    public long Bytes => Patch.Bytes + Gamma.Bytes + Beta.Bytes;

    public void Dispose()
    {
        Patch.Dispose();
        Gamma.Dispose();
        Beta.Dispose();
    }

    private static AlignedBuffer Rows(double[] values, int tokens, int stride)
    {
        int c = values.Length / tokens;
        var rows = new AlignedBuffer((long)tokens * stride);
        for (int i = 0; i < values.Length; i++)
            rows.Span[(i / c * stride) + (i % c)] = (float)values[i];
        return rows;
    }
}

/// <summary>
/// The folded network rounded once and packed for one vector width. Shared by all executors; immutable but for the tables, which fill on
/// first use of a step t or a slot.
/// </summary>
internal sealed unsafe class PackedNetwork : IDisposable
{
    public PackedNetwork(FoldedNetwork folded, int lanes, int threads)
    {
        Configuration = folded.Configuration;
        Lanes = lanes;
        int c = Configuration.Channels, panel = 2 * lanes;
        Stride = RoundUp(c, panel);
        VectorChannels = RoundUp(c, lanes);
        Mask = new AlignedBuffer(Stride);
        Mask.Span[..c].Fill(1);
        Zeros = new AlignedBuffer(Stride);
        Blocks = [.. folded.Blocks.Select(b => b.Select(map => new PackedMatrix(map, panel)))];
        Encoders = [.. folded.Encoders.Select(e => new PackedEncoder(e, Configuration.SlotTokens, panel, Stride))];
        Decoders = [.. folded.Decoders.Select(d => d.Select(map => new PackedMatrix(map, panel)))];
        Steps = new StepTables(folded, panel);
        Slots = new SlotTables(folded, panel, threads);
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

    /// <summary>As <see cref="FoldedNetwork.Blocks"/>; a norm's panels are its [stride] gamma, its bias is [stride] beta.</summary>
    public IReadOnlyList<BlockWeights<PackedMatrix>> Blocks { get; }

    public IReadOnlyList<PackedEncoder> Encoders { get; }

    public IReadOnlyList<DecoderWeights<PackedMatrix>> Decoders { get; }

    /// <summary>Biases that depend on t.</summary>
    public StepTables Steps { get; }

    /// <summary>Constants that depend on the slot and position.</summary>
    public SlotTables Slots { get; }

    /// <summary>Bytes of packed weights and of the tables filled so far.</summary>
    public long Bytes => Mask.Bytes + Zeros.Bytes + Matrices.Sum(m => m.Bytes) + Encoders.Sum(e => e.Bytes) + Steps.Bytes + Slots.Bytes;

    private IEnumerable<PackedMatrix> Matrices => [.. Blocks.SelectMany(b => b.Parts), .. Decoders.SelectMany(d => d.Parts)];

    public void Dispose()
    {
        foreach (IDisposable part in (IEnumerable<IDisposable>)[Mask, Zeros, .. Matrices, .. Encoders, Steps, Slots])
            part.Dispose();
    }

    internal static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;
}
