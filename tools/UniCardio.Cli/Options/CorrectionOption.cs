using System.CommandLine;
using UniCardio.Engine.Model;
using UniCardio.Pipeline.Patient;
using UniCardio.Weights;

namespace UniCardio.Cli.Options;

/// <summary>Weights that correct the patient's own beat in gaps: <c>--correction</c>.</summary>
internal sealed class CorrectionOption
{
    private readonly Option<string?> _file = new("--correction")
    {
        Description =
            "Weights that correct the patient's own beat (finetune --preset correction), one more estimator of auto; they take part where "
            + "hidden stretches of the recording speak for them.",
        HelpName = "FILE",
    };

    public void AddTo(Command command) => command.Add(_file);

    /// <summary>Loads them; null where none are named.</summary>
    public LoadedWeights? Load(ParseResult parsed, EstimatorChoice estimator)
    {
        if (parsed.GetResult(_file) is null || parsed.GetValue(_file) is not string file)
            return null;
        if (estimator != EstimatorChoice.Auto)
            throw new UsageException("--correction is one more estimator of --estimator auto; with another estimator it has no part");
        LoadedWeights loaded = WeightFile.Load(file, new WeightLoadOptions());
        if (loaded.Configuration.Prediction == PredictionKind.Correction)
            return loaded;
        loaded.Dispose();
        throw new UsageException(
            $"{file} predicts {loaded.Configuration.Prediction.ToString().ToLowerInvariant()}; --correction takes weights that correct "
            + $"proposals (prediction correction), as 'finetune --preset correction' makes them");
    }
}
