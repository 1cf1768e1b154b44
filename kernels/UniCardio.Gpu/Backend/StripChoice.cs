using UniCardio.Gpu.Kernels;

namespace UniCardio.Gpu.Backend;

/// <summary>How many rows a strip has, by the time model.</summary>
internal static class StripChoice
{
    /// <summary>Rows / 4 of a strip: those with the shortest waves by the time model, and of these the fewest, on most
    /// multiprocessors.</summary>
    /// <param name="count">Rows of the launch.</param>
    /// <param name="max">Most rows / 4.</param>
    /// <param name="columns">Threads of a row.</param>
    /// <param name="multiprocessors">Of the device.</param>
    public static int Rows(int count, int max, int columns, int multiprocessors)
    {
        int best = 1;
        double least = double.PositiveInfinity;
        for (int rows = 1; rows <= max; rows++)
        {
            double time = Time(count, rows, columns, multiprocessors);
            if (time < least)
                (best, least) = (rows, time);
        }

        return best;
    }

    /// <summary>A launch's time in units of what four rows take a busy multiprocessor.</summary>
    /// <remarks>
    /// A multiprocessor holds as many strips as registers (96 a thread) and shared memory (48 KB of about 192) allow; a wave of r strips
    /// takes r times its rows, but no less than one warp waits alone: 6.6 units by the model's count of BlockTail. Every strip reads all
    /// weights, 3.6 units of the second-level cache's rate a multiprocessor.
    /// </remarks>
    public static double Time(int count, int rows, int columns, int multiprocessors)
    {
        const double Alone = 6.6, Weights = 3.6;
        const int Registers = 65_536, RegistersPerThread = 96;
        int strips = (count + (rows * Strip.RowsPerThread) - 1) / (rows * Strip.RowsPerThread), threads = (columns * rows + 31) / 32 * 32;
        int resident = Math.Max(1, Math.Min(4, Registers / (RegistersPerThread * threads)));
        int full = strips / (multiprocessors * resident), rest = strips - (full * multiprocessors * resident);
        double waves = full * Math.Max(Alone, resident * rows);
        if (rest > 0)
            waves += Math.Max(Alone, (rest + multiprocessors - 1) / multiprocessors * rows);
        return Math.Max(waves, (double)strips / multiprocessors * Weights);
    }
}
