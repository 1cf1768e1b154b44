using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Diagnostics;

/// <summary>What this machine can do at most, measured in this process: the roofs of a roofline.</summary>
internal static unsafe class MachinePeak
{
    // Ten chains hide a latency of 4-5 cycles on two ports and fit 16 registers beside two constants.
    private const int Chains = 10;
    private const int BurstIterations = 20_000;
    private const int CopyFloats = 8 << 20;

    /// <summary>Multiply-add peak of some threads at once, in GFLOP/s (2 FLOP a multiply-add).</summary>
    /// <param name="isa">Vector instructions; they decide the width.</param>
    /// <param name="threads">Threads that work at the same time, at least 1.</param>
    /// <param name="duration">How long to measure; a few milliseconds do.</param>
    /// <returns>The sum over the threads of each one's median burst.</returns>
    /// <exception cref="ConfigurationException">The machine does not have the instructions.</exception>
    public static double FmaGflops(CpuInstructionSet isa, int threads, TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        isa = CpuInstructionSets.Resolve(isa);
        return OnThreads(threads, () => CpuInstructionSets.Run<MultiplyAdds, double>(isa, new MultiplyAdds(duration)));
    }

    /// <summary>Memory bandwidth of some threads at once, in GB/s: each copies 32 MB to another place (read + write counted).</summary>
    /// <param name="threads">Threads that work at the same time, at least 1.</param>
    /// <param name="duration">How long to measure; one copy takes some milliseconds.</param>
    /// <returns>The sum over the threads of each one's median copy.</returns>
    public static double BandwidthGBs(int threads, TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        return OnThreads(threads, () =>
        {
            using var source = new AlignedBuffer(CopyFloats);
            using var target = new AlignedBuffer(CopyFloats);
            return Median(duration, () =>
            {
                long start = Stopwatch.GetTimestamp();
                NativeMemory.Copy(source.Pointer, target.Pointer, (nuint)CopyFloats * sizeof(float));
                return 2.0 * CopyFloats * sizeof(float) / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9;
            });
        });
    }

    private static double OnThreads(int threads, Func<double> measure)
    {
        double[] results = new double[threads];
        using var together = new Barrier(threads);
        void Work(int i)
        {
            together.SignalAndWait();
            results[i] = measure();
        }

        Thread[] others = [.. Enumerable.Range(1, threads - 1).Select(i => new Thread(() => Work(i)) { IsBackground = true })];
        foreach (Thread thread in others)
            thread.Start();
        Work(0);
        foreach (Thread thread in others)
            thread.Join();
        return results.Sum();
    }

    private static double Median(TimeSpan duration, Func<double> burst)
    {
        var rates = new List<double>();
        long start = Stopwatch.GetTimestamp();
        do
            rates.Add(burst());
        while (Stopwatch.GetElapsedTime(start) < duration);
        rates.Sort();
        return rates[rates.Count / 2];
    }

    private readonly struct MultiplyAdds(TimeSpan duration) : ISimdCode<double>
    {
        public double Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct => Median(duration, Burst<S, V>);
    }

    private static double Burst<S, V>()
        where S : struct, ISimd<S, V>
        where V : struct
    {
        long start = Stopwatch.GetTimestamp();
        float keep = Chain<S, V>();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return float.IsNaN(keep) ? 0 : 2.0 * Chains * S.Width * BurstIterations / seconds / 1e9;
    }

    // Alone in its method: a call beside the loop would spill the accumulators, for no vector register survives a call.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Chain<S, V>()
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V x = S.Set(0.9999f), y = S.Set(1e-4f);
        V a0 = x, a1 = x, a2 = x, a3 = x, a4 = x, a5 = x, a6 = x, a7 = x, a8 = x, a9 = x;
        for (int i = 0; i < BurstIterations; i++)
        {
            a0 = S.MultiplyAdd(a0, x, y);
            a1 = S.MultiplyAdd(a1, x, y);
            a2 = S.MultiplyAdd(a2, x, y);
            a3 = S.MultiplyAdd(a3, x, y);
            a4 = S.MultiplyAdd(a4, x, y);
            a5 = S.MultiplyAdd(a5, x, y);
            a6 = S.MultiplyAdd(a6, x, y);
            a7 = S.MultiplyAdd(a7, x, y);
            a8 = S.MultiplyAdd(a8, x, y);
            a9 = S.MultiplyAdd(a9, x, y);
        }

        return S.Sum(S.Add(S.Add(S.Add(a0, a1), S.Add(a2, a3)), S.Add(S.Add(a4, a5), S.Add(S.Add(a6, a7), S.Add(a8, a9)))));
    }
}
