using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using UniCardio.Engine.Backends;
using UniCardio.Gpu.Backend;
using UniCardio.Gpu.Kernels;

namespace UniCardio.Gpu.Devices;

/// <summary>The kernels of one device; each is compiled once, when the first backend that needs it is made, and kept.</summary>
internal sealed class CompiledKernels
{
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, EncoderShape, int, ArrayView<float>, ArrayView<float>, ArrayView<int>,
        ArrayView<Float4>, ArrayView<Float4>>> _encoderStatistics;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, EncoderShape, int, ArrayView<float>, ArrayView<float>, ArrayView<int>,
        ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>> _encoder;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<Float4>, int>>[] _qkv;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>> _attentionOut;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>,
        ArrayView<Float4>>> _feedForward;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>,
        ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>> _gate;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<Float4>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>>>[] _blockTail;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, StepValues, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>,
        ArrayView<float>>>[] _decoderStep;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StepValues, int, ArrayView<int>, ArrayView<float>>> _noise;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, AttentionShape, ArrayView<Float4>, ArrayView<float>>>[] _attention;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, AttentionShape, long, long>> _tensorAttention;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, long, long, ArrayView<Float4>, ArrayView<Float4>,
        int>> _tensorQkv;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, long, long, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>>> _tensorAttentionOut;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>,
        ArrayView<Float4>>> _normFeedForward;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, long, long, long, long>> _tensorFeedForward;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, int, long, long, ArrayView<Float4>, ArrayView<int>,
        ArrayView<Float4>>> _tensorGate;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, long, long, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>, int>> _tensorOutput;

    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, RowsShape, int, long, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>> _tensorGateRows;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, RowsShape, int, int, long, long, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>>> _tensorOutputRows;

    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, StepValues, long, long, ArrayView<int>, ArrayView<float>,
        ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>>> _tensorDecoder;

    private readonly Lazy<Action<AcceleratorStream, KernelConfig, ProductShape, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<float>, ArrayView<float>>> _rowProduct;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, ProductShape, long, long, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>>> _tensorRowProduct;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, NormShape, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>> _rowNorm;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, int, int, int, int, ArrayView<Float4>, ArrayView<Float4>>> _rowMean;

    private readonly GpuDevice _device;

    private const int AttentionThreads = AttentionKernel<HeadWidth16>.Threads * AttentionKernel<HeadWidth16>.Threads;

    public CompiledKernels(GpuDevice device)
    {
        _device = device;
        const int Norms = Strip.MaxThreads, Tiles = TensorTile.Threads;
        Load(out _encoderStatistics, nameof(EncoderStatisticsKernel), EncoderStatisticsKernel.EncoderStatistics, Convolution.MaxThreads);
        Load(out _encoder, nameof(EncoderKernel), EncoderKernel.Encoder, Convolution.MaxThreads);
        Load(out _qkv, nameof(QkvKernel<Strip8>), QkvKernel<Strip8>.Qkv, QkvKernel<Strip32>.Qkv, Norms);
        Load(out _attentionOut, nameof(AttentionOutKernel), AttentionOutKernel.AttentionOut, Norms);
        Load(out _feedForward, nameof(FeedForwardKernel), FeedForwardKernel.FeedForward, Norms);
        Load(out _gate, nameof(GateKernel), GateKernel.Gate, Norms);
        Load(out _blockTail, nameof(BlockTailKernel<Strip8>), BlockTailKernel<Strip8>.BlockTail, BlockTailKernel<Strip32>.BlockTail, Norms);
        Load(out _decoderStep, nameof(DecoderStepKernel<Strip8>), DecoderStepKernel<Strip8>.DecoderStep,
            DecoderStepKernel<Strip32>.DecoderStep, Norms);
        Load(out _noise, nameof(NoiseKernel), NoiseKernel.Noise, NoiseKernel.Threads);
        Load(out _tensorAttention, nameof(TensorAttentionKernel), TensorAttentionKernel.TensorAttention, TensorAttentionKernel.Threads);
        Load(out _tensorQkv, nameof(TensorQkvKernel), TensorQkvKernel.TensorQkv, Tiles);
        Load(out _tensorAttentionOut, nameof(TensorAttentionOutKernel), TensorAttentionOutKernel.TensorAttentionOut, Tiles);
        Load(out _normFeedForward, nameof(NormFeedForwardKernel), NormFeedForwardKernel.NormFeedForward, Norms);
        Load(out _tensorFeedForward, nameof(TensorFeedForwardKernel), TensorFeedForwardKernel.TensorFeedForward,
            TensorFeedForwardKernel.Threads);
        Load(out _tensorGate, nameof(TensorGateKernel), TensorGateKernel.TensorGate, Tiles);
        Load(out _tensorOutput, nameof(TensorOutputKernel), TensorOutputKernel.TensorOutput, Tiles);
        Load(out _tensorGateRows, nameof(TensorGateRowsKernel), TensorGateRowsKernel.TensorGateRows, TensorRows.Threads);
        Load(out _tensorOutputRows, nameof(TensorOutputRowsKernel), TensorOutputRowsKernel.TensorOutputRows, TensorRows.Threads);
        Load(out _tensorDecoder, nameof(TensorDecoderKernel), TensorDecoderKernel.TensorDecoder, TensorDecoderKernel.Threads);
        Load(out _rowProduct, nameof(RowProductKernel), RowProductKernel.RowProduct, RowProductKernel.Threads * RowProductKernel.Threads);
        Load(out _tensorRowProduct, nameof(TensorRowProductKernel), TensorRowProductKernel.TensorRowProduct, Tiles);
        Load(out _rowNorm, nameof(RowNormKernel), RowNormKernel.RowNorm, RowNormKernel.WindowThreads);
        Load(out _rowMean, nameof(RowMeanKernel), RowMeanKernel.RowMean, RowMeanKernel.Threads);
        const string Heads = "AttentionKernel-";
        _attention = new Lazy<Action<AcceleratorStream, KernelConfig, AttentionShape, ArrayView<Float4>, ArrayView<float>>>[5];
        Load(out _attention[0], Heads + nameof(HeadWidth16), AttentionKernel<HeadWidth16>.Attention, AttentionThreads);
        Load(out _attention[1], Heads + nameof(HeadWidth32), AttentionKernel<HeadWidth32>.Attention, AttentionThreads);
        Load(out _attention[2], Heads + nameof(HeadWidth40), AttentionKernel<HeadWidth40>.Attention, AttentionThreads);
        Load(out _attention[3], Heads + nameof(HeadWidth64), AttentionKernel<HeadWidth64>.Attention, AttentionThreads);
        Load(out _attention[4], Heads + nameof(HeadWidth128), AttentionKernel<HeadWidth128>.Attention, AttentionThreads);
    }

    public Action<AcceleratorStream, KernelConfig, EncoderShape, int, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<Float4>,
        ArrayView<Float4>> EncoderStatistics => _encoderStatistics.Value;

    public Action<AcceleratorStream, KernelConfig, EncoderShape, int, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>> Encoder => _encoder.Value;

    /// <summary>The kernel for strips of so many rows.</summary>
    public Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>, int> Qkv(StripShape shape, int groupRows) => _qkv[Size(shape, groupRows)].Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<Float4>> AttentionOut => _attentionOut.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>> FeedForward =>
        _feedForward.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>, ArrayView<int>,
        ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>> Gate => _gate.Value;

    /// <summary>The kernel for strips of so many rows.</summary>
    public Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>> BlockTail(
            StripShape shape, int groupRows) => _blockTail[Size(shape, groupRows)].Value;

    /// <summary>The kernel for strips of so many rows.</summary>
    public Action<AcceleratorStream, KernelConfig, StripShape, StepValues, ArrayView<Float4>, ArrayView<Float4>, ArrayView<int>,
        ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>> DecoderStep(
            StripShape shape, int groupRows) => _decoderStep[Size(shape, groupRows)].Value;

    public Action<AcceleratorStream, KernelConfig, AttentionShape, long, long> TensorAttention => _tensorAttention.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, long, long, ArrayView<Float4>, ArrayView<Float4>, int> TensorQkv =>
        _tensorQkv.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, long, long, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>> TensorAttentionOut => _tensorAttentionOut.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>> NormFeedForward =>
        _normFeedForward.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, long, long, long, long> TensorFeedForward => _tensorFeedForward.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, int, long, long, ArrayView<Float4>, ArrayView<int>,
        ArrayView<Float4>> TensorGate => _tensorGate.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, long, long, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>,
        int> TensorOutput => _tensorOutput.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, RowsShape, int, long, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>> TensorGateRows => _tensorGateRows.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, RowsShape, int, int, long, long, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>> TensorOutputRows =>
            _tensorOutputRows.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, StepValues, long, long, ArrayView<int>, ArrayView<float>, ArrayView<float>,
        ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>> TensorDecoder => _tensorDecoder.Value;

    public Action<AcceleratorStream, KernelConfig, ProductShape, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<float>, ArrayView<float>> RowProduct => _rowProduct.Value;

    public Action<AcceleratorStream, KernelConfig, ProductShape, long, long, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>> TensorRowProduct => _tensorRowProduct.Value;

    public Action<AcceleratorStream, KernelConfig, NormShape, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<Float4>> RowNorm => _rowNorm.Value;

    public Action<AcceleratorStream, KernelConfig, int, int, int, int, ArrayView<Float4>, ArrayView<Float4>> RowMean => _rowMean.Value;

    public Action<AcceleratorStream, KernelConfig, StepValues, int, ArrayView<int>, ArrayView<float>> Noise => _noise.Value;

    /// <summary>Compiles what a network needs, so that a kernel that does not compile is known before anything runs.</summary>
    /// <exception cref="BackendUnavailableException">One does not; it is named. The device is not to be used any more.</exception>
    public void Prepare(DeviceLayout layout, GpuOptions options)
    {
        bool usesTensors = options.Precision != GpuPrecision.Single;
        _ = (EncoderStatistics, Encoder, Noise);
        if (usesTensors && layout.HasTensorDecoder)
            _ = TensorDecoder;
        else
            Array.ForEach(_decoderStep, k => _ = k.Value);
        _ = usesTensors && layout.HeadDimQuads <= TensorAttentionKernel.MaxHeadQuads ? (object)TensorAttention
            : Attention(layout.HeadDimQuads);
        if (usesTensors)
            _ = (TensorQkv, TensorAttentionOut, TensorGate, TensorOutput,
                layout.HasTensorFeedForward ? (object)TensorFeedForward : NormFeedForward);
        if (layout.HasRows && options is { FewRows: true, Precision: GpuPrecision.ThreeTf32 })
            _ = (TensorGateRows, TensorOutputRows);
        if (usesTensors)
            return;
        Array.ForEach(_qkv, k => _ = k.Value);
        if (options.FuseBlocks)
            Array.ForEach(_blockTail, k => _ = k.Value);
        else
            _ = (AttentionOut, FeedForward, Gate);
    }

    /// <summary>The attention kernel of the narrowest width that a head fits.</summary>
    public Action<AcceleratorStream, KernelConfig, AttentionShape, ArrayView<Float4>, ArrayView<float>> Attention(int headDimQuads) =>
        _attention[headDimQuads <= 4 ? 0 : headDimQuads <= 8 ? 1 : headDimQuads <= 10 ? 2 : headDimQuads <= 16 ? 3 : 4].Value;

    // 0: strips of few rows that are not wider than they may be.
    private static int Size(StripShape shape, int groupRows)
    {
        int rows = Strip.RowsPerThread * groupRows;
        return rows <= Strip8.Rows && rows * shape.StripQuads <= Strip8.Quads ? 0 : 1;
    }

    private void Load<TLaunch>(out Lazy<TLaunch>[] kernels, string name, Delegate few, Delegate many, int threads)
        where TLaunch : Delegate
    {
        kernels = new Lazy<TLaunch>[2];
        Load(out kernels[0], $"{name}-{nameof(Strip8)}", few, threads);
        Load(out kernels[1], $"{name}-{nameof(Strip32)}", many, threads);
    }

    // Compiled when it is first asked for. The assembler keeps registers within what a group of this size can have, so that no launch is
    // refused for them.
    private void Load<TLaunch>(out Lazy<TLaunch> kernel, string name, Delegate method, int threads)
        where TLaunch : Delegate
        => kernel = new Lazy<TLaunch>(() =>
        {
            try
            {
                Accelerator accelerator = _device.Accelerator;
                var largest = new KernelSpecialization(Math.Min(threads, accelerator.MaxNumThreadsPerGroup), null);
                return accelerator is CudaAccelerator cuda && GpuDevices.KernelCacheFolder is { } folder
                    ? cuda.LoadKernel(KernelCache.Take(cuda, method.Method, largest, folder)).CreateLauncherDelegate<TLaunch>()
                    : accelerator.LoadKernel<TLaunch>(method.Method, largest);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                throw _device.Failed($"compiling {name}", e);
            }
        });
}
