using System.CommandLine;

namespace UniCardio.Cli.Commands;

/// <summary><c>golden verify</c> and <c>golden record</c>.</summary>
internal static class GoldenCommand
{
    public static Command Create(Terminal terminal) => new("golden", "Verifies golden vectors, or records new ones from the reference.")
    {
        GoldenVerifyCommand.Create(terminal),
        GoldenRecordCommand.Create(terminal),
    };
}
