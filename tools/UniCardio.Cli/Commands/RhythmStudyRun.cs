using System.Globalization;
using UniCardio.Cli.Output;
using UniCardio.Engine.Quality;
using UniCardio.Evaluation.Quality;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Processing;
using UniCardio.Weights.Quality;

namespace UniCardio.Cli.Commands;

/// <summary><c>evaluate --study rhythm</c>.</summary>
internal static class RhythmStudyRun
{
    private const ulong Seed = 0x52;
    private const int SyntheticHearts = 300;

    public static int Run(Terminal terminal, int fit, string? weights,
        Func<IReadOnlyList<(Recording Recording, string Subject)>> recordings,
        CancellationToken cancellation)
    {
        if (fit > 0)
        {
            foreach (bool isEcg in (bool[])[true, false])
            {
                terminal.Out.WriteLine(isEcg ? "Ecg" : "Pulse");
                foreach (double[] row in RhythmStudy.Fit(isEcg, fit, Seed, cancellation))
                    terminal.Out.WriteLine($"[{string.Join(", ", row.Select(c => c.ToString("0.###", CultureInfo.InvariantCulture)))}],");
            }

            return ExitCode.Success;
        }

        using QualityWeights? loaded = weights is null ? null : QualityWeightFile.Load(weights);
        using IQualityNetwork? network = loaded is null ? null : QualityNetwork.Cpu(loaded);
        QualityReader? reader = network is null ? null : new QualityReader(network);
        Tell(terminal, "Synthetic hearts, 30 s", RhythmStudy.Synthetic(SyntheticHearts, reader, cancellation), c => c.Signal);
        Pulses(terminal, cancellation);
        Alarms(terminal, cancellation);
        IReadOnlyList<(Recording Recording, string Subject)> real = recordings();
        foreach (int window in (int[])[10, 20, 30])
        {
            IReadOnlyList<RhythmCase> cases = RhythmStudy.Real(real, reader, window, cancellation);
            if (cases.Count > 0)
                Tell(terminal, $"Recordings, {window} s", cases, c => c.Subject);
        }

        return ExitCode.Success;
    }

    private static void Pulses(Terminal terminal, CancellationToken cancellation)
    {
        terminal.Out.WriteLine("Synthetic pulses alone, one window a heart:");
        var table = ResultTable.Create("Hz", ">s", ">hearts", ">abstained %", ">AF told", ">AF in others", ">ectopy told", ">others as "
            + "ectopy or run", ">AUROC of AF");
        foreach (double rate in (double[])[60, 64, 100, 125, 250])
        {
            foreach (int seconds in (int[])[10, 20, 30])
            {
                IReadOnlyList<RhythmCase> cases = RhythmStudy.Pulses(SyntheticHearts, rate, seconds, cancellation);
                RhythmCase[] af = [.. cases.Where(c => c.Truth == RhythmKind.AtrialFibrillation)],
                    others = [.. cases.Where(c => c.Truth != RhythmKind.AtrialFibrillation)],
                    ectopy = [.. cases.Where(c => c.Truth == RhythmKind.Ectopy)],
                    sinus = [.. cases.Where(c => c.Truth == RhythmKind.Sinus)],
                    known = [.. cases.Where(c => double.IsFinite(c.Fibrillation[0]))];
                table.Add(rate.In("0"), seconds, cases.Count, (100.0 * cases.Count(c => c.Told is null) / cases.Count).In("0"),
                    $"{af.Count(c => c.Told == RhythmKind.AtrialFibrillation)} of {af.Length}",
                    $"{others.Count(c => c.Told == RhythmKind.AtrialFibrillation)} of {others.Length}",
                    $"{ectopy.Count(c => c.Told == RhythmKind.Ectopy)} of {ectopy.Length}",
                    $"{sinus.Count(c => c.Told is RhythmKind.Ectopy or RhythmKind.VentricularRun)} of {sinus.Length}",
                    RankOrder.Auroc([.. known.Select(c => c.Fibrillation[0])],
                        [.. known.Select(c => c.Truth == RhythmKind.AtrialFibrillation)])?.In("0.000") ?? "-");
            }
        }

        terminal.Write(table);
    }

    private static void Alarms(Terminal terminal, CancellationToken cancellation)
    {
        terminal.Out.WriteLine("Alarms of a ventricular run, synthetic hearts, 30 s:");
        var table = ResultTable.Create("signals", ">true alarms", ">run told", ">abstained", ">false alarms", ">run told", ">abstained");
        foreach (AlarmLine l in AlarmStudy.Run(2 * SyntheticHearts, Seed, cancellation))
            table.Add(l.Signals, l.TrueAlarms, l.Kept, l.TrueAbstained, l.FalseAlarms, l.Confirmed, l.FalseAbstained);
        terminal.Write(table);
    }

    private static void Tell(Terminal terminal, string title, IReadOnlyList<RhythmCase> cases, Func<RhythmCase, string> group)
    {
        terminal.Out.WriteLine(title + ":");
        var table = ResultTable.Create("of", "truth", ">windows", ">abstained %", ">sinus", ">AF", ">ectopy", ">run");
        foreach (var g in cases.GroupBy(c => (Group: group(c), c.Truth)).OrderBy(g => g.Key.Group, StringComparer.Ordinal)
            .ThenBy(g => g.Key.Truth))
        {
            table.Add([g.Key.Group, g.Key.Truth.ToString(), g.Count(), (100.0 * g.Count(c => c.Told is null) / g.Count()).In("0"),
                .. Enum.GetValues<RhythmKind>().Select(k => (object)g.Count(c => c.Told == k))]);
        }

        terminal.Write(table);
        var areas = ResultTable.Create(["AUROC of fibrillation", .. RhythmStudy.Scores.Select(s => ">" + s)]);
        foreach (var g in cases.GroupBy(c => cases[0].Subject == "synthetic" ? c.Signal : "all"))
        {
            areas.Add([g.Key, .. Enumerable.Range(0, RhythmStudy.Scores.Count).Select(i =>
            {
                RhythmCase[] known = [.. g.Where(c => double.IsFinite(c.Fibrillation[i]))];
                return (object)(RankOrder.Auroc([.. known.Select(c => c.Fibrillation[i])],
                    [.. known.Select(c => c.Truth == RhythmKind.AtrialFibrillation)])?.In("0.000") ?? "-");
            })]);
        }

        terminal.Write(areas);
    }
}
