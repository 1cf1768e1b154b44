using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Model;

namespace UniCardio.Engine.Backends.Cpu;

/// <summary>A set of rows that one pass computes: the condition rows of a window or the target rows of a draw.</summary>
internal unsafe struct RowSet
{
    /// <summary>Diffusion step.</summary>
    public int T;

    /// <summary>Whether this is a window's condition rows; else a target rows.</summary>
    public bool IsCondition;

    /// <summary>Slots of the rows, tokens in this order.</summary>
    public Slot[] Slots;

    /// <summary>[slots, signal stride] samples of each slot with <see cref="EncoderPatch.Reach"/> zeros on both sides.</summary>
    public float* Signals;

    /// <summary>Floats between slots of <see cref="Signals"/>.</summary>
    public nint SignalStride;

    /// <summary>Keys and values of the window's condition rows, all blocks: written by a condition pass, read by a target pass.</summary>
    public KeyValueCache Condition;

    /// <summary>[S] receives the prediction of a target pass.</summary>
    public float* Prediction;

    /// <summary>Decoder of a target pass.</summary>
    public Modality Output;
}

/// <summary>
/// The network over one set of rows, by one thread or split by rows over several. A thread takes a contiguous range of tokens through
/// everything; it meets the others once a block (all keys must be there before anybody attends) and once for the encoder's plane.
/// </summary>
/// <remarks>
/// Within a block, strips of <see cref="StripScratch.Rows"/> tokens go from attention through the next block's QKV while they are in L2.
/// Which thread computes a row changes none of its bits: every row is the same chain of operations.
/// </remarks>
internal sealed unsafe class RowSetPass<S, V, TProbe>
    where S : struct, ISimd<S, V>
    where V : struct
    where TProbe : struct, IProbe
{
    private readonly PackedNetwork _network;
    private readonly ModelConfiguration _m;
    private readonly CpuProfile? _profile;

    public RowSetPass(PackedNetwork network, CpuProfile? profile)
    {
        _network = network;
        _m = network.Configuration;
        _profile = profile;
    }

    /// <summary>First row of a part: whole blocks of queries, as even as they divide.</summary>
    public static int RowStart(int rows, int part, int parts) => new QueryBlocks(rows, S.Width).PartStart(part, parts);

    /// <summary>Computes this part's rows of a set.</summary>
    public void Run(in RowSet work, RowSetBuffers buffers, StripScratch scratch, int part, int parts, TeamBarrier barrier,
        int profilePart)
    {
        int rows = work.Slots.Length * _m.SlotTokens;
        var blocks = new QueryBlocks(rows, S.Width);
        int start = blocks.PartStart(part, parts), end = blocks.PartStart(part + 1, parts);
        Encode(work, buffers, start, end, parts, barrier, profilePart);
        int strip = scratch.StripOf(end - start);
        for (int row = start, next; row < end; row = next)
        {
            next = Math.Min(end, blocks.StartOf(row + strip));
            Project(work, buffers, scratch, 0, row, next - row, profilePart);
        }

        for (int block = 0; block < _m.Blocks; block++)
        {
            bool isLast = block == _m.Blocks - 1;
            if (work.IsCondition && isLast)
                return;
            Meet(parts, barrier, work.IsCondition, profilePart);
            for (int row = start, next; row < end; row = next)
            {
                next = Math.Min(end, blocks.StartOf(row + strip));
                int count = next - row;
                Attend(work, buffers, scratch, block, row, count, profilePart);
                FeedForward(work, scratch, block, count, profilePart);
                Gate(work, buffers, scratch, block, row, count, profilePart);
                if (!isLast)
                    Project(work, buffers, scratch, block + 1, row, count, profilePart);
                else
                    Decode(work, buffers, scratch, row, count, profilePart);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Now() => TProbe.IsOn ? Stopwatch.GetTimestamp() : 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long Note(CpuKernel kernel, bool isCondition, int part, long since)
    {
        if (!TProbe.IsOn)
            return 0;
        _profile!.Add(kernel, isCondition, part, since);
        return Stopwatch.GetTimestamp();
    }

    private void Meet(int parts, TeamBarrier barrier, bool isCondition, int profilePart)
    {
        if (parts == 1)
            return;
        long since = Now();
        barrier.Wait();
        Note(CpuKernel.Barrier, isCondition, profilePart, since);
    }

    // x = (conv(signal) - mean) scale gamma + beta over each slot's plane.
    private void Encode(in RowSet work, RowSetBuffers buffers, int start, int end, int parts, TeamBarrier barrier, int profilePart)
    {
        int tokens = _m.SlotTokens, stride = _network.Stride, p = _m.SamplesPerToken;
        long since = Now();
        for (int row = start; row < end;)
        {
            int slot = row / tokens, token = row % tokens, count = Math.Min(end - row, tokens - token);
            PackedMatrix map = _network.Encoders[(int)work.Slots[slot]].Patch;
            float* x = buffers.X + ((nint)row * stride);
            MatrixProduct.ByRows<S, V>(work.Signals + (slot * work.SignalStride) + (token * p), p, map, 0, map.Panels, map.Bias, 0, x,
                stride, count);
            LayerNorm.Moments<S, V>(x, stride, count, _m.Channels, _network.VectorChannels, _network.Zeros.Pointer, _network.Mask.Pointer,
                buffers.Moments + (2 * row));
            row += count;
        }

        Note(CpuKernel.Encoder, work.IsCondition, profilePart, since);
        Meet(parts, barrier, work.IsCondition, profilePart);
        since = Now();
        for (int row = start; row < end;)
        {
            int slot = row / tokens, token = row % tokens, count = Math.Min(end - row, tokens - token);
            PackedEncoder encoder = _network.Encoders[(int)work.Slots[slot]];
            (float mean, float scale) = LayerNorm.Combine(buffers.Moments + (2 * slot * tokens), tokens, _m.Channels);
            PlaneRows.Run<S, V>(buffers.X + ((nint)row * stride), encoder.Gamma.Pointer + ((nint)token * stride),
                encoder.Beta.Pointer + ((nint)token * stride), (nint)count * stride, mean, scale);
            row += count;
        }

        Note(CpuKernel.PlaneNorm, work.IsCondition, profilePart, since);
    }

    // Q, K, V of a strip for a block; the last block of a condition rows needs no queries.
    private void Project(in RowSet work, RowSetBuffers buffers, StripScratch scratch, int block, int row, int count, int profilePart)
    {
        int c = _m.Channels, stride = _network.Stride;
        bool keysOnly = work.IsCondition && block == _m.Blocks - 1;
        PackedMatrix map = _network.Blocks[block].AttentionIn;
        KeyValueCache cache = work.IsCondition ? work.Condition : buffers.KeyValues;
        int set = work.IsCondition ? block : block % RowSetBuffers.KeyValueSets;
        nint offset = (nint)row * _m.HeadDim;
        var end = new QkvEnd
        {
            Queries = keysOnly ? null : buffers.Queries + ((nint)row * c),
            HalfBlock = Blocks(work).Half - row,
            Keys = cache.Keys(set) + offset,
            Values = cache.Values(set) + offset,
            HeadStride = cache.HeadStride,
            Channels = c,
            HeadDim = _m.HeadDim,
        };
        long since = Now();
        int first = keysOnly ? c / map.PanelWidth : 0;
        float* bias = _network.Steps.AttentionIn(work.T, block);
        MatrixProduct.ByPanels<S, V, QkvEnd>(buffers.X + ((nint)row * stride), stride, map, first, map.Panels, bias, scratch.Panel,
            count, end);
        Note(CpuKernel.AttentionIn, work.IsCondition, profilePart, since);
    }

    // Row <- LN1(x + d + attention W): heads outside, so that one head's keys and values stay in L2 for the whole strip.
    private void Attend(in RowSet work, RowSetBuffers buffers, StripScratch scratch, int block, int row, int count, int profilePart)
    {
        int c = _m.Channels, headDim = _m.HeadDim, stride = _network.Stride, width;
        QueryBlocks blocks = Blocks(work);
        KeyValueCache own = buffers.KeyValues;
        int set = block % RowSetBuffers.KeyValueSets;
        int queryBlocks = 0, repeated = 0;
        long since = Now();
        for (int head = 0; head < _m.Heads; head++)
        {
            nint conditionHead = head * work.Condition.HeadStride, ownHead = head * own.HeadStride;
            var first = new KeySegment { Keys = work.Condition.Keys(block) + conditionHead,
                Values = work.Condition.Values(block) + conditionHead, Count = work.Condition.Tokens };
            KeySegment second = work.IsCondition ? default
                : new KeySegment { Keys = own.Keys(set) + ownHead, Values = own.Values(set) + ownHead, Count = own.Tokens };
            for (int q = 0; q < count; q += width)
            {
                width = blocks.WidthAt(row + q);
                float* queries = buffers.Queries + ((nint)(row + q) * c) + ((nint)head * headDim * width);
                repeated += AttendBlock(queries, width, first, second, scratch);
                HeadScatter.Rows<S, V>(scratch.HeadBlock, width, scratch.Heads + (q * stride) + (head * headDim), stride,
                    Math.Min(width, count - q), headDim);
                queryBlocks++;
            }
        }

        since = Note(CpuKernel.Attention, work.IsCondition, profilePart, since);
        if (TProbe.IsOn)
            _profile!.AddSoftmax(profilePart, queryBlocks, repeated);
        BlockWeights<PackedMatrix> weights = _network.Blocks[block];
        PackedMatrix map = weights.AttentionOut;
        MatrixProduct.ByRows<S, V>(scratch.Heads, stride, map, 0, map.Panels, buffers.X + ((nint)row * stride), stride, scratch.Row,
            stride, count);
        since = Note(CpuKernel.AttentionOut, work.IsCondition, profilePart, since);
        LayerNorm.Rows<S, V>(scratch.Row, stride, count, c, _network.VectorChannels, _network.Steps.AttentionOut(work.T, block),
            _network.Mask.Pointer, weights.Norm1.Panel(0), weights.Norm1.Bias);
        Note(CpuKernel.Norm1, work.IsCondition, profilePart, since);
    }

    private QueryBlocks Blocks(in RowSet work) => new(work.Slots.Length * _m.SlotTokens, S.Width);

    // A block of half the lanes is AVX2's whole block.
    private int AttendBlock(float* queries, int width, in KeySegment first, in KeySegment second, StripScratch scratch) =>
        width == 2 * S.Width
            ? Attention.Run<S, V>(queries, _m.HeadDim, first, second, scratch.Attention, scratch.HeadBlock)
            : Attention.Run<Avx2Simd, Vector256<float>>(queries, _m.HeadDim, first, second, scratch.Attention, scratch.HeadBlock);

    // Row2 <- (Row + W2 gelu(W1 Row)) normalised; LN2's affine part is folded into the mid projection.
    private void FeedForward(in RowSet work, StripScratch scratch, int block, int count, int profilePart)
    {
        BlockWeights<PackedMatrix> weights = _network.Blocks[block];
        int stride = _network.Stride, hidden = weights.FeedForwardIn.PaddedOutputs;
        long since = Now();
        MatrixProduct.ByRows<S, V>(scratch.Row, stride, weights.FeedForwardIn, 0, weights.FeedForwardIn.Panels, weights.FeedForwardIn.Bias,
            0, scratch.Hidden, hidden, count);
        since = Note(CpuKernel.FeedForwardIn, work.IsCondition, profilePart, since);
        GeluRows.Run<S, V>(scratch.Hidden, (nint)count * hidden);
        since = Note(CpuKernel.Gelu, work.IsCondition, profilePart, since);
        MatrixProduct.ByRows<S, V>(scratch.Hidden, hidden, weights.FeedForwardOut, 0, weights.FeedForwardOut.Panels, scratch.Row, stride,
            scratch.Row2, stride, count);
        since = Note(CpuKernel.FeedForwardOut, work.IsCondition, profilePart, since);
        LayerNorm.Rows<S, V>(scratch.Row2, stride, count, _m.Channels, _network.VectorChannels, weights.FeedForwardOut.Bias,
            _network.Mask.Pointer, null, null);
        Note(CpuKernel.Norm2, work.IsCondition, profilePart, since);
    }

    // [residual, skip] of the gated mid projection. Condition rows need no skip half.
    private void Gate(in RowSet work, RowSetBuffers buffers, StripScratch scratch, int block, int row, int count, int profilePart)
    {
        BlockWeights<PackedMatrix> weights = _network.Blocks[block];
        int c = _m.Channels, stride = _network.Stride, wide = scratch.WideStride, tokens = _m.SlotTokens;
        long since = Now();
        for (int done = 0; done < count;)
        {
            int slot = (row + done) / tokens, token = (row + done) % tokens, part = Math.Min(count - done, tokens - token);
            float* constant = _network.Slots.Rows(work.Slots[slot], block) + ((nint)token * _network.Slots.PanelWidth);
            MatrixProduct.ByRows<S, V>(scratch.Row2 + ((nint)done * stride), stride, weights.MidProjection, 0, weights.MidProjection.Panels,
                constant, _network.Slots.PanelWidth, scratch.Wide + ((nint)done * wide), wide, part, _network.Slots.PanelStride);
            done += part;
        }

        since = Note(CpuKernel.Mid, work.IsCondition, profilePart, since);
        GateRows.Run<S, V>(scratch.Wide, wide, scratch.Row, stride, count, c);
        since = Note(CpuKernel.Gate, work.IsCondition, profilePart, since);
        PackedMatrix output = weights.OutputProjection;
        int panels = work.IsCondition ? (c + output.PanelWidth - 1) / output.PanelWidth : output.Panels;
        MatrixProduct.ByRows<S, V>(scratch.Row, stride, output, 0, panels, output.Bias, 0, scratch.Wide, wide, count);
        since = Note(CpuKernel.Output, work.IsCondition, profilePart, since);
        ResidualRows.Run<S, V>(scratch.Wide, wide, buffers.X + ((nint)row * stride), work.IsCondition ? null
            : buffers.Skip + ((nint)row * stride), stride, count, c, block == 0);
        Note(CpuKernel.Residual, work.IsCondition, profilePart, since);
    }

    private void Decode(in RowSet work, RowSetBuffers buffers, StripScratch scratch, int row, int count, int profilePart)
    {
        DecoderWeights<PackedMatrix> decoder = _network.Decoders[(int)work.Output];
        int stride = _network.Stride, p = _m.SamplesPerToken, samples = decoder.Output.PaddedOutputs;
        long since = Now();
        MatrixProduct.ByRows<S, V>(buffers.Skip + ((nint)row * stride), stride, decoder.Hidden, 0, decoder.Hidden.Panels,
            decoder.Hidden.Bias, 0, scratch.Row, stride, count);
        ReluRows.Run<S, V>(scratch.Row, (nint)count * stride);
        since = Note(CpuKernel.DecoderHidden, work.IsCondition, profilePart, since);
        MatrixProduct.ByRows<S, V>(scratch.Row, stride, decoder.Output, 0, decoder.Output.Panels, decoder.Output.Bias, 0, scratch.Hidden,
            samples, count);
        float* prediction = work.Prediction + ((nint)row * p);
        for (int token = 0; token < count; token++)
        {
            for (int i = 0; i < p; i++)
                *prediction++ = scratch.Hidden[((nint)token * samples) + i];
        }

        Note(CpuKernel.DecoderOutput, work.IsCondition, profilePart, since);
    }
}
