using System.Text;
using System.Text.Json;
using UniCardio.Files;

namespace UniCardio.Cli.Archive;

/// <summary>
/// The manifests of an output folder: one file a part, one JSON object a line, only ever added to. A process that is killed leaves at most
/// a torn last line, which counts as not there. What any part has done, no part does again.
/// </summary>
internal sealed class Manifest : IDisposable
{
    private const string Pattern = "manifest-*.jsonl";

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Dictionary<string, ArchiveEntry> _done = new(StringComparer.Ordinal);
    private readonly FileStream _file;

    private Manifest(string path) => _file = FileSteps.OpenToAppend(path);

    /// <summary>File name of a part's manifest.</summary>
    public static string NameOf(Shard shard) => $"manifest-{shard.Index}-of-{shard.Count}.jsonl";

    /// <summary>Opens a part's manifest and reads those of all parts.</summary>
    /// <exception cref="IOException">It cannot be written, as it cannot while another process works at the same part.</exception>
    public static Manifest Open(string folder, Shard shard)
    {
        var manifest = new Manifest(Path.Combine(folder, NameOf(shard)));
        try
        {
            manifest.CutTornLine();
            foreach (string path in Directory.EnumerateFiles(folder, Pattern).Order(StringComparer.Ordinal))
                manifest.Read(path);
            return manifest;
        }
        catch
        {
            manifest.Dispose();
            throw;
        }
    }

    /// <summary>What was done with a recording last, or null.</summary>
    public ArchiveEntry? Find(string name) => _done.GetValueOrDefault(name);

    /// <summary>Adds a line; when this returns it is on the disk.</summary>
    public void Add(ArchiveEntry entry)
    {
        byte[] line = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(entry, Options) + "\n");
        FileSteps.Write(_file, line);
        FileSteps.Flush(_file);
        _done[entry.Name] = entry;
    }

    public void Dispose() => _file.Dispose();

    private void CutTornLine()
    {
        long end = _file.Length;
        for (int last; end > 0; end--)
        {
            _file.Position = end - 1;
            last = _file.ReadByte();
            if (last == '\n')
                break;
        }
        _file.SetLength(end);
        _file.Position = end;
    }

    private void Read(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        while (reader.ReadLine() is string line)
        {
            ArchiveEntry? entry = null;
            try
            {
                entry = JsonSerializer.Deserialize<ArchiveEntry>(line, Options);
            }
            catch (JsonException)
            {
                // Torn, or being written by another part.
            }
            // A failure does not undo what an earlier line says is done.
            if (entry is not null
                && (entry.Error is null || !_done.TryGetValue(entry.Name, out ArchiveEntry? before) || before.Error is not null))
                _done[entry.Name] = entry;
        }
    }
}
