using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>Fills the state with the run's keyed noise.</summary>
/// <remarks>Grid and group: samples in a row.</remarks>
internal static class NoiseKernel
{
    /// <summary>Most threads of a group.</summary>
    public const int Threads = 64;

    /// <summary>The kernel.</summary>
    /// <param name="step">Noise index, draws of a window and the first one's identity.</param>
    /// <param name="samples">Samples S of a slot.</param>
    /// <param name="keys">[W, 3] identity, low and high half of the seed of each window.</param>
    /// <param name="state">[W N, S].</param>
    public static void Noise(StepValues step, int samples, ArrayView<int> keys, ArrayView<float> state)
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i >= state.IntLength)
            return;
        int batchDraw = i / samples;
        state[i] = PhiloxNoise.OfDraw(step, keys, batchDraw, i - (batchDraw * samples));
    }
}
