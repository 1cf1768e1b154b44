using System.Globalization;

namespace UniCardio.Training.Runs;

/// <summary>An update of the weights.</summary>
/// <param name="Updates">Updates done with this one.</param>
/// <param name="Phase">Phase of the curriculum.</param>
/// <param name="Loss">The batch's loss.</param>
/// <param name="Rate">Learning rate.</param>
/// <param name="Norm">Norm of the gradient before clipping.</param>
internal readonly record struct UpdateFigures(long Updates, int Phase, double Loss, double Rate, double Norm);

/// <summary>Collects updates into rows of log.csv.</summary>
internal sealed class RunLog : IDisposable
{
    public const string Header = "step,phase,examples,loss,learning_rate,gradient_norm,examples_per_s,peak_percent,seconds";

    private readonly RunTable _table;
    private readonly TrainingOptions _options;
    private double _gflop;
    private double _stepSeconds;
    private int _timed;

    public RunLog(string path, TrainingOptions options, TrainingState state)
    {
        _options = options;
        _table = new RunTable(path, Header, state.Updates);
        LossSum = state.LossSum;
        NormSum = state.NormSum;
    }

    /// <summary>Sums since the last row, part of a run's state.</summary>
    public double LossSum { get; private set; }

    public double NormSum { get; private set; }

    /// <summary>Figures of the last row.</summary>
    public double Loss { get; private set; } = double.NaN;

    public double ExamplesPerSecond { get; private set; } = double.NaN;

    public double PeakShare { get; private set; } = double.NaN;

    /// <summary>Takes in an update, and writes a row where one is due.</summary>
    /// <param name="update">The update.</param>
    /// <param name="gflop">Work of the step.</param>
    /// <param name="step">Its time.</param>
    /// <param name="peak">GFLOP/s at most; NaN where unknown.</param>
    /// <param name="runSeconds">Time of the whole run.</param>
    public void Include(in UpdateFigures update, double gflop, TimeSpan step, double peak, double runSeconds)
    {
        (long updates, int phase, double loss, double rate, double norm) = update;
        LossSum += loss;
        NormSum += norm;
        _gflop += gflop;
        _stepSeconds += step.TotalSeconds;
        _timed++;
        if (updates % _options.LogEvery != 0 && updates != _options.Steps)
            return;
        long count = updates % _options.LogEvery == 0 ? Math.Min(updates, _options.LogEvery) : updates % _options.LogEvery;
        Loss = LossSum / count;
        double meanNorm = NormSum / count;
        ExamplesPerSecond = _timed * _options.Batch / _stepSeconds;
        PeakShare = _gflop / _stepSeconds / peak;
        _table.Append(string.Create(CultureInfo.InvariantCulture,
            $"{updates},{phase},{updates * _options.Batch},{Loss:R},{rate:R},{meanNorm:R},{ExamplesPerSecond:F1},"
            + $"{(double.IsNaN(PeakShare) ? null : 100 * PeakShare):F1},{runSeconds:F1}"));
        LossSum = NormSum = _gflop = _stepSeconds = 0;
        _timed = 0;
    }

    public void FlushToDisk() => _table.FlushToDisk();

    public void Dispose() => _table.Dispose();
}
