using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>Fills the state with the run's keyed noise.</summary>
/// <remarks>Grid and group: samples in a row.</remarks>
public static class NoiseKernel
{
    /// <summary>The kernel.</summary>
    /// <param name="step">Seed, noise index and draws.</param>
    /// <param name="samples">Samples S of a slot.</param>
    /// <param name="windows">[W] identities of the windows.</param>
    /// <param name="state">[W N, S].</param>
    public static void Run(StepValues step, int samples, ArrayView<int> windows, ArrayView<float> state)
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i >= state.IntLength)
            return;
        int stream = i / samples;
        state[i] = PhiloxNoise.Sample(step.SeedLow, step.SeedHigh, (uint)windows[stream / step.Draws], (uint)(stream % step.Draws), (uint)step.NoiseIndex, i - (stream * samples));
    }
}
