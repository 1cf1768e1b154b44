using System.CommandLine;
using System.Globalization;
using UniCardio.Cli.Output;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Gpu.Devices;

namespace UniCardio.Cli.Commands;

/// <summary><c>devices</c>: what a network could run on here, and why the rest was refused.</summary>
internal static class DevicesCommand
{
    public static Command Create(Terminal terminal)
    {
        var json = new Option<bool>("--json") { Description = "Writes one JSON object." };
        var command =
            new ExampleCommand("devices", "Lists what a network can run on here, and why a device was refused.", "devices") { json };
        command.SetAction(parsed =>
        {
            string[] instructions = [.. CpuInstructionSets.Supported.Select(CpuInstructionSets.Name)];
            IReadOnlyList<GpuDeviceInfo> devices = GpuDevices.List();
            if (parsed.GetValue(json))
            {
                Json.Write(terminal,
                    new { Cpu = new { Threads = Environment.ProcessorCount, Isa = instructions,
                        Auto = CpuInstructionSets.Name(CpuInstructionSets.Fastest) }, Gpu = devices });
                return ExitCode.Success;
            }

            terminal.Out.WriteLine(
                $"cpu: {Environment.ProcessorCount} threads; {string.Join(", ", instructions)} (auto: "
                + $"{CpuInstructionSets.Name(CpuInstructionSets.Fastest)})");
            foreach (GpuDeviceInfo device in devices)
                terminal.Out.WriteLine(Line(device));
            return ExitCode.Success;
        });
        return command;
    }

    private static string Line(GpuDeviceInfo device)
    {
        string kind = device.Index == 0 ? device.Kind : $"{device.Kind} --device {device.Index}";
        if (device.Refusal is { } why)
            return $"{kind}: {(device.Name.Length == 0 ? "none" : device.Name)}; refused: {why}";
        string memory = string.Create(CultureInfo.InvariantCulture, $"{device.Memory / 1e9:0.0} GB");
        return $"{kind}: {device.Name}; {memory}{(device.IsProcessor ? "; a CPU, used only by --backend opencl" : "")}";
    }
}
