using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;

namespace UniCardio.Cli.Bench;

/// <summary>
/// Bytes that a kernel moves over one set of rows if every input is read once and every output written once, all blocks together.
/// </summary>
/// <remarks>A lower bound of what the caches see: strips reuse their rows in L1 and L2, weights are read again by every strip.</remarks>
internal static class KernelTraffic
{
    public static double Bytes(InferencePlan plan, CpuKernel kernel, bool isCondition)
    {
        ModelConfiguration m = plan.Configuration;
        double c = m.Channels, f = m.FeedForward, p = m.SamplesPerToken, tokens = isCondition ? plan.ConditionTokens : plan.TargetTokens;
        double keys = plan.ConditionTokens + (isCondition ? 0 : plan.TargetTokens);
        // As in WorkCount: the last block of a condition rows makes keys and values only.
        double blocks = m.Blocks, whole = isCondition ? blocks - 1 : blocks, skip = isCondition ? 0 : 1;
        double floats = kernel switch
        {
            CpuKernel.Encoder => (tokens * p) + (tokens * c) + (m.ChannelsPerKernel * ModelConfiguration.EncoderKernels.Sum()),
            CpuKernel.PlaneNorm => 4 * tokens * c,
            CpuKernel.AttentionIn => Map(tokens, c, 3 * c) * whole + (isCondition ? Map(tokens, c, 2 * c) : 0),
            CpuKernel.HeadScatter => 2 * tokens * c * ((3 * whole) + (isCondition ? 2 : 0)),
            CpuKernel.Attention => ((2 * tokens * c) + (2 * keys * c)) * whole,
            CpuKernel.AttentionOut => (Map(tokens, c, c) + (tokens * c)) * whole,
            CpuKernel.Norm1 or CpuKernel.Norm2 => 2 * tokens * c * whole,
            CpuKernel.FeedForwardIn => Map(tokens, c, f) * whole,
            CpuKernel.Gelu => 2 * tokens * f * whole,
            CpuKernel.FeedForwardOut => (Map(tokens, f, c) + (tokens * c)) * whole,
            CpuKernel.Mid => (Map(tokens, c, 2 * c) + (tokens * 2 * c)) * whole,
            CpuKernel.Gate => 3 * tokens * c * whole,
            CpuKernel.Output => Map(tokens, c, (1 + skip) * c) * whole,
            CpuKernel.Residual => tokens * c * (3 + (3 * skip)) * whole,
            CpuKernel.DecoderHidden => Map(tokens, c, c),
            CpuKernel.DecoderOutput => Map(tokens, c, p),
            CpuKernel.Noise => tokens * p,
            CpuKernel.SamplerUpdate => 6 * tokens * p,
            _ => 0,
        };
        return sizeof(float) * floats;
    }

    /// <summary>Rows in, weights, rows out.</summary>
    private static double Map(double tokens, double inputs, double outputs) => (tokens * inputs) + (inputs * outputs) + (tokens * outputs);
}
