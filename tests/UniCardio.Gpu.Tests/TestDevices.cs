using ILGPU.Runtime.Cuda;
using UniCardio.Ptx.Cuda;
using UniCardio.Ptx.Execution;

// The devices are the process's, and tests of single kernels launch without taking turns.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace UniCardio.Gpu.Tests;

/// <summary>What kernels are tested on.</summary>
public enum TestDevice
{
    /// <summary>ILGPU's OpenCL code, on the CPU through PoCL; or the device that UNICARDIO_TEST_DEVICE names.</summary>
    OpenCl,

    /// <summary>ILGPU's PTX and its CUDA accelerator, on the simulator behind a CUDA driver of this process.</summary>
    Simulated,
}

/// <summary>Tests that run on one device after the other: a class derived for each.</summary>
public abstract class DeviceTests
{
    /// <summary>Chooses the device for the test that is about to run.</summary>
    protected DeviceTests(TestDevice device)
    {
        TestDevices.Current = device;
    }
}

/// <summary>The devices that kernels are tested on.</summary>
internal static class TestDevices
{
    private static readonly Lazy<(DeviceSelector Selector, string? Missing)> s_openCl = new(FindOpenCl);
    private static readonly Lazy<(SimulatedDriver? Driver, string? Missing)> s_simulated = new(StartDriver);

    /// <summary>That of the test that runs.</summary>
    public static TestDevice Current { get; set; }

    /// <summary>ILGPU's CPU device takes minutes for what the others do at once.</summary>
    public static bool IsSlow => Current == TestDevice.OpenCl && s_openCl.Value.Selector.Kind == "cpu";

    /// <summary>Rows / 4 of a strip where a test does not say: PoCL compiles a kernel again for each size of its groups.</summary>
    public const int GroupRows = 1;

    /// <summary>Whether the simulator runs what takes minutes, and everything under its sanitizer.</summary>
    public static bool RunsLongForms { get; } = Environment.GetEnvironmentVariable("UNICARDIO_SANITIZE_ALL") == "1";

    /// <summary>Whether it is a CUDA device: the simulated one, or the one that UNICARDIO_TEST_DEVICE names.</summary>
    public static bool IsCuda
    {
        get
        {
            if (Current == TestDevice.Simulated)
                return true;
            using DeviceLease lease = Open();
            return lease.Device.Accelerator is CudaAccelerator;
        }
    }

    /// <summary>Whether it takes the kernels for tensor cores.</summary>
    public static bool HasTensorCores
    {
        get
        {
            if (Current == TestDevice.Simulated)
                return true;
            using DeviceLease lease = Open();
            return lease.Device.Accelerator is CudaAccelerator { Architecture.Major: >= 8 };
        }
    }

    /// <summary>Graphs that the simulated driver has launched; hardware's does not say.</summary>
    public static int GraphLaunches => HasDriver ? Driver.GraphLaunches : 0;

    /// <summary>Holds a number of graphs to what the simulated driver has launched, where it is the one that runs.</summary>
    public static void AssertGraphs(int expected, int before)
    {
        if (HasDriver)
            Assert.Equal(expected, GraphLaunches - before);
    }

    /// <summary>Whether there is a driver of the simulated device.</summary>
    public static bool HasDriver => s_simulated.Value.Driver is not null;

    /// <summary>The driver of the simulated device; the test is skipped, with the reason, where there is none.</summary>
    public static SimulatedDriver Driver
    {
        get
        {
            Skip.If(s_simulated.Value.Missing is not null, s_simulated.Value.Missing);
            return s_simulated.Value.Driver!;
        }
    }

    /// <summary>A lease of the device; the test is skipped, with the reason, where there is none.</summary>
    public static DeviceLease Open()
    {
        if (Current == TestDevice.Simulated)
        {
            _ = Driver;
            return GpuDevices.Start(new DeviceSelector("cuda"), lease => lease);
        }

        Skip.If(s_openCl.Value.Missing is not null, s_openCl.Value.Missing);
        return GpuDevices.Start(s_openCl.Value.Selector, lease => lease);
    }

    private static (DeviceSelector Selector, string? Missing) FindOpenCl()
    {
        // ILGPU looks for a CUDA driver once: it has to be there before devices are listed, whichever test comes first.
        _ = s_simulated.Value;

        // The kernels need no generic address space, which Debian's PoCL does not report.
        GpuDevices.AssumesGenericSpace = true;
        if (Environment.GetEnvironmentVariable("UNICARDIO_TEST_DEVICE") is { Length: > 0 } named)
            return (DeviceSelector.Parse(named), null);
        GpuDeviceInfo found = GpuDevices.List().First(d => d.Kind == "opencl");
        return (new DeviceSelector("opencl"), found.Refusal is null ? null
            : $"no OpenCL device (Debian: pocl-opencl-icd, ocl-icd-opencl-dev): {found.Refusal}");
    }

    private static (SimulatedDriver? Driver, string? Missing) StartDriver()
    {
        // A process has one libcuda.so: a named device, CUDA or not, keeps the machine's own.
        if (Environment.GetEnvironmentVariable("UNICARDIO_TEST_DEVICE") is { Length: > 0 } named)
            return (null, $"UNICARDIO_TEST_DEVICE={named} runs on that device alone");
        try
        {
            // Every kernel at every size under the sanitizer, by command: CONTRIBUTING.md.
            return (SimulatedDriver.Start(SimulatedGpu.H100 with { Options = new PtxDeviceOptions { Sanitize = RunsLongForms } }), null);
        }
        catch (PlatformNotSupportedException e)
        {
            return (null, e.Message);
        }
    }
}
