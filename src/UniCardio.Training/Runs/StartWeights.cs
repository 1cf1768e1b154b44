using UniCardio.Engine.Model;

namespace UniCardio.Training.Runs;

/// <summary>Weights that a run starts from instead of an initialisation.</summary>
/// <param name="Weights">Of the run's configuration; read once, before the first update.</param>
/// <param name="Name">What run.json calls them; tells files apart, e.g. a name and a hash.</param>
public sealed record StartWeights(ModelWeights Weights, string Name);
