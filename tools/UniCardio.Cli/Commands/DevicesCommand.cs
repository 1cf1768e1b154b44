using System.CommandLine;
using System.Globalization;
using UniCardio.Cli.Output;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Gpu.Backend;
using UniCardio.Gpu.Devices;
using UniCardio.Gpu.Kernels;

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

            terminal.Say(
                $"cpu: {Environment.ProcessorCount} threads; {string.Join(", ", instructions)} (auto: "
                + $"{CpuInstructionSets.Name(CpuInstructionSets.Fastest)})");
            foreach (GpuDeviceInfo device in devices)
            {
                terminal.Say(Line(device));
                if (device.Refusal is null)
                    terminal.Say("  " + Choice(device));
            }

            return ExitCode.Success;
        });
        return command;
    }

    // What the backend takes of itself, and what the time model goes by.
    private static string Choice(GpuDeviceInfo device)
    {
        ModelConfiguration full = ModelConfiguration.Full;
        int tokens = full.SlotTokens, columns = full.Channels / 4;
        string strips = string.Join(
            ", ",
            ((int[])[1, 8, 50]).Select(draws => (4 * StripChoice.Rows((1 + draws) * tokens, Strip.MaxThreads / columns, columns,
                Math.Max(1, device.Multiprocessors))).ToString(CultureInfo.InvariantCulture)));
        string products = device.Products switch
        {
            GpuPrecision.ThreeTf32 => "products as three of tf32 parts on tensor cores, tiles of 64 x 64; large maps of f16 and bf16 "
                + "files stay in 16 bits, of two products",
            GpuPrecision.SingleTiles => "products in float32, tiles of 64 x 64",
            _ => $"products in float32, strips of {strips} rows at 1, 8, 50 draws of the full size",
        };
        if (device.Capability.Length == 0)
            return products;
        ProductRates rates = ProductRates.Of(device.Capability);
        return string.Create(CultureInfo.InvariantCulture,
            $"{products}; by the time model {rates.ThreeTf32:0} multiply-adds a cycle and multiprocessor in tf32 parts, {rates.Single:0} "
            + $"in float32 (compute capability {device.Capability}, {device.Multiprocessors} multiprocessors)");
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
