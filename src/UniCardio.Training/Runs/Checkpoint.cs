using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Files;
using UniCardio.Weights;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Training.Runs;

/// <summary>A run's state as a safetensors file.</summary>
internal static class Checkpoint
{
    private const string FormatKey = "training_checkpoint", Format = "1";
    private const string UncertaintyName = "uncertainty", SensitivityName = "layer_sensitivity";

    /// <summary>Writes the state beside the file and renames; the file before becomes <paramref name="previous"/>.</summary>
    public static void Write(string path, string previous, TrainingState state, string runIdentity)
    {
        string next = path + ".next";
        Write(next, state, runIdentity);
        // Between the two renames only the previous one is there, which does as well: a run continues from any of its checkpoints to the
        // same end.
        if (File.Exists(path))
            FileSteps.Rename(path, previous, overwrite: true);
        FileSteps.Rename(next, path, overwrite: true);
    }

    /// <summary>Writes the state, whole or not at all.</summary>
    /// <param name="path">The file; replaced if it exists.</param>
    /// <param name="state">The state.</param>
    /// <param name="runIdentity">Identity of the run.</param>
    /// <param name="more">Further texts to keep with it.</param>
    public static void Write(string path, TrainingState state, string runIdentity, IReadOnlyDictionary<string, string>? more = null)
    {
        ParameterTensor[] tensors =
        [
            Tensor("parameters", state.Parameters),
            Tensor("averaged", state.Averaged),
            Tensor("moment1", state.Moment1),
            Tensor("moment2", state.Moment2),
            Tensor("recent_losses", state.RecentLosses),
            .. Further(UncertaintyName, state.Uncertainty),
            .. Further(SensitivityName, state.Sensitivity),
        ];
        SafetensorsWriter.Write(path, tensors, new Dictionary<string, string>(more ?? new Dictionary<string, string>())
        {
            [FormatKey] = Format,
            ["run"] = runIdentity,
            ["updates"] = state.Updates.ToString(CultureInfo.InvariantCulture),
            ["checks_done_to"] = (state.CheckedAt + 1).ToString(CultureInfo.InvariantCulture),
            ["loss_sum"] = Text(state.LossSum),
            ["norm_sum"] = Text(state.NormSum),
            ["seconds"] = Text(state.Seconds),
        });
    }

    /// <summary>Reads a state.</summary>
    /// <exception cref="WeightFormatException">The file is not a checkpoint of this run or does not hold together.</exception>
    public static TrainingState Read(string path, int parameters, RunRecord run) => Read(path, parameters, run.Owns);

    /// <summary>Reads a state.</summary>
    /// <param name="path">The file.</param>
    /// <param name="parameters">Length of the flat vectors.</param>
    /// <param name="owns">Whether an identity is the run's.</param>
    /// <exception cref="WeightFormatException">The file is not a checkpoint of this run or does not hold together.</exception>
    public static TrainingState Read(string path, int parameters, Func<string?, bool> owns)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path, memoryMap: false);
        if (file.Metadata.GetValueOrDefault(FormatKey) != Format)
            throw new WeightFormatException(path, $"is not a training checkpoint of format {Format}");
        if (!owns(file.Metadata.GetValueOrDefault("run")))
            throw new WeightFormatException(path, "is a checkpoint of another run: its options or data differ from run.json");
        return new TrainingState
        {
            Updates = (long)Number(file, "updates"),
            CheckedAt = (long)Number(file, "checks_done_to") - 1,
            Parameters = Vector(file, "parameters", parameters),
            Averaged = Vector(file, "averaged", parameters),
            Moment1 = Vector(file, "moment1", parameters),
            Moment2 = Vector(file, "moment2", parameters),
            RecentLosses = file.Floats("recent_losses").ToArray(),
            Uncertainty = file.Contains(UncertaintyName) ? file.Floats(UncertaintyName).ToArray() : ReadOnlyMemory<float>.Empty,
            Sensitivity = file.Contains(SensitivityName) ? file.Floats(SensitivityName).ToArray() : ReadOnlyMemory<float>.Empty,
            LossSum = Number(file, "loss_sum"),
            NormSum = Number(file, "norm_sum"),
            Seconds = Number(file, "seconds"),
        };
    }

    // What only some runs have.
    private static ParameterTensor[] Further(string name, ReadOnlyMemory<float> values) => values.IsEmpty ? [] : [Tensor(name, values)];

    private static ParameterTensor Tensor(string name, ReadOnlyMemory<float> values) => new(name, [values.Length], values);

    private static float[] Vector(SafetensorsFile file, string name, int length)
    {
        float[] values = file.Floats(name).ToArray();
        return values.Length == length ? values
            : throw new WeightFormatException(file.Path, $"has {values.Length} values, expected {length}", name);
    }

    private static double Number(SafetensorsFile file, string key) =>
        double.TryParse(file.Metadata.GetValueOrDefault(key), NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            && double.IsFinite(value) && value >= 0
            ? value
            : throw new WeightFormatException(file.Path, $"'{key}' in the metadata is no number from 0 on");

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
