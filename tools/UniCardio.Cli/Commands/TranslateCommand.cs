using System.CommandLine;
using UniCardio.Engine.Model;

namespace UniCardio.Cli.Commands;

/// <summary><c>translate INPUT</c>: makes a signal that was not measured from others that were.</summary>
internal static class TranslateCommand
{
    public static Command Create(Terminal terminal) => SignalCommands.Create(terminal, TaskKind.Translate, "translate",
        "Makes one signal from others. Blood pressure comes out in mmHg, PPG and ECG without a scale ('normalised').",
        "translate night.edf --target bp --with ppg,ecg --out bp.csv --plot bp.svg",
        "translate wearable.csv --target ecg --with ppg --draws 50 --sampler ddim:20 --out ecg.csv --band-channels");
}
