using UniCardio.Engine;

namespace UniCardio.Training.Objectives;

/// <summary>What the squared errors of a batch are divided by.</summary>
public enum LossNormalization
{
    /// <summary>Mean over each window's counted samples (at least a fifth of the window, so that a short gap does not outweigh the rest),
    /// then over the windows: every window counts.</summary>
    Window,

    /// <summary>Mean over all counted samples of the batch: every sample counts.</summary>
    Batch,

    /// <summary>Sum over windows and samples divided by 4S (as published for UniCardio).</summary>
    Published,
}

/// <summary>How much a diffusion step counts.</summary>
public enum StepWeighting
{
    /// <summary>Every step as the prediction type has it.</summary>
    None,

    /// <summary>min(SNR, gamma) on the error of x0 (Hang et al., arXiv 2303.09556).</summary>
    MinSnr,

    /// <summary>1 / (k + SNR)^gamma on the error of eps (Choi et al., arXiv 2204.00227).</summary>
    P2,
}

/// <summary>How diffusion steps are drawn.</summary>
public enum StepDraw
{
    /// <summary>Each window's step uniform over 0 .. T-1, independently (as published).</summary>
    Independent,

    /// <summary>One window from each B-th of 0 .. T-1 in random order: uniform too, with less spread from batch to batch.</summary>
    Stratified,
}

/// <summary>The loss.</summary>
public sealed record ObjectiveOptions
{
    /// <summary>What squared errors are divided by.</summary>
    public LossNormalization Normalization { get; init; } = LossNormalization.Window;

    /// <summary>How much a diffusion step counts.</summary>
    public StepWeighting Weighting { get; init; }

    /// <summary>gamma of <see cref="StepWeighting.MinSnr"/> (published 5) or <see cref="StepWeighting.P2"/> (published 1); above
    /// 0.</summary>
    public double WeightingGamma { get; init; } = 5;

    /// <summary>k of <see cref="StepWeighting.P2"/>; above 0.</summary>
    public double WeightingOffset { get; init; } = 1;

    /// <summary>How steps are drawn.</summary>
    public StepDraw Draw { get; init; } = StepDraw.Independent;

    /// <summary>
    /// Whether the network learns a teacher's samples in one or two calls (Luhman and Luhman, arXiv 2101.02388): its state at t = T-1 is
    /// the noise z that the sample was drawn from, and the loss is the squared error of the clean signal, (alpha z - sigma v) - sample for
    /// v. Only with examples that bring their state and step.
    /// </summary>
    public bool Distils { get; init; }

    /// <summary>
    /// Draws M of a window that are scored together by the energy score (<see cref="EnergyScore"/>), by which a network learns to draw in
    /// one call, from noise at t = T-1, without a teacher; 2 to 16 and a divisor of the batch, 0 for the diffusion loss.
    /// </summary>
    public int ScoredDraws { get; init; }

    /// <summary>Whether clean targets are clamped to the range that sampling clamps to (<see cref="Engine.Sampling.PlausibleRange"/>): the
    /// rare window that was scaled by a short calm stretch would outweigh a whole batch.</summary>
    public bool ClampsTargets { get; init; }

    /// <summary>Weight of the mean squared difference of the amplitude spectra of the predicted and the true clean signal; 0 for none.
    /// Fine-tuning as published: 1.</summary>
    public double SpectralAmplitude { get; init; }

    /// <summary>Weight of the phase's part of the spectral distance; 0 for none.</summary>
    public double SpectralPhase { get; init; }

    /// <summary>Weight of the mean absolute error of the predicted clean signal, peaks and valleys counting 3 and 2 times; 0 for none.
    /// Fine-tuning as published: 1 (where the weights by mistake multiply the prediction alone, not the error).</summary>
    public double PeakL1 { get; init; }

    /// <summary>Whether errors of peaks and valleys are multiplied by 3 and 2 before they are squared, as in fine-tuning as
    /// published.</summary>
    public bool WeighsPeaks { get; init; }

    /// <summary>Whether the losses on the clean signal are multiplied by abar: at high noise an eps-prediction's clean signal is its error
    /// magnified.</summary>
    public bool DampsCleanLosses { get; init; }

    // Whether the network learns to draw from noise in one call or two.
    internal bool LearnsToDraw => Distils || ScoredDraws > 0;

    // Windows of a batch that follow each other and are draws of one condition.
    internal int Draws => Math.Max(1, ScoredDraws);

    /// <summary>Checks the numbers.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ConfigurationException">One is out of range; it is named.</exception>
    public ObjectiveOptions Validate()
    {
        if (!(WeightingGamma > 0 && double.IsFinite(WeightingGamma)))
            throw new ConfigurationException("weighting_gamma", $"{WeightingGamma} is not a positive finite number");
        if (!(WeightingOffset > 0 && double.IsFinite(WeightingOffset)))
            throw new ConfigurationException("weighting_offset", $"{WeightingOffset} is not a positive finite number");
        if (ScoredDraws is < 0 or 1 or > 16)
            throw new ConfigurationException("score_draws", $"{ScoredDraws} is neither 0 nor 2 to 16");
        if (ScoredDraws > 0 && (Distils || WeighsPeaks || SpectralAmplitude > 0 || SpectralPhase > 0 || PeakL1 > 0))
            throw new ConfigurationException("score_draws", "the score of draws is a loss of its own; leave the others out");
        foreach ((string name, double weight) in ((string, double)[])[("spectral_amplitude", SpectralAmplitude),
            ("spectral_phase", SpectralPhase), ("peak_l1", PeakL1)])
        {
            if (!(weight >= 0 && double.IsFinite(weight)))
                throw new ConfigurationException(name, $"{weight} is not a finite number from 0 on");
        }

        return this;
    }
}
