using System.Text;
using System.Text.Json;
using UniCardio.Files;
using UniCardio.Weights;

namespace UniCardio.Training.Runs;

/// <summary>The files of a run.</summary>
/// <remarks>
/// <c>run.json</c> options; <c>log.csv</c> and <c>validation.csv</c> tables; <c>checkpoint.safetensors</c> and
/// <c>checkpoint.previous.safetensors</c>
/// states; <c>curve.svg</c> and <c>curve.html</c> pictures; <c>run.lock</c> held by the process that works on it; <c>pause</c>, which
/// somebody else puts there, halts it.
/// </remarks>
public sealed class RunFolder
{
    /// <summary>Names a folder; nothing is read or made.</summary>
    /// <param name="path">The folder.</param>
    public RunFolder(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        Path = path;
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Whether the folder holds a run.</summary>
    public bool HasRun => File.Exists(RecordFile);

    internal string RecordFile => FileOf("run.json");

    internal string LogFile => FileOf("log.csv");

    internal string ValidationFile => FileOf("validation.csv");

    internal string CheckpointFile => FileOf("checkpoint.safetensors");

    /// <summary>While a file of this name lies in the folder, the run pauses.</summary>
    public string PauseFile => FileOf("pause");

    internal string PreviousFile => FileOf("checkpoint.previous.safetensors");

    // Without extension.
    internal string CurveFile => FileOf("curve");

    /// <summary>Reads run.json.</summary>
    /// <exception cref="RunFolderException">It is not there or cannot be read.</exception>
    /// <exception cref="Engine.ConfigurationException">An option is out of range.</exception>
    public RunRecord ReadRecord()
    {
        if (!HasRun)
            throw new RunFolderException(Path, "holds no run (no run.json)");
        try
        {
            RunRecord record = RunRecord.FromJson(File.ReadAllText(RecordFile));
            record.Options.Validate();
            return record;
        }
        catch (JsonException e)
        {
            throw new RunFolderException(RecordFile, "cannot be read: " + e.Message, e);
        }
    }

    /// <summary>Writes run.json, whole or not at all.</summary>
    internal void WriteRecord(RunRecord record) => WriteWhole(RecordFile, record.ToJson() + "\n");

    /// <summary>Keeps other processes off the folder until disposed; makes it if it is not there.</summary>
    /// <exception cref="RunFolderException">Another process works on it.</exception>
    internal IDisposable Lock()
    {
        Directory.CreateDirectory(Path);
        try
        {
            return new FileStream(FileOf("run.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new RunFolderException(Path, "another process works on this run (run.lock is held)", e);
        }
    }

    /// <summary>Removes what a killed process left half written.</summary>
    internal void Clean()
    {
        foreach (string left in Directory.GetFiles(Path, "*.tmp"))
            File.Delete(left);
        File.Delete(CheckpointFile + ".next");
    }

    /// <summary>The newest state that can be read, null where there is none.</summary>
    /// <param name="parameters">Length of the flat vectors.</param>
    /// <param name="record">The run.</param>
    /// <exception cref="WeightFormatException">There are checkpoints, and none can be read.</exception>
    internal TrainingState? ReadState(int parameters, RunRecord record)
    {
        WeightFormatException? first = null;
        foreach (string path in (string[])[CheckpointFile, PreviousFile])
        {
            if (!File.Exists(path))
                continue;
            try
            {
                return Checkpoint.Read(path, parameters, record);
            }
            catch (WeightFormatException e)
            {
                first ??= e;
            }
        }

        return first is null ? null : throw first;
    }

    /// <summary>Writes text beside the file and renames.</summary>
    internal static void WriteWhole(string path, string text) => AtomicFile.Write(path, Encoding.UTF8.GetBytes(text));

    private string FileOf(string name) => System.IO.Path.Combine(Path, name);
}
