using System.Reflection;
using UniCardio.Gpu.Kernels;

namespace UniCardio.Gpu.Emission;

/// <summary>Every kernel of the portable path.</summary>
public static class KernelCatalog
{
    /// <summary>Name and entry point; attention once for each head width that it is compiled for.</summary>
    public static IReadOnlyList<(string Name, MethodInfo Method)> All { get; } =
    [
        .. Entries(
            typeof(EncoderStatisticsKernel),
            typeof(EncoderKernel),
            typeof(QkvKernel),
            typeof(AttentionKernel<HeadWidth16>),
            typeof(AttentionKernel<HeadWidth32>),
            typeof(AttentionKernel<HeadWidth40>),
            typeof(AttentionKernel<HeadWidth64>),
            typeof(AttentionOutKernel),
            typeof(FeedForwardKernel),
            typeof(GateKernel),
            typeof(BlockTailKernel),
            typeof(DecoderStepKernel),
            typeof(NoiseKernel)),
    ];

    private static IEnumerable<(string Name, MethodInfo Method)> Entries(params Type[] kernels)
    {
        foreach (Type kernel in kernels)
        {
            string name = kernel.Name.Split('`')[0];
            if (kernel.IsGenericType)
                name += "-" + kernel.GetGenericArguments()[0].Name;
            yield return (name, kernel.GetMethod("Run")!);
        }
    }
}
