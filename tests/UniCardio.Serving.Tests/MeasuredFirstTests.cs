using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Xunit.Abstractions;

namespace UniCardio.Serving.Tests;

/// <summary>A measured sample waits for no generated one, over real sockets.</summary>
public class MeasuredFirstTests(ITestOutputHelper output)
{
    private const string Open = """{"type":"open","channels":{"ppg":{"rate":125}},"generate":["bp"],"draws":2,"sampler":"ddim:2"}""";

    [Fact]
    public async Task WhileTheNetworkStandsStillMeasuredSamplesComeAndTheWholeFramesFollow()
    {
        using var gate = new ManualResetEventSlim(true);
        await using TestServer server = await TestServer.StartAsync(load: _ => GatedBackend.Tiny(gate));
        await using LiveClient first = await LiveClient.ConnectAsync(server, "p", "?measured=first");
        await using LiveClient binary = await LiveClient.ConnectAsync(server, "p", "?measured=first&frames=binary");
        await using LiveClient whole = await LiveClient.ConnectAsync(server, "p");
        await first.SendAsync(Open);
        await first.NextAsync("session");
        gate.Reset();
        // Whatever fails, the server can be taken down.
        using CancellationTokenRegistration rescue = new CancellationTokenSource(TimeSpan.FromSeconds(45)).Token.Register(gate.Set);
        float[] ppg = Wave.Make(4, 0.5f, 0.3f);
        for (int i = 0; i < ppg.Length; i += 50)
            await first.PushAsync("ppg", i / 125.0, ppg.AsSpan(i, 50));
        // More hops than there would be room for before one had to be computed, were one waited for.
        var early = new List<JsonElement>();
        while (early.Count < 4)
        {
            JsonElement frame = await first.NextAsync("frame");
            // The first hop is younger than a window: nothing is to be generated, and it comes whole.
            Assert.Equal(frame.GetProperty("index").GetInt64() > 0, frame.TryGetProperty("preliminary", out _));
            if (frame.GetProperty("index").GetInt64() > 0)
                early.Add(frame);
        }
        Assert.Contains(early, f => f.GetProperty("signals").GetProperty("bp").GetProperty("no_signal").GetString() == "pending");
        Assert.False((await binary.NextAsync("frame")).TryGetProperty("preliminary", out _));
        Assert.True((await binary.NextAsync("frame")).GetProperty("preliminary").GetBoolean());
        gate.Set();
        await first.SendAsync("""{"type":"complete"}""");
        List<JsonElement> rest = await first.FramesAsync(), all = await whole.FramesAsync();
        Assert.All(all, f => Assert.False(f.TryGetProperty("preliminary", out _)));
        JsonElement[] later = [.. rest.Where(f => !f.TryGetProperty("preliminary", out _))];
        // The whole frame 0 was read above.
        Assert.Equal(all.Skip(1).Select(f => f.GetProperty("index").GetInt64()), later.Select(f => f.GetProperty("index").GetInt64()));
        Assert.Equal(Enumerable.Range(0, all.Count).Select(i => (long)i), all.Select(f => f.GetProperty("index").GetInt64()));
        // What was measured is the same in both, sample by sample.
        foreach (JsonElement preliminary in early)
        {
            JsonElement of = all[(int)preliminary.GetProperty("index").GetInt64()];
            Assert.Equal(of.GetProperty("start").GetDouble(), preliminary.GetProperty("start").GetDouble());
            Assert.Equal(of.GetProperty("signals").GetProperty("ppg").GetProperty("values").ToString(),
                preliminary.GetProperty("signals").GetProperty("ppg").GetProperty("values").ToString());
        }
    }

    /// <summary>Sessions that push in real time while infer requests come as fast as they are answered: nothing is lost, and the delays are
    /// printed.</summary>
    [Fact]
    public async Task AFloodOfInferRequestsHoldsUpNoMeasuredSample()
    {
        const int Patients = 8, Blocks = 60;
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { MaxWaiting = 16 });
        using var flood = new CancellationTokenSource();
        string heavy =
            $$"""{"parameters":{"draws":8,"sampler":"ddpm"},"inputs":[{{Wave.Json("ppg", Wave.Make(4, 1, 1), 4)}}],"outputs":[{"name":"signal"}]}""";
        int answered = 0;
        async Task Infer()
        {
            while (!flood.IsCancellationRequested)
            {
                using HttpResponseMessage answer = await server.PostAsync("/v2/models/translate/infer", heavy);
                answered += answer.IsSuccessStatusCode ? 1 : 0;
            }
        }
        double[] quiet = await DelaysAsync(server, Patients, Blocks, "quiet");
        Task[] infers = [.. Enumerable.Range(0, 12).Select(_ => Infer())];
        double[] loud = await DelaysAsync(server, Patients, Blocks, "loud");
        await flood.CancelAsync();
        await Task.WhenAll(infers);
        using var self = Process.GetCurrentProcess();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Patients} patients, samples in frames after they were pushed: quiet p50 {Quantile(quiet, 0.5):0} p99 "
            + $"{Quantile(quiet, 0.99):0} ms; beside {answered} answered infer requests p50 {Quantile(loud, 0.5):0} p99 "
            + $"{Quantile(loud, 0.99):0} ms; hop 400 ms, resident {self.WorkingSet64 >> 20} MiB"));
        Assert.True(answered > 0, "no infer request got on");
    }

    private static double Quantile(double[] values, double share) => values.Order().ElementAt((int)(share * (values.Length - 1)));

    // From the push of the block that completes a hop to the frame that has its measured samples, ms.
    private static async Task<double[]> DelaysAsync(TestServer server, int patients, int blocks, string name)
    {
        double[][] delays = await Task.WhenAll(Enumerable.Range(0, patients).Select(async p =>
        {
            const int Block = 5;
            await using LiveClient client = await LiveClient.ConnectAsync(server, $"{name}-{p}", "?measured=first&frames=binary");
            await client.SendAsync(Open);
            await client.NextAsync("session");
            var pushed = new long[blocks];
            float[] ppg = Wave.Make((blocks * Block / TestServer.Samples) + 1, 0.5f, 0.3f);
            Task pushing = Task.Run(async () =>
            {
                long start = Stopwatch.GetTimestamp();
                for (int i = 0; i < blocks; i++)
                {
                    pushed[i] = Stopwatch.GetTimestamp();
                    await client.PushAsync("ppg", i * Block / 125.0, ppg.AsSpan(i * Block, Block));
                    await Task.Delay(Math.Max(0, (int)((i + 1) * 40 - Stopwatch.GetElapsedTime(start).TotalMilliseconds)));
                }
                await client.SendAsync("""{"type":"complete"}""");
            });
            var found = new List<double>();
            double end = 0;
            while (await client.ReceiveAsync() is JsonElement message && LiveClient.Type(message) != "ended")
            {
                if (LiveClient.Type(message) != "frame"
                    || message.GetProperty("start").GetDouble() + (message.GetProperty("count").GetInt32() / 125.0) <= end)
                    continue;
                double start = message.GetProperty("start").GetDouble();
                Assert.True(start <= end + 1e-6, "samples are missing");
                end = start + (message.GetProperty("count").GetInt32() / 125.0);
                // What a frame waits for: its end, the fade, and nothing else where one channel is there.
                int last = Math.Min(
                    blocks - 1, (int)Math.Floor(((end + message.GetProperty("algorithmic_delay").GetDouble()) * 125 / Block) - 1 + 1e-6));
                found.Add(Stopwatch.GetElapsedTime(pushed[last]).TotalMilliseconds);
            }
            await pushing;
            return found.ToArray();
        }));
        return [.. delays.SelectMany(d => d)];
    }
}
