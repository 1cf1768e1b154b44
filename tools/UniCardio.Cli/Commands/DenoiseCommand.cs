using System.CommandLine;
using UniCardio.Engine.Model;

namespace UniCardio.Cli.Commands;

/// <summary><c>denoise INPUT</c>: takes the noise off a signal.</summary>
internal static class DenoiseCommand
{
    public static Command Create(Terminal terminal) => SignalCommands.Create(terminal, TaskKind.Denoise, "denoise",
        "Takes the noise off one signal. Gaps stay as they are; impute first to have them filled.",
        "denoise noisy.csv --target ppg --with ecg --out clean.csv --plot clean.svg",
        "denoise ecg.npy --rate 125 --columns ecg_mV --target ecg --out clean.npy");
}
