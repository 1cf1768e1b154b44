using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;

namespace UniCardio.Engine.Diagnostics;

/// <summary>
/// Multiply-adds that a network call needs: live rows only, without padding and recomputation. GFLOP everywhere in this project is twice
/// this count.
/// </summary>
internal static class WorkCount
{
    /// <summary>Multiply-adds of one kernel over one set of rows; 0 for kernels that are not multiply-adds.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="kernel">The kernel.</param>
    /// <param name="isCondition">The condition rows of one window, or the target rows of one draw.</param>
    public static double Macs(InferencePlan plan, CpuKernel kernel, bool isCondition)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ModelConfiguration m = plan.Configuration;
        double c = m.Channels, blocks = m.Blocks, tokens = isCondition ? plan.ConditionTokens : plan.TargetTokens;

        // The condition rows's last block needs its keys and values only, and its skips are never used.
        double whole = isCondition ? blocks - 1 : blocks;
        double keys = plan.ConditionTokens + (isCondition ? 0 : plan.TargetTokens);
        return kernel switch
        {
            CpuKernel.Encoder => tokens * m.SamplesPerToken * m.ChannelsPerKernel * ModelConfiguration.EncoderKernels.Sum(),
            CpuKernel.AttentionIn => tokens * c * c * (isCondition ? (3 * blocks) - 1 : 3 * blocks),
            CpuKernel.Attention => tokens * keys * 2 * c * whole,
            CpuKernel.AttentionOut => tokens * c * c * whole,
            CpuKernel.FeedForwardIn or CpuKernel.FeedForwardOut => tokens * c * m.FeedForward * whole,
            CpuKernel.Mid => tokens * 2 * c * c * whole,
            CpuKernel.Output => tokens * (isCondition ? 1 : 2) * c * c * whole,
            CpuKernel.DecoderHidden => isCondition ? 0 : tokens * c * c,
            CpuKernel.DecoderOutput => isCondition ? 0 : tokens * c * m.SamplesPerToken,
            _ => 0,
        };
    }

    /// <summary>Multiply-adds of one stream.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="isCondition">The condition rows of one window, or the target rows of one draw.</param>
    public static double RowSetMacs(InferencePlan plan, bool isCondition) =>
        Enum.GetValues<CpuKernel>().Sum(k => Macs(plan, k, isCondition));

    /// <summary>GFLOP of one call: every window's condition rows once, every draw's target rows.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="withConditions">False for a call at the same t as the one before, which shares its condition rows.</param>
    public static double CallGflop(InferencePlan plan, bool withConditions = true)
    {
        ArgumentNullException.ThrowIfNull(plan);
        double macs = plan.BatchDraws * RowSetMacs(plan, false);
        if (withConditions)
            macs += plan.Windows * RowSetMacs(plan, true);
        return 2 * macs / 1e9;
    }
}
