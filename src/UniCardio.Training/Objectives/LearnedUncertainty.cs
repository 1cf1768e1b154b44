using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Training.Data;

namespace UniCardio.Training.Objectives;

/// <summary>What a learned log-variance is of.</summary>
public enum UncertaintyKind
{
    /// <summary>Of each task (Kendall, Gal and Cipolla, arXiv 1705.07115).</summary>
    Task,

    /// <summary>Of each kind of task and output, by tenths of the diffusion steps: how sure an answer can be depends on the noise
    /// most.</summary>
    Output,
}

/// <summary>Numbers of log-variances that are learned with the weights.</summary>
public sealed record UncertaintyOptions
{
    /// <summary>What they are of.</summary>
    public UncertaintyKind Of { get; init; }

    /// <summary>beta of the beta-NLL (Seitzer et al., arXiv 2203.09168), 0 to 1: the loss of a window is multiplied by e^(beta s), held
    /// fixed. 0 is the likelihood itself; with 1 the weights learn as without it.</summary>
    public double Beta { get; init; }

    /// <summary>Learning rate of the log-variances (Adam) at the peak of the weights' own, whose course it follows; above 0.</summary>
    public double Rate { get; init; } = 0.02;

    /// <summary>Checks the numbers.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ConfigurationException">One is out of range; it is named.</exception>
    public UncertaintyOptions Validate()
    {
        if (!Enum.IsDefined(Of))
            throw new ConfigurationException("uncertainty", $"{Of} is neither task nor output");
        if (!(Beta >= 0 && Beta <= 1))
            throw new ConfigurationException("uncertainty_beta", $"{Beta} is not between 0 and 1");
        return Rate > 0 && double.IsFinite(Rate) ? this
            : throw new ConfigurationException("uncertainty_rate", $"{Rate} is not a positive finite number");
    }
}

/// <summary>Weighs losses by log-variances s that are learned beside the network's weights.</summary>
/// <remarks>
/// A window whose part of a batch of B is L / B costs e^(beta s) (e^-s L + s) / (2 B), the first factor held fixed; so the prediction's
/// gradient is multiplied by e^((beta - 1) s) / 2, and d cost / d s = e^(beta s) (1 - e^-s L) / (2 B), which is 0 at s = ln of the mean L
/// of its kind. s is kept within +-6. A log-variance for every sample would need an output channel that no backend has and no shipped
/// weights file holds: it is a table here, by task, or by output and noise.
/// </remarks>
internal sealed class LearnedUncertainty
{
    /// <summary>Largest magnitude of s.</summary>
    public const float Limit = 6;

    private const int StepShares = 10;
    private const double Beta1 = 0.9, Beta2 = 0.99, Epsilon = 1e-8;

    private static readonly int s_outputs = Modalities.All.Count * Enum.GetValues<TaskKind>().Length;

    private readonly UncertaintyOptions _options;
    private readonly int _steps;

    // [3, cells]: s, and Adam's moments.
    private readonly float[] _state;

    // By window of the batch, written by the network's threads.
    private readonly int[] _cells;
    private readonly double[] _slopes;

    /// <summary>Every s at 0, which weighs all losses by a half.</summary>
    /// <param name="options">What is learned.</param>
    /// <param name="network">Whose steps are shared out.</param>
    /// <param name="batch">Windows of a batch.</param>
    public LearnedUncertainty(UncertaintyOptions options, ModelConfiguration network, int batch)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(network);
        (_options, _steps) = (options.Validate(), network.DiffusionSteps);
        Cells = options.Of == UncertaintyKind.Task ? CardioTask.All.Count : s_outputs * StepShares;
        _state = new float[3 * Cells];
        (_cells, _slopes) = (new int[batch], new double[batch]);
    }

    /// <summary>Log-variances.</summary>
    public int Cells { get; }

    /// <summary>[3, cells] log-variances and their moments: what a run keeps.</summary>
    public Memory<float> State => _state;

    /// <summary>[cells] the log-variances.</summary>
    public ReadOnlySpan<float> Values => _state.AsSpan(0, Cells);

    /// <summary>[count] d cost / d s of each window's cell, of the last batch.</summary>
    internal ReadOnlySpan<double> Slopes => _slopes;

    /// <summary>The cell of a window.</summary>
    /// <param name="task">Its task.</param>
    /// <param name="step">Its diffusion step.</param>
    public int CellOf(CardioTask task, int step)
    {
        if (_options.Of == UncertaintyKind.Task)
            return IndexOf(task);
        return (((((int)task.Kind * Modalities.All.Count) + (int)task.Output) * StepShares) + (step * StepShares / _steps));
    }

    /// <summary>Weighs the gradient of one window. Safe from several threads for different windows.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="window">Index in it.</param>
    /// <param name="loss">The window's part of the batch's loss.</param>
    /// <param name="gradient">[S] d loss / d prediction, multiplied in place.</param>
    public void Weigh(TrainingBatch batch, int window, double loss, Span<float> gradient)
    {
        int cell = _cells[window] = CellOf(batch.Tasks[window], batch.Steps[window]);
        double s = _state[cell], held = Math.Exp(_options.Beta * s) / 2;
        _slopes[window] = held * ((1.0 / batch.Count) - (Math.Exp(-s) * loss));
        float factor = (float)(held * Math.Exp(-s));
        foreach (ref float g in gradient)
            g *= factor;
    }

    /// <summary>Moves the log-variances by the slopes of the batch that was weighed last.</summary>
    /// <param name="updates">Updates done with this one, 1 and up.</param>
    /// <param name="share">The learning rate over its peak.</param>
    public void Update(long updates, double share)
    {
        double[] slope = new double[Cells];
        for (int window = 0; window < _cells.Length; window++)
            slope[_cells[window]] += _slopes[window];
        double step = share * _options.Rate / (1 - Math.Pow(Beta1, updates)), root = 1 / Math.Sqrt(1 - Math.Pow(Beta2, updates));
        for (int cell = 0; cell < Cells; cell++)
        {
            ref float s = ref _state[cell], m = ref _state[Cells + cell], v = ref _state[(2 * Cells) + cell];
            m = (float)((Beta1 * m) + ((1 - Beta1) * slope[cell]));
            v = (float)((Beta2 * v) + ((1 - Beta2) * slope[cell] * slope[cell]));
            s = Math.Clamp((float)(s - (step * m / ((Math.Sqrt(v) * root) + Epsilon))), -Limit, Limit);
        }
    }

    private static int IndexOf(CardioTask task)
    {
        for (int i = 0; i < CardioTask.All.Count; i++)
        {
            if (CardioTask.All[i] == task)
                return i;
        }

        throw new ArgumentException($"'{task}' is none of the tasks", nameof(task));
    }
}
