using System.Text.Json;
using UniCardio.Training.Network;
using UniCardio.Weights;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Training.Runs;

/// <summary>A run as one file: its last checkpoint (weights, optimiser, averages, counters), its options and its tables, so that another
/// machine continues from there.</summary>
/// <remarks>The next update is, bit for bit, the one that the run would have made where it was, on the same instruction set.</remarks>
internal static class RunState
{
    private const string RecordKey = "run_json", LogKey = "log_csv", ChecksKey = "validation_csv";

    /// <summary>Writes a run's last checkpoint with all that goes with it; works while the run continues.</summary>
    /// <param name="folder">The run.</param>
    /// <param name="destination">The safetensors file; replaced if it exists.</param>
    /// <returns>Updates done.</returns>
    /// <exception cref="RunFolderException">The folder holds no run, or the run has no checkpoint yet.</exception>
    /// <exception cref="WeightFormatException">The checkpoints cannot be read.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static long Export(RunFolder folder, string destination)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentException.ThrowIfNullOrEmpty(destination);
        RunRecord record = folder.ReadRecord();
        TrainingState state = folder.ReadState(new ParameterLayout(record.Options.Network).Length, record)
            ?? throw new RunFolderException(folder.Path, "has no checkpoint yet");
        var with = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [RecordKey] = File.ReadAllText(folder.RecordFile),
            [LogKey] = ReadTable(folder.LogFile),
            [ChecksKey] = ReadTable(folder.ValidationFile),
        };
        Checkpoint.Write(destination, state, record.Identity, with);
        return state.Updates;
    }

    /// <summary>Lays a run out of a file that <see cref="Export"/> wrote, to continue with as with any run.</summary>
    /// <param name="source">The file.</param>
    /// <param name="folder">Where; it must hold no run.</param>
    /// <returns>Updates done.</returns>
    /// <exception cref="RunFolderException">The folder holds a run, or is in use.</exception>
    /// <exception cref="WeightFormatException">The file is no run's state, or does not hold together; the folder then holds no
    /// run.</exception>
    /// <exception cref="Engine.ConfigurationException">An option is out of range.</exception>
    public static long Import(string source, RunFolder folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        ArgumentNullException.ThrowIfNull(folder);
        if (folder.HasRun)
            throw new RunFolderException(folder.Path, "holds a run already; take the state up in another folder");
        using SafetensorsFile file = SafetensorsFile.Open(source, memoryMap: false);
        string Text(string key) => file.Metadata.GetValueOrDefault(key)
            ?? throw new WeightFormatException(source, $"is not the state of a run: it has no '{key}'");
        (string text, string log, string checks) = (Text(RecordKey), Text(LogKey), Text(ChecksKey));
        RunRecord record = Parse(source, text);
        record.Options.Validate();
        TrainingState state = Checkpoint.Read(source, new ParameterLayout(record.Options.Network).Length, record);
        using (folder.Lock())
        {
            folder.Clean();
            RunFolder.WriteWhole(folder.LogFile, log);
            RunFolder.WriteWhole(folder.ValidationFile, checks);
            Checkpoint.Write(folder.CheckpointFile, state, record.Identity);

            // Last: without it the folder holds no run.
            RunFolder.WriteWhole(folder.RecordFile, text);
        }

        return state.Updates;
    }

    private static RunRecord Parse(string source, string text)
    {
        try
        {
            return RunRecord.FromJson(text);
        }
        catch (JsonException e)
        {
            throw new WeightFormatException(source, "holds options that cannot be read: " + e.Message, RecordKey, inner: e);
        }
    }

    private static string ReadTable(string path)
    {
        if (!File.Exists(path))
            return string.Empty;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
