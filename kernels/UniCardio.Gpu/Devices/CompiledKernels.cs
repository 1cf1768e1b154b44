using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Backends;
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
        ArrayView<Float4>, ArrayView<Float4>, int>> _qkv;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>> _attentionOut;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>,
        ArrayView<Float4>>> _feedForward;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>,
        ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>> _gate;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<Float4>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>>> _blockTail;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, StepValues, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>,
        ArrayView<float>>> _decoderStep;
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

    private readonly GpuDevice _device;

    private const int AttentionThreads = AttentionKernel<HeadWidth16>.Threads * AttentionKernel<HeadWidth16>.Threads;

    public CompiledKernels(GpuDevice device)
    {
        _device = device;
        Accelerator accelerator = device.Accelerator;
        _encoderStatistics = Once(nameof(EncoderStatisticsKernel),
            () => accelerator.LoadKernel<EncoderShape, int, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<Float4>,
                ArrayView<Float4>>(EncoderStatisticsKernel.EncoderStatistics, At(Convolution.MaxThreads)));
        _encoder = Once(nameof(EncoderKernel),
            () => accelerator.LoadKernel<EncoderShape, int, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<Float4>,
                ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>(EncoderKernel.Encoder, At(Convolution.MaxThreads)));
        _qkv = Once(nameof(QkvKernel),
            () => accelerator.LoadKernel<StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>,
                ArrayView<Float4>, int>(QkvKernel.Qkv, At(Strip.MaxThreads)));
        _attentionOut = Once(nameof(AttentionOutKernel),
            () => accelerator.LoadKernel<StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>,
                ArrayView<Float4>, ArrayView<Float4>>(AttentionOutKernel.AttentionOut, At(Strip.MaxThreads)));
        _feedForward = Once(nameof(FeedForwardKernel),
            () => accelerator.LoadKernel<StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>>(FeedForwardKernel.FeedForward,
                At(Strip.MaxThreads)));
        _gate = Once(nameof(GateKernel),
            () => accelerator.LoadKernel<StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>, ArrayView<int>,
                ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>(GateKernel.Gate, At(Strip.MaxThreads)));
        _blockTail = Once(nameof(BlockTailKernel),
            () => accelerator.LoadKernel<StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>, ArrayView<Float4>,
                ArrayView<Float4>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>,
                ArrayView<Float4>>(BlockTailKernel.BlockTail, At(Strip.MaxThreads)));
        _decoderStep = Once(nameof(DecoderStepKernel),
            () => accelerator.LoadKernel<StripShape, StepValues, ArrayView<Float4>, ArrayView<Float4>, ArrayView<int>, ArrayView<float>,
                ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>,
                ArrayView<float>>(DecoderStepKernel.DecoderStep, At(Strip.MaxThreads)));
        _noise = Once(nameof(NoiseKernel), () =>
            accelerator.LoadKernel<StepValues, int, ArrayView<int>, ArrayView<float>>(NoiseKernel.Noise, At(NoiseKernel.Threads)));
        _tensorAttention = Once(nameof(TensorAttentionKernel), () =>
            accelerator.LoadKernel<AttentionShape, long, long>(TensorAttentionKernel.TensorAttention, At(TensorAttentionKernel.Threads)));
        _tensorQkv = Once(nameof(TensorQkvKernel),
            () => accelerator.LoadKernel<StripShape, long, long, ArrayView<Float4>, ArrayView<Float4>, int>(TensorQkvKernel.TensorQkv,
                At(TensorTile.Threads)));
        _tensorAttentionOut = Once(nameof(TensorAttentionOutKernel),
            () => accelerator.LoadKernel<StripShape, long, long, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>(
                TensorAttentionOutKernel.TensorAttentionOut, At(TensorTile.Threads)));
        _normFeedForward = Once(nameof(NormFeedForwardKernel),
            () => accelerator.LoadKernel<StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>>(
                NormFeedForwardKernel.NormFeedForward, At(Strip.MaxThreads)));
        _tensorFeedForward = Once(nameof(TensorFeedForwardKernel),
            () => accelerator.LoadKernel<StripShape, long, long, long, long>(
                TensorFeedForwardKernel.TensorFeedForward, At(TensorFeedForwardKernel.Threads)));
        _tensorGate = Once(nameof(TensorGateKernel),
            () => accelerator.LoadKernel<StripShape, int, long, long, ArrayView<Float4>, ArrayView<int>, ArrayView<Float4>>(
                TensorGateKernel.TensorGate, At(TensorTile.Threads)));
        _tensorOutput = Once(nameof(TensorOutputKernel),
            () => accelerator.LoadKernel<StripShape, long, long, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, int>(
                TensorOutputKernel.TensorOutput, At(TensorTile.Threads)));
        _attention =
        [
            Once("AttentionKernel-" + nameof(HeadWidth16),
                () => accelerator.LoadKernel<AttentionShape, ArrayView<Float4>, ArrayView<float>>(AttentionKernel<HeadWidth16>.Attention,
                    At(AttentionThreads))),
            Once("AttentionKernel-" + nameof(HeadWidth32),
                () => accelerator.LoadKernel<AttentionShape, ArrayView<Float4>, ArrayView<float>>(AttentionKernel<HeadWidth32>.Attention,
                    At(AttentionThreads))),
            Once("AttentionKernel-" + nameof(HeadWidth40),
                () => accelerator.LoadKernel<AttentionShape, ArrayView<Float4>, ArrayView<float>>(AttentionKernel<HeadWidth40>.Attention,
                    At(AttentionThreads))),
            Once("AttentionKernel-" + nameof(HeadWidth64),
                () => accelerator.LoadKernel<AttentionShape, ArrayView<Float4>, ArrayView<float>>(AttentionKernel<HeadWidth64>.Attention,
                    At(AttentionThreads))),
        ];
    }

    public Action<AcceleratorStream, KernelConfig, EncoderShape, int, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<Float4>,
        ArrayView<Float4>> EncoderStatistics => _encoderStatistics.Value;

    public Action<AcceleratorStream, KernelConfig, EncoderShape, int, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>> Encoder => _encoder.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>, int> Qkv => _qkv.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<Float4>> AttentionOut => _attentionOut.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>> FeedForward =>
        _feedForward.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>, ArrayView<int>,
        ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>> Gate => _gate.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>, ArrayView<Float4>,
        ArrayView<Float4>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>> BlockTail =>
            _blockTail.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, StepValues, ArrayView<Float4>, ArrayView<Float4>, ArrayView<int>,
        ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>> DecoderStep =>
            _decoderStep.Value;

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

    public Action<AcceleratorStream, KernelConfig, StepValues, int, ArrayView<int>, ArrayView<float>> Noise => _noise.Value;

    // The assembler keeps registers within what a group of this size can have, so that no launch is refused for them.
    private KernelSpecialization At(int threads) => new(Math.Min(threads, _device.Accelerator.MaxNumThreadsPerGroup), null);

    /// <summary>Compiles what a network needs, so that a kernel that does not compile is known before anything runs.</summary>
    /// <exception cref="BackendUnavailableException">One does not; it is named. The device is not to be used any more.</exception>
    public void Prepare(int headDimQuads, bool fused, bool usesTensors, bool hasTensorFeedForward)
    {
        _ = (EncoderStatistics, Encoder, DecoderStep, Noise);
        _ = usesTensors && headDimQuads <= TensorAttentionKernel.MaxHeadQuads ? (object)TensorAttention : Attention(headDimQuads);
        if (usesTensors)
            _ = (TensorQkv, TensorAttentionOut, TensorGate, TensorOutput,
                hasTensorFeedForward ? (object)TensorFeedForward : NormFeedForward);
        else
            _ = fused ? (object)(Qkv, BlockTail) : (Qkv, AttentionOut, FeedForward, Gate);
    }

    /// <summary>The attention kernel of the narrowest width that a head fits.</summary>
    public Action<AcceleratorStream, KernelConfig, AttentionShape, ArrayView<Float4>, ArrayView<float>> Attention(int headDimQuads) =>
        _attention[headDimQuads <= 4 ? 0 : headDimQuads <= 8 ? 1 : headDimQuads <= 10 ? 2 : 3].Value;

    private Lazy<TLaunch> Once<TLaunch>(string kernel, Func<TLaunch> compile) => new(() =>
    {
        try
        {
            return compile();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw _device.Failed($"compiling {kernel}", e);
        }
    });
}
