using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json;
using UniCardio.Benchmarks.Soak;

namespace UniCardio.Benchmarks;

/// <summary>
/// The load of <see cref="StreamingLoad"/> over the server: <c>unicardio serve</c> as a process of its own, a WebSocket a patient on
/// loopback, PPG in blocks of 0.2 s, BP translated in every hop of 0.5 s. A frame's delay is its algorithmic one and the time from sending
/// the block that completed it to receiving the frame.
/// </summary>
internal static class ServingLoad
{
    private const double BlockSeconds = SimulatedPatient.BlockSeconds;
    private const int Lead = 30;

    /// <summary>Runs it: <c>serving [WEIGHTS] [draws] [steps] [threads] [seconds] [patients ...]</c>.</summary>
    public static async Task RunAsync(string[] args)
    {
        string weights = args.ElementAtOrDefault(0) ?? "recipe:1,compact";
        string Text(int at, int otherwise) => args.Length > at ? args[at] : otherwise.ToString(CultureInfo.InvariantCulture);
        (string draws, string steps, string threads) = (Text(1, 8), Text(2, 6), Text(3, 2));
        double seconds = double.Parse(Text(4, 20), CultureInfo.InvariantCulture);
        await using var server = new ServerProcess("--weights", weights, "--untrained", "--threads", threads, "--live-draws", draws,
            "--live-sampler", $"dpm++2m:{steps}", "--log", "warning");
        await server.StartAsync(CancellationToken.None);
        Print($"{weights}, {draws} draws, {steps} steps, {threads} threads, hop 0.5 s, over WebSockets");
        foreach (int patients in args.Length > 5 ? args.Skip(5).Select(a => int.Parse(a, CultureInfo.InvariantCulture)) : [2, 4])
            await MeasureAsync(server, patients, seconds);
        await server.StopAsync();
    }

    private static async Task MeasureAsync(ServerProcess server, int patients, double seconds)
    {
        double before = server.ProcessorSeconds;
        Result[] results = await Task.WhenAll(Enumerable.Range(0, patients).Select(p => RunPatientAsync(server, patients, p, seconds)));
        double[] delays = [.. results.SelectMany(r => r.Delays).Order()];
        double[] own = [.. results.SelectMany(r => r.Own).Order()];
        long skipped = results.Sum(r => r.Skipped), lost = results.Sum(r => r.Lost), hops = results.Sum(r => r.Hops);
        double processor = server.ProcessorSeconds - before;
        if (delays.Length == 0)
            Print($"{patients} patients: no frame");
        else
            Print(
                $"{patients} patients for {seconds:F0} s: {delays.Length} frames, {100.0 * skipped / hops:F1}% of the hops skipped, "
                + $"delay {LiveLoad.Text(delays)} (the server's own {LiveLoad.Text(own)}); "
                + $"lost hops {lost}, dropped frames {results.Sum(r => r.Dropped)}, missing frames {results.Sum(r => r.Missing)}; "
                + $"{1000 * processor / hops:F0} ms of the server's processor time a hop");
    }

    private static async Task<Result> RunPatientAsync(ServerProcess server, int patients, int patient, double seconds)
    {
        using LiveSocket socket =
            await LiveSocket.ConnectAsync(server, FormattableString.Invariant($"load-{patients}-{patient}"), "binary");
        await socket.SendAsync(
            FormattableString.Invariant($$"""{"type":"open","channels":{"ppg":{"rate":125} },"generate":["bp"],"seed":{{patient}} }"""),
            CancellationToken.None);
        int blocks = Lead + (int)(seconds / BlockSeconds);
        var load = new LiveLoad(blocks);
        var result = new Result();
        Task reading = ReadAsync(socket, load, result);
        // The first 6 s at once, so that windows are full; then in real time, patients spread over the block.
        for (int block = 0; block < Lead; block++)
            await LiveLoad.PushBlockAsync(socket, block);
        // Until what that gave is out.
        do
            await Task.Delay(100);
        while (Stopwatch.GetElapsedTime(result.LastFrame).TotalSeconds < 1);
        result.IsMeasured = true;
        await load.PushAsync(socket, Lead, (double)patient / patients);
        await Task.Delay(1000);
        result.IsMeasured = false;
        await socket.SendAsync("""{"type":"complete"}""", CancellationToken.None);
        await reading.WaitAsync(TimeSpan.FromMinutes(1));
        return result;
    }

    private static async Task ReadAsync(LiveSocket socket, LiveLoad load, Result result)
    {
        long next = 0, skippedBefore = 0;
        while (true)
        {
            (WebSocketMessageType type, ReadOnlyMemory<byte> bytes) = await socket.ReceiveAsync(CancellationToken.None);
            if (type == WebSocketMessageType.Close)
                throw new InvalidOperationException($"the connection closed with {socket.Closed}");
            if (type == WebSocketMessageType.Text)
            {
                using JsonDocument message = JsonDocument.Parse(bytes);
                if (message.RootElement.GetProperty("type").GetString() is "ended" or "error")
                    return;
                continue;
            }
            var frame = new ReceivedFrame(bytes.Span);
            (result.Missing, next) = (result.Missing + frame.Index - next, frame.Index + 1);
            result.LastFrame = Stopwatch.GetTimestamp();
            (result.Lost, result.Dropped) = (frame.LostHops, result.Dropped + frame.Dropped);
            if (!result.IsMeasured)
            {
                skippedBefore = result.Hops == 0 ? frame.SkippedHops : skippedBefore;
                continue;
            }
            result.Hops++;
            result.Skipped = frame.SkippedHops - skippedBefore;
            if (frame.Window >= 0 && load.Since(frame) is TimeSpan since)
            {
                result.Delays.Add(1000 * (frame.AlgorithmicDelay + since.TotalSeconds));
                result.Own.Add(1000 * (frame.AlgorithmicDelay + frame.ComputeDelay));
            }
        }
    }

    private static void Print(string line) => Console.WriteLine(line);

    /// <summary>What a patient got.</summary>
    private sealed class Result
    {
        public List<double> Delays { get; } = [];

        /// <summary>The same as the server says it, without the network.</summary>
        public List<double> Own { get; } = [];

        public long LastFrame { get; set; } = Stopwatch.GetTimestamp();

        public bool IsMeasured { get; set; }

        public long Hops { get; set; }

        public long Skipped { get; set; }

        public long Lost { get; set; }

        public long Dropped { get; set; }

        public long Missing { get; set; }
    }
}
