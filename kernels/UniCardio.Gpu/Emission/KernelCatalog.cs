using System.Reflection;
using UniCardio.Gpu.Kernels;

namespace UniCardio.Gpu.Emission;

/// <summary>Every kernel of the portable path.</summary>
internal static class KernelCatalog
{
    /// <summary>Name and entry point; attention once for each head width, strips once for each size that they are
    /// compiled for.</summary>
    public static IReadOnlyList<(string Name, MethodInfo Method)> All { get; } =
    [
        .. Entries(
            typeof(EncoderStatisticsKernel),
            typeof(EncoderKernel),
            typeof(QkvKernel<Strip8>),
            typeof(QkvKernel<Strip32>),
            typeof(AttentionKernel<HeadWidth16>),
            typeof(AttentionKernel<HeadWidth32>),
            typeof(AttentionKernel<HeadWidth40>),
            typeof(AttentionKernel<HeadWidth64>),
            typeof(AttentionKernel<HeadWidth128>),
            typeof(AttentionOutKernel),
            typeof(FeedForwardKernel),
            typeof(NormFeedForwardKernel),
            typeof(GateKernel),
            typeof(BlockTailKernel<Strip8>),
            typeof(BlockTailKernel<Strip32>),
            typeof(DecoderStepKernel<Strip8>),
            typeof(DecoderStepKernel<Strip32>),
            typeof(NoiseKernel),
            typeof(RowProductKernel),
            typeof(RowNormKernel),
            typeof(RowMeanKernel)),
    ];

    /// <summary>Kernels for tensor cores: PTX for compute capability 8.0 and later.</summary>
    public static IReadOnlyList<(string Name, MethodInfo Method)> Tensor { get; } =
    [
        .. Entries(typeof(TensorQkvKernel), typeof(TensorAttentionKernel), typeof(TensorAttentionOutKernel),
            typeof(TensorFeedForwardKernel), typeof(TensorGateKernel), typeof(TensorOutputKernel), typeof(TensorDecoderKernel),
            typeof(TensorGateRowsKernel), typeof(TensorOutputRowsKernel), typeof(TensorRowProductKernel)),
    ];

    private static IEnumerable<(string Name, MethodInfo Method)> Entries(params Type[] kernels)
    {
        foreach (Type kernel in kernels)
        {
            string name = kernel.Name.Split('`')[0];
            // The entry of a module is Kernel_ and the method's name, so that a profiler tells them apart.
            MethodInfo method = kernel.GetMethod(name[..^"Kernel".Length])!;
            yield return (kernel.IsGenericType ? $"{name}-{kernel.GetGenericArguments()[0].Name}" : name, method);
        }
    }
}
