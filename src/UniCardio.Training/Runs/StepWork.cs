using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Training.Data;
using UniCardio.Training.Network;

namespace UniCardio.Training.Runs;

/// <summary>GFLOP of a training step: three times the forward pass's live multiply-adds (forward, gradient by inputs, gradient by weights),
/// twice each.</summary>
internal sealed class StepWork(ModelConfiguration configuration)
{
    private readonly Dictionary<(ModalitySet Conditions, Slot Target), double> _known = [];

    public double Gflop(TrainingBatch batch)
    {
        double sum = 0;
        foreach (CardioTask task in batch.Tasks)
        {
            if (!_known.TryGetValue((task.Conditions, task.Target), out double gflop))
                _known[(task.Conditions, task.Target)] = gflop = 3 * WorkCount.CallGflop(new InferencePlan(configuration, task));
            sum += gflop;
        }

        return sum;
    }
}
