using System.Globalization;
using UniCardio.Cli.Output;
using UniCardio.Engine.Quality;
using UniCardio.Evaluation.Quality;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Weights.Quality;

namespace UniCardio.Cli.Commands;

/// <summary><c>evaluate --study quality</c>.</summary>
internal static class QualityStudyRun
{
    private const ulong Seed = 0x51;

    public static int Run(Terminal terminal, int fit, string? weights,
        Func<IReadOnlyList<(Recording Recording, string Subject)>> recordings,
        CancellationToken cancellation)
    {
        if (fit > 0)
        {
            foreach (QualityFit f in QualityFit.Run(fit, Seed, cancellation))
                terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{f.Kind}: AUROC {f.Auroc:0.000} (now {f.Current:0.000}); {string.Join(", ", f.Coefficients.Select(c =>
                        c.ToString("0.###", CultureInfo.InvariantCulture)))}"));
            return ExitCode.Success;
        }

        using QualityWeights? loaded = weights is null ? null : QualityWeightFile.Load(weights);
        using IQualityNetwork? network = loaded is null ? null : QualityNetwork.Cpu(loaded);
        IReadOnlyList<QualityCase> cases = QualityStudy.Cases(recordings(), network is null ? null : new QualityReader(network), Seed,
            terminal.Note, cancellation);
        if (cases.Count == 0)
            throw new UsageException("no recording has known beats, or an ECG that another signal agrees with");
        Print(terminal, "Where the detector's rate is wrong by more than 5 bpm, or there is none", QualityStudy.Lines(cases));
        Print(terminal, "The same, of seconds with a rate",
            QualityStudy.Lines([.. cases.Where(c => c.HasRate)]));
        Print(terminal, "The same, as recorded: real noise alone", QualityStudy.Lines([.. cases.Where(c => c.Duty == 0)]));
        Print(terminal, "Where a simple detector that never abstains is wrong", QualityStudy.Lines(cases, c => c.SimpleWrong));
        terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{cases.Select(c => c.Subject).Distinct().Count()} subjects, {cases.Count} seconds. Research software, not a medical "
                + $"device."));
        return ExitCode.Success;
    }

    private static void Print(Terminal terminal, string title, IReadOnlyList<QualityLine> lines)
    {
        terminal.Out.WriteLine(title + ":");
        var table = ResultTable.Create("signals", "score", ">seconds", ">wrong %", ">AUROC", "95% over subjects");
        foreach (QualityLine l in lines)
        {
            table.Add(l.Kind?.ToString() ?? "all", l.Score, l.Cases, (100 * l.WrongShare).In("0.0"), double.IsNaN(l.Auroc) ? "-"
                : l.Auroc.In("0.000"),
                double.IsNaN(l.Low) ? "-" : $"{l.Low.In("0.000")} to {l.High.In("0.000")}");
        }

        terminal.Write(table);
    }
}
