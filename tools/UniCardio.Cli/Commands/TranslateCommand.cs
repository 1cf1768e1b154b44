using System.CommandLine;
using UniCardio.Engine.Model;

namespace UniCardio.Cli.Commands;

/// <summary><c>translate INPUT</c>: makes a signal that was not measured from others that were.</summary>
internal static class TranslateCommand
{
    public static Command Create(Terminal terminal) => SignalCommands.Create(terminal, TaskKind.Translate, "translate",
        "Makes one signal from others. Without --calibrate what comes out has no scale ('normalised'), a blood pressure too: no other "
        + "signal tells its level. Calibrated by paired seconds it is made of the patient's own beats.",
        "translate night.edf --target bp --with ppg,ecg --calibrate 0..60 --out bp.csv --plot bp.svg",
        "translate ward.csv --target bp --with ppg --calibrate 128/74@0 --calibrate 121/70@900 --out bp.csv",
        "translate wearable.csv --target ecg --with ppg --draws 50 --sampler ddim:20 --out ecg.csv --band-channels");
}
