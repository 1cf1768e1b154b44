using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using UniCardio.Engine.Model;
using UniCardio.Training.Curricula;
using UniCardio.Training.Data;
using UniCardio.Training.Objectives;

namespace UniCardio.Training.Runs;

/// <summary>Prepares the next step's batch on a thread of its own while the network computes: two batches, one in use and one
/// ahead.</summary>
/// <remarks>A batch is a function of seed and step, so when it was made changes nothing.</remarks>
internal sealed class BatchFeed : IDisposable
{
    private readonly BlockingCollection<TrainingBatch> _free = [];
    private readonly BlockingCollection<TrainingBatch> _ready = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;
    private ExceptionDispatchInfo? _failure;

    public BatchFeed(TrainingOptions options, Curriculum curriculum, DiffusionObjective objective, IExampleSource source, long firstStep)
    {
        for (int i = 0; i < 2; i++)
            _free.Add(new TrainingBatch(options.Batch, options.Network.SlotSamples, options.Objective.Draws));
        _thread = new Thread(() => Work(options, curriculum, objective, source, firstStep)) { IsBackground = true,
            Name = "UniCardio examples" };
        _thread.Start();
    }

    /// <summary>The batch of the next step.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public TrainingBatch Take(CancellationToken cancellation)
    {
        try
        {
            return _ready.Take(cancellation);
        }
        catch (InvalidOperationException)
        {
            // Nothing more will come: the thread failed, and why is what the caller should see.
            _failure?.Throw();
            throw;
        }
    }

    /// <summary>Gives a batch back to be written anew.</summary>
    public void Return(TrainingBatch batch) => _free.Add(batch);

    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _free.Dispose();
        _ready.Dispose();
        _stop.Dispose();
    }

    private void Work(TrainingOptions options, Curriculum curriculum, DiffusionObjective objective, IExampleSource source, long firstStep)
    {
        int draws = options.Objective.Draws;
        var tasks = new CardioTask[options.Batch / draws];
        try
        {
            for (long step = firstStep; step < options.Steps; step++)
            {
                TrainingBatch batch = _free.Take(_stop.Token);
                batch.Step = step;
                curriculum.Draw(step, tasks);
                for (int i = 0; i < tasks.Length; i++)
                {
                    _stop.Token.ThrowIfCancellationRequested();
                    int place = i * draws;
                    source.Fill((step * tasks.Length) + i, tasks[i], batch, place);
                    batch.Repeat(place);
                }

                objective.Prepare(batch, options.Seed);
                _ready.Add(batch);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Disposed.
        }
#pragma warning disable CA1031 // Whatever the source throws belongs to the thread that asks for batches.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _failure = ExceptionDispatchInfo.Capture(failure);
        }

        _ready.CompleteAdding();
    }
}
