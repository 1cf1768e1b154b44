using ILGPU;
using ILGPU.Runtime;

namespace UniCardio.Kernels;

/// <summary>The kernels of one device; each is compiled on its first use and kept.</summary>
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

    public CompiledKernels(Accelerator accelerator)
    {
        _encoderStatistics = new(() => accelerator.LoadKernel<EncoderShape, int, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>>(EncoderStatisticsKernel.Run));
        _encoder = new(() => accelerator.LoadKernel<EncoderShape, int, ArrayView<float>, ArrayView<float>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>(EncoderKernel.Run));
        _qkv = new(() => accelerator.LoadKernel<StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, int>(QkvKernel.Run));
        _attentionOut = new(() => accelerator.LoadKernel<StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>(AttentionOutKernel.Run));
        _feedForward = new(() => accelerator.LoadKernel<StripShape, BlockLayout, ArrayView<Float4>, ArrayView<Float4>>(FeedForwardKernel.Run));
        _gate = new(() => accelerator.LoadKernel<StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>(GateKernel.Run));
        _blockTail = new(() => accelerator.LoadKernel<StripShape, BlockLayout, ArrayView<Float4>, int, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<int>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>, ArrayView<Float4>>(BlockTailKernel.Run));
        _decoderStep = new(() => accelerator.LoadKernel<StripShape, StepValues, ArrayView<Float4>, ArrayView<Float4>, ArrayView<int>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>>(DecoderStepKernel.Run));
        _noise = new(() => accelerator.LoadKernel<StepValues, int, ArrayView<int>, ArrayView<float>>(NoiseKernel.Run));
        _attention =
        [
            new(() => accelerator.LoadKernel<AttentionShape, ArrayView<Float4>, ArrayView<float>>(AttentionKernel<HeadWidth16>.Run)),
            new(() => accelerator.LoadKernel<AttentionShape, ArrayView<Float4>, ArrayView<float>>(AttentionKernel<HeadWidth32>.Run)),
            new(() => accelerator.LoadKernel<AttentionShape, ArrayView<Float4>, ArrayView<float>>(AttentionKernel<HeadWidth40>.Run)),
            new(() => accelerator.LoadKernel<AttentionShape, ArrayView<Float4>, ArrayView<float>>(AttentionKernel<HeadWidth64>.Run)),
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

    /// <summary>The attention kernel of the narrowest width that a head fits.</summary>
    public Action<AcceleratorStream, KernelConfig, AttentionShape, ArrayView<Float4>, ArrayView<float>> Attention(int headDimQuads) =>
        _attention[headDimQuads <= 4 ? 0 : headDimQuads <= 8 ? 1 : headDimQuads <= 10 ? 2 : 3].Value;
}
