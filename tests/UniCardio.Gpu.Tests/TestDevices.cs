// The devices are the process's, and tests of single kernels launch without taking turns.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace UniCardio.Gpu.Tests;

/// <summary>The device that kernels are tested on: OpenCL's, a CPU through PoCL too; UNICARDIO_TEST_DEVICE names another.</summary>
internal static class TestDevices
{
    private static readonly Lazy<(DeviceSelector Selector, string? Missing)> s_device = new(Find);

    /// <summary>ILGPU's CPU device takes minutes for what the others do at once.</summary>
    public static bool IsSlow => s_device.Value.Selector.Kind == "cpu";

    /// <summary>Rows / 4 of a strip where a test does not say: PoCL compiles a kernel again for each size of its groups.</summary>
    public const int GroupRows = 1;

    /// <summary>A lease of the device; the test is skipped, with the reason, where there is none.</summary>
    public static DeviceLease Open()
    {
        Skip.If(s_device.Value.Missing is not null, s_device.Value.Missing);
        return GpuDevices.Start(s_device.Value.Selector, lease => lease);
    }

    private static (DeviceSelector Selector, string? Missing) Find()
    {
        // The kernels need no generic address space, which Debian's PoCL does not report.
        GpuDevices.AssumesGenericSpace = true;
        if (Environment.GetEnvironmentVariable("UNICARDIO_TEST_DEVICE") is { Length: > 0 } named)
            return (DeviceSelector.Parse(named), null);
        GpuDeviceInfo found = GpuDevices.List().First(d => d.Kind == "opencl");
        return (new DeviceSelector("opencl"), found.Refusal is null ? null : $"no OpenCL device (Debian: pocl-opencl-icd, ocl-icd-opencl-dev): {found.Refusal}");
    }
}
