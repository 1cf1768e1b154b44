using UniCardio.Evaluation;

namespace UniCardio.Cli.Output;

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
