using System.Globalization;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Quality;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Quality;
using UniCardio.Weights.Quality;

namespace UniCardio.Cli.Commands;

/// <summary>What the network says of one signal, beside the index.</summary>
/// <param name="Name">The channel.</param>
/// <param name="Quality">[seconds] 0 to 1.</param>
/// <param name="HeartRate">[seconds] probability that the heart rate of the ten seconds before is right.</param>
internal sealed record NetworkSignalQuality(string Name, float[] Quality, float[] HeartRate);

/// <summary>What the network says of a recording, as <c>quality --weights FILE --json</c> prints it.</summary>
/// <param name="Weights">Where they come from.</param>
/// <param name="OnePass">Whether it read the recording in one pass.</param>
/// <param name="Tokens">Tokens that it read at once.</param>
/// <param name="EncodeMilliseconds">How long it took.</param>
/// <param name="Signals">Its pulse and ECG.</param>
/// <param name="Rhythm">[seconds] probabilities of sinus rhythm, fibrillation, ectopic beats and a ventricular run about the
/// second.</param>
internal sealed record NetworkQuality(string Weights, bool OnePass, int Tokens, double EncodeMilliseconds,
    IReadOnlyList<NetworkSignalQuality> Signals, float[][] Rhythm);

/// <summary>The quality network over a recording, for <c>quality --weights</c>.</summary>
internal static class QualityNetworkRun
{
    /// <summary>Runs it over the first pulse (a PPG, else a pressure) and the first ECG.</summary>
    /// <param name="judged">The recording's channels.</param>
    /// <param name="weights">A file or a recipe.</param>
    /// <param name="onePass">Whether the whole recording goes through at once.</param>
    /// <param name="features">Where the tokens' features of the one pass go; null for nowhere.</param>
    /// <param name="cancellation">Stops between windows.</param>
    /// <exception cref="UsageException">The weights have no such heads, or their tokens are no seconds.</exception>
    public static NetworkQuality Run(List<(Channel Channel, QualityTrack Track)> judged, string weights, bool onePass, string? features,
        CancellationToken cancellation)
    {
        using QualityWeights loaded = QualityWeightFile.Load(weights);
        if (!loaded.Heads.Contains(QualityHead.Quality) || !loaded.Heads.Contains(QualityHead.Rhythm))
            throw new UsageException($"--weights {weights}: has no heads for quality and rhythm; pretrain quality makes them");
        using IQualityNetwork network = QualityNetwork.Cpu(loaded);
        QualityReader reader;
        try
        {
            reader = new QualityReader(network);
        }
        catch (ArgumentException)
        {
            throw new UsageException($"--weights {weights}: its tokens are not the seconds of a pulse and an ECG at 125 Hz "
                + "(recipe:SEED,quality-small, or what pretrain quality wrote)");
        }

        (Channel Channel, QualityTrack Track) pulse = judged.FirstOrDefault(j => j.Channel.Kind == ChannelKind.Ppg),
            ecg = judged.FirstOrDefault(j => j.Channel.Kind == ChannelKind.Ecg);
        if (pulse.Channel is null)
            pulse = judged.FirstOrDefault(j => j.Channel.Kind == ChannelKind.BloodPressure);
        long started = System.Diagnostics.Stopwatch.GetTimestamp();
        float[] tokens = [];
        QualityReading reading = onePass ? reader.ReadInOnePass(pulse.Track, ecg.Track, out tokens)
            : reader.Read(pulse.Track, ecg.Track, cancellation);
        double took = System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        int width = loaded.Configuration.Width, seconds = reading.Rhythm.Length;
        if (features is not null && seconds > 0)
        {
            RecordingFile.Write(features, new Recording("features", Enumerable.Range(0, width).Select(c => new Channel(
                string.Create(CultureInfo.InvariantCulture, $"f{c}"), "", 1,
                (float[])[.. Enumerable.Range(0, seconds).Select(s => tokens[(s * width) + c])], ChannelKind.Other))),
                cancellation: cancellation);
        }

        int window = loaded.Configuration.Tokens;
        return new NetworkQuality(File.Exists(weights) ? Path.GetFileName(weights) : weights, onePass,
            onePass ? Math.Max(seconds, window) : window, took,
            [.. new[] { pulse.Channel, ecg.Channel }.Select((c, i) => (c, i)).Where(c => c.c is not null)
                .Select(c => new NetworkSignalQuality(c.c!.Name, reading.Quality[c.i], reading.Readable[c.i]))], reading.Rhythm);
    }

    /// <summary>Prints it beside the index.</summary>
    public static void Print(Terminal terminal, NetworkQuality network, List<(Channel Channel, QualityTrack Track)> judged)
    {
        var table = ResultTable.Create("network on", ">seconds", ">mean quality", ">heart rate %", ">as the index says %");
        foreach (NetworkSignalQuality signal in network.Signals)
        {
            double[] index = judged.First(j => j.Channel.Name == signal.Name).Track.Index;
            int n = signal.Quality.Length;
            if (n == 0)
                continue;
            table.Add(signal.Name, n, ((double)signal.Quality.Average()).In("0.00"),
                (100.0 * signal.HeartRate.Count(p => p >= 0.5f) / n).In("0"),
                (100.0 * Enumerable.Range(0, n).Count(s => signal.HeartRate[s] >= 0.5f == index[s] >= 0.5) / n).In("0"));
        }

        terminal.Write(table);
        string read = network.OnePass ? "all" : "windows", milliseconds = network.EncodeMilliseconds.In("0");
        terminal.Say($"The network read {read} of {network.Tokens} tokens in {milliseconds} ms. It is not the product's index; "
            + "no rate rests on it.");
    }
}
