using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;
using UniCardio.Training.Data;
using UniCardio.Training.Network;
using UniCardio.Training.Objectives;

namespace UniCardio.Training.Runs;

/// <summary>How a network does on one task's held-out windows.</summary>
/// <param name="Task">The task.</param>
/// <param name="Loss">Mean squared error of the prediction over the counted samples, diffusion steps spread over 0 .. T-1.</param>
/// <param name="LastProbe">Mean squared error of the clean signal predicted in one call at t = T-1, clamped to <see cref="PlausibleRange"/>
/// as samplers do, over that of predicting the windows' mean: 1 = no use of the conditions.</param>
/// <param name="HighProbe">The same at t = 0.8 (T-1), rounded.</param>
/// <remarks>Of a network that corrects proposals: the loss is the mean over the windows of the root mean square error in the gap, the
/// probes are that over the proposal's own error (below 1: the correction is worth it), with the proposal in place and without
/// it.</remarks>
internal sealed record TaskValidation(CardioTask Task, double Loss, double LastProbe, double HighProbe);

/// <summary>Fixed held-out windows, noise and steps of each task.</summary>
internal sealed class ValidationSet
{
    private readonly TrainingBatch[] _batches;
    private readonly double[] _variances;
    private readonly DiffusionObjective _objective;
    private readonly SecondCall? _second;
    private readonly int[] _spread;
    private readonly int[] _last;
    private readonly int[] _high;
    private readonly float[] _scratch;
    private readonly ulong _seed;

    /// <summary>Draws the windows.</summary>
    /// <param name="configuration">The network's sizes.</param>
    /// <param name="tasks">The tasks.</param>
    /// <param name="source">Examples that training never sees.</param>
    /// <param name="windows">Windows a task; at least 1.</param>
    /// <param name="seed">Keys the noise.</param>
    /// <param name="objective">Whether the windows are a teacher's samples, which bring their noise, or draws are scored; null for
    /// neither.</param>
    /// <param name="second">The second call of scored draws, after which they are looked at; null for those of one call.</param>
    public ValidationSet(ModelConfiguration configuration, IReadOnlyList<CardioTask> tasks, IExampleSource source, int windows, ulong seed,
        ObjectiveOptions? objective = null, SecondCall? second = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(tasks);
        ArgumentNullException.ThrowIfNull(source);
        // Every counted sample alike and no weights by step, whatever the run minimises: losses of different runs can be compared.
        _objective =
            new DiffusionObjective(configuration, new ObjectiveOptions { Normalization = LossNormalization.Batch,
                Distils = objective?.Distils ?? false, ScoredDraws = objective?.ScoredDraws ?? 0 });
        int draws = objective?.Draws ?? 1;
        (_second, _seed) = (second, seed);
        int steps = configuration.DiffusionSteps;
        _spread = [.. Enumerable.Range(0, windows * draws).Select(i => (int)((i + 0.5) * steps / (windows * draws)))];
        _last = [.. Enumerable.Repeat(steps - 1, windows * draws)];
        _high = [.. Enumerable.Repeat((int)Math.Round(0.8 * (steps - 1)), windows * draws)];
        _scratch = new float[configuration.SlotSamples];
        _batches = new TrainingBatch[tasks.Count];
        for (int i = 0; i < _batches.Length; i++)
        {
            TrainingBatch batch = _batches[i] = new TrainingBatch(windows * draws, configuration.SlotSamples, draws) { Step = i };
            for (int window = 0; window < windows; window++)
            {
                source.Fill(window, tasks[i], batch, window * draws);
                batch.Repeat(window * draws);
            }
        }

        _variances = [.. _batches.Select(b => Variance(b))];
    }

    /// <summary>Runs the network over every task's windows, three times.</summary>
    /// <param name="network">The network with the weights to check.</param>
    /// <param name="cancellation">Asked between tasks.</param>
    public IReadOnlyList<TaskValidation> Evaluate(IGradientNetwork network, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (network.Configuration.Prediction == PredictionKind.Correction)
            return [.. _batches.Select(batch => Correct(network, batch, cancellation))];
        var results = new TaskValidation[_batches.Length];
        for (int i = 0; i < results.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            TrainingBatch batch = _batches[i];
            Predict(network, batch, _spread);
            double loss = 0;
            for (int window = 0; window < batch.Count; window++)
                loss += _objective.Evaluate(batch, window, batch.Prediction(window), _scratch);
            double unconditional = Math.Max(_variances[i], 1e-12);
            results[i] = new TaskValidation(batch.Tasks[0], loss, CleanError(network, batch, _last) / unconditional,
                CleanError(network, batch, _high) / unconditional);
        }

        return results;
    }

    // Mean over the windows of the error in the gap; over the proposal's with it in place, and without it.
    private TaskValidation Correct(IGradientNetwork network, TrainingBatch batch, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        double Error(bool corrected) =>
            Enumerable.Range(0, batch.Count)
                .Average(w => Math.Sqrt(ProposalLoss.MeanSquare(batch, w, corrected ? batch.Prediction(w) : [])));
        Predict(network, batch, _last);
        double with = Error(corrected: true), own = Math.Max(Error(corrected: false), 1e-9);
        float[] kept = [.. batch.Conditions];
        try
        {
            for (int window = 0; window < batch.Count; window++)
            {
                Span<float> proposal = batch.Condition(window, batch.Tasks[window].Output);
                ReadOnlySpan<float> gap = batch.Weight(window);
                for (int s = 0; s < gap.Length; s++)
                    proposal[s] = gap[s] > 0 ? AffineScale.Missing : proposal[s];
            }

            Predict(network, batch, _last);
            return new TaskValidation(batch.Tasks[0], with, with / own, Error(corrected: true) / own);
        }
        finally
        {
            kept.CopyTo(batch.Conditions, 0);
        }
    }

    private double CleanError(IGradientNetwork network, TrainingBatch batch, int[] steps)
    {
        Predict(network, batch, steps);
        double sum = 0, counted = 0;
        for (int window = 0; window < batch.Count; window++)
        {
            ReadOnlySpan<float> clean = batch.CleanTarget(window), weight = batch.Weight(window);
            ReadOnlySpan<float> noisy = batch.Slot(window, (int)batch.Tasks[window].Target);
            _objective.PredictClean(batch.Steps[window], noisy, batch.Prediction(window), _scratch);
            (double low, double high) = PlausibleRange.Of(batch.Tasks[window].Output);
            for (int s = 0; s < clean.Length; s++)
            {
                double error = Math.Clamp(_scratch[s], low, high) - clean[s];
                sum += weight[s] * error * error;
                counted += weight[s];
            }
        }

        return sum / counted;
    }

    private void Predict(IGradientNetwork network, TrainingBatch batch, int[] steps)
    {
        _objective.Prepare(batch, _seed, steps);
        network.Predict(batch, batch.Predictions);
        if (_second is null)
            return;
        _second.Advance(batch);
        network.Predict(batch, batch.Predictions);
    }

    // Of the counted clean samples around their mean over all windows.
    private static double Variance(TrainingBatch examples)
    {
        double sum = 0, squares = 0, counted = 0;
        for (int i = 0; i < examples.Clean.Length; i++)
        {
            double weight = examples.LossWeight[i], value = examples.Clean[i];
            counted += weight;
            sum += weight * value;
            squares += weight * value * value;
        }

        double mean = sum / counted;
        return (squares / counted) - (mean * mean);
    }
}
