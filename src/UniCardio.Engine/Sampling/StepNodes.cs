namespace UniCardio.Engine.Sampling;

/// <summary>Chooses the diffusion steps that a shortened sampler evaluates.</summary>
internal static class StepNodes
{
    /// <summary>Places N distinct nodes, falling, the first at T-1.</summary>
    /// <remarks>
    /// <see cref="StepPlacement.LogSnr"/> cuts [lambda_{T-1}, lambda_0] into N equal parts and takes the discrete step nearest
    /// to the beginning of each; the last part is crossed by the final jump to the clean signal. <see cref="StepPlacement.Uniform"/>
    /// takes t_i = round(T - i T/N) - 1 ("trailing" in Lin et al., arXiv 2305.08891). Where rounding would let two nodes fall
    /// together, the later is moved to the next free step.
    /// </remarks>
    /// <param name="schedule">The schedule, T steps.</param>
    /// <param name="count">N, 1 to T; with T, every step is taken.</param>
    /// <param name="placement">What is uniform.</param>
    public static int[] Place(NoiseSchedule schedule, int count, StepPlacement placement)
    {
        int steps = schedule.Steps;
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, steps);
        int[] nodes = new int[count];
        double noisy = schedule.LogSnr[steps - 1], clean = schedule.LogSnr[0];
        nodes[0] = steps - 1;
        for (int i = 1; i < count; i++)
        {
            int wanted = placement == StepPlacement.Uniform
                ? (int)Math.Round(steps - ((double)i * steps / count), MidpointRounding.AwayFromZero) - 1
                : Nearest(schedule, noisy + ((clean - noisy) * i / count));

            // Below the node before it, and high enough that the count - 1 - i nodes behind it still fit.
            nodes[i] = Math.Clamp(wanted, count - 1 - i, nodes[i - 1] - 1);
        }

        return nodes;
    }

    private static int Nearest(NoiseSchedule schedule, double lambda)
    {
        int low = schedule.FirstNotAbove(lambda);
        return low > 0 && schedule.LogSnr[low - 1] - lambda < lambda - schedule.LogSnr[low] ? low - 1 : low;
    }
}
