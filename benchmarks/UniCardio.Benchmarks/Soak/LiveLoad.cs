using System.Diagnostics;
using UniCardio.Engine.Model;

namespace UniCardio.Benchmarks.Soak;

/// <summary>A live patient's PPG in real time, and how long frames take from the block that completed them.</summary>
internal sealed class LiveLoad(int blocks)
{
    private readonly long[] _sent = new long[blocks + 1];

    /// <summary>Pushes blocks, each when it is due; patients are spread over a block.</summary>
    /// <param name="socket">Where to.</param>
    /// <param name="first">The first block; it is due at once.</param>
    /// <param name="phase">Share of a block that this patient is later than the first.</param>
    public async Task PushAsync(LiveSocket socket, int first, double phase)
    {
        long start = Stopwatch.GetTimestamp();
        for (int block = first; block < blocks; block++)
        {
            double due = SimulatedPatient.BlockSeconds * (block - first + phase);
            TimeSpan wait = TimeSpan.FromSeconds(due) - Stopwatch.GetElapsedTime(start);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait);
            Volatile.Write(ref _sent[block], Stopwatch.GetTimestamp());
            await PushBlockAsync(socket, block);
        }
    }

    /// <summary>Pushes a block at once.</summary>
    public static Task PushBlockAsync(LiveSocket socket, int block) => socket.PushAsync(Modality.Ppg, SimulatedPatient.TimeOf(block),
        SimulatedPatient.Block(Modality.Ppg, block), CancellationToken.None);

    /// <summary>Time since the block that completed a frame was sent; null where it was not sent in real time.</summary>
    public TimeSpan? Since(ReceivedFrame frame)
    {
        int block = (int)Math.Floor(((frame.End + frame.AlgorithmicDelay - 1e-4) / SimulatedPatient.BlockSeconds) + 1e-6);
        return block < _sent.Length && Volatile.Read(ref _sent[block]) is long at && at != 0 ? Stopwatch.GetElapsedTime(at) : null;
    }

    /// <summary>Median, 99th percentile and largest of delays in order.</summary>
    public static string Text(double[] delays) => delays.Length == 0 ? "none" :
        $"p50 {delays[delays.Length / 2]:F0} ms, p99 {delays[(int)(0.99 * delays.Length)]:F0} ms, largest {delays[^1]:F0} ms";
}
