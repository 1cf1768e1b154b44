using System.CommandLine;
using UniCardio.Cli.Output;
using UniCardio.Gpu.Emission;

namespace UniCardio.Cli.Commands;

/// <summary><c>kernels --emit</c>: the GPU kernels' code and a table of their instructions; needs no device.</summary>
internal static class KernelsCommand
{
    public static Command Create(Terminal terminal)
    {
        var emit = new Option<string>("--emit") { Required = true, Description = "ptx or opencl.", HelpName = "LANGUAGE" };
        emit.AcceptOnlyFromAmong("ptx", "opencl");
        var architecture = new Option<string>("--arch") { Description = "Architecture of the PTX.", DefaultValueFactory = _ => "SM_90",
            HelpName = "SM_XX" };
        var destination = new Option<string>("--out") { Required = true,
            Description = "The folder that the files go to; made if it is not there.", HelpName = "DIR" };
        var command = new ExampleCommand("kernels", "Writes the code of every GPU kernel and a table of its instructions.",
            "kernels --emit ptx --arch SM_90 --out kernels-ptx")
        {
            emit, architecture, destination,
        };
        command.SetAction((parsed, cancellation) =>
        {
            KernelEmitter.Emit(parsed.GetValue(emit)!, parsed.GetValue(architecture)!, parsed.GetValue(destination)!, terminal.Out,
                cancellation);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }
}
