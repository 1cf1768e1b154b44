namespace UniCardio.Tests;

/// <summary>
/// Bytes that work allocates on the calling thread. The smallest of a few repetitions: what the work itself allocates, it allocates every
/// time, while the runtime, which replaces code by faster code as it goes, now and then allocates once on a thread of ours.
/// </summary>
internal static class Allocations
{
    private const int Repetitions = 4;

    public static long Of(Action work)
    {
        long least = long.MaxValue;
        for (int i = 0; i < Repetitions && least > 0; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }
}
