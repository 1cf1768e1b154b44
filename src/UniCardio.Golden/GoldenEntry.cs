using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;

namespace UniCardio.Golden;

/// <summary>Something that a golden file holds inputs and expected outputs of.</summary>
/// <param name="Name">What its tensors' names start with, e.g. <c>eps/cond=0/target=2/decoder=2/t=7</c>.</param>
public abstract record GoldenEntry(string Name);

/// <summary>One network call: <c>NAME/x</c> [B, 4S] gives <c>NAME/eps</c> [B, S].</summary>
/// <param name="Name">Start of its tensors' names.</param>
/// <param name="Task">Conditions, target and decoder.</param>
/// <param name="T">Diffusion step.</param>
/// <param name="Batch">Windows B.</param>
public sealed record GoldenCall(string Name, CardioTask Task, int T, int Batch) : GoldenEntry(Name);

/// <summary>One network call with its intermediate values; the file holds nothing else.</summary>
/// <param name="Name">The task in the golden form.</param>
/// <param name="Task">Conditions, target and decoder.</param>
/// <param name="T">Diffusion step.</param>
/// <param name="Batch">Windows B.</param>
/// <param name="Values">Names of the intermediate values, e.g. <c>encoder1</c> or <c>layer0/skip</c>.</param>
public sealed record GoldenActivations(string Name, CardioTask Task, int T, int Batch, IReadOnlyList<string> Values) : GoldenEntry(Name);

/// <summary>A whole sampling run: <c>NAME/observed</c> [B, 4S] and <c>NAME/noise</c> [draws, B, S] give <c>NAME/result</c> [B, S].</summary>
/// <param name="Name">Start of its tensors' names.</param>
/// <param name="Task">Conditions, target and decoder.</param>
/// <param name="Sampler">The sampler.</param>
/// <param name="Batch">Windows B.</param>
/// <param name="NoiseDraws">Noise draws in the file, the initial state included.</param>
public sealed record GoldenRun(string Name, CardioTask Task, SamplerOptions Sampler, int Batch, int NoiseDraws) : GoldenEntry(Name);

/// <summary>
/// A training loss and its gradients: <c>NAME/x</c> [B, 4S] at steps <c>NAME/t</c> [B], predictions p and targets <c>NAME/noise</c> [B, S] give
/// <c>NAME/loss</c> = sum((noise - p)^2) / (4S) and <c>NAME/d/PARAMETER</c> for every parameter whose gradient is not zero.
/// </summary>
/// <param name="Name">Start of its tensors' names.</param>
/// <param name="Task">Conditions, target and decoder.</param>
/// <param name="Steps">[B] diffusion step of each window.</param>
/// <param name="Parameters">Names of the parameters with a gradient, without <see cref="ParameterCatalog.Prefix"/>.</param>
public sealed record GoldenGradient(string Name, CardioTask Task, IReadOnlyList<int> Steps, IReadOnlyList<string> Parameters) : GoldenEntry(Name);
