using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Training.Data;
using UniCardio.Training.Distillation;
using UniCardio.Training.Network;

namespace UniCardio.Training.Objectives;

/// <summary>Takes draws of a network that learns to draw in two calls from noise to the state that its second call sees.</summary>
/// <remarks>
/// The states are its own: noise at T - 1, one call, and the first row of the sampler that it will be used with
/// (<see cref="TeacherPairs.Student"/>, 2). The second call's loss does not go back through the first, which learns by its own draws'
/// score; so a training step costs a forward pass of half its windows more.
/// </remarks>
internal sealed class SecondCall
{
    private readonly ModelConfiguration _network;
    private readonly Dictionary<CardioTask, SamplerStep> _first = [];
    private TrainingBatch? _before;

    /// <summary>For one network.</summary>
    /// <param name="network">Its schedule counts.</param>
    public SecondCall(ModelConfiguration network)
    {
        ArgumentNullException.ThrowIfNull(network);
        _network = network;
        Step = TeacherPairs.StudentSteps(2, network)[1];
    }

    /// <summary>The second call's diffusion step.</summary>
    public int Step { get; }

    /// <summary>Gives every second condition of a prepared batch, with all its draws, to the second call.</summary>
    /// <param name="batch">Prepared: all states are noise at T - 1.</param>
    /// <param name="network">Predicts what its first call would.</param>
    public void Prepare(TrainingBatch batch, IGradientNetwork network)
    {
        int draws = batch.Draws, conditions = batch.Count / draws / 2;
        if (conditions == 0)
            return;
        if (_before?.Count != conditions * draws || _before.Draws != draws)
            _before = new TrainingBatch(conditions * draws, batch.SlotSamples, draws);
        int Of(int place) => (((2 * (place / draws)) + 1) * draws) + (place % draws);
        int inputs = ModelConfiguration.SlotCount * batch.SlotSamples;
        for (int place = 0; place < _before.Count; place++)
        {
            (_before.Tasks[place], _before.Steps[place]) = (batch.Tasks[Of(place)], batch.Steps[Of(place)]);
            batch.Inputs.AsSpan(Of(place) * inputs, inputs).CopyTo(_before.Inputs.AsSpan(place * inputs));
        }

        network.Predict(_before, _before.Predictions);
        for (int place = 0; place < _before.Count; place++)
            Advance(batch, Of(place), _before.Prediction(place));
    }

    /// <summary>Takes every window of a batch on whose predictions at T - 1 are known.</summary>
    /// <param name="batch">Prepared, with predictions.</param>
    public void Advance(TrainingBatch batch)
    {
        for (int window = 0; window < batch.Count; window++)
            Advance(batch, window, batch.Prediction(window));
    }

    private void Advance(TrainingBatch batch, int window, ReadOnlySpan<float> prediction)
    {
        CardioTask task = batch.Tasks[window];
        if (!_first.TryGetValue(task, out SamplerStep row))
            _first[task] = row = SamplerTable.Create(TeacherPairs.Student(2), _network, task).Steps[0];
        Span<float> state = batch.WindowNoise(window);
        for (int s = 0; s < state.Length; s++)
        {
            double clean = Math.Clamp((row.CleanFromState * state[s]) + (row.CleanFromPrediction * prediction[s]), row.ClampLow,
                row.ClampHigh);
            state[s] = (float)((row.State * state[s]) + (row.Clean0 * clean));
        }

        state.CopyTo(batch.Slot(window, (int)task.Target));
        batch.Steps[window] = Step;
    }
}
