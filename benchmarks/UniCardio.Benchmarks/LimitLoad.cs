using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using UniCardio.Benchmarks.Soak;
using UniCardio.Signals;
using UniCardio.Signals.Formats;

namespace UniCardio.Benchmarks;

/// <summary>
/// What many clients together may take from <c>unicardio serve</c>, a process of its own: bodies held open, replays of one recording,
/// more live patients than it can compute for, a flood of infer requests beside live ones. Prints resident memory and delays.
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
            await FloodAsync(server, seconds);
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
        (double[] all, _, _) = await LiveAsync(server, "load", 0, patients, seconds);
        Print($"{patients} patients for {seconds:F0} s, all of them generating: measured samples, {all.Length} frames, from their push to "
            + $"their frame {LiveLoad.Text(all)} (a hop is 500 ms); resident {memory:F0} MiB before, {server.Measure().Memory:F0} after");
    }

    /// <summary>Live patients without and with clients that ask for as many windows as a request may have, over and over.</summary>
    private static async Task FloodAsync(ServerProcess server, double seconds)
    {
        const int Measuring = 8, Generating = 2;
        Print($"{Measuring} patients that are measured and {Generating} that generate, for {seconds:F0} s; a hop is 500 ms:");
        Say("alone", await LiveAsync(server, "alone", Measuring, Generating, seconds));
        // As many as may wait, and twice as many: half of these are refused, and ask again at once.
        foreach (int clients in (int[])[32, 64])
        {
            double memory = server.Measure().Memory;
            using var done = new CancellationTokenSource();
            Task<(int Answered, int Refused)>[] flood = [.. Enumerable.Range(0, clients).Select(_ => AskAsync(server, done.Token))];
            Say($"beside {clients} clients", await LiveAsync(server, $"beside-{clients}", Measuring, Generating, seconds));
            double held = server.Measure().Memory;
            await done.CancelAsync();
            (int Answered, int Refused)[] answers = await Task.WhenAll(flood);
            Print($"    who ask for 4 windows of 8 draws each without a pause: {answers.Sum(a => a.Answered)} answered, "
                + $"{answers.Sum(a => a.Refused)} refused with 503; resident {memory:F0} MiB before, {held:F0} during");
        }

        static void Say(string when, (double[] Measured, double[] Generated, long Skipped) live) => Print(
            $"  {when}: measured samples, {live.Measured.Length} frames, {LiveLoad.Text(live.Measured)}; generated ones, "
            + $"{live.Generated.Length} frames, {LiveLoad.Text(live.Generated)}, {live.Skipped} hops skipped");
    }

    // One client of the flood, until it is told to stop.
    private static async Task<(int Answered, int Refused)> AskAsync(ServerProcess server, CancellationToken cancellation)
    {
        string samples = string.Join(',', Enumerable.Repeat("0.5,0.25,0,-0.25", 4 * 125));
        byte[] body = Encoding.UTF8.GetBytes("""{"parameters":{"target":"bp","draws":8},"inputs":[{"name":"ppg","datatype":"FP32","""
            + $$""" "shape":[4,500],"data":[{{samples}}]}]}""");
        using var client = new HttpClient { BaseAddress = server.Address, Timeout = Timeout.InfiniteTimeSpan };
        (int answered, int refused) = (0, 0);
        try
        {
            while (true)
            {
                using var content = new ByteArrayContent(body);
                using HttpResponseMessage answer = await client.PostAsync("/v2/models/translate/infer", content, cancellation);
                if (answer.StatusCode == HttpStatusCode.OK)
                    answered++;
                else if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
                    refused++;
                else
                    throw new InvalidOperationException($"the flood was answered with {answer.StatusCode}");
            }
        }
        catch (OperationCanceledException)
        {
            return (answered, refused);
        }
    }

    // Delays in order, of what is measured and of what is made, and hops that were skipped.
    private static async Task<(double[] Measured, double[] Generated, long Skipped)> LiveAsync(ServerProcess server, string name,
        int measuring, int generating, double seconds)
    {
        Patient[] patients = await Task.WhenAll(Enumerable.Range(0, measuring + generating).Select(p =>
            PatientAsync(server, $"{name}-{p}", p >= measuring, (double)p / (measuring + generating), seconds)));
        return ([.. patients.SelectMany(p => p.Measured).Order()], [.. patients.SelectMany(p => p.Generated).Order()],
            patients.Sum(p => p.Skipped));
    }

    private static async Task<Patient> PatientAsync(ServerProcess server, string name, bool generates, double phase, double seconds)
    {
        using LiveSocket socket = await LiveSocket.ConnectAsync(server, name, "binary&measured=first");
        await socket.SendAsync($$"""{"type":"open","channels":{"ppg":{"rate":125} },"generate":[{{(generates ? "\"bp\"" : "")}}],"draws":8}""",
            CancellationToken.None);
        int blocks = (int)(seconds / SimulatedPatient.BlockSeconds);
        var load = new LiveLoad(blocks);
        var result = new Patient();
        Task reading = Task.Run(async () =>
        {
            double shown = 0;
            long whole = -1;
            while (true)
            {
                (WebSocketMessageType type, ReadOnlyMemory<byte> bytes) = await socket.ReceiveAsync(CancellationToken.None);
                if (type == WebSocketMessageType.Close
                    || (type == WebSocketMessageType.Text && bytes.Span.IndexOf("\"ended\""u8) >= 0))
                    return;
                if (type != WebSocketMessageType.Binary || new ReceivedFrame(bytes.Span) is not { } frame
                    || load.Since(frame) is not TimeSpan since)
                    continue;
                result.Skipped = frame.SkippedHops;
                if (frame.End > shown)
                    result.Measured.Add(since.TotalMilliseconds);
                shown = Math.Max(shown, frame.End);
                if (frame is { IsPreliminary: false, WasSkipped: false, Window: >= 0 } && frame.Index > whole)
                    result.Generated.Add(since.TotalMilliseconds);
                whole = frame.IsPreliminary ? whole : frame.Index;
            }
        });
        await load.PushAsync(socket, 0, phase);
        await Task.Delay(1000);
        await socket.SendAsync("""{"type":"stop"}""", CancellationToken.None);
        await reading.WaitAsync(TimeSpan.FromMinutes(2));
        return result;
    }

    private static void WriteLong(string path)
    {
        Channel Make(string name, string unit, double level, double amplitude, ChannelKind kind) => new(name, unit, 125,
            Enumerable.Range(0, (int)(Replayed * 125)).Select(i => (float)(level + (amplitude * Math.Sin(i * 0.06)))).ToArray(), kind);
        RecordingFile.Write(path, new Recording("long", [Make("PPG", "", 0, 1, ChannelKind.Ppg),
            Make("ABP", "mmHg", 90, 20, ChannelKind.BloodPressure), Make("II", "mV", 0, 1, ChannelKind.Ecg)]));
    }

    private static void Print(string line) => Console.WriteLine(line);

    /// <summary>What a patient's connection was given, milliseconds from the push that completed it.</summary>
    private sealed class Patient
    {
        public List<double> Measured { get; } = [];

        public List<double> Generated { get; } = [];

        public long Skipped { get; set; }
    }
}
