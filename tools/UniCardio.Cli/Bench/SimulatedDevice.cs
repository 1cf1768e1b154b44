using UniCardio.Ptx.Cuda;
using UniCardio.Ptx.Execution;
using UniCardio.Ptx.Profiling;

namespace UniCardio.Cli.Bench;

/// <summary>A CUDA driver of this process on the PTX simulator, for commands that need no GPU.</summary>
internal static class SimulatedDevice
{
    /// <summary>
    /// Environment variable; a device of the time model's table, such as <c>h100</c>: every command sees it as a CUDA device whose name
    /// begins with "simulated". For rehearsals; its times are those of the simulator.
    /// </summary>
    public const string Variable = "UNICARDIO_SIMULATED_GPU";

    /// <summary>Starts the driver if <see cref="Variable"/> asks for it; before anything looks for devices.</summary>
    /// <exception cref="UsageException">It names no device of the table, or there is no C compiler.</exception>
    public static void StartIfAsked()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } name)
            return;
        PtxDeviceModel device = PtxDeviceModel.Find(name)
            ?? throw new UsageException($"{Variable}={name} is none of {string.Join(", ", PtxDeviceModel.All.Select(d => d.Name))}");
        Start(Of(device, new PtxDeviceOptions { MemoryBytes = device.MemoryBytes }));
    }

    /// <summary>The simulated device of a model.</summary>
    public static SimulatedGpu Of(PtxDeviceModel device, PtxDeviceOptions options) =>
        new($"simulated {device.Title}", device.Architecture / 10, device.Architecture % 10, device.Multiprocessors)
        {
            Registers = device.Registers,
            Options = options,
        };

    /// <summary>Makes the driver this process's.</summary>
    /// <param name="gpu">The device.</param>
    /// <param name="cancellation">Passes launches over; the caller looks at it when its call returns.</param>
    /// <exception cref="UsageException">There is no C compiler.</exception>
    public static SimulatedDriver Start(SimulatedGpu gpu, CancellationToken cancellation = default)
    {
        string folder = Directory.CreateTempSubdirectory("unicardio-ptx-").FullName;
        try
        {
            SimulatedDriver driver = SimulatedDriver.Start(gpu, folder);
            driver.Cancellation = cancellation;
            return driver;
        }
        catch (PlatformNotSupportedException e)
        {
            throw new UsageException($"the simulated device: {e.Message}");
        }
        finally
        {
            // Loaded, the library needs no file any more.
            Directory.Delete(folder, recursive: true);
        }
    }
}
