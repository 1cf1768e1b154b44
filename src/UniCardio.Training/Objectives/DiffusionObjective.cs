using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine;
using UniCardio.Pipeline;
using UniCardio.Training.Data;
using UniCardio.Training.Randomness;

namespace UniCardio.Training.Objectives;

/// <summary>The diffusion loss: noisy inputs x_t = sqrt(abar) x0 + sqrt(1 - abar) eps, and the squared error of the network's
/// prediction.</summary>
/// <remarks>Safe to use from several threads for different windows.</remarks>
internal sealed class DiffusionObjective
{
    private readonly ModelConfiguration _configuration;
    private readonly ObjectiveOptions _options;
    private readonly NoiseSchedule _schedule;
    private readonly double[] _stepWeights;
    private readonly CleanLosses? _cleanLosses;

    /// <summary>Creates the objective.</summary>
    /// <param name="configuration">Prediction type and schedule.</param>
    /// <param name="options">The loss.</param>
    /// <exception cref="ConfigurationException">A number is out of range.</exception>
    public DiffusionObjective(ModelConfiguration configuration, ObjectiveOptions options)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(options);
        _configuration = configuration.Validate();
        _options = options.Validate();
        _schedule = new NoiseSchedule(configuration);
        _stepWeights = StepWeights.Of(configuration, _schedule, options);
        _cleanLosses = CleanLosses.Of(options, configuration.SlotSamples);
    }

    // The step is the network's one, or comes with the example.
    private bool HasGivenSteps => Corrects || _options.LearnsToDraw;

    // The state is noise at the last step, and draws of a window are scored together.
    private bool Scores => _options.ScoredDraws > 0;

    private bool Corrects => _configuration.Prediction == PredictionKind.Correction;

    /// <summary>The forward process.</summary>
    public NoiseSchedule Schedule => _schedule;

    /// <summary>Draws steps and noise for a batch whose examples are filled, and makes the network's inputs.</summary>
    /// <param name="batch">Its <see cref="TrainingBatch.Step"/> and examples are read, the rest is written.</param>
    /// <param name="seed">The run's seed.</param>
    /// <exception cref="ArgumentException">An example has no counted sample, or a value is not finite.</exception>
    public void Prepare(TrainingBatch batch, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (!HasGivenSteps)
            DrawSteps(batch.Steps, seed, batch.Step);
        Prepare(batch, seed, batch.Steps);
    }

    /// <summary>The same with given steps.</summary>
    /// <param name="batch">Its <see cref="TrainingBatch.Step"/> and examples are read, the rest is written.</param>
    /// <param name="seed">Keys the noise.</param>
    /// <param name="steps">[count] diffusion steps, 0 to T - 1; those of a teacher's samples come with the examples.</param>
    /// <exception cref="ArgumentException">An example has no counted sample, or a value is not finite.</exception>
    public void Prepare(TrainingBatch batch, ulong seed, ReadOnlySpan<int> steps)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (Scores && batch.Draws != _options.ScoredDraws)
            throw new ArgumentException($"the batch has {batch.Draws} draws of a window, {_options.ScoredDraws} are scored", nameof(batch));
        if (Corrects)
            Array.Fill(batch.Steps, _schedule.CorrectionStep);
        else if (Scores)
            Array.Fill(batch.Steps, _schedule.Steps - 1);
        else if (!HasGivenSteps)
            steps.CopyTo(batch.Steps);
        double counted = 0;
        for (int window = 0; window < batch.Count; window++)
        {
            Check(batch, window);
            if (_options.ClampsTargets)
                Clamp(batch.CleanTarget(window), batch.Tasks[window].Output);
            FillPeaks(batch, window);
            if (!_options.Distils)
                PhiloxNormal.Fill(seed, (uint)window, (uint)RandomUse.Noise, (uint)batch.Step, batch.WindowNoise(window));
            FillInputs(batch, window);
            counted += batch.Scale[window] = Sum(batch.Weight(window));
        }

        double samples = _configuration.SlotSamples;
        if (Scores)
        {
            Array.Fill(batch.Scale, (double)batch.Draws / batch.Count);
            return;
        }

        if (Corrects)
        {
            foreach (ref double scale in batch.Scale.AsSpan())
                scale = 1 / scale;
            return;
        }

        for (int window = 0; window < batch.Count; window++)
        {
            batch.Scale[window] = _stepWeights[batch.Steps[window]] * _options.Normalization switch
            {
                LossNormalization.Window => 1 / (batch.Count * Math.Max(batch.Scale[window], samples / 5)),
                LossNormalization.Batch => 1 / counted,
                _ => 1 / (ModelConfiguration.SlotCount * samples),
            };
        }
    }

    /// <summary>One window's part of the batch's loss, and its gradient.</summary>
    /// <param name="batch">A prepared batch.</param>
    /// <param name="window">Index in the batch.</param>
    /// <param name="prediction">[S] what the network predicts.</param>
    /// <param name="gradient">[S] receives d loss / d prediction.</param>
    /// <returns>The part; the batch's loss is the sum over its windows.</returns>
    public double Evaluate(TrainingBatch batch, int window, ReadOnlySpan<float> prediction, Span<float> gradient)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (Corrects)
            return ProposalLoss.Evaluate(batch, window, prediction, gradient);
        if (Scores)
            return EnergyScore.Evaluate(batch, window, CleanFrom(batch.Steps[window]), gradient);
        if (_options.Distils)
            return EvaluateSample(batch, window, prediction, gradient);
        ReadOnlySpan<float> clean = batch.CleanTarget(window), noise = batch.WindowNoise(window), weight = batch.Weight(window);
        int t = batch.Steps[window];
        (float ofClean, float ofNoise) = Target(t);
        double scale = batch.Scale[window], sum = 0;
        float slope = (float)(2 * scale);
        ReadOnlySpan<float> peaks = batch.Peaks.AsSpan(window * prediction.Length, prediction.Length);
        for (int s = 0; s < prediction.Length; s++)
        {
            float error = prediction[s] - ((ofClean * clean[s]) + (ofNoise * noise[s])), counts = weight[s];
            if (_options.WeighsPeaks)
                counts *= peaks[s] * peaks[s];
            sum += counts * (double)error * error;
            gradient[s] = slope * counts * error;
        }

        if (_cleanLosses is null)
            return scale * sum;
        var made = new CleanPrediction
        {
            CleanFrom = CleanFrom(t), Noisy = batch.Slot(window, (int)batch.Tasks[window].Target), Prediction = prediction, Clean = clean,
            Counts = weight, Peaks = peaks,
        };
        double share = (_options.DampsCleanLosses ? _schedule.AlphaBar[t] : 1) / batch.Count;
        return (scale * sum) + _cleanLosses.Add(made, share, gradient);
    }

    // Squared error of the clean signal against the teacher's sample.
    private double EvaluateSample(TrainingBatch batch, int window, ReadOnlySpan<float> prediction, Span<float> gradient)
    {
        (double ofNoisy, double ofPrediction) = CleanFrom(batch.Steps[window]);
        ReadOnlySpan<float> sample = batch.CleanTarget(window), noise = batch.WindowNoise(window), weight = batch.Weight(window);
        double scale = batch.Scale[window], sum = 0;
        for (int s = 0; s < prediction.Length; s++)
        {
            double error = (ofNoisy * noise[s]) + (ofPrediction * prediction[s]) - sample[s];
            sum += weight[s] * error * error;
            gradient[s] = (float)(2 * scale * weight[s] * error * ofPrediction);
        }

        return scale * sum;
    }

    /// <summary>The clean signal that a prediction stands for.</summary>
    /// <param name="t">Diffusion step.</param>
    /// <param name="noisy">[S] x_t.</param>
    /// <param name="prediction">[S] what the network predicts.</param>
    /// <param name="clean">[S] receives x0.</param>
    public void PredictClean(int t, ReadOnlySpan<float> noisy, ReadOnlySpan<float> prediction, Span<float> clean)
    {
        (double ofNoisy, double ofPrediction) = CleanFrom(t);
        for (int s = 0; s < clean.Length; s++)
            clean[s] = (float)((ofNoisy * noisy[s]) + (ofPrediction * prediction[s]));
    }

    // x0 = a x_t + b prediction.
    internal (double OfNoisy, double OfPrediction) CleanFrom(int t) => _configuration.Prediction switch
    {
        PredictionKind.Epsilon => (1 / _schedule.Alpha[t], -_schedule.Sigma[t] / _schedule.Alpha[t]),
        PredictionKind.V => (_schedule.Alpha[t], -_schedule.Sigma[t]),
        _ => (0, 1),
    };

    // What the network should predict = a x0 + b eps.
    private (float OfClean, float OfNoise) Target(int t) => _configuration.Prediction switch
    {
        PredictionKind.Epsilon => (0, 1),
        PredictionKind.V => ((float)-_schedule.Sigma[t], (float)_schedule.Alpha[t]),
        _ => (1, 0),
    };

    private void FillPeaks(TrainingBatch batch, int window)
    {
        Span<float> peaks = batch.Peaks.AsSpan(window * _configuration.SlotSamples, _configuration.SlotSamples);
        if (_options.WeighsPeaks || _options.PeakL1 > 0)
            PeakWeights.Fill(batch.CleanTarget(window), peaks);
        else
            peaks.Fill(1);
    }

    private static void Clamp(Span<float> clean, Modality modality)
    {
        (double low, double high) = PlausibleRange.Of(modality);
        foreach (ref float x in clean)
            x = Math.Clamp(x, (float)low, (float)high);
    }

    private void DrawSteps(Span<int> steps, ulong seed, long step)
    {
        var random = new KeyedRandom(seed, RandomUse.Steps, 0, step);
        for (int i = 0; i < steps.Length; i++)
        {
            double at = random.NextDouble();
            steps[i] = (int)(_schedule.Steps * (_options.Draw == StepDraw.Stratified ? (i + at) / steps.Length : at));
        }

        // Strata in random order, for the tasks of a batch stand in order too (Fisher and Yates).
        for (int i = _options.Draw == StepDraw.Stratified ? steps.Length - 1 : 0; i > 0; i--)
        {
            int other = random.Next(i + 1);
            (steps[i], steps[other]) = (steps[other], steps[i]);
        }
    }

    private void FillInputs(TrainingBatch batch, int window)
    {
        CardioTask task = batch.Tasks[window];
        foreach (Modality modality in Modalities.All)
        {
            Span<float> slot = batch.Slot(window, (int)modality);
            if (task.Conditions.Contains(modality))
                batch.Condition(window, modality).CopyTo(slot);
            else
                slot.Clear();
        }

        int t = batch.Steps[window];
        float alpha = (float)_schedule.Alpha[t], sigma = (float)_schedule.Sigma[t];
        ReadOnlySpan<float> clean = batch.CleanTarget(window), noise = batch.WindowNoise(window);
        Span<float> noisy = batch.Slot(window, (int)task.Target);
        if (Corrects)
        {
            // The window with the proposal in its gap; the condition keeps its gap.
            ReadOnlySpan<float> gap = batch.Weight(window);
            Span<float> own = batch.Slot(window, (int)task.Output);
            own.CopyTo(noisy);
            for (int s = 0; s < noisy.Length; s++)
                own[s] = gap[s] > 0 ? AffineScale.Missing : own[s];
        }
        else
        {
            for (int s = 0; s < noisy.Length; s++)
                noisy[s] = _options.LearnsToDraw ? noise[s] : (alpha * clean[s]) + (sigma * noise[s]);
        }

        if (task.Target != Slot.Restoration)
            batch.Slot(window, (int)Slot.Restoration).Clear();
    }

    private static void Check(TrainingBatch examples, int window)
    {
        string? fault = !examples.Tasks[window].IsValid ? "has no task"
            : FiniteScan.FirstNonFinite(examples.CleanTarget(window)) >= 0 ? "has a clean target that is not finite"
            : FiniteScan.FirstNonFinite(examples.Conditions.AsSpan(window * 3 * examples.SlotSamples, 3 * examples.SlotSamples)) >= 0
                ? "has a condition that is not finite"
            : Sum(examples.Weight(window)) is double sum && !(sum > 0 && double.IsFinite(sum)) ? "counts no sample in the loss"
            : null;
        if (fault is not null)
            throw new ArgumentException($"window {window} of the batch ({examples.Tasks[window]}) {fault}");
    }

    private static double Sum(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values)
            sum += value;
        return sum;
    }
}
