using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Backends;
using UniCardio.Gpu.Kernels;

namespace UniCardio.Gpu.Devices;

/// <summary>The kernels of one device; each is compiled once, when the first backend that needs it is made, and kept.</summary>
internal sealed class CompiledKernels
{
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, EncoderShape, int, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>>> _encoderStatistics;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, EncoderShape, int, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>> _encoder;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, int>> _qkv;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>> _attentionOut;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>>> _feedForward;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>> _gate;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>> _blockTail;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StripShape, StepValues, ArrayView<Float4>, ArrayView<Float4>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>>> _decoderStep;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, StepValues, int, ArrayView<int>, ArrayView<float>>> _noise;
    private readonly Lazy<Action<AcceleratorStream, KernelConfig, AttentionShape, ArrayView<Float4>, ArrayView<float>>>[] _attention;

    private readonly GpuDevice _device;

    public CompiledKernels(GpuDevice device)
    {
        _device = device;
        Accelerator accelerator = device.Accelerator;
        _encoderStatistics = Once(nameof(EncoderStatisticsKernel), () => accelerator.LoadKernel<EncoderShape, int, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>>(EncoderStatisticsKernel.Run));
        _encoder = Once(nameof(EncoderKernel), () => accelerator.LoadKernel<EncoderShape, int, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>(EncoderKernel.Run));
        _qkv = Once(nameof(QkvKernel), () => accelerator.LoadKernel<StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, int>(QkvKernel.Run));
        _attentionOut = Once(nameof(AttentionOutKernel), () => accelerator.LoadKernel<StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>(AttentionOutKernel.Run));
        _feedForward = Once(nameof(FeedForwardKernel), () => accelerator.LoadKernel<StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>>(FeedForwardKernel.Run));
        _gate = Once(nameof(GateKernel), () => accelerator.LoadKernel<StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>(GateKernel.Run));
        _blockTail = Once(nameof(BlockTailKernel), () => accelerator.LoadKernel<StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>(BlockTailKernel.Run));
        _decoderStep = Once(nameof(DecoderStepKernel), () => accelerator.LoadKernel<StripShape, StepValues, ArrayView<Float4>, ArrayView<Float4>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>>(DecoderStepKernel.Run));
        _noise = Once(nameof(NoiseKernel), () => accelerator.LoadKernel<StepValues, int, ArrayView<int>, ArrayView<float>>(NoiseKernel.Run));
        _attention =
        [
            Once("AttentionKernel-" + nameof(HeadWidth16), () => accelerator.LoadKernel<AttentionShape, ArrayView<Float4>, ArrayView<float>>(AttentionKernel<HeadWidth16>.Run)),
            Once("AttentionKernel-" + nameof(HeadWidth32), () => accelerator.LoadKernel<AttentionShape, ArrayView<Float4>, ArrayView<float>>(AttentionKernel<HeadWidth32>.Run)),
            Once("AttentionKernel-" + nameof(HeadWidth40), () => accelerator.LoadKernel<AttentionShape, ArrayView<Float4>, ArrayView<float>>(AttentionKernel<HeadWidth40>.Run)),
            Once("AttentionKernel-" + nameof(HeadWidth64), () => accelerator.LoadKernel<AttentionShape, ArrayView<Float4>, ArrayView<float>>(AttentionKernel<HeadWidth64>.Run)),
        ];
    }

    public Action<AcceleratorStream, KernelConfig, EncoderShape, int, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>> EncoderStatistics => _encoderStatistics.Value;

    public Action<AcceleratorStream, KernelConfig, EncoderShape, int, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>> Encoder => _encoder.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, int> Qkv => _qkv.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>> AttentionOut => _attentionOut.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>> FeedForward => _feedForward.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>> Gate => _gate.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>> BlockTail => _blockTail.Value;

    public Action<AcceleratorStream, KernelConfig, StripShape, StepValues, ArrayView<Float4>, ArrayView<Float4>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>> DecoderStep => _decoderStep.Value;

    public Action<AcceleratorStream, KernelConfig, StepValues, int, ArrayView<int>, ArrayView<float>> Noise => _noise.Value;

    /// <summary>Compiles what a network needs, so that a kernel that does not compile is known before anything runs.</summary>
    /// <exception cref="BackendUnavailableException">One does not; it is named. The device is not to be used any more.</exception>
    public void Prepare(int headDimQuads, bool fused)
    {
        _ = (EncoderStatistics, Encoder, Qkv, Attention(headDimQuads), DecoderStep, Noise);
        _ = fused ? (object)BlockTail : (AttentionOut, FeedForward, Gate);
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
