using System.Diagnostics;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;
using UniCardio.Weights.Golden;
using Xunit.Abstractions;

namespace UniCardio.Weights.Tests.Golden;

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
        Skip.IfNot(Environment.GetEnvironmentVariable("UNICARDIO_FULL_GOLDEN") == "1",
            "takes minutes; set UNICARDIO_FULL_GOLDEN=1 to run it");
        Verify(name, outputs, w => new ReferenceBackend(w));
    }

    [SkippableTheory]
    [MemberData(nameof(CpuCases))]
    public void CpuAgrees(string name, int outputs, CpuInstructionSet instructions) => Verify(name, outputs, w => Cpu(w, instructions));

    [SkippableTheory]
    [InlineData("full.eps", 12)]
    [InlineData("full.samplers", 1)]
    public void CpuAgreesAtFullSize(string name, int outputs) => Verify(name, outputs, w => Cpu(w, CpuInstructionSets.Supported[^1]));

    [SkippableFact]
    public void CpuAgreesWherePassesHaveIntermediateValues()
    {
        GoldenReport report = Verify("tiny.activations", w => Cpu(w, CpuInstructionSets.Supported[^1]));
        Assert.Equal("eps", Assert.Single(report.Results).Name);
        Assert.True(report.Passed, $"{report.Worst}");
        Assert.Equal(11, report.NotVerified.Count);
    }

    /// <summary>Every instruction set of this machine on single calls, the best on whole runs.</summary>
    public static TheoryData<string, int, CpuInstructionSet> CpuCases()
    {
        var cases = new TheoryData<string, int, CpuInstructionSet>();
        foreach (CpuInstructionSet instructions in CpuInstructionSets.Supported)
        {
            cases.Add("tiny.eps", 84, instructions);
            cases.Add("p5.eps", 42, instructions);
            cases.Add("p5slot.eps", 42, instructions);
        }

        cases.Add("tiny.samplers", 10, CpuInstructionSets.Supported[^1]);

        return cases;
    }

    // One thread: results do not depend on their number, and waiting for each other costs more than these small networks take.
    private static CpuBackend Cpu(ModelWeights weights, CpuInstructionSet instructions) =>
        new(weights, new CpuBackendOptions { Threads = 1, InstructionSet = instructions });

    private void Verify(string name, int outputs, Func<ModelWeights, IBackend> backend)
    {
        GoldenReport report = Verify(name, backend);
        Assert.Empty(report.NotVerified);
        Assert.Equal(outputs, report.Results.Count);
        Assert.All(report.Results, r => Assert.True(r.Passed, $"{r.Name}: {r.RelativeError:g3}, allowed {r.Tolerance:g3}"));
    }

    private GoldenReport Verify(string name, Func<ModelWeights, IBackend> backend)
    {
        using GoldenFile file = GoldenFile.Open(Project.Shared("golden", name + ".safetensors"));
        using ModelWeights weights = new WeightRecipe(file.Seed!.Value, file.Configuration).Create();
        long start = Stopwatch.GetTimestamp();
        GoldenReport report = GoldenVerifier.Verify(file, weights, backend);
        output.WriteLine(
            $"{name} on {report.Backend}: worst {report.Worst?.RelativeError:g3} ({report.Worst?.Name}), "
            + $"{Stopwatch.GetElapsedTime(start)}");
        return report;
    }
}
