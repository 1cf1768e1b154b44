using ILGPU;
using ILGPU.Runtime;

#if USE_ILGPU
// ILGPU's devices are the process's, and tests of single kernels launch without taking turns.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

#endif
namespace UniCardio.Kernels.Tests;

/// <summary>The devices that kernels are tested on: the checking device, or with ILGPU its own.</summary>
internal static class TestDevices
{
#if USE_ILGPU
    private static readonly string s_kind = Environment.GetEnvironmentVariable("UNICARDIO_TEST_DEVICE") ?? IlgpuDevices.List().FirstOrDefault(d => d.Refusal is null)?.Kind ?? "cpu";

    /// <summary>CUDA if there is one, else OpenCL, else ILGPU's CPU device with small groups; UNICARDIO_TEST_DEVICE names another.</summary>
    public static DeviceLease Open(bool thorough = true) => IlgpuDevices.Start(s_kind, lease => lease);

    /// <summary>ILGPU's CPU device takes minutes for what the others do at once.</summary>
    public static bool IsSlow => s_kind == "cpu";

    /// <summary>Rows / 4 of a strip where a test does not say: ILGPU's CPU device gives each thread of a group an OS thread.</summary>
    public const int GroupRows = 1;
#else
    /// <summary>The checking device.</summary>
    /// <param name="thorough">Every launch under four orders; else one order a launch, in turn.</param>
    public static DeviceLease Open(bool thorough = true)
    {
        GpuDevice device = OpenOwn(thorough);
        return new DeviceLease(device, device.Dispose);
    }

    /// <summary>A checking device that the caller disposes.</summary>
    /// <param name="thorough">Every launch under four orders; else one order a launch, in turn.</param>
    /// <param name="refusedKernel">Class of a kernel that does not compile on it.</param>
    public static GpuDevice OpenOwn(bool thorough, string? refusedKernel = null)
    {
        Checking.TestKernels.RegisterCoroutines();
        Context context = Context.Create(b => b.Default());
        context.RefusedKernel = refusedKernel;
        var device = new GpuDevice(context, context.Devices[0], ownsContext: true);
        device.Accelerator.Depth = thorough ? CheckingDevice.CheckDepth.Full : CheckingDevice.CheckDepth.Single;
        return device;
    }

    /// <summary>No test is too long for it.</summary>
    public static bool IsSlow => false;

    /// <summary>Rows / 4 of a strip where a test does not say: as the backend decides.</summary>
    public const int GroupRows = 0;
#endif
}
