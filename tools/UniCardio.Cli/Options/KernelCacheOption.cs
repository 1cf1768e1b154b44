using System.CommandLine;
using UniCardio.Gpu.Devices;

namespace UniCardio.Cli.Options;

/// <summary><c>--kernel-cache</c>: where compiled kernels of CUDA devices are kept from one process to the next.</summary>
internal sealed class KernelCacheOption
{
    private readonly Option<string?> _folder = new("--kernel-cache")
    {
        Description = "Folder in which compiled kernels of CUDA devices are kept, or off; if left out what "
            + $"{GpuDevices.KernelCacheVariable} says, else unicardio/kernels in the user's cache folder.",
        HelpName = "DIR",
    };

    public void AddTo(Command command) => command.Add(_folder);

    /// <summary>Before a device is opened.</summary>
    public void Apply(ParseResult parsed) => GpuDevices.KernelCacheFolder = GpuDevices.CacheFolder(parsed.GetValue(_folder), isUsual: true);
}
