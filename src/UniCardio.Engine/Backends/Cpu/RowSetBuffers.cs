using UniCardio.Engine.Model;

namespace UniCardio.Engine.Backends.Cpu;

/// <summary>K and V of one set of rows for one or more blocks: [blocks, 2, heads, capacity, head dim].</summary>
internal sealed unsafe class KeyValueCache : IDisposable
{
    private readonly AlignedBuffer _buffer;
    private readonly int _heads;

    /// <summary>Allocates.</summary>
    /// <param name="configuration">Heads and head dim.</param>
    /// <param name="tokens">Keys of the stream.</param>
    /// <param name="blocks">How many blocks' keys are kept at a time.</param>
    public KeyValueCache(ModelConfiguration configuration, int tokens, int blocks)
    {
        _heads = configuration.Heads;
        Tokens = tokens;
        HeadStride = (nint)(tokens + Kernels.Attention.KeyPadding) * configuration.HeadDim;
        _buffer = new AlignedBuffer(blocks * 2L * _heads * HeadStride);
    }

    /// <summary>Keys of the stream.</summary>
    public int Tokens { get; }

    /// <summary>Floats between heads.</summary>
    public nint HeadStride { get; }

    public long Bytes => _buffer.Bytes;

    /// <summary>Keys of one block, [heads, capacity, head dim].</summary>
    public float* Keys(int block) => _buffer.Pointer + (block * 2 * _heads * HeadStride);

    /// <summary>Values of one block, [heads, capacity, head dim].</summary>
    public float* Values(int block) => Keys(block) + (_heads * HeadStride);

    public void Dispose() => _buffer.Dispose();
}

/// <summary>Activations of one set of rows while it is computed; the buffers serve any number of sets in turn.</summary>
internal sealed unsafe class RowSetBuffers : IDisposable
{
    /// <summary>Two: a strip writes the next block's keys while other strips still read this block's.</summary>
    public const int KeyValueSets = 2;

    private readonly AlignedBuffer _x, _skip, _queries, _moments;

    /// <summary>Allocates.</summary>
    /// <param name="network">Sizes.</param>
    /// <param name="rows">Most tokens of a stream.</param>
    /// <param name="targetTokens">Tokens of a target rows; 0 where only condition rows come here.</param>
    public RowSetBuffers(PackedNetwork network, int rows, int targetTokens)
    {
        int block = 2 * network.Lanes, blocks = (rows + block - 1) / block;
        _x = new AlignedBuffer((long)rows * network.Stride);
        _skip = new AlignedBuffer((long)targetTokens * network.Stride);
        _queries = new AlignedBuffer((long)blocks * block * network.Configuration.Channels);
        _moments = new AlignedBuffer(2L * rows);
        KeyValues = new KeyValueCache(network.Configuration, targetTokens, KeyValueSets);
    }

    /// <summary>[rows, stride] residual.</summary>
    public float* X => _x.Pointer;

    /// <summary>[target tokens, stride] sum of skips.</summary>
    public float* Skip => _skip.Pointer;

    /// <summary>[blocks, C, 2W] transposed queries.</summary>
    public float* Queries => _queries.Pointer;

    /// <summary>[rows, 2] mean and sum of squared deviations of encoder rows.</summary>
    public float* Moments => _moments.Pointer;

    /// <summary>Keys and values of a target rows, by block modulo <see cref="KeyValueSets"/>.</summary>
    public KeyValueCache KeyValues { get; }

    public long Bytes => _x.Bytes + _skip.Bytes + _queries.Bytes + _moments.Bytes + KeyValues.Bytes;

    public void Dispose()
    {
        foreach (IDisposable part in (IDisposable[])[_x, _skip, _queries, _moments, KeyValues])
            part.Dispose();
    }
}

/// <summary>One thread's scratch for a strip of tokens.</summary>
internal sealed unsafe class StripScratch : IDisposable
{
    private readonly AlignedBuffer _wide, _row, _row2, _hidden, _heads, _headBlock, _panel, _attention, _noise;
    private readonly int _queryBlock;

    /// <summary>Allocates.</summary>
    /// <param name="network">Sizes.</param>
    /// <param name="rows">Most tokens of a strip, rounded up to whole blocks of queries.</param>
    public StripScratch(PackedNetwork network, int rows)
    {
        _queryBlock = 2 * network.Lanes;
        Rows = rows = PackedNetwork.RoundUp(rows, _queryBlock);
        Model.ModelConfiguration m = network.Configuration;
        int panel = 2 * network.Lanes;
        WideStride = PackedNetwork.RoundUp(2 * m.Channels, panel);
        int hidden = PackedNetwork.RoundUp(Math.Max(m.FeedForward, m.SamplesPerToken), panel);
        _wide = new AlignedBuffer((long)rows * WideStride);
        _row = new AlignedBuffer((long)rows * network.Stride);
        _row2 = new AlignedBuffer((long)rows * network.Stride);
        _hidden = new AlignedBuffer((long)rows * hidden);
        _heads = new AlignedBuffer((long)rows * network.Stride);
        _headBlock = new AlignedBuffer(m.HeadDim * panel);
        _panel = new AlignedBuffer((long)rows * panel);
        // AVX2's keys of a block are more, its lanes half: on AVX-512 a block of half the lanes takes no more than a whole one.
        _attention = new AlignedBuffer(Kernels.Attention.ScratchLength(m.HeadDim, network.Lanes));
        _noise = new AlignedBuffer(m.SlotSamples + 4);
    }

    /// <summary>Most tokens of a strip, whole blocks of queries: the weights, which come from L3, are read once a strip, and the strip is
    /// to stay in L2.</summary>
    public int Rows { get; }

    /// <summary>Floats between rows of <see cref="Wide"/>: 2C rounded up to panels.</summary>
    public int WideStride { get; }

    /// <summary>[rows, wide stride] mid and output projections.</summary>
    public float* Wide => _wide.Pointer;

    /// <summary>[rows, stride].</summary>
    public float* Row => _row.Pointer;

    /// <summary>[rows, stride].</summary>
    public float* Row2 => _row2.Pointer;

    /// <summary>[rows, padded outputs] of the feed-forward's first map, then of the decoder's second.</summary>
    public float* Hidden => _hidden.Pointer;

    /// <summary>[rows, stride] attention's output, heads side by side.</summary>
    public float* Heads => _heads.Pointer;

    /// <summary>[head dim, 2W] attention's output of one head and block of queries.</summary>
    public float* HeadBlock => _headBlock.Pointer;

    /// <summary>[rows, 2W] one panel of a map's results.</summary>
    public float* Panel => _panel.Pointer;

    /// <summary>Tokens of each strip of some rows: as few strips as <see cref="Rows"/> allows, as even as whole blocks of queries
    /// allow.</summary>
    public int StripOf(int rows)
    {
        int strips = Math.Max(1, (rows + Rows - 1) / Rows);
        return Math.Max(_queryBlock, PackedNetwork.RoundUp((rows + strips - 1) / strips, _queryBlock));
    }

    /// <summary>Scores and sums of one head.</summary>
    public float* Attention => _attention.Pointer;

    /// <summary>[S] noise of one stream.</summary>
    public Span<float> Noise => _noise.Span;

    public float* NoisePointer => _noise.Pointer;

    public long Bytes => _wide.Bytes + _row.Bytes + _row2.Bytes + _hidden.Bytes + _heads.Bytes + _headBlock.Bytes + _panel.Bytes
        + _attention.Bytes + _noise.Bytes;

    public void Dispose()
    {
        foreach (IDisposable part in (IDisposable[])[_wide, _row, _row2, _hidden, _heads, _headBlock, _panel, _attention, _noise])
            part.Dispose();
    }
}
