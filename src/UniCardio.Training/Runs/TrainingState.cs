namespace UniCardio.Training.Runs;

/// <summary>Everything that a run needs to continue as if it had never stopped; random numbers are functions of seed and step, so counters
/// do.</summary>
internal sealed class TrainingState
{
    /// <summary>Updates done.</summary>
    public long Updates { get; init; }

    /// <summary>Updates at the last held-out check; -1 before the first.</summary>
    public long CheckedAt { get; init; } = -1;

    /// <summary>[N] the parameters.</summary>
    public required ReadOnlyMemory<float> Parameters { get; init; }

    /// <summary>[N] their average.</summary>
    public required ReadOnlyMemory<float> Averaged { get; init; }

    /// <summary>[N] the optimiser's mean gradients.</summary>
    public required ReadOnlyMemory<float> Moment1 { get; init; }

    /// <summary>[N] the optimiser's mean squared gradients.</summary>
    public required ReadOnlyMemory<float> Moment2 { get; init; }

    /// <summary>[3, cells] learned log-variances and their moments; empty where none are learned.</summary>
    public ReadOnlyMemory<float> Uncertainty { get; init; }

    /// <summary>[layers + 1] summed sensitivities of the layers; empty where all have one rate.</summary>
    public ReadOnlyMemory<float> Sensitivity { get; init; }

    /// <summary>Recent losses, by which divergence is told.</summary>
    public required ReadOnlyMemory<float> RecentLosses { get; init; }

    /// <summary>Sum of the losses since the last row of the log.</summary>
    public double LossSum { get; init; }

    /// <summary>Sum of the gradients' norms since the last row of the log.</summary>
    public double NormSum { get; init; }

    /// <summary>Seconds that the run has taken, all its parts together.</summary>
    public double Seconds { get; init; }
}
