using System.Diagnostics;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;
using UniCardio.Weights;
using Xunit.Abstractions;

namespace UniCardio.Golden.Tests;

/// <summary>Backends against the outputs of the official PyTorch code.</summary>
public class OfficialVectorsTests(ITestOutputHelper output)
{
    [SkippableTheory]
    [InlineData("tiny.eps", 84)]
    [InlineData("tiny.activations", 12)]
    [InlineData("tiny.samplers", 10)]
    [InlineData("p5.eps", 42)]
    [InlineData("p5slot.eps", 42)]
    public void ReferenceAgrees(string name, int outputs) => Verify(name, outputs, w => new ReferenceBackend(w));

    [SkippableTheory]
    [InlineData("full.eps", 12)]
    [InlineData("full.samplers", 1)]
    public void ReferenceAgreesAtFullSize(string name, int outputs)
    {
        Skip.IfNot(Environment.GetEnvironmentVariable("UNICARDIO_FULL_GOLDEN") == "1", "takes minutes; set UNICARDIO_FULL_GOLDEN=1 to run it");
        Verify(name, outputs, w => new ReferenceBackend(w));
    }

    private void Verify(string name, int outputs, Func<ModelWeights, IBackend> backend)
    {
        using GoldenFile file = GoldenFile.Open(SharedGolden.Path(name));
        using ModelWeights weights = new WeightRecipe(file.Seed!.Value, file.Configuration).Create();
        long start = Stopwatch.GetTimestamp();
        GoldenReport report = GoldenVerifier.Verify(file, weights, backend);
        output.WriteLine($"{name} on {report.Backend}: worst {report.Worst}, {Stopwatch.GetElapsedTime(start)}");
        Assert.Empty(report.NotVerified);
        Assert.Equal(outputs, report.Results.Count);
        Assert.All(report.Results, r => Assert.True(r.Passed, $"{r.Name}: {r.RelativeError:g3}, allowed {r.Tolerance:g3}"));
    }
}
