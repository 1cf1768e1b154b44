using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;

namespace UniCardio.Evaluation.Study;

/// <summary>Which samplers are compared, with how many draws, on what.</summary>
internal sealed record SamplerStudyOptions
{
    /// <summary>The sampler that all others are set beside: every step of the schedule.</summary>
    public static SamplerOptions Reference { get; } = new() { Kind = SamplerKind.Ddpm };

    /// <summary>The samplers; <see cref="Reference"/> is always run too.</summary>
    public IReadOnlyList<SamplerOptions> Samplers { get; init; } =
    [
        Reference,
        .. from kind in (SamplerKind[])[SamplerKind.Ddim, SamplerKind.DpmSolver2M, SamplerKind.DpmSolver3M]
           from steps in (int[])[1, 2, 4, 6, 8, 10, 20, 50]
           // With fewer than three calls a solver of higher order is DDIM with other nodes.
           where steps > 2 || kind == SamplerKind.Ddim
           select new SamplerOptions { Kind = kind, Steps = steps },
        .. from steps in (int[])[4, 6, 8, 12, 20]
           select new SamplerOptions { Kind = SamplerKind.DpmSolver2M, Steps = steps, Placement = StepPlacement.LogSnrToEnd },
    ];

    /// <summary>Numbers of draws that every sampler is tried with; bands are judged by the most.</summary>
    public IReadOnlyList<int> Draws { get; init; } = [1, 8, 32];

    /// <summary>Numbers of draws that <see cref="Chosen"/> is tried with.</summary>
    public IReadOnlyList<int> ManyDraws { get; init; } = [1, 2, 4, 8, 16, 32, 50];

    /// <summary>The sampler that is tried with many draws.</summary>
    public SamplerOptions Chosen { get; init; } = SamplerOptions.Default;

    /// <summary>Tasks, windows, noise, gaps and seed; its sampler and draws have no say.</summary>
    public required EvaluationOptions Evaluation { get; init; }

    /// <summary>The tasks of a study where none are named: each kind, each output.</summary>
    public static IReadOnlyList<CardioTask> UsualTasks { get; } =
        [.. ((string[])["impute bp | ppg", "impute ecg | ppg,bp", "denoise ppg", "denoise ecg", "ppg->ecg", "ppg->bp"])
            .Select(t => CardioTask.Parse(t))];

    /// <summary>Checks every setting against a network; samplers with more steps than the network has are left out.</summary>
    /// <param name="configuration">The network.</param>
    /// <exception cref="ConfigurationException">A setting is out of range; it is named.</exception>
    public SamplerStudyOptions Validate(ModelConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        foreach (IReadOnlyList<int> counts in (IReadOnlyList<int>[])[Draws, ManyDraws])
        {
            if (counts.Count == 0 || counts.Any(d => d is < 1 or > InferencePlan.MaxBatch))
                throw new ConfigurationException("draws",
                    $"{string.Join(", ", counts)}: expected numbers between 1 and {InferencePlan.MaxBatch}");
        }

        bool Fits(SamplerOptions sampler) => sampler.Steps is null || sampler.Steps <= configuration.DiffusionSteps;
        return this with
        {
            Samplers = [.. Samplers.Prepend(Reference).Distinct().Where(Fits)],
            Chosen = Fits(Chosen) ? Chosen : Reference,
            Evaluation = Evaluation.Validate(configuration),
        };
    }
}
