using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;
using UniCardio.Weights.Golden;

namespace UniCardio.Weights.Tests.Golden;

/// <summary>The project's own golden files: the reference gives the recorded numbers, the recorder writes the same file again.</summary>
public class FixtureTests
{
    // Both sides are double results rounded once to float32 (6e-8 of each value, which is at most the largest); vector widths differ
    // between machines and move a double by 1e-15 only. Sampling runs start from abar = 3e-5 and amplify that 170-fold: still nothing.
    private const double Tolerance = 1.3e-7;

    public static TheoryData<string> Names => [.. Fixtures.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void ReferenceGivesTheRecordedNumbers(string name)
    {
        using GoldenFile file = GoldenFile.Open(Fixtures.Path(name));
        using ModelWeights weights = Fixtures.Weights(file);
        GoldenReport report = GoldenVerifier.Verify(file, weights, w => new ReferenceBackend(w), Tolerance);
        Assert.Empty(report.NotVerified);
        Assert.All(report.Results, r => Assert.True(r.Passed, $"{r.Name}: {r.RelativeError:g3}"));
        GoldenRecording recorded = Fixtures.All[name].Recording;
        int activations = recorded.Activations ? 5 + 1 + (3 * file.Configuration.Blocks) : 0;
        Assert.Equal((recorded.Tasks.Count * 3) + recorded.Runs.Count + activations, report.Results.Count);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void CpuGivesTheRecordedNumbers(string name)
    {
        using GoldenFile file = GoldenFile.Open(Fixtures.Path(name));
        using ModelWeights weights = Fixtures.Weights(file);
        foreach (CpuInstructionSet instructions in CpuInstructionSets.Supported)
        {
            GoldenReport report = GoldenVerifier.Verify(file, weights, w =>
                new CpuBackend(w, new CpuBackendOptions { Threads = 1, InstructionSet = instructions }));
            Assert.Equal(GoldenVerifier.BackendTolerance, report.Tolerance);
            Assert.All(report.Results, r => Assert.True(r.Passed, $"{report.Backend}, {r.Name}: {r.RelativeError:g3}"));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void RecorderWritesTheFixtureAgain(string name)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File(name + ".safetensors");
        (_, GoldenRecording recording) = Fixtures.All[name];
        using (ModelWeights weights = Fixtures.Weights(name))
            GoldenRecorder.Record(path, weights, recording);
        if (Environment.GetEnvironmentVariable("UNICARDIO_RECORD_FIXTURES") == "1")
        {
            File.Copy(path, Fixtures.SourcePath(name), overwrite: true);
            throw new SkipException("recorded; build and run again to compare");
        }

        Assert.Equal([name + ".safetensors"], folder.Names);
        using GoldenFile fresh = GoldenFile.Open(path), kept = GoldenFile.Open(Fixtures.Path(name));
        Assert.Equal(kept.Metadata.OrderBy(p => p.Key, StringComparer.Ordinal), fresh.Metadata.OrderBy(p => p.Key, StringComparer.Ordinal));
        Assert.Equal(kept.TensorNames, fresh.TensorNames);
        foreach (string tensor in kept.TensorNames)
        {
            Assert.Equal(kept.Shape(tensor), fresh.Shape(tensor));
            bool input = tensor.EndsWith('x') && !tensor.StartsWith("layer", StringComparison.Ordinal)
                || tensor.EndsWith("observed", StringComparison.Ordinal) || tensor.EndsWith("noise", StringComparison.Ordinal);
            double error = RelativeError.Of(fresh.Values(tensor).Span, kept.Values(tensor).Span);
            Assert.True(error <= (input ? 0 : Tolerance), $"{tensor}: {error:g3}");
        }
    }

    [Fact]
    public void CancelledRecordingWritesNothing()
    {
        using var folder = new TemporaryFolder();
        using ModelWeights weights = Fixtures.Weights("micro");
        using var cancellation = new CancellationTokenSource();
        var progress = new Cancelling(cancellation, after: 3);
        Assert.Throws<OperationCanceledException>(() =>
            GoldenRecorder.Record(folder.File("a.safetensors"), weights, Fixtures.All["micro"].Recording, progress, cancellation.Token));
        Assert.Equal(4, progress.Reports);
        Assert.Empty(folder.Names);
    }

    private sealed class Cancelling(CancellationTokenSource source, int after) : IProgress<GoldenProgress>
    {
        public int Reports { get; private set; }

        public void Report(GoldenProgress value)
        {
            if (Reports++ == after)
                source.Cancel();
        }
    }
}
