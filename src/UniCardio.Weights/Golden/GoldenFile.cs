using System.Globalization;
using UniCardio.Engine;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Weights.Golden;

/// <summary>
/// A file of golden vectors: inputs and the outputs that a trusted implementation gave for them. A safetensors file of
/// float32 whose metadata gives the network's configuration, heads and seed of the weights included.
/// </summary>
internal sealed class GoldenFile : GoldenVectors, IDisposable
{
    // Without these the file's network would silently be taken for the published one.
    private static readonly string[] RequiredMetadata = ["channels", "heads", "layers", "embedding", "slot", "steps"];

    private readonly SafetensorsFile _file;

    private GoldenFile(SafetensorsFile file)
    {
        _file = file;
        string? missing = RequiredMetadata.FirstOrDefault(key => !file.Metadata.ContainsKey(key));
        if (missing is not null)
            throw new GoldenException(Path, missing, "missing from the file's metadata, which should give the network's configuration");
        Configuration = ModelConfiguration.FromMetadata(file.Metadata);
        if (file.Metadata.TryGetValue("seed", out string? seed))
        {
            Seed = ulong.TryParse(seed, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
                ? value
                : throw new GoldenException(Path, "seed", $"'{seed}' is not a whole number below 2^64");
        }

        (Entries, Unrecognised) = GoldenLayout.Read(this);
    }

    /// <inheritdoc/>
    public override string Path => _file.Path;

    /// <inheritdoc/>
    public override ModelConfiguration Configuration { get; }

    /// <summary>Seed of the recipe that makes the weights; null where the file does not say.</summary>
    public ulong? Seed { get; }

    /// <summary>The file's string pairs.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _file.Metadata;

    /// <inheritdoc/>
    public override IReadOnlyList<GoldenEntry> Entries { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Unrecognised { get; }

    /// <summary>Opens a file and reads what it holds; tensors are read when they are asked for.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="UniCardioException">It is no safetensors file, its metadata gives no configuration, or an entry does not hold
    /// together: a <see cref="WeightFormatException"/>, <see cref="ConfigurationException"/> or <see cref="GoldenException"/>.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static GoldenFile Open(string path) => Own(SafetensorsFile.Open(path));

    /// <summary>Reads a file that is already in memory; the bytes are copied.</summary>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="bytes">The whole file.</param>
    /// <exception cref="UniCardioException">As for <see cref="Open"/>.</exception>
    public static GoldenFile FromBytes(string name, ReadOnlySpan<byte> bytes) => Own(SafetensorsFile.FromBytes(name, bytes));

    private static GoldenFile Own(SafetensorsFile file)
    {
        try
        {
            return new GoldenFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    /// <summary>Names of the tensors in the order of their data.</summary>
    internal IEnumerable<string> TensorNames => _file.Entries.Select(e => e.Name);

    /// <summary>Shape of a tensor.</summary>
    internal IReadOnlyList<int>? Shape(string name) => _file.Contains(name) ? _file.Entry(name).Shape : null;

    /// <inheritdoc/>
    public override ReadOnlyMemory<float> Values(string name) =>
        _file.Contains(name) ? _file.Floats(name) : throw new GoldenException(Path, name, "no such tensor");
}
