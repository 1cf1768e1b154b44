using System.Globalization;
using UniCardio.Engine;

namespace UniCardio.Gpu.Devices;

/// <summary>Which device is meant.</summary>
/// <param name="Kind"><c>cuda</c>, <c>opencl</c>, or <c>cpu</c> for ILGPU's own CPU device.</param>
/// <param name="Index">Number among the devices of the kind, in the order of <see cref="GpuDevices.List"/>.</param>
/// <param name="AcceptsProcessors">Whether an OpenCL device may be the CPU; by name it may, a choice of the program's never is.</param>
public readonly record struct DeviceSelector(string Kind, int Index = 0, bool AcceptsProcessors = true)
{
    /// <summary>What is tried, in order, where no device is named: CUDA, then OpenCL without CPUs.</summary>
    public static IReadOnlyList<DeviceSelector> Automatic { get; } = [new("cuda"), new("opencl", AcceptsProcessors: false)];

    /// <summary>Reads <c>kind</c> or <c>kind:index</c>.</summary>
    /// <exception cref="ConfigurationException">It is neither.</exception>
    public static DeviceSelector Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(':');
        int index = 0;
        if (parts.Length > 2 || parts[0] is not ("cuda" or "opencl" or "cpu")
            || (parts.Length == 2 && !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out index)))
            throw new ConfigurationException("device", $"'{text}' is not cuda or opencl, with :N for the device of that number");
        return new DeviceSelector(parts[0], index);
    }

    /// <inheritdoc/>
    public override string ToString() => Index == 0 ? Kind : $"{Kind}:{Index}";
}
