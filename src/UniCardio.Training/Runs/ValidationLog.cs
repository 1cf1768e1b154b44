using System.Globalization;
using UniCardio.Engine.Model;

namespace UniCardio.Training.Runs;

/// <summary>Rows of validation.csv: one a check, set of weights and task.</summary>
internal sealed class ValidationLog : IDisposable
{
    public const string Header = "step,phase,weights,task,loss,probe_last,probe_high";

    private readonly RunTable _table;

    public ValidationLog(string path, long checkedAt) => _table = new RunTable(path, Header, checkedAt);

    /// <summary>Writes a check's rows.</summary>
    /// <param name="updates">Updates done.</param>
    /// <param name="phase">Phase of the curriculum.</param>
    /// <param name="weights"><c>averaged</c> or <c>raw</c>.</param>
    /// <param name="results">A row each.</param>
    public void Append(long updates, int phase, string weights, IReadOnlyList<TaskValidation> results)
    {
        foreach (TaskValidation result in results)
        {
            _table.Append(string.Create(CultureInfo.InvariantCulture,
                $"{updates},{phase},{weights},\"{result.Task}\",{RunTable.Text(result.Loss)},"
                + $"{RunTable.Text(result.LastProbe)},{RunTable.Text(result.HighProbe)}"));
        }
    }

    public void FlushToDisk() => _table.FlushToDisk();

    public void Dispose() => _table.Dispose();

    /// <summary>One line for a person: mean loss, and the mean probe of translation, imputation and denoising.</summary>
    /// <param name="results">The check.</param>
    /// <param name="corrects">Whether the network corrects proposals.</param>
    public static string Summary(IReadOnlyList<TaskValidation> results, bool corrects = false)
    {
        if (corrects)
            return string.Create(CultureInfo.InvariantCulture,
                $"held-out error {results.Average(r => r.Loss):F4}; over the proposal's {results.Average(r => r.LastProbe):F3}, without "
                + $"a proposal {results.Average(r => r.HighProbe):F3}");
        string Probe(TaskKind kind, string name)
        {
            double[] of = [.. results.Where(r => r.Task.Kind == kind).Select(r => r.HighProbe)];
            return of.Length == 0 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $", {name} {of.Average():F3}");
        }

        return string.Create(CultureInfo.InvariantCulture,
            $"held-out loss {results.Average(r => r.Loss):F4}; error at high noise over unconditional")
            + Probe(TaskKind.Translate, "translate") + Probe(TaskKind.Impute, "impute") + Probe(TaskKind.Denoise, "denoise");
    }
}
