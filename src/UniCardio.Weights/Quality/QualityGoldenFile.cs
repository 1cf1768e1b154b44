using System.Globalization;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Quality;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Weights.Quality;

/// <summary>A safetensors file of QualityFM golden vectors, whose metadata is the network's configuration.</summary>
internal sealed class QualityGoldenFile : QualityVectors, IDisposable
{
    private readonly SafetensorsFile _file;

    private QualityGoldenFile(SafetensorsFile file)
    {
        _file = file;
        Configuration = QualityConfiguration.FromMetadata(file.Metadata).Validate();
        Names = [.. file.Entries.Select(e => e.Name)];
        TeacherSeed = Seed("teacher_seed");
    }

    /// <inheritdoc/>
    public override string Path => _file.Path;

    /// <inheritdoc/>
    public override QualityConfiguration Configuration { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Names { get; }

    /// <summary>Seed of the teacher's recipe in a file of losses; null in others.</summary>
    public ulong? TeacherSeed { get; }

    /// <summary>Whether a file describes a network of this family: told by its metadata, without reading a tensor.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <exception cref="WeightFormatException">The file is not a sound safetensors file.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static bool IsQuality(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return QualityConfiguration.IsDescribedBy(file.Metadata);
    }

    /// <summary>Opens a file; tensors are read when they are asked for.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="WeightFormatException">The file is not a sound safetensors file.</exception>
    /// <exception cref="Engine.ConfigurationException">Its metadata gives no sound configuration.</exception>
    /// <exception cref="GoldenException">A seed is not a whole number.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static QualityGoldenFile Open(string path)
    {
        SafetensorsFile file = SafetensorsFile.Open(path);
        try
        {
            return new QualityGoldenFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<int> Shape(string name) => _file.Contains(name) ? _file.Entry(name).Shape : throw Missing(name);

    /// <inheritdoc/>
    public override ReadOnlyMemory<float> Values(string name) => _file.Contains(name) ? _file.Floats(name) : throw Missing(name);

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    private GoldenException Missing(string name) => new(Path, name, "no such tensor");

    private ulong? Seed(string key)
    {
        if (!_file.Metadata.TryGetValue(key, out string? text))
            return null;
        return ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed)
            ? seed
            : throw new GoldenException(Path, key, $"'{text}' is not a whole number below 2^64");
    }
}
