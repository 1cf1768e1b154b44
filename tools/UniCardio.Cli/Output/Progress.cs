using System.Diagnostics;
using System.Globalization;
using UniCardio.Engine.Diagnostics;
using UniCardio.Evaluation;
using UniCardio.Training.Runs;

namespace UniCardio.Cli.Output;

/// <summary>Shows how a training run goes: a bar where somebody watches, else a line now and then.</summary>
internal sealed class TrainingReport(Terminal terminal, IProgress<(double Share, string What)> bar) : IProgress<TrainingProgress>
{
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(30);

    private long _last = Stopwatch.GetTimestamp();

    public void Report(TrainingProgress value)
    {
        if (value.Event is not null)
            terminal.Note($"step {value.Updates}: {value.Event}");
        // A bar shows share and time left itself.
        bar.Report((value.Updates / (double)value.Steps, State(value, withTime: false)));
        if (terminal.ErrorIsTerminal || Stopwatch.GetElapsedTime(_last) < LineEvery)
            return;
        _last = Stopwatch.GetTimestamp();
        terminal.Note($"step {value.Updates} of {value.Steps}, {State(value, withTime: true)}");
    }

    private static string State(TrainingProgress p, bool withTime)
    {
        var parts = new List<string> { $"phase {p.Phase + 1}" };
        if (!double.IsNaN(p.Loss))
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"loss {p.Loss:F4}"));
        if (!double.IsNaN(p.ExamplesPerSecond))
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{p.ExamplesPerSecond:F1} windows/s"));
        if (!double.IsNaN(p.PeakShare))
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{100 * p.PeakShare:F0}% of peak"));
        if (withTime && p.Remaining is TimeSpan left)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{(int)left.TotalHours}:{left.Minutes:00} h left"));
        return string.Join(", ", parts);
    }
}

/// <summary>Shows an evaluation as a bar where somebody watches, else as a line a case.</summary>
internal sealed class CaseProgress(IProgress<(double Share, string What)> bar, Terminal terminal) : IProgress<EvaluationProgress>
{
    private int _announced = -1;

    public void Report(EvaluationProgress value)
    {
        bar.Report((value.Share, value.Case));
        if (terminal.ErrorIsTerminal || value.CasesDone == _announced)
            return;
        _announced = value.CasesDone;
        terminal.Note($"{value.CasesDone + 1} of {value.CasesTotal}: {value.Case}");
    }
}

/// <summary>Shows golden entries as a share of all.</summary>
internal sealed class EntryProgress(IProgress<(double Share, string What)> bar) : IProgress<GoldenProgress>
{
    public void Report(GoldenProgress value) => bar.Report((value.Done / (double)Math.Max(1, value.Total), value.Entry));
}
