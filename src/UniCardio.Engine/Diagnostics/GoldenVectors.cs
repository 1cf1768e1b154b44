using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Diagnostics;

/// <summary>Something that a golden file holds inputs and expected outputs of.</summary>
/// <param name="Name">What its tensors' names start with, e.g. <c>eps/cond=0/target=2/decoder=2/t=7</c>.</param>
internal abstract record GoldenEntry(string Name);

/// <summary>One network call: <c>NAME/x</c> [B, 4S] gives <c>NAME/eps</c> [B, S].</summary>
/// <param name="Name">Start of its tensors' names.</param>
/// <param name="Task">Conditions, target and decoder.</param>
/// <param name="T">Diffusion step.</param>
/// <param name="Batch">Windows B.</param>
internal sealed record GoldenCall(string Name, CardioTask Task, int T, int Batch) : GoldenEntry(Name);

/// <summary>One network call with its intermediate values; the file holds nothing else.</summary>
/// <param name="Name">The task in the golden form.</param>
/// <param name="Task">Conditions, target and decoder.</param>
/// <param name="T">Diffusion step.</param>
/// <param name="Batch">Windows B.</param>
/// <param name="Values">Names of the intermediate values, e.g. <c>encoder1</c> or <c>layer0/skip</c>.</param>
internal sealed record GoldenActivations(string Name, CardioTask Task, int T, int Batch, IReadOnlyList<string> Values) : GoldenEntry(Name);

/// <summary>A whole sampling run: <c>NAME/observed</c> [B, 4S] and <c>NAME/noise</c> [draws, B, S] give <c>NAME/result</c> [B,
/// S].</summary>
/// <param name="Name">Start of its tensors' names.</param>
/// <param name="Task">Conditions, target and decoder.</param>
/// <param name="Sampler">The sampler.</param>
/// <param name="Batch">Windows B.</param>
/// <param name="NoiseDraws">Noise draws in the file, the initial state included.</param>
internal sealed record GoldenRun(string Name, CardioTask Task, SamplerOptions Sampler, int Batch, int NoiseDraws) : GoldenEntry(Name);

/// <summary>
/// A training loss and its gradients: <c>NAME/x</c> [B, 4S] at steps <c>NAME/t</c> [B], predictions p and targets <c>NAME/noise</c> [B, S]
/// give
/// <c>NAME/loss</c> = sum((noise - p)^2) / (4S) and <c>NAME/d/PARAMETER</c> for every parameter whose gradient is not zero.
/// </summary>
/// <param name="Name">Start of its tensors' names.</param>
/// <param name="Task">Conditions, target and decoder.</param>
/// <param name="Steps">[B] diffusion step of each window.</param>
/// <param name="Parameters">Names of the parameters with a gradient, without <see cref="ParameterCatalog.Prefix"/>.</param>
internal sealed record GoldenGradient(string Name, CardioTask Task, IReadOnlyList<int> Steps, IReadOnlyList<string> Parameters)
    : GoldenEntry(Name);

/// <summary>Golden vectors: inputs and the outputs that a trusted implementation gave for them. What reads them from a file knows its
/// format.</summary>
internal abstract class GoldenVectors
{
    /// <summary>Where they come from, for messages: the file as it was named.</summary>
    public abstract string Path { get; }

    /// <summary>The network that the vectors are of.</summary>
    public abstract ModelConfiguration Configuration { get; }

    /// <summary>What there is, in the order of the data.</summary>
    public abstract IReadOnlyList<GoldenEntry> Entries { get; }

    /// <summary>Names of tensors that belong to no entry.</summary>
    public abstract IReadOnlyList<string> Unrecognised { get; }

    /// <summary>A tensor's elements, row-major.</summary>
    /// <exception cref="GoldenException">There is no such tensor.</exception>
    public abstract ReadOnlyMemory<float> Values(string name);

    /// <summary>Throws unless weights are of the vectors' network.</summary>
    /// <exception cref="GoldenException">They are of another; every number that differs is named.</exception>
    public void CheckConfiguration(ModelConfiguration weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        IReadOnlyDictionary<string, string> expected = Configuration.ToMetadata(), found = weights.ToMetadata();
        string[] differences =
            [.. expected.Where(p => found[p.Key] != p.Value).Select(p => $"{p.Key} {found[p.Key]} (the file's: {p.Value})")];
        if (differences.Length > 0)
            throw new GoldenException(Path, null, $"the weights are for another network: {string.Join(", ", differences)}");
    }
}

/// <summary>A golden file that cannot be used as it is; the message names the file, the entry at fault and what was expected.</summary>
internal sealed class GoldenException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="file">The file as it was named.</param>
    /// <param name="entry">The entry or metadata key at fault; null where it is the whole file.</param>
    /// <param name="problem">What is wrong and what was expected.</param>
    /// <param name="inner">The cause, if another exception led here.</param>
    public GoldenException(string file, string? entry, string problem, Exception? inner = null)
        : base($"{file}: {(entry is null ? "" : entry + ": ")}{problem}", inner)
    {
        File = file;
        Entry = entry;
    }

    /// <summary>The file as it was named.</summary>
    public string File { get; }

    /// <summary>The entry or metadata key at fault; null where it is the whole file.</summary>
    public string? Entry { get; }
}
