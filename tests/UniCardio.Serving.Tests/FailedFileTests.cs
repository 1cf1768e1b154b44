using UniCardio.Engine.Model;
using UniCardio.Files;
using UniCardio.Signals;
using UniCardio.Signals.Formats;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Serving.Tests;

/// <summary>
/// The n-th step of writing fails, for every n, as a disk may: afterwards the old content is there or the new, and nothing beside it.
/// </summary>
public sealed class FailedFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("failed").FullName;

    public void Dispose()
    {
        FileSteps.Before = null;
        Directory.Delete(_folder, recursive: true);
    }

    private static Recording Make(float level) =>
        new("r", [new Channel("ABP", "mmHg", 125, Enumerable.Range(0, 300).Select(i => level + (i % 50)).ToArray())]);

    public static TheoryData<string> Kinds => ["csv", "npy", "edf", "weights", "hea", "annotated"];

    private void Write(string kind, float level)
    {
        string path = Path.Combine(_folder, "a." + kind switch { "weights" => "safetensors", "annotated" => "hea", _ => kind });
        if (kind == "weights")
            SafetensorsWriter.Write(
                path, [new ParameterTensor("x", [3], new float[] { level, 1, 2 }), new ParameterTensor("y", [1], new float[] { level })]);
        else
            // The second annotated one has no annotations: those of the first are gone when it is there, and not before.
            RecordingFile.Write(path, kind == "annotated" && level < 95
                ? Make(level).WithAnnotations([new Annotation(1, 125, "N")]) : Make(level),
                new RecordingWriteOptions { Overwrite = true });
    }

    private Dictionary<string, byte[]> Content() =>
        Directory.EnumerateFiles(_folder).ToDictionary(f => Path.GetFileName(f), File.ReadAllBytes);

    private static void Same(Dictionary<string, byte[]> expected, Dictionary<string, byte[]> found)
    {
        Assert.Equal(expected.Keys.Order(), found.Keys.Order());
        Assert.All(expected, e => Assert.Equal(e.Value, found[e.Key]));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void WhicheverStepFailsTheOldFileIsThereAndTheFailureSaysWhichFile(string kind)
    {
        Write(kind, 90);
        Dictionary<string, byte[]> old = Content();
        var steps = new HashSet<FileStep>();
        int failures = 0;
        while (true)
        {
            int left = failures;
            FileSteps.Before = (step, _) =>
            {
                steps.Add(step);
                if (left-- == 0)
                    throw new IOException("the disk is full");
            };
            Exception? problem = Record.Exception(() => Write(kind, 100));
            FileSteps.Before = null;
            if (problem is null)
                break;
            Assert.True(problem is IOException or SignalFileException, problem.ToString());
            if (problem is SignalFileException)
                Assert.Contains("a.", problem.Message, StringComparison.Ordinal);
            Assert.Contains("the disk is full", problem.Message, StringComparison.Ordinal);
            Same(old, Content());
            failures++;
        }
        Assert.True(failures >= 4, $"only {failures} steps");
        Assert.Superset(new HashSet<FileStep> { FileStep.Open, FileStep.Write, FileStep.Flush, FileStep.Rename }, steps);
        Dictionary<string, byte[]> now = Content();
        Assert.Equal(old.Keys.Where(k => !k.EndsWith(".atr", StringComparison.Ordinal)).Order(), now.Keys.Order());
        Assert.Contains(now, f => !old[f.Key].AsSpan().SequenceEqual(f.Value));
    }

    [Fact]
    public async Task WhicheverStepOfACheckpointFailsTheServerContinuesAndTheOldOneIsThere()
    {
        const string Open = """{"type":"open","channels":{"ppg":{"rate":125}},"generate":[]}""";
        int left = int.MaxValue, failed = 0;
        // What the server starts inherits it.
        FileSteps.Before = (step, path) =>
        {
            if (Interlocked.Decrement(ref left) == 0)
            {
                Interlocked.Increment(ref failed);
                throw new IOException($"no room for {path}");
            }
        };
        await using TestServer server =
            await TestServer.StartAsync(new ServerOptions { Checkpoints = _folder, CheckpointEvery = TimeSpan.FromSeconds(0.1) });
        await using LiveClient client = await LiveClient.ConnectAsync(server, "bed");
        await client.SendAsync(Open);
        await client.NextAsync("session");
        string file = Path.Combine(_folder, "bed.checkpoint");
        await TestServer.UntilAsync(() => File.Exists(file), "no checkpoint is written");
        for (int step = 1; step <= 8; step++)
        {
            int before = Volatile.Read(ref failed);
            Volatile.Write(ref left, step);
            await client.PushAsync("ppg", step, Wave.Make(1, 1, 1));
            await TestServer.UntilAsync(() => Volatile.Read(ref failed) != before, $"step {step} does not come");
            Assert.Equal(before + 1, Volatile.Read(ref failed));
            // Whole at any moment: it can be restored.
            using ServedModel model = TestServer.Tiny();
            using var host = new Streaming.StreamingHost(model.Engine);
            using Streaming.StreamingSession session = host.Restore(await File.ReadAllBytesAsync(file), (_, _) => { });
        }
        await client.SendAsync("""{"type":"stop"}""");
        Assert.Equal("stopped", (await client.NextAsync("ended")).GetProperty("reason").GetString());
        await TestServer.UntilAsync(() => !File.Exists(file), "the checkpoint of a session that was stopped stays");
        Assert.Empty(Directory.EnumerateFiles(_folder));
    }
}
