using UniCardio.Training.Runs;

namespace UniCardio.Training.Tests.Runs;

/// <summary>A run's folder that is gone when the test ends.</summary>
internal sealed class RunTestFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("unicardio-run-").FullName;

    public RunFolder Run => new(Path.Combine(_path, "run"));

    /// <summary>Rows of the log without the columns that hold times.</summary>
    public string[] Log => [.. File.ReadAllLines(Run.LogFile).Select(r => string.Join(',', r.Split(',').Take(6)))];

    public string Checks => File.ReadAllText(Run.ValidationFile);

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
