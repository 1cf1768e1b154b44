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

    // A worker of one side may spin for some milliseconds after a call, on the processor that the other side's worker needs.
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(40), Turn = TimeSpan.FromMilliseconds(150);

    /// <summary>Runs both in turns of some calls until they have used the time. A turn begins with a pause and a call that is not
    /// counted.</summary>
    public static PeerRow Measure(string size, int draws, int threads, string peer, CpuInstructionSet isa, double gflop, Action ours,
        Action theirs, Func<double> difference, TimeSpan budget)
    {
        ours();
        theirs();
        double differs = difference();
        List<double> mine = [], others = [], ratios = [];
        double peak = Peak(isa, threads);
        long start = Stopwatch.GetTimestamp();
        do
        {
            double our = TakeTurn(ours, mine), their = TakeTurn(theirs, others);
            ratios.Add(their / our);
        }
        while (ratios.Count < 2 || Stopwatch.GetElapsedTime(start) < budget);
        peak = Math.Max(peak, Peak(isa, threads));
        double oursMs = Median(mine), peerMs = Median(others);
        return new PeerRow(size, draws, threads, peer, CpuInstructionSets.Name(isa), oursMs, peerMs, Median(ratios),
            gflop / oursMs * 1e3 / peak, gflop / peerMs * 1e3 / peak, peak, differs);
    }

    private static double TakeTurn(Action call, List<double> all)
    {
        Thread.Sleep(Settling);
        double first = Milliseconds(call);
        var turn = new List<double>();
        // A call of a second need not be made twice.
        if (first > 1000)
            turn.Add(first);
        long start = Stopwatch.GetTimestamp();
        while (turn.Count == 0 || Stopwatch.GetElapsedTime(start) + TimeSpan.FromMilliseconds(turn[^1]) < Turn)
            turn.Add(Milliseconds(call));
        all.AddRange(turn);
        return Median(turn);
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
