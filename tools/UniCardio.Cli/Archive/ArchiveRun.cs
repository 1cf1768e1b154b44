using UniCardio.Engine;
using UniCardio.Pipeline;
using UniCardio.Restoration;
using UniCardio.Signals;
using UniCardio.Signals.Formats;

namespace UniCardio.Cli.Archive;

/// <summary>What a run over an archive did.</summary>
internal sealed record ArchiveReport
{
    public required string Shard { get; init; }
    public required int Recordings { get; init; }
    public required int Done { get; init; }
    public required int Skipped { get; init; }
    public required int Failed { get; init; }
    public required bool Cancelled { get; init; }
    public required string Manifest { get; init; }
    public required string Remark { get; init; }
}

/// <summary>
/// Restores the recordings of a folder, one after the other: outputs are named like their inputs, finished ones are skipped, those that
/// cannot be restored are noted and the rest continues. Several processes may work at different parts of one archive at the same time.
/// </summary>
internal sealed class ArchiveRun
{

    private readonly string _input;
    private readonly string _output;
    private readonly string _extension;
    private readonly Shard _shard;
    private readonly RecordingReadOptions _reading;
    private readonly ChannelSelection _channels;
    private readonly string _settings;

    /// <param name="input">The folder of recordings.</param>
    /// <param name="output">The folder of outputs; made if it is not there.</param>
    /// <param name="extension">Format of the outputs.</param>
    /// <param name="shard">Which part.</param>
    /// <param name="reading">How recordings are read.</param>
    /// <param name="channels">Which channel is which signal.</param>
    /// <param name="settings">Everything else that outputs depend on.</param>
    public ArchiveRun(string input, string output, string extension, Shard shard, RecordingReadOptions reading, ChannelSelection channels,
        string settings)
    {
        _input = input;
        _output = output;
        _extension = extension;
        _shard = shard;
        _reading = reading;
        _channels = channels;
        _settings = settings;
    }

    public ArchiveReport Run(Restorer restorer, Terminal terminal, CancellationToken cancellation)
    {
        string[] paths = [.. List().Where(p => _shard.Contains(NameOf(p)))];
        Directory.CreateDirectory(_output);
        using Manifest manifest = Manifest.Open(_output, _shard);
        int done = 0, skipped = 0, failed = 0;
        bool cancelled = false;
        terminal.WithProgress($"part {_shard}", bar =>
        {
            for (int i = 0; i < paths.Length && !cancelled; i++)
            {
                bar.Report(((double)i / paths.Length, $"{NameOf(paths[i])}, {i} of {paths.Length}"));
                ArchiveEntry entry = Describe(paths[i]);
                if (manifest.Find(entry.Name) is { Output: string output } before && before.Covers(entry)
                    && File.Exists(Path.Combine(_output, output)))
                {
                    skipped++;
                    continue;
                }
                try
                {
                    entry = Restore(restorer, paths[i], entry, cancellation);
                }
                catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
                {
                    cancelled = true;
                    break;
                }
                manifest.Add(entry);
                (done, failed) = entry.Error is null ? (done + 1, failed) : (done, failed + 1);
                if (entry.Error is not null)
                    terminal.Note($"{entry.Name}: {entry.Error}");
            }
            return 0;
        });
        return new ArchiveReport
        {
            Shard = _shard.ToString(), Recordings = paths.Length, Done = done, Skipped = skipped, Failed = failed, Cancelled = cancelled,
            Manifest = Manifest.NameOf(_shard), Remark = RestorationResult.Remark,
        };
    }

    private static string NameOf(string path) => Path.GetFileNameWithoutExtension(path);

    private string[] List()
    {
        string[] paths = RecordingFile.ListIn(_input);
        if (paths.Length == 0)
            throw new UsageException($"{_input} holds no recording ({string.Join(", ", RecordingFile.ListedExtensions)})");
        IGrouping<string, string>? same = paths.GroupBy(NameOf, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1);
        return same is null ? paths
            : throw new UsageException(
                $"{string.Join(" and ", same.Select(p => Path.GetFileName(p)))} would write one output, {same.Key}{_extension}; keep "
                + $"one of them");
    }

    // A WFDB record is several files of one name.
    private ArchiveEntry Describe(string path)
    {
        FileInfo[] files =
            [.. Directory.EnumerateFiles(_input, NameOf(path) + ".*").Where(f => NameOf(f) == NameOf(path)).Select(f => new FileInfo(f))];
        return new ArchiveEntry { Name = NameOf(path), Input = Path.GetFileName(path), InputBytes = files.Sum(f => f.Length),
            InputTime = files.Max(f => f.LastWriteTimeUtc), Settings = _settings };
    }

    private ArchiveEntry Restore(Restorer restorer, string path, ArchiveEntry entry, CancellationToken cancellation)
    {
        try
        {
            Recording recording = RecordingFile.Read(path, _reading, cancellation);
            RestorationResult result = restorer.Run(recording, _channels, null, cancellation);
            string output = entry.Name + _extension;
            RecordingFile.Write(Path.Combine(_output, output), result.Recording, cancellation: cancellation);
            return entry.With(result, output);
        }
        catch (Exception problem) when (problem is SignalException or UniCardioException)
        {
            return entry with { Error = problem.Message };
        }
    }
}
