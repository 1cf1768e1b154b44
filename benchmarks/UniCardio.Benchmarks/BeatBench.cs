using System.Globalization;
using System.Diagnostics;
using UniCardio.BeatCases;
using UniCardio.Signals.Beats;

namespace UniCardio.Benchmarks;

/// <summary>The beat detector's tables: every drawn family, every annotated lead with its samples a second, and the F1 with each subject
/// left out of the choice of the constants.</summary>
internal static class BeatBench
{
    private const int Cases = 10, Settings = 121;

    public static int Run(string[] args)
    {
        if (args is ["--leads", string folder])
            Leads(folder);
        else if (args is ["--left-out", string records])
            LeftOut(records);
        else if (args.Length == 0)
            Families();
        else
            return Fail();
        return 0;
    }

    private static int Fail()
    {
        Console.Error.WriteLine("expected: beats, beats --leads FOLDER, beats --left-out FOLDER (the folder of annotated recordings)");
        return 2;
    }

    private static void Families()
    {
        Console.WriteLine($"| family, {Cases} minutes each | beats | missed | false | Se % | +P % |\n|---|---|---|---|---|---|");
        int clean = 0;
        foreach (BeatFamily family in BeatFamily.All)
        {
            BeatRow r = BeatTable.Of(family, Cases);
            clean += r.Missed + r.False == 0 ? 1 : 0;
            Console.WriteLine(FormattableString.Invariant(
                $"| {r.Family} | {r.Beats} | {r.Missed} | {r.False} | {100 * r.Sensitivity:0.00} | {100 * r.Predictivity:0.00} |"));
        }
        Console.WriteLine($"{clean} of {BeatFamily.All.Count} families without a missed or false beat");
    }

    private static void Leads(string folder)
    {
        Console.WriteLine("| lead | beats | Se % | +P % | F1 % | best public F1 % | million samples/s |\n|---|---|---|---|---|---|---|");
        foreach (LabelledLead lead in LabelledLead.All)
        {
            BeatCase c = lead.Read(folder);
            long start = Stopwatch.GetTimestamp();
            BeatAgreement a = BeatTable.Agreement(c);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {lead.File} {c.Name} | {c.Truth.Length} | {100 * a.Sensitivity:0.00} | {100 * a.Precision:0.00} | {100 * a.F1:0.00} "
                + $"| {lead.BestPublic:0.##} | {c.Samples.Length / seconds / 1e6:0.0} |"));
        }
    }

    // The shipped constants and random ones about them; for each subject the ones that do best on the others, and what they do on it.
    private static void LeftOut(string folder)
    {
        (LabelledLead Lead, BeatCase Case)[] rows = [.. LabelledLead.All.Select(l => (l, l.Read(folder)))];
        var random = new Random(1);
        BeatSettings[] settings = [BeatSettings.Ecg, .. Enumerable.Range(1, Settings - 1).Select(_ => About(BeatSettings.Ecg, random))];
        double[][] scores = [.. settings.AsParallel().AsOrdered().WithDegreeOfParallelism(2)
            .Select(s => rows.Select(r => 100 * BeatTable.Agreement(r.Case, s).F1 ?? 0).ToArray())];
        Console.WriteLine("| left out | F1 % of the constants chosen on the others | shipped |\n|---|---|---|");
        foreach (string subject in rows.Select(r => r.Lead.Subject).Distinct())
        {
            int best = Enumerable.Range(1, settings.Length - 1)
                .MaxBy(s => Enumerable.Range(0, rows.Length).Where(r => rows[r].Lead.Subject != subject).Sum(r => scores[s][r]));
            foreach (int r in Enumerable.Range(0, rows.Length).Where(r => rows[r].Lead.Subject == subject))
                Console.WriteLine(FormattableString.Invariant(
                    $"| {rows[r].Lead.File} {rows[r].Case.Name} | {scores[best][r]:0.00} | {scores[0][r]:0.00} |"));
        }
    }

    // The main constants, each times a factor of 0.8 to 1.25.
    private static BeatSettings About(BeatSettings s, Random random)
    {
        double Near(double x) => x * Math.Exp(0.22 * ((2 * random.NextDouble()) - 1));
        return s with
        {
            Even = Near(s.Even), StrengthWeight = Near(s.StrengthWeight), ShapeWeight = Near(s.ShapeWeight),
            EvenAgreement = Math.Min(0.9, Near(s.EvenAgreement)), RhythmWeight = Near(s.RhythmWeight), RegularWeight =
                Near(s.RegularWeight),
            RhythmClear = 1 + Near(s.RhythmClear - 1), NoiseGain = Near(s.NoiseGain), Clear = Near(s.Clear),
            ShapeClear = Near(s.ShapeClear),
            OddShapeClear = Near(s.OddShapeClear), OddGain = Near(s.OddGain), Uncommon = Near(s.Uncommon), PauseWeight =
                Near(s.PauseWeight),
            AfterWaveWeight = Near(s.AfterWaveWeight), Alike = Near(s.Alike),
        };
    }
}
