using System.Diagnostics;
using System.Text.Json;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Diagnostics;

namespace UniCardio.Benchmarks.Peers;

/// <summary>One comparison, turn by turn in one process; times are medians.</summary>
/// <param name="Size">Network or shape.</param>
/// <param name="Draws">Draws a call.</param>
/// <param name="Threads">Threads of both.</param>
/// <param name="Peer">What it is compared with.</param>
/// <param name="Isa">Our instruction set, whose peak the shares are of.</param>
/// <param name="OursMs">Ours.</param>
/// <param name="PeerMs">The peer's.</param>
/// <param name="Ratio">The peer's time over ours, median of the turns.</param>
/// <param name="OursShare">Our share of the peak.</param>
/// <param name="PeerShare">The peer's; both for the same live multiply-adds.</param>
/// <param name="PeakGflops">The multiply-add peak of as many threads.</param>
/// <param name="Difference">Largest difference of the two results over the largest value.</param>
internal sealed record PeerRow(string Size, int Draws, int Threads, string Peer, string Isa, double OursMs, double PeerMs, double Ratio,
    double OursShare, double PeerShare, double PeakGflops, double Difference)
{
    public static JsonSerializerOptions Json { get; } =
        new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <summary>Runs both in turn until they have used the time.</summary>
    public static PeerRow Measure(string size, int draws, int threads, string peer, CpuInstructionSet isa, double gflop, Action ours,
        Action theirs, Func<double> difference, TimeSpan budget)
    {
        ours();
        theirs();
        double differs = difference();
        var mine = new List<double>();
        var others = new List<double>();
        double peak = Peak(isa, threads);
        long start = Stopwatch.GetTimestamp();
        do
        {
            mine.Add(Milliseconds(ours));
            others.Add(Milliseconds(theirs));
        }
        while (mine.Count < 3 || Stopwatch.GetElapsedTime(start) < budget);
        peak = Math.Max(peak, Peak(isa, threads));
        double oursMs = Median(mine), peerMs = Median(others);
        return new PeerRow(size, draws, threads, peer, CpuInstructionSets.Name(isa), oursMs, peerMs, Median([.. mine.Zip(others, (a, b) => b / a)]),
            gflop / oursMs * 1e3 / peak, gflop / peerMs * 1e3 / peak, peak, differs);
    }

    private static double Peak(CpuInstructionSet isa, int threads) => MachinePeak.FmaGflops(isa, threads, TimeSpan.FromMilliseconds(60));

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static double Milliseconds(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
