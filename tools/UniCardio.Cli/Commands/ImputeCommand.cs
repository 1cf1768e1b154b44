using System.CommandLine;
using UniCardio.Engine.Model;

namespace UniCardio.Cli.Commands;

/// <summary><c>impute INPUT</c>: fills the gaps of a signal.</summary>
internal static class ImputeCommand
{
    public static Command Create(Terminal terminal) => SignalCommands.Create(terminal, TaskKind.Impute, "impute",
        "Fills the gaps of one signal from what is measured around them and from other signals: by the patient's own beats, a filter and "
        + "the network, whichever did best on hidden stretches of the same recording. Measured samples stay as they are.",
        "impute tools/UniCardio.Cli/examples/example.csv --target bp --with ppg --out filled.csv --plot filled.svg",
        "impute icu.hea --target ecg --channel ecg=II --start 60 --duration 30 --draws 20 --plot ecg.svg");
}
