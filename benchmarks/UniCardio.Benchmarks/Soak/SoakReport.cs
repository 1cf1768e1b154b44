using System.Text;
using System.Text.Json;

namespace UniCardio.Benchmarks.Soak;

/// <summary>What a soak saw, and what of it should not have been.</summary>
internal sealed record SoakReport
{
    // A runtime's own ups and downs; over half an hour a leak of a kilobyte a frame would be more.
    private const double MaxGrowth = 0.1;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public required SoakOptions Options { get; init; }

    public required ServerProcess Server { get; init; }

    public required double ProcessorSeconds { get; init; }

    public required bool StopsWell { get; init; }

    public required Device Steady { get; init; }

    public required FrameLog Log { get; init; }

    public required OfflineRun Offline { get; init; }

    public required IReadOnlyList<Device> Rough { get; init; }

    public required IReadOnlyList<Trouble> Troubles { get; init; }

    public required SlowReaders Slow { get; init; }

    public required HalfOpenConnections HalfOpen { get; init; }

    /// <summary>Messages, bodies, requests.</summary>
    public required IReadOnlyList<MalformedTraffic> Malformed { get; init; }

    public required (double First, double Last, double Slope, double Minutes) Memory { get; init; }

    public required IReadOnlyList<Sample> Samples { get; init; }

    public required IReadOnlyList<string> Broken { get; init; }

    public long Refused => Malformed.Sum(m => m.Refused);

    /// <summary>What should not have been.</summary>
    public IReadOnlyList<string> Failures
    {
        get
        {
            List<string> failures = [.. Broken];
            void Require(bool holds, string otherwise)
            {
                if (!holds)
                    failures.Add(otherwise);
            }

            Require(Server.Log["error"] + Server.Log["critical"] + Server.Log["ended by itself"] == 0,
                $"the server's log has {Server.Log["error"]} errors, {Server.Log["critical"]} faults, {Server.Log["ended by itself"]} "
                + $"ends of its own: {string.Join(" | ", Server.Faults.Take(3))}");
            Require(StopsWell, $"the server did not end well on SIGTERM");
            Require(Malformed.All(m => m.Wrong.Count == 0),
                $"wrong answers: {string.Join(" | ", Malformed.SelectMany(m => m.Wrong).Take(5))}");
            Require(Refused >= Options.Malformed, $"{Refused} malformed inputs instead of {Options.Malformed}");
            Require(Offline.Compared > 0 && Offline.Different == 0,
                $"{Offline.Different} of {Offline.Compared} frames differ from the offline run, first {Offline.FirstDifference}");
            Require(Offline.Missing == 0, $"{Offline.Missing} frames never came");
            Require(Log.Changed == 0, $"{Log.Changed} frames that came again after a restart were not the same");
            Require(Log is { Skipped: 0, Lost: 0, Dropped: 0 },
                $"the undisturbed patient: {Log.Skipped} hops skipped, {Log.Lost} lost, {Log.Dropped} frames dropped");
            Require(HalfOpen.Kept == 0, $"{HalfOpen.Kept} half-open connections were kept");
            Require(Slow.Tally["asking: kept for a minute"] == 0, $"a client that never reads was kept");
            Require(!(Memory.Last > Memory.First * (1 + MaxGrowth)), $"memory grew from {Memory.First:F1} to {Memory.Last:F1} MiB");
            return failures;
        }
    }

    public string ToText()
    {
        var text = new StringBuilder();
        void Line(string name, string value) =>
            text.Append(name.PadRight(34)).Append(value).Append('\n');
        text.Append('\n');
        Line("server processes",
            $"{Server.Life}, {Options.Kills} of them killed; ready after "
            + $"{string.Join(", ", Server.StartTimes.Select(t => t.ToString("F1", System.Globalization.CultureInfo.InvariantCulture)))} s");
        Line("its log", $"{Server.Log}");
        Line("its processor time",
            $"{ProcessorSeconds:F0} s, {100 * ProcessorSeconds / Options.Duration.TotalSeconds:F0}% of a core; all of the soak's own "
            + $"{Environment.CpuUsage.TotalTime.TotalSeconds:F0} s");
        Line("memory of the last process",
            $"{Memory.First:F1} -> {Memory.Last:F1} MiB (medians of the first and last third of {Memory.Minutes:F1} min), "
            + $"{Memory.Slope:F1} MiB an hour");
        Line("undisturbed patient", $"{Steady.Tally}");
        Line("its delay",
            $"p50 {Quantile(Steady.Delays, 0.5):F0} ms, p99 {Quantile(Steady.Delays, 0.99):F0} ms from sending a frame's last block to "
            + $"receiving the frame");
        Line("frames against the offline run",
            $"{Offline.Frames} expected, {Offline.Compared} compared bit by bit, {Offline.Different} differ, {Offline.Missing} never "
            + $"came; {Log.Again} came again after kills, {Log.Changed} of them changed");
        for (int i = 0; i < Rough.Count; i++)
            Line($"rough patient {i}", $"{Troubles[i].Tally}; {Rough[i].Tally}");
        Line("slow readers", $"{Slow.Tally}");
        Line("half-open connections",
            $"{HalfOpen.Tally}; closed by the server after at most "
            + $"{string.Join(", ", HalfOpen.Longest().Select(p => FormattableString.Invariant($"{p.Key} {p.Value:F0} s")))}");
        foreach ((string kind, MalformedTraffic traffic) in ((string[])["malformed messages", "malformed bodies", "malformed requests"])
            .Zip(Malformed))
            Line(kind, $"{traffic.Refused} refused of {traffic.Answers.Total} sent: {traffic.Answers}");
        Line("malformed in all", $"{Refused}");
        foreach (string failure in Failures)
            Line("FAILED", $"{failure}");
        Line("result", $"{(Failures.Count == 0 ? "everything held" : "see above")}");
        return text.ToString();
    }

    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            Options,
            Processes = Server.Life,
            Log = Server.Log.ToSorted(),
            Server.Faults,
            ProcessorSeconds,
            Memory = new { Memory.First, Memory.Last, SlopeAnHour = Memory.Slope, Memory.Minutes },
            Steady = Steady.Tally.ToSorted(),
            DelayP50 = Quantile(Steady.Delays, 0.5),
            DelayP99 = Quantile(Steady.Delays, 0.99),
            Offline,
            Again = new { Log.Again, Log.Changed },
            Rough = Rough.Zip(Troubles, (device, trouble) =>
                new { Trouble = trouble.Tally.ToSorted(), Received = device.Tally.ToSorted() }),
            SlowReaders = Slow.Tally.ToSorted(),
            HalfOpen = new { Opened = HalfOpen.Tally.ToSorted(), MaxSeconds = HalfOpen.Longest(), HalfOpen.Kept },
            Malformed = Malformed.Select(m => new { m.Refused, Answers = m.Answers.ToSorted(), m.Wrong }),
            Failures,
            Samples,
        },
        Json);

    private static double Quantile(List<double> values, double probability) =>
        values.Count == 0 ? double.NaN : values.Order().ElementAt((int)(probability * (values.Count - 1)));
}
