using System.Runtime.InteropServices;

namespace UniCardio.Benchmarks.Peers;

/// <summary>Puts threads on processors, so that ours and a peer's meet the same ones. Without effect where it is not Linux.</summary>
internal static class Affinity
{
    /// <summary>Puts the calling thread on one processor.</summary>
    public static void PinCaller(int processor) => Pin(0, processor);

    /// <summary>Puts every thread of this process that did not exist before some work on one processor.</summary>
    /// <param name="work">Starts the threads: a team's or a peer's pool of one worker.</param>
    /// <param name="processor">Where they go.</param>
    public static T Workers<T>(Func<T> work, int processor)
    {
        HashSet<int> before = Threads();
        T result = work();
        foreach (int thread in Threads().Except(before))
            Pin(thread, processor);
        return result;
    }

    private static HashSet<int> Threads() => OperatingSystem.IsLinux()
        ? [.. Directory.EnumerateDirectories("/proc/self/task").Select(d => int.Parse(Path.GetFileName(d), null))] : [];

    private static void Pin(int thread, int processor)
    {
        if (!OperatingSystem.IsLinux() || processor >= Environment.ProcessorCount)
            return;
        ulong mask = 1UL << processor;
        _ = sched_setaffinity(thread, sizeof(ulong), ref mask);
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int sched_setaffinity(int thread, nuint size, ref ulong mask);
}
