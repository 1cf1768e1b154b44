using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;
using UniCardio.Pipeline.Patient;

namespace UniCardio.Restoration;

/// <summary>How denoising finds the clean signal.</summary>
public enum DenoisingMethod
{
    /// <summary>
    /// The mean of the clean signal given the measurement, by <see cref="Engine.Sessions.InferenceSession.Estimate"/>: two evaluations a
    /// window, no draws and no band. For broadband noise, whose level is measured from the signal or given.
    /// </summary>
    Estimate,

    /// <summary>Draws from noise, the measurement being a condition: also takes off what is not broadband, such as wander, but keeps less
    /// of the wave.</summary>
    Draws,
}

/// <summary>What a <see cref="Restorer"/> does with a recording. Checked when the restorer is made.</summary>
/// <remarks>Equal options, weights and recordings give equal bits, whatever <see cref="WindowsPerBatch"/> and the number of
/// threads.</remarks>
public sealed record RestorationOptions
{
    /// <summary>Largest <see cref="Overlap"/>: above it a recording costs more than ten times its length.</summary>
    public const double MaxOverlap = 0.9;

    /// <summary>Which signal to make from which.</summary>
    public required CardioTask Task { get; init; }

    /// <summary>Draws N a window, 1 to <see cref="InferencePlan.MaxBatch"/>. There is a band from 2 on; 5% and 95% mean little below some
    /// 20.</summary>
    public int Draws { get; init; } = 8;

    /// <summary>How the draws become one signal.</summary>
    public DrawSummary Summary { get; init; } = DrawSummary.Median;

    /// <summary>How denoising goes about it; <see cref="Draws"/>, <see cref="Summary"/>, <see cref="Sampler"/> and <see cref="Seed"/> say
    /// nothing to an estimate.</summary>
    public DenoisingMethod Method { get; init; }

    /// <summary>
    /// Standard deviation of the broadband noise that an estimate takes off, in the channel's own unit, above 0; null to measure it window
    /// by window (<see cref="Signals.Processing.WhiteNoise"/>).
    /// </summary>
    public double? NoiseLevel { get; init; }

    /// <summary>Whether an estimate takes off wander and motion too, which costs one call of the network a window. What of a signal's own
    /// is as slow as they are, such as breathing in a PPG, goes with them in part; the mean of each window stays as measured, and
    /// with it wander that is slower than a window.</summary>
    public bool RemovesSlowNoise { get; init; }

    /// <summary>What denoising does with what the network took away; the other kinds of task do nothing with it.</summary>
    public ResidualRule Residual { get; init; }

    /// <summary>The sampler.</summary>
    public SamplerOptions Sampler { get; init; } = SamplerOptions.Default;

    /// <summary>Key of the noise.</summary>
    public ulong Seed { get; init; }

    /// <summary>Share of a window that it has in common with the next one and over which they are crossfaded, 0 to
    /// <see cref="MaxOverlap"/>.</summary>
    public double Overlap { get; init; } = 0.25;

    /// <summary>Lower edge of the band as a quantile of the draws, 0 up to below <see cref="HighQuantile"/>.</summary>
    public double LowQuantile { get; init; } = WindowDraws.LowQuantile;

    /// <summary>Upper edge of the band as a quantile of the draws, up to 1.</summary>
    public double HighQuantile { get; init; } = WindowDraws.HighQuantile;

    /// <summary>
    /// Gaps that last no longer than this (seconds, 0 to 0.2) are bridged by a straight line before anything else, in every signal that
    /// takes part. The default is two samples at 125 Hz: monitors lose single samples, and no window needs to be computed for those. 0
    /// bridges none.
    /// </summary>
    public double BridgedGapSeconds { get; init; } = 0.016;

    /// <summary>Windows W that run as one batch; null for a number that keeps memory bounded and cancellation prompt.</summary>
    public int? WindowsPerBatch { get; init; }

    /// <summary>Whether the result's recording carries the band as two more channels.</summary>
    public bool BandChannels { get; init; }

    /// <summary>What fills gaps in imputation; the other kinds of task have no choice. See <see cref="EstimatorChoice"/>.</summary>
    public EstimatorChoice Estimator { get; init; } = EstimatorChoice.Network;

    /// <summary>
    /// Weights that correct the patient's own beat (<see cref="Engine.Model.PredictionKind.Correction"/>), one more estimator with
    /// <see cref="EstimatorChoice.Auto"/>; null for none. The engine must outlive the runs.
    /// </summary>
    public Engine.Sessions.InferenceEngine? Correction { get; init; }

    /// <summary>
    /// What tells a translation its target's level and beat, or null. Without it a translated pressure has no level: it comes out
    /// normalised, as a translated PPG or ECG does.
    /// </summary>
    public Calibration? Calibration { get; init; }

    /// <summary>Whether other signals are first brought to the time of the target (in translation: of the first condition), where their
    /// beats say that their clock is off or drifts.</summary>
    public bool Align { get; init; }

    /// <summary>Whether seconds in which another signal's quality index is too low count as missing, so that a
    /// bad condition does no more harm than none. Signals shorter than 20 s are not judged.</summary>
    public bool GatesConditions { get; init; } = true;

    /// <summary>Whether a translation is made of paired seconds.</summary>
    internal bool IsPaired => Task.Kind == TaskKind.Translate && Calibration is { Cuffs.Count: 0 };

    /// <summary>Whether gaps are filled by more, or other, than the network.</summary>
    internal bool UsesPatient => Task.Kind == TaskKind.Impute && Estimator != EstimatorChoice.Network;

    /// <summary>Whether this denoises by <see cref="DenoisingMethod.Estimate"/>.</summary>
    public bool Estimates => Task.Kind == TaskKind.Denoise && Method == DenoisingMethod.Estimate;

    /// <summary>What the windows of a task compute.</summary>
    /// <param name="task">The task asked for, or what is left of it where signals are missing.</param>
    internal WindowShape ShapeOf(CardioTask task) => Estimates
        ? WindowShape.Estimate(task, RemovesSlowNoise) : new WindowShape(task, Draws, Sampler);

    /// <summary>Whether the result has a band: from two draws on, and wherever the patient's own signals say how far off an estimate
    /// is.</summary>
    public bool HasBand => UsesPatient || IsPaired || (Draws > 1 && !Estimates);

    /// <summary>Checks every setting.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ConfigurationException">A setting is out of range; it is named.</exception>
    public RestorationOptions Validate()
    {
        if (!Task.IsValid)
            throw new ConfigurationException("task", "no task given; use CardioTask.Parse or its factory methods");
        if (Draws is < 1 or > InferencePlan.MaxBatch)
            throw new ConfigurationException("draws", $"{Draws} is not between 1 and {InferencePlan.MaxBatch}");
        if (!Enum.IsDefined(Summary))
            throw new ConfigurationException("summary", $"{(int)Summary} is neither median nor mean");
        if (!Enum.IsDefined(Method))
            throw new ConfigurationException("method", $"{(int)Method} is neither estimate nor draws");
        if (NoiseLevel is not null && !(NoiseLevel > 0 && double.IsFinite(NoiseLevel.Value)))
            throw new ConfigurationException("noise level", FormattableString.Invariant($"{NoiseLevel} is not a finite number above 0"));
        Calibration?.Validate();
        if (Calibration is not null && Task.Kind != TaskKind.Translate)
            throw new ConfigurationException("calibrate", "a calibration is for translation");
        if (Calibration is { Cuffs.Count: > 0 } && Task.Output != Modality.Bp)
            throw new ConfigurationException("calibrate", $"a cuff reading tells nothing of a {Task.Output.Name()}; give paired seconds");
        if (!Enum.IsDefined(Estimator))
            throw new ConfigurationException("estimator", $"{(int)Estimator} is none of auto, network, beat, fir and line");
        if (!Enum.IsDefined(Residual))
            throw new ConfigurationException("residual", $"{(int)Residual} is neither none nor wiener");
        if (RemovesSlowNoise && !Estimates)
            throw new ConfigurationException(
                "slow noise", "slow noise is taken off by denoising with an estimate; draws do so by themselves");
        if (Sampler is null)
            throw new ConfigurationException("sampler", "no sampler given");
        Sampler.Validate();
        if (Overlap is not (>= 0 and <= MaxOverlap))
            throw new ConfigurationException(
                "overlap", FormattableString.Invariant($"{Overlap} is not between 0 and {MaxOverlap} of a window"));
        if (!(LowQuantile >= 0 && LowQuantile < HighQuantile && HighQuantile <= 1))
            throw new ConfigurationException(
                "band", FormattableString.Invariant($"{LowQuantile} to {HighQuantile} is not a range of quantiles between 0 and 1"));
        if (BridgedGapSeconds is not (>= 0 and <= 0.2))
            throw new ConfigurationException(
                "bridged gap", FormattableString.Invariant($"{BridgedGapSeconds} s is not between 0 and 0.2 s"));
        if (WindowsPerBatch is < 1 or > InferencePlan.MaxBatch)
            throw new ConfigurationException("windows per batch", $"{WindowsPerBatch} is not between 1 and {InferencePlan.MaxBatch}");
        return this;
    }
}
