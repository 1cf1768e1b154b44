using System.CommandLine;
using UniCardio.Cli.Output;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Backends.Cpu;

namespace UniCardio.Cli.Commands;

/// <summary><c>devices</c>: what a network could run on here, and why the rest was refused.</summary>
internal static class DevicesCommand
{
    public static Command Create(Terminal terminal)
    {
        var json = new Option<bool>("--json") { Description = "Writes one JSON object." };
        var command = new ExampleCommand("devices", "Lists what a network can run on here, and why a device was refused.", "devices") { json };
        command.SetAction(parsed =>
        {
            string[] instructions = [.. CpuInstructionSets.Supported.Select(CpuInstructionSets.Name)];
            IReadOnlyList<BackendDevice> devices = BackendDiscovery.Gpu?.Devices() ?? [];
            if (parsed.GetValue(json))
            {
                Json.Write(terminal, new { Cpu = new { Threads = Environment.ProcessorCount, Isa = instructions }, Gpu = devices, GpuReason = devices.Count == 0 ? BackendDiscovery.GpuReason : null });
                return ExitCode.Success;
            }

            terminal.Out.WriteLine($"cpu: {Environment.ProcessorCount} threads; {string.Join(", ", instructions)}");
            foreach (BackendDevice device in devices)
                terminal.Out.WriteLine($"{device.Kind}: {(device.Name.Length == 0 ? "none" : device.Name)}{(device.Refusal is string why ? $"; refused: {why}" : "")}");
            if (BackendDiscovery.Gpu is null)
                terminal.Out.WriteLine($"gpu: none; {BackendDiscovery.GpuReason}");
            return ExitCode.Success;
        });
        return command;
    }
}
