using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Gpu.Devices;
using UniCardio.Gpu.Kernels;

namespace UniCardio.Gpu.Backend;

/// <summary>The launches of one network evaluation, in order, on one stream.</summary>
/// <remarks>
/// Fused: encoder 2, first QKV 1, attention and tail of each block 2, decoder 1: 4 + 2 blocks. Condition rows ride in the same
/// launches as target rows when they have to be computed, and in the last block they are left out.
/// </remarks>
internal sealed class NetworkPass
{
    private const int EncoderRows = 4;

    private readonly GpuDevice _device;
    private readonly DeviceNetwork _network;
    private readonly DeviceBuffers _buffers;
    private readonly InferencePlan _plan;
    private readonly GpuOptions _options;
    private readonly AcceleratorStream _stream;
    private readonly bool _fewRows;
    private readonly int _conditionSlots, _slots, _conditionRows, _rows;

    public NetworkPass(GpuDevice device, DeviceNetwork network, DeviceBuffers buffers, InferencePlan plan, GpuOptions options)
    {
        _device = device;
        _network = network;
        _buffers = buffers;
        _plan = plan;
        _options = options;
        _stream = device.Stream;
        _fewRows = TakesFewRows(device, network, plan, options);
        _conditionSlots = plan.Windows * plan.Conditions.Count;
        _slots = _conditionSlots + plan.BatchDraws;
        _conditionRows = _conditionSlots * plan.TargetTokens;
        _rows = _slots * plan.TargetTokens;
        int[] encoders = new int[_slots], gates = new int[_slots];
        for (int i = 0; i < _slots; i++)
        {
            encoders[i] = i < _conditionSlots ? (int)plan.Conditions[i % plan.Conditions.Count] : (int)plan.Target;
            gates[i] = network.GateSlot(encoders[i]);
        }

        ((ArrayView<int>)buffers.EncoderSlots.View).CopyFromCPU(_stream, encoders);
        ((ArrayView<int>)buffers.GateSlots.View).CopyFromCPU(_stream, gates);
    }

    private DeviceLayout Layout => _network.Layout;

    /// <summary>Bits of a weight of a block's large maps.</summary>
    public int WeightBits => _fewRows || Layout.Weights == WeightKind.Single ? 32 : 16;

    /// <summary>Takes the time of every launch; null, and nothing is recorded, but while somebody measures.</summary>
    public LaunchClock? Clock { get; set; }

    /// <summary>Everything but the decoder: leaves the sum of skips.</summary>
    /// <param name="steps">Biases of this t.</param>
    /// <param name="withConditions">Whether the condition rows have to be computed.</param>
    public void Run(ArrayView<Float4> steps, bool withConditions)
    {
        int blocks = _plan.Configuration.Blocks;
        Encode(withConditions ? 0 : _conditionSlots);
        StripShape shape = Shape(withConditions ? 0 : _conditionRows);
        if (_fewRows)
        {
            RunFewRows(shape, steps, blocks);
            return;
        }

        if (_options.Precision != GpuPrecision.Single)
        {
            RunOnTensors(shape, steps, blocks);
            return;
        }

        for (int i = 0; i < blocks; i++)
        {
            if (i == 0 || !_options.FuseBlocks)
            {
                Clock?.Mark(nameof(QkvKernel<Strip8>));
                KernelConfig strips = Strips(shape);
                _device.Kernels.Qkv(shape, strips.GroupDim.Y)(_stream, strips, shape, Layout.Block, _network.Block(i),
                    steps.SubView((long)i * Layout.StepQuads), _buffers.X.View, _buffers.Qkv.View, i);
            }

            // In the last block nothing but the conditions' keys and values is read.
            if (i + 1 == blocks)
                shape = Shape(_conditionRows);
            Attend(shape.FirstRow / _plan.TargetTokens, i);
            if (_options.FuseBlocks)
                Tail(shape, steps, i);
            else
                TailInParts(shape, steps, i);
        }
    }

    /// <summary>The decoder, and the sampler's row if there is one.</summary>
    public void Decode(StepValues step)
    {
        StripShape shape = Shape(0);
        shape.EndRow = _rows - _conditionRows;
        shape.ConditionRows = 0;
        step.SamplesPerToken = _plan.Configuration.SamplesPerToken;
        if (_options.Precision != GpuPrecision.Single && _network.HasTensorDecoder)
        {
            Clock?.Mark(nameof(TensorDecoderKernel));
            _device.Kernels.TensorDecoder(
                _stream,
                new KernelConfig(new Index3D((shape.EndRow + TensorDecoderKernel.Rows - 1) / TensorDecoderKernel.Rows, 1, 1),
                    new Index3D(TensorDecoderKernel.Threads, 1, 1)),
                shape,
                step,
                _network.TensorDecoder((int)_plan.Task.Output),
                _buffers.Skip.NativePtr,
                _buffers.NoiseKeys.View,
                _buffers.Noise.View,
                _buffers.Prediction.View,
                _buffers.State.View,
                _buffers.Clean[0].View,
                _buffers.Clean[1].View,
                _buffers.Clean[2].View);
            Clock?.Mark("");
            return;
        }

        Clock?.Mark(nameof(DecoderStepKernel<Strip8>));
        KernelConfig strips = Strips(shape);
        _device.Kernels.DecoderStep(shape, strips.GroupDim.Y)(
            _stream,
            strips,
            shape,
            step,
            _network.Decoder((int)_plan.Task.Output),
            _buffers.Skip.View,
            _buffers.NoiseKeys.View,
            _buffers.Noise.View,
            _buffers.Prediction.View,
            _buffers.State.View,
            _buffers.Clean[0].View,
            _buffers.Clean[1].View,
            _buffers.Clean[2].View);
        Clock?.Mark("");
    }

    /// <summary>The encoder of the slots from <paramref name="firstSlot"/> on.</summary>
    internal void Encode(int firstSlot)
    {
        ModelConfiguration m = _plan.Configuration;
        var shape = new EncoderShape
        {
            FirstSlot = firstSlot,
            ConditionSlots = _conditionSlots,
            SlotTokens = m.SlotTokens,
            SamplesPerToken = m.SamplesPerToken,
            Channels = m.Channels,
            Quads = Layout.Quads,
            Chunks = Layout.Chunks,
        };
        // Where there are more quads than threads, a thread takes several.
        int most = Math.Min(Convolution.MaxThreads, _device.Accelerator.MaxNumThreadsPerGroup), columns = Math.Min(GroupColumns, most);
        int rows = Math.Min(EncoderRows, most / columns);
        var config = new KernelConfig(new Index3D((_slots - firstSlot) * Layout.Chunks, 1, 1), new Index3D(columns, rows, 1));
        Clock?.Mark(nameof(EncoderStatisticsKernel));
        _device.Kernels.EncoderStatistics(_stream, config, shape, Layout.ChunkTokens, _buffers.Conditions.View, _buffers.State.View,
            _buffers.EncoderSlots.View, _network.Convolutions, _buffers.Statistics.View);
        Clock?.Mark(nameof(EncoderKernel));
        _device.Kernels.Encoder(
            _stream, config, shape, Layout.ChunkTokens, _buffers.Conditions.View, _buffers.State.View, _buffers.EncoderSlots.View,
            _network.Convolutions, _network.Affine, _buffers.Statistics.View, _buffers.X.View);
    }

    // Five launches a block besides attention; LayerNorms need whole rows, so they go with the small feed-forward layer.
    private void RunOnTensors(StripShape shape, ArrayView<Float4> steps, int blocks)
    {
        int c = 4 * Layout.Quads;
        for (int i = 0; i < blocks; i++)
        {
            ArrayView<Float4> biases = steps.SubView((long)i * Layout.StepQuads, Layout.StepQuads), weights = _network.Block(i);
            Clock?.Mark(nameof(TensorQkvKernel));
            _device.Kernels.TensorQkv(_stream, Tiles(shape, 12 * Layout.HeadQuads), shape, _buffers.X.NativePtr,
                _network.TensorMatrix(i, Layout.Tensor.AttentionIn), biases, _buffers.Qkv.View, i);
            if (i + 1 == blocks)
                shape = Shape(_conditionRows);
            Attend(shape.FirstRow / _plan.TargetTokens, i);
            ArrayView<Float4> bias = biases.SubView(3 * Layout.HeadQuads, Layout.Quads);
            Clock?.Mark(nameof(TensorAttentionOutKernel));
            _device.Kernels.TensorAttentionOut(
                _stream, Tiles(shape, c), shape, _buffers.Attention.NativePtr, _network.TensorMatrix(i, Layout.Tensor.AttentionOut), bias,
                _buffers.X.View, _buffers.Y.View);
            NormFeedForward(shape, i);
            // What attention left is not needed any more: its buffer, at least as wide, takes the gates.
            Clock?.Mark(nameof(TensorGateKernel));
            _device.Kernels.TensorGate(
                _stream, Tiles(shape, 2 * c), shape, i, _buffers.Y.NativePtr, _network.TensorMatrix(i, Layout.Tensor.MidProjection),
                _network.Gate, _buffers.GateSlots.View, _buffers.Attention.View);
            KernelConfig output = Tiles(shape, c);
            output = new KernelConfig(new Index3D(output.GridDim.X, 2 * output.GridDim.Y, 1), output.GroupDim);
            Clock?.Mark(nameof(TensorOutputKernel));
            _device.Kernels.TensorOutput(
                _stream,
                output,
                shape,
                _buffers.Attention.NativePtr,
                _network.TensorMatrix(i, Layout.Tensor.OutputProjection),
                weights.SubView(Layout.Block.OutputProjectionBias, 2 * Layout.Quads),
                _buffers.X.View,
                _buffers.Skip.View,
                i == 0 ? 1 : 0);
        }
    }

    /// <summary>Whether a plan's rows take <see cref="TensorRows"/>: where all groups of a launch are on the device at once, one to a
    /// multiprocessor. Each reads a block's weights for 8 rows, so that with more of them the tiles of 64 rows win.</summary>
    internal static bool TakesFewRows(GpuDevice device, DeviceNetwork network, InferencePlan plan, GpuOptions options)
    {
        int rows = ((plan.Windows * plan.Conditions.Count) + plan.BatchDraws) * plan.TargetTokens;
        return options is { FewRows: true, Precision: GpuPrecision.ThreeTf32 } && network.HasRows
            && (TensorRows.Parts + 1) * ((rows + TensorRows.Rows - 1) / TensorRows.Rows) <= device.Accelerator.NumMultiprocessors;
    }

    // Two launches a block besides attention. x has two buffers in turn.
    private void RunFewRows(StripShape shape, ArrayView<Float4> steps, int blocks)
    {
        ArrayView<Float4> x = _buffers.X.View, next = _buffers.Y.View;
        OutputRows(shape, steps, -1, x, next);
        for (int i = 0; i < blocks; i++)
        {
            if (i + 1 == blocks)
                shape = Shape(_conditionRows);
            Attend(shape.FirstRow / _plan.TargetTokens, i);
            Clock?.Mark(nameof(TensorGateRowsKernel));
            _device.Kernels.TensorGateRows(
                _stream,
                FewRows(shape, TensorRows.Parts),
                shape,
                Layout.Rows,
                i,
                _network.Rows(i).NativePtr,
                _network.RowVectors(i),
                steps.SubView(((long)i * Layout.StepQuads) + (3 * Layout.HeadQuads), Layout.Quads),
                _network.Gate,
                _buffers.GateSlots.View,
                _buffers.Attention.View,
                x,
                _buffers.Gated.View);
            OutputRows(shape, steps, i, x, next);
            (x, next) = (next, x);
        }
    }

    // The end of a block and the beginning of the next: of the last the skip alone, before the first queries, keys and values alone.
    private void OutputRows(StripShape shape, ArrayView<Float4> steps, int block, ArrayView<Float4> x, ArrayView<Float4> next)
    {
        int following = Math.Min(block + 1, _plan.Configuration.Blocks - 1);
        bool isLast = block == following;
        Clock?.Mark(nameof(TensorOutputRowsKernel));
        _device.Kernels.TensorOutputRows(
            _stream,
            FewRows(shape, isLast ? 1 : block < 0 ? TensorRows.Parts : TensorRows.Parts + 1),
            shape,
            Layout.Rows,
            block,
            isLast ? TensorRows.Parts : 0,
            _network.Rows(Math.Max(block, 0)).NativePtr,
            _network.Rows(following).NativePtr,
            _network.RowVectors(Math.Max(block, 0)),
            steps.SubView((long)following * Layout.StepQuads, 3 * Layout.HeadQuads),
            _buffers.Gated.View,
            x,
            next,
            _buffers.Skip.View,
            _buffers.Qkv.View);
    }

    /// <summary>Groups of a launch of <see cref="TensorRows"/>.</summary>
    internal static KernelConfig FewRows(StripShape shape, int parts) =>
        new(new Index3D((shape.EndRow - shape.FirstRow + TensorRows.Rows - 1) / TensorRows.Rows, parts, 1),
            new Index3D(TensorRows.Threads, 1, 1));

    private void NormFeedForward(StripShape shape, int block)
    {
        if (!Layout.HasTensorFeedForward)
        {
            Clock?.Mark(nameof(NormFeedForwardKernel));
            _device.Kernels.NormFeedForward(_stream, Strips(shape), shape, Layout.Block, _network.Block(block), _buffers.Y.View);
            return;
        }

        const int Rows = TensorFeedForwardKernel.Rows;
        Clock?.Mark(nameof(TensorFeedForwardKernel));
        _device.Kernels.TensorFeedForward(
            _stream,
            new KernelConfig(new Index3D((shape.EndRow - shape.FirstRow + Rows - 1) / Rows, 1, 1),
                new Index3D(TensorFeedForwardKernel.Threads, 1, 1)),
            shape,
            _network.TensorMatrix(block, Layout.Tensor.Vectors),
            _network.TensorMatrix(block, Layout.Tensor.FeedForwardIn),
            _network.TensorMatrix(block, Layout.Tensor.FeedForwardOut),
            _buffers.Y.NativePtr);
    }

    /// <summary>Groups of a launch in tiles of 64 x 64.</summary>
    internal static KernelConfig Tiles(StripShape shape, int columns)
    {
        int rows = (shape.EndRow - shape.FirstRow + TensorTile.Size - 1) / TensorTile.Size;
        return new KernelConfig(new Index3D(rows, (columns + TensorTile.Size - 1) / TensorTile.Size, 1),
            new Index3D(TensorTile.Threads, 1, 1));
    }

    private void Attend(int firstSlot, int block)
    {
        var shape = new AttentionShape
        {
            FirstSlot = firstSlot,
            ConditionSlots = _conditionSlots,
            Conditions = _plan.Conditions.Count,
            Draws = _plan.Draws,
            Block = block,
            Blocks = _plan.Configuration.Blocks,
            SlotTokens = _plan.TargetTokens,
            HeadQuads = Layout.HeadQuads,
            HeadDimQuads = Layout.HeadDimQuads,
            Window = _options.Attention.Window ?? -1,
            GlobalTokens = _options.Attention.GlobalTokens,
        };
        if (_options.Precision != GpuPrecision.Single && Layout.HeadDimQuads <= TensorAttentionKernel.MaxHeadQuads && shape.Window < 0)
        {
            int queries = (_plan.TargetTokens + TensorAttentionKernel.Tile - 1) / TensorAttentionKernel.Tile;
            var groups = new KernelConfig(new Index3D((_slots - firstSlot) * queries, _plan.Configuration.Heads, 1),
                new Index3D(TensorAttentionKernel.Threads, 1, 1));
            Clock?.Mark(nameof(TensorAttentionKernel));
            _device.Kernels.TensorAttention(_stream, groups, shape, _buffers.Qkv.NativePtr, _buffers.Attention.NativePtr);
            return;
        }

        const int Tile = AttentionKernel<HeadWidth16>.TileTokens, Threads = AttentionKernel<HeadWidth16>.Threads;
        int tiles = (_plan.TargetTokens + Tile - 1) / Tile;
        var config =
            new KernelConfig(new Index3D((_slots - firstSlot) * tiles, _plan.Configuration.Heads, 1), new Index3D(Threads, Threads, 1));
        Clock?.Mark("AttentionKernel");
        _device.Kernels.Attention(Layout.HeadDimQuads)(_stream, config, shape, _buffers.Qkv.View,
            ((ArrayView<Float4>)_buffers.Attention.View).Cast<float>());
    }

    private void Tail(StripShape shape, ArrayView<Float4> steps, int block)
    {
        Clock?.Mark(nameof(BlockTailKernel<Strip8>));
        KernelConfig strips = Strips(shape);
        _device.Kernels.BlockTail(shape, strips.GroupDim.Y)(
            _stream,
            strips,
            shape,
            Layout.Block,
            _network.Block(block),
            block,
            _network.Block(Math.Min(block + 1, _plan.Configuration.Blocks - 1)),
            steps,
            _network.Gate,
            _buffers.GateSlots.View,
            _buffers.Attention.View,
            _buffers.X.View,
            _buffers.Skip.View,
            _buffers.Qkv.View);
    }

    private void TailInParts(StripShape shape, ArrayView<Float4> steps, int block)
    {
        ArrayView<Float4> weights = _network.Block(block), bias = steps.SubView(((long)block * Layout.StepQuads) + (3 * Layout.HeadQuads));
        KernelConfig config = Strips(shape);
        Clock?.Mark(nameof(AttentionOutKernel));
        _device.Kernels.AttentionOut(_stream, config, shape, Layout.Block, weights, bias, _buffers.Attention.View, _buffers.X.View,
            _buffers.Y.View);
        Clock?.Mark(nameof(FeedForwardKernel));
        _device.Kernels.FeedForward(_stream, config, shape, Layout.Block, weights, _buffers.Y.View);
        Clock?.Mark(nameof(GateKernel));
        _device.Kernels.Gate(_stream, config, shape, Layout.Block, weights, block, _network.Gate, _buffers.GateSlots.View, _buffers.Y.View,
            _buffers.X.View, _buffers.Skip.View);
    }

    /// <summary>The rows from <paramref name="firstRow"/> on.</summary>
    internal StripShape Shape(int firstRow) => new()
    {
        FirstRow = firstRow,
        EndRow = _rows,
        ConditionRows = _conditionRows,
        SlotTokens = _plan.TargetTokens,
        Channels = _plan.Configuration.Channels,
        Quads = Layout.Quads,
        HeadQuads = Layout.HeadQuads,
        FeedForwardQuads = Layout.FeedForwardQuads,
        StripQuads = Layout.StripQuads,
        Blocks = _plan.Configuration.Blocks,
        Products = ProductsOf(_options.Precision),
        Weights = (int)Layout.Weights,
        QueryScale = Layout.Weights == WeightKind.Single ? 1 : (float)FoldedNetwork.QueryScale(_plan.Configuration),
    };

    /// <summary><see cref="StripShape.Products"/> of a precision.</summary>
    internal static int ProductsOf(GpuPrecision precision) =>
        precision switch { GpuPrecision.OneTf32 => 1, GpuPrecision.BFloat16 => 0, GpuPrecision.SingleTiles => -1, _ => 3 };

    // LayerNorm's sums need 4 threads a row group.
    private int GroupColumns => Math.Max(4, Layout.Quads);

    /// <summary>Strips of a launch.</summary>
    internal KernelConfig Strips(StripShape shape)
    {
        Accelerator accelerator = _device.Accelerator;
        int max = Math.Min(Layout.MaxGroupRows, Math.Min(Strip.MaxThreads, accelerator.MaxNumThreadsPerGroup) / GroupColumns),
            count = shape.EndRow - shape.FirstRow;
        int rows = _options.GroupRows > 0 ? Math.Min(_options.GroupRows, max)
            : StripChoice.Rows(count, max, GroupColumns, accelerator.NumMultiprocessors);
        int strips = (count + (rows * Strip.RowsPerThread) - 1) / (rows * Strip.RowsPerThread);
        return new KernelConfig(new Index3D(strips, 1, 1), new Index3D(GroupColumns, rows, 1));
    }
}
