using UniCardio.Cli.Output;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Evaluation.Study.Downstream;
using UniCardio.Pipeline;
using UniCardio.Pipeline.Patient;
using UniCardio.Restoration;
using UniCardio.Signals;

namespace UniCardio.Cli.Commands;

/// <summary><c>evaluate --study downstream</c>.</summary>
internal static class DownstreamRun
{
    private const ulong Seed = 0x53;
    private const int FibrillatingHearts = 4;

    public static int Run(Terminal terminal, InferenceEngine engine, int draws,
        IReadOnlyList<(Recording Recording, string Subject)> recordings, CancellationToken cancellation)
    {
        float[]? Restore(Recording recording, CardioTask task)
        {
            var options = new RestorationOptions { Task = task, Draws = draws,
                Estimator = task.Kind == TaskKind.Impute ? EstimatorChoice.Auto : EstimatorChoice.Network };
            Recording made = new Restorer(engine, options).Run(recording, ChannelSelection.ByKind, null, cancellation).Recording;
            return made.Require(NetworkSignal.KindOf(task.Output)).Samples.ToArray();
        }

        IReadOnlyList<DownstreamLine> Of(IReadOnlyList<(Recording Recording, string Subject)> subjects) =>
            DownstreamStudy.Run(subjects, Restore, Seed, terminal.Note, cancellation);
        IReadOnlyList<DownstreamLine> lines = Of(recordings);
        if (lines.Count == 0)
            throw new UsageException("no recording has a minute of PPG, pressure or ECG");
        Tell(terminal, "Recordings", lines);
        Tell(terminal, "Synthetic hearts in fibrillation", Of(DownstreamStudy.Fibrillating(FibrillatingHearts)));
        terminal.Say("Windows of 20 s; noise at 0 dB; 1.2 s missing of every 4. What is told of generated signals is told in "
            + "spite of it: rhythm abstains there. Research software, not a medical device.");
        return ExitCode.Success;
    }

    private static void Tell(Terminal terminal, string title, IReadOnlyList<DownstreamLine> lines)
    {
        terminal.Out.WriteLine(title + ":");
        var table = ResultTable.Create("signal", "version", ">subjects", ">rate error, bpm", ">rate read %", ">SBP, mmHg", ">DBP, mmHg",
            ">rhythm abstained %", ">arrhythmia invented", ">AF found");
        foreach (var g in lines.GroupBy(l => (l.Signal, l.Version)).OrderBy(g => g.Key.Signal).ThenBy(g => g.Key.Version))
        {
            // The mean over subjects of a subject's mean.
            string Mean(Func<DownstreamLine, double> of, string format)
            {
                double[] subjects = [.. g.GroupBy(l => l.Subject).Select(s => s.Select(of).Where(double.IsFinite).DefaultIfEmpty(double.NaN)
                    .Average()).Where(double.IsFinite)];
                return subjects.Length == 0 ? "-" : subjects.Average().In(format);
            }

            table.Add(g.Key.Signal.Name().ToUpperInvariant(), g.Key.Version.ToString().ToLowerInvariant(),
                g.Select(l => l.Subject).Distinct().Count(), Mean(l => l.RateError, "0.0"), Mean(l => 100 * l.RateRead, "0"),
                Mean(l => l.SystolicError, "0.0"), Mean(l => l.DiastolicError, "0.0"),
                Mean(l => l.Windows == 0 ? double.NaN : 100.0 * l.Abstained / l.Windows, "0"),
                $"{g.Sum(l => l.Invented)} of {g.Sum(l => l.Sinus)}", $"{g.Sum(l => l.Found)} of {g.Sum(l => l.Fibrillating)}");
        }

        terminal.Write(table);
        var by = ResultTable.Create("subject", "signal", "version", ">rate error, bpm", ">rate read %", ">invented", ">AF found");
        foreach (DownstreamLine l in lines)
        {
            by.Add(l.Subject, l.Signal.Name().ToUpperInvariant(), l.Version.ToString().ToLowerInvariant(),
                double.IsNaN(l.RateError) ? "-" : l.RateError.In("0.0"), (100 * l.RateRead).In("0"), $"{l.Invented} of {l.Sinus}",
                $"{l.Found} of {l.Fibrillating}");
        }

        terminal.Write(by);
    }
}
