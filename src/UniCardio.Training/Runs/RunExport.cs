using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Training.Network;
using UniCardio.Weights;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Training.Runs;

/// <summary>Writes what a run has made as a weight file.</summary>
public static class RunExport
{
    /// <summary>Writes the averaged weights of a run's last checkpoint.</summary>
    /// <param name="folder">The run.</param>
    /// <param name="destination">The safetensors file; replaced if it exists.</param>
    /// <param name="cancellation">Asked between tensors.</param>
    /// <returns>Updates that the weights have seen.</returns>
    /// <exception cref="RunFolderException">The folder holds no run, or the run has no checkpoint yet.</exception>
    /// <exception cref="WeightFormatException">The checkpoints cannot be read.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static long Write(RunFolder folder, string destination, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(folder);
        RunRecord record = folder.ReadRecord();
        var layout = new ParameterLayout(record.Options.Network);
        TrainingState state = folder.ReadState(layout.Length, record) ?? throw new RunFolderException(folder.Path, "has no checkpoint yet");
        using ModelWeights weights = layout.Write(state.Averaged.Span);
        SafetensorsWriter.Write(destination, weights.Tensors, Metadata(record, state), cancellation: cancellation);
        return state.Updates;
    }

    private static Dictionary<string, string> Metadata(RunRecord record, TrainingState state)
    {
        TrainingOptions options = record.Options;
        var pairs = new Dictionary<string, string>(
            (options.Objective.LearnsToDraw
                ? options.Network with
                {
                    OwnSampler = Distillation.TeacherPairs.Student(options.StudentCalls).ToString(),
                    OwnTasks = options.Curriculum.Tasks.Count > 0 ? string.Join(';', options.Curriculum.Tasks) : null,
                }
                : options.Network).ToMetadata(), StringComparer.Ordinal)
        {
            [WeightFile.DescriptionKey] = string.Create(CultureInfo.InvariantCulture,
                $"{state.Updates} of {options.Steps} updates of {options.Batch} windows, "
                + $"{options.Curriculum.Kind.ToString().ToLowerInvariant()} curriculum, {state.Seconds / 3600:F1} hours; averaged weights"),
            ["training_data"] = record.TrainingData,
            ["training_start"] = record.Start,
            ["training_code"] = record.CodeVersion,
            ["training_updates"] = state.Updates.ToString(CultureInfo.InvariantCulture),
            // Where somebody keeps recordings is nobody else's business; TrainingData tells by their hash which they were.
            ["training_options"]
            = (record with { Options = options
                with { RecordingFolder = null, PairFile = options.PairFile is string drawn ? Path.GetFileName(drawn) : null } }).ToJson(),
        };
        return pairs;
    }
}
