using System.Text.Json;
using UniCardio.Gpu.Devices;
using UniCardio.Gpu.Emission;

namespace UniCardio.Cli.Tests;

public class DeviceTests
{
    // Machines without a device that the program may choose must say why not; a CPU seen through OpenCL is none.
    private static bool HasGpu => GpuDevices.List().Any(d => d.Refusal is null && !d.IsProcessor);

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
        Skip.If(HasGpu || GpuDevices.List().Any(d => d.Kind == backend && d.Refusal is null), "there is such a device here");
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
        Assert.All(["cuda", "opencl"], kind => Assert.Contains($"{kind}: ", text, StringComparison.Ordinal));
        Assert.Equal(2, devices.GetProperty("gpu").EnumerateArray().Select(d => d.GetProperty("kind").GetString()).Distinct().Count());
    }

    [Fact]
    public void KernelsAreWrittenInEveryBuild()
    {
        using var folder = new TemporaryFolder();
        string table = Cli.Succeed("kernels", "--emit", "ptx", "--out", folder.File("out")).Out;
        string[] written = Directory.GetFiles(folder.File("out"), "*.ptx");
        Assert.Equal(KernelCatalog.All.Count + KernelCatalog.Tensor.Count, written.Length);
        Assert.All(written, path => Assert.Contains(Path.GetFileNameWithoutExtension(path), table, StringComparison.Ordinal));
        Assert.All(written, path => Assert.Contains(".entry", File.ReadAllText(path), StringComparison.Ordinal));
    }
}
