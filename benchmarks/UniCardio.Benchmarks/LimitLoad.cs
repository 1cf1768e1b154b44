using System.Globalization;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using UniCardio.Benchmarks.Soak;
using UniCardio.Signals;
using UniCardio.Signals.Formats;

namespace UniCardio.Benchmarks;

/// <summary>
/// What many clients together may take from <c>unicardio serve</c>, a process of its own: bodies held open, replays of one recording,
/// more live patients than it can compute for. Prints resident memory and delays.
/// </summary>
internal static class LimitLoad
{
    private const double Replayed = 6 * 3600;

    /// <summary>Runs it: <c>limits [WEIGHTS] [patients] [seconds]</c>.</summary>
    public static async Task RunAsync(string[] args)
    {
        string weights = args.ElementAtOrDefault(0) ?? "recipe:1,compact";
        int patients = int.Parse(args.ElementAtOrDefault(1) ?? "32", CultureInfo.InvariantCulture);
        double seconds = double.Parse(args.ElementAtOrDefault(2) ?? "30", CultureInfo.InvariantCulture);
        string recordings = Directory.CreateTempSubdirectory("unicardio-limits-").FullName;
        try
        {
            WriteLong(Path.Combine(recordings, "long.hea"));
            // 52 bytes that declare 1.2 GB of samples, none of which are there.
            File.WriteAllText(Path.Combine(recordings, "nothing.hea"), "nothing 1 125 300000000\n~ 0 200/mmHg 12 0 0 0 0 ABP\n");
            await using var server = new ServerProcess("--weights", weights, "--untrained", "--recordings", recordings, "--log", "warning",
                "--max-patients", "256", "--max-load", "1000");
            await server.StartAsync(CancellationToken.None);
            await HeldBodiesAsync(server);
            await ReplaysAsync(server);
            await PatientsAsync(server, patients, seconds);
            Print($"ends on SIGTERM: {(await server.StopAsync() ? "yes" : "no")}; faults in the log: {server.Faults.Count}");
        }
        finally
        {
            Directory.Delete(recordings, recursive: true);
        }
    }

    /// <summary>100 bodies of 16 MB, each but for its last byte.</summary>
    private static async Task HeldBodiesAsync(ServerProcess server)
    {
        const int Clients = 100, Bytes = 16_000_000;
        var piece = new byte[1 << 16];
        piece.AsSpan().Fill((byte)' ');
        double before = server.Measure().Memory, most = before;
        using var done = new CancellationTokenSource();
        Task watching = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                most = Math.Max(most, server.Measure().Memory);
                await Task.Delay(20);
            }
        });
        var clients = new List<TcpClient>();
        string[] answers = await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
        {
            var client = new TcpClient();
            lock (clients)
                clients.Add(client);
            await client.ConnectAsync("127.0.0.1", server.Port);
            NetworkStream stream = client.GetStream();
            try
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes(
                    $"POST /v2/models/impute/infer HTTP/1.1\r\nHost: 127.0.0.1:{server.Port}\r\nContent-Length: {Bytes + 1}\r\n\r\n"));
                for (int sent = 0; sent < Bytes; sent += piece.Length)
                    await stream.WriteAsync(piece.AsMemory(0, Math.Min(piece.Length, Bytes - sent)));
            }
            catch (IOException)
            {
                // Refused meanwhile.
            }
            using var reader = new StreamReader(stream, leaveOpen: true);
            Task<string?> line = reader.ReadLineAsync();
            return await Task.WhenAny(line, Task.Delay(2000)) == line && line.IsCompletedSuccessfully ? line.Result ?? "closed" : "held";
        }));
        double held = server.Measure().Memory;
        foreach (TcpClient client in clients)
            client.Dispose();
        await Task.Delay(3000);
        await done.CancelAsync();
        await watching;
        Print($"{Clients} POSTs of 16 MB held open: {answers.Count(a => a == "held")} held, "
            + $"{answers.Count(a => a.Contains("503", StringComparison.Ordinal))} refused with 503, "
            + $"{answers.Count(a => a != "held" && !a.Contains("503", StringComparison.Ordinal))} closed; resident {before:F0} MiB before, "
            + $"at most {most:F0}, {held:F0} while held, {server.Measure().Memory:F0} three seconds after they had gone");
    }

    /// <summary>6 replays of one recording of 6 hours, and one of a header that declares what is not there.</summary>
    private static async Task ReplaysAsync(ServerProcess server)
    {
        double before = server.Measure().Memory;
        var sockets = new List<LiveSocket>();
        var most = new List<double>();
        for (int i = 0; i < 6; i++)
        {
            LiveSocket socket = await LiveSocket.ConnectAsync(server, $"replay-{i}", "binary");
            sockets.Add(socket);
            await socket.SendAsync("""{"type":"replay","recording":"long","speed":1,"generate":[]}""", CancellationToken.None);
            await UntilAsync(socket, "\"session\"");
            most.Add(server.Measure().Memory);
        }
        using LiveSocket empty = await LiveSocket.ConnectAsync(server, "replay-empty", "binary");
        await empty.SendAsync("""{"type":"replay","recording":"nothing","generate":[]}""", CancellationToken.None);
        string refusal = await UntilAsync(empty, "\"error\"");
        foreach (LiveSocket socket in sockets)
        {
            await socket.SendAsync("""{"type":"stop"}""", CancellationToken.None);
            socket.Dispose();
        }
        double samples = Replayed * 125 * 3 * sizeof(float) / (1 << 20);
        Print($"6 replays of a recording of {samples:F0} MiB of samples: resident {before:F0} MiB before, "
            + $"{string.Join(", ", most.Select(m => $"{m:F0}"))} after each; a header of 52 bytes that declares 1.2 GB: {refusal}");
    }

    private static async Task<string> UntilAsync(LiveSocket socket, string word)
    {
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            (WebSocketMessageType type, ReadOnlyMemory<byte> bytes) = await socket.ReceiveAsync(time.Token);
            string text = type == WebSocketMessageType.Text ? Encoding.UTF8.GetString(bytes.Span) : "";
            if (text.Contains(word, StringComparison.Ordinal) || type == WebSocketMessageType.Close)
                return text;
        }
    }

    /// <summary>Patients whose PPG and pressure come in real time, the pressure generated where its line is shut; measured first.</summary>
    private static async Task PatientsAsync(ServerProcess server, int patients, double seconds)
    {
        double memory = server.Measure().Memory;
        List<double>[] delays = await Task.WhenAll(Enumerable.Range(0, patients).Select(p => PatientAsync(server, p, patients, seconds)));
        double[] all = [.. delays.SelectMany(d => d).Order()];
        Print($"{patients} patients for {seconds:F0} s, all of them generating: measured samples, {all.Length} frames, from their push to "
            + $"their frame {LiveLoad.Text(all)} (a hop is 500 ms); resident {memory:F0} MiB before, {server.Measure().Memory:F0} after");
    }

    private static async Task<List<double>> PatientAsync(ServerProcess server, int patient, int patients, double seconds)
    {
        using LiveSocket socket = await LiveSocket.ConnectAsync(server, $"load-{patient}", "binary&measured=first");
        await socket.SendAsync(
            """{"type":"open","channels":{"ppg":{"rate":125}},"generate":["bp"],"draws":8}""", CancellationToken.None);
        int blocks = (int)(seconds / SimulatedPatient.BlockSeconds);
        var load = new LiveLoad(blocks);
        var delays = new List<double>();
        Task reading = Task.Run(async () =>
        {
            double shown = 0;
            while (true)
            {
                (WebSocketMessageType type, ReadOnlyMemory<byte> bytes) = await socket.ReceiveAsync(CancellationToken.None);
                if (type == WebSocketMessageType.Close
                    || (type == WebSocketMessageType.Text && bytes.Span.IndexOf("\"ended\""u8) >= 0))
                    return;
                if (type != WebSocketMessageType.Binary || new ReceivedFrame(bytes.Span) is not { } frame || frame.End <= shown)
                    continue;
                shown = frame.End;
                if (load.Since(frame) is TimeSpan since)
                    delays.Add(since.TotalMilliseconds);
            }
        });
        await load.PushAsync(socket, 0, (double)patient / patients);
        await Task.Delay(1000);
        await socket.SendAsync("""{"type":"stop"}""", CancellationToken.None);
        await reading.WaitAsync(TimeSpan.FromMinutes(2));
        return delays;
    }

    private static void WriteLong(string path)
    {
        Channel Make(string name, string unit, double level, double amplitude, ChannelKind kind) => new(name, unit, 125,
            Enumerable.Range(0, (int)(Replayed * 125)).Select(i => (float)(level + (amplitude * Math.Sin(i * 0.06)))).ToArray(), kind);
        RecordingFile.Write(path, new Recording("long", [Make("PPG", "", 0, 1, ChannelKind.Ppg),
            Make("ABP", "mmHg", 90, 20, ChannelKind.BloodPressure), Make("II", "mV", 0, 1, ChannelKind.Ecg)]));
    }

    private static void Print(string line) => Console.WriteLine(line);
}
