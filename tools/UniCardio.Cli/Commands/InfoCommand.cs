using System.CommandLine;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Quality;
using UniCardio.Signals;
using UniCardio.Signals.Formats;
using UniCardio.Weights;
using UniCardio.Weights.Golden;
using UniCardio.Weights.Quality;

namespace UniCardio.Cli.Commands;

/// <summary><c>info FILE</c>: what a file of weights, golden vectors or signals holds.</summary>
internal static class InfoCommand
{
    private static readonly string[] WeightExtensions = [".safetensors", ".pth", ".pt", ".ckpt", ".tar"];

    public static Command Create(Terminal terminal)
    {
        var file = new Argument<string>("FILE")
            { Description = "Weights (.safetensors, .pth, recipe:SEED), golden vectors, a recording (.csv, .npy, WFDB, .edf, .bdf; - is "
                + "CSV from standard input), or a folder of recordings." };
        var json = new Option<bool>("--json") { Description = "Writes one JSON object." };
        var network = new NetworkOptions();
        var reading = new ReadingOptions();
        var command = new ExampleCommand("info", "Says what a file holds, told by its content: weights, golden vectors or a recording.",
            "info weights/compact.safetensors",
            "info recording.csv --rate 125 --json")
        {
            file,
            json,
        };
        network.AddTo(command);
        reading.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            string path = parsed.GetValue(file)!;
            bool asJson = parsed.GetValue(json);
            if (Directory.Exists(path))
                return Task.FromResult(Folder(terminal, path, reading.Read(parsed), asJson, cancellation));
            if (path == StandardStreams.Name || !IsWeights(path))
                Recording(terminal,
                    RecordingInfo.Of(path, StandardStreams.Read(terminal, path, reading.Read(parsed), cancellation)), asJson);
            else if (IsGolden(path))
                Golden(terminal, path, asJson);
            else
                Weights(terminal, path, network.Read(parsed), asJson);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    // A torch checkpoint is a zip archive or a pickle; a safetensors file has '{' after eight bytes of length.
    private static bool IsWeights(string path)
    {
        if (WeightRecipe.IsRecipe(path) || path.EndsWith(".index.json", StringComparison.OrdinalIgnoreCase)
            || WeightExtensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase))
            return true;
        if (!File.Exists(path) || RecordingFile.IsListed(path) || Path.GetExtension(path).ToUpperInvariant() is ".TXT" or ".TSV" or ".NPZ")
            return false;
        // Opening a pipe waits for its other end; it has no length, as a device has none.
        var named = new FileInfo(path);
        if ((named.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? named).Length == 0)
            return false;
        byte[] start = new byte[9];
        using FileStream stream = File.OpenRead(path);
        int length = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        return start.AsSpan().StartsWith("PK"u8)
            || (length == start.Length && (start[8] == (byte)'{' || (start[0] == 0x80 && start[1] is >= 2 and <= 5)));
    }

    // Golden vectors are safetensors without a single weight.
    private static bool IsGolden(string path)
    {
        if (WeightRecipe.IsRecipe(path) || !File.Exists(path))
            return false;
        try
        {
            using GoldenFile golden = GoldenFile.Open(path);
            return golden.Entries.Count > 0;
        }
        catch (Engine.UniCardioException)
        {
            return false;
        }
    }

    private static void Weights(Terminal terminal, string path, WeightLoadOptions options, bool json)
    {
        if (QualityWeightFile.IsQuality(path))
        {
            Quality(terminal, path, json);
            return;
        }

        using LoadedWeights loaded = WeightFile.Load(path, options);
        WeightInfo info = WeightInfo.Of(loaded);
        if (json)
            Json.Write(terminal, info);
        else
            info.WriteTo(terminal);
    }

    private static void Quality(Terminal terminal, string path, bool json)
    {
        using QualityWeights weights = QualityWeightFile.Load(path);
        long parameters = weights.Tensors.Sum(t => (long)t.Span.Length);
        if (json)
        {
            Json.Write(terminal,
                new { File = path, Kind = "quality", Configuration = weights.Configuration.ToMetadata(), Parameters = parameters,
                    Heads = weights.Heads.Select(h => h.ToString()) });
            return;
        }

        terminal.Say(
            $"{path}: a QualityFM network, {parameters} parameters, heads: "
            + $"{(weights.Heads.Count == 0 ? "none" : string.Join(", ", weights.Heads))}");
        var table = ResultTable.Create("setting", ">value");
        foreach ((string key, string value) in weights.Configuration.ToMetadata())
            table.Add(key, value);
        terminal.Write(table);
    }

    private static void Golden(Terminal terminal, string path, bool json)
    {
        using GoldenFile golden = GoldenFile.Open(path);
        var kinds = golden.Entries.GroupBy(e => e.GetType().Name["Golden".Length..].ToLowerInvariant())
            .ToDictionary(g => g.Key, g => g.Count());
        if (json)
        {
            Json.Write(terminal,
                new { File = path, Kind = "golden", Configuration = golden.Configuration.ToMetadata(), golden.Seed, Entries = kinds,
                    golden.Unrecognised });
            return;
        }

        terminal.Say(
            $"{path}: golden vectors{(golden.Seed is ulong seed ? $" of recipe:{seed}" : "")}, "
            + $"{string.Join(", ", kinds.Select(k => $"{k.Value} {k.Key}"))}");
        var table = ResultTable.Create("setting", ">value");
        foreach ((string key, string value) in golden.Configuration.ToMetadata())
            table.Add(key, value);
        terminal.Write(table);
    }

    // One line a recording; what cannot be read is said in its place and does not end the list.
    private static int Folder(Terminal terminal, string folder, RecordingReadOptions options, bool json, CancellationToken cancellation)
    {
        string[] paths = RecordingFile.ListIn(folder);
        if (paths.Length == 0)
            throw new UsageException($"{folder} holds no recording ({string.Join(", ", RecordingFile.ListedExtensions)})");
        var found = new List<object>();
        // The signals in the words that --channel takes: bp=ART2.
        var table = ResultTable.Create("file", ">seconds", ">Hz", "channels", ">missing %");
        table.KeepNarrow();
        int refused = 0;
        foreach (string path in paths)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                RecordingInfo info = RecordingInfo.Of(path, RecordingFile.Read(path, options, cancellation));
                found.Add(info);
                table.Add(Path.GetFileName(path), info.Seconds.In("0.#"), string.Join(", ", info.Channels.Select(c => c.RateHz).Distinct()),
                    string.Join("; ", info.Channels.Select(c => c.Kind == "other" ? c.Name : $"{c.Kind}={c.Name}")),
                    (100.0 * info.Channels.Sum(c => (long)c.Missing) / Math.Max(1, info.Channels.Sum(c => (long)c.Samples))).In("0.#"));
            }
            catch (SignalException problem)
            {
                refused++;
                found.Add(new { File = path, Kind = "refused", Problem = problem.Message });
                terminal.Note($"not read: {problem.Message}");
            }
        }

        if (json)
            Json.Write(terminal, found);
        else if (table.Rows.Count > 0)
            terminal.Write(table);
        return refused == 0 ? ExitCode.Success : ExitCode.Failed;
    }

    private static void Recording(Terminal terminal, RecordingInfo info, bool json)
    {
        if (json)
            Json.Write(terminal, info);
        else
            info.WriteTo(terminal);
    }
}
