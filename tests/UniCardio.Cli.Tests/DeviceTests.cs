using System.Text.Json;
using UniCardio.Engine.Backends;

namespace UniCardio.Cli.Tests;

public class DeviceTests
{
    // Builds with ILGPU on a machine with a device have one; the others must say why not.
    private static bool HasGpu => BackendDiscovery.Gpu?.Devices().Any(d => d.Refusal is null) ?? false;

    [Fact]
    public void AutoRunsAndSaysWhereItFellBack()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("golden.safetensors");
        Cli.Succeed("golden", "record", path, "--weights", "recipe:7,tiny", "--task", "ppg->ecg", "--t", "13");
        CliResult result = Cli.Succeed("golden", "verify", "--weights", "recipe:7", "--golden", path, "--backend", "auto", "--json");
        Assert.True(result.Json.GetProperty("passed").GetBoolean());
        Assert.Equal(!HasGpu, result.Error.Contains("running on the CPU", StringComparison.Ordinal));
    }

    [SkippableTheory]
    [InlineData("gpu")]
    [InlineData("cuda")]
    [InlineData("opencl")]
    public void AMissingDeviceIsAnError(string backend)
    {
        Skip.If(HasGpu, "there is a GPU here");
        using var folder = new TemporaryFolder();
        string path = folder.File("golden.safetensors");
        Cli.Succeed("golden", "record", path, "--weights", "recipe:7,tiny", "--task", "ppg->ecg", "--t", "13");
        Cli.Refuse("the gpu backend is not available", "golden", "verify", "--weights", "recipe:7", "--golden", path, "--backend", backend);
    }

    [Fact]
    public void DevicesListsTheProcessorAndWhyThereIsNoGpu()
    {
        JsonElement devices = Cli.Succeed("devices", "--json").Json;
        Assert.Equal(Environment.ProcessorCount, devices.GetProperty("cpu").GetProperty("threads").GetInt32());
        string text = Cli.Succeed("devices").Out;
        Assert.StartsWith("cpu: ", text, StringComparison.Ordinal);
        if (BackendDiscovery.Gpu is null)
            Assert.Contains("gpu: none; this build was made without ILGPU", text, StringComparison.Ordinal);
        else
            Assert.All(["cuda", "opencl"], kind => Assert.Contains($"{kind}: ", text, StringComparison.Ordinal));
    }

    [SkippableFact]
    public void KernelsNeedABuildWithIlgpu()
    {
        Skip.If(BackendDiscovery.Gpu is not null, "this build has ILGPU");
        using var folder = new TemporaryFolder();
        Cli.Refuse("UseIlgpu", "kernels", "--emit", "ptx", "--out", folder.File("out"));
    }
}
