using UniCardio.Engine.Quality;

namespace UniCardio.Training.Quality;

/// <summary>What a training run of the quality network does.</summary>
internal sealed record QualityTrainingOptions
{
    /// <summary>Updates.</summary>
    public int Steps { get; init; } = 2000;

    /// <summary>Pairs a step.</summary>
    public int Pairs { get; init; } = 16;

    /// <summary>Learning rate after 5% of warm-up; a cosine down to a hundredth follows.</summary>
    public double Rate { get; init; } = 1e-3;

    /// <summary>Decoupled weight decay of matrices.</summary>
    public double Decay { get; init; } = 0.04;

    /// <summary>Equal seeds give equal weights and examples.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Weight of the distillation from better to worse; 0 leaves it out.</summary>
    public double Distil { get; init; } = 0.1;

    /// <summary>Whether the teacher's features are centred.</summary>
    public bool Centring { get; init; } = true;

    /// <summary>Weight of the amplitude loss; 0 leaves it out.</summary>
    public double Amplitude { get; init; } = 0.1;

    /// <summary>Weight of the phase loss; 0 leaves it out.</summary>
    public double Phase { get; init; } = 0.1;

    /// <summary>Whether the phase loss is ours (1 - cos, weighted by amplitude) rather than the published smooth L1 of wrapped, z-scored
    /// phases.</summary>
    public bool CosinePhase { get; init; } = true;

    /// <summary>Weight of the labels' loss, quality and rhythm; 0: the heads are not trained, and their gradient reaches nothing.</summary>
    public double Labels { get; init; } = 1;

    /// <summary>Whether only the heads move: a linear probe of what the encoder is.</summary>
    public bool HeadsOnly { get; init; }

    /// <summary>The teacher's momentum at the start; a cosine takes it to 1 at the end. Published: 0.7.</summary>
    public double Momentum { get; init; } = 0.7;

    /// <summary>Temperatures and the centre's momentum, as published.</summary>
    public QualityLossOptions Losses { get; init; } = new();
}

/// <summary>Mean losses since the last report.</summary>
/// <param name="Step">Updates done.</param>
/// <param name="Labels">Cross-entropy of quality and readability.</param>
/// <param name="Rhythm">Cross-entropy of rhythm.</param>
/// <param name="Distil">Distillation.</param>
/// <param name="Amplitude">Amplitude.</param>
/// <param name="Phase">Phase.</param>
internal readonly record struct QualityProgress(int Step, double Labels, double Rhythm, double Distil, double Amplitude, double Phase);
