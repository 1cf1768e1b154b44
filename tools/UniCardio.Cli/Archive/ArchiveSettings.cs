using System.Globalization;
using UniCardio.Cli.Output;
using UniCardio.Pipeline;
using UniCardio.Restoration;
using UniCardio.Signals;
using UniCardio.Signals.Formats;
using UniCardio.Weights;

namespace UniCardio.Cli.Archive;

/// <summary>Everything that an archive's outputs depend on beside their inputs, as one line: where it differs, an output is not the one
/// that is wanted.</summary>
internal static class ArchiveSettings
{
    public static string Of(RestorationOptions options, RecordingReadOptions reading, ChannelSelection channels, LoadedWeights weights,
        LoadedWeights? correction = null) =>
        string.Create(CultureInfo.InvariantCulture,
        $"{options.Task}; estimator {options.Estimator}; align {options.Align}; calibration {options.Calibration?.Recording?.Name} "
        + $"{options.Calibration?.StartSeconds} {options.Calibration?.EndSeconds} {string.Join(',', options.Calibration?.Cuffs ?? [])}; "
        + $"method {options.Method}; noise {options.NoiseLevel}; draws {options.Draws}; {options.Summary}; {options.Sampler}; seed "
        + $"{options.Seed}; overlap {options.Overlap}; band {options.BandChannels}; residual {options.Residual}; rate "
        + $"{reading.SampleRate}; columns {string.Join(',', reading.ColumnNames ?? [])}; missing "
        + $"{string.Join(',', reading.MissingValues)}; units {string.Join(',', reading.Units ?? new Dictionary<string, string>())}; from "
        + $"{reading.StartSeconds} to {reading.EndSeconds}; channels {channels.Ppg},{channels.BloodPressure},{channels.Ecg}; "
        + $"{weights.Configuration.Heads} heads; {weights.Configuration.Positions}; {weights.Configuration.Prediction}; weights "
        + $"{WeightHash.Name(weights)}{(correction is null ? "" : $"; correction {WeightHash.Name(correction)}")}")
        .ToLowerInvariant();
}
