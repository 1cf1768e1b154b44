using UniCardio.Pipeline;
using UniCardio.Signals.Processing;
using UniCardio.Streaming.Patient;

namespace UniCardio.Streaming.Scheduling;

/// <summary>Runs the windows of a batch through the engine and leaves the results in their hops. For one thread at a time.</summary>
internal sealed class BatchRun
{
    private readonly SessionPool _pool;

    public BatchRun(SessionPool pool) => _pool = pool;

    /// <summary>What went wrong last, if anything did.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Computes a batch.</summary>
    /// <param name="shape">What it computes.</param>
    /// <param name="jobs">Its windows.</param>
    /// <param name="cancellation">Stops at the next sampler step.</param>
    /// <returns>The jobs that failed, by bit.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; no result is of use.</exception>
    public ulong Run(WindowShape shape, ReadOnlySpan<BatchJob> jobs, CancellationToken cancellation)
    {
        try
        {
            Compute(shape, jobs, cancellation);
            return 0;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            Failure = e;
            if (jobs.Length == 1)
                return 1;
        }

        // One window must not spoil the others: each on its own shows which one it is.
        ulong failed = 0;
        for (int i = 0; i < jobs.Length; i++)
            failed |= Run(shape, jobs.Slice(i, 1), cancellation) << i;
        return failed;
    }

    private void Compute(WindowShape shape, ReadOnlySpan<BatchJob> jobs, CancellationToken cancellation)
    {
        // Estimates have a noise level each and so a batch each.
        int size = shape.IsEstimate ? 1 : jobs.Length;
        for (int first = 0; first < jobs.Length; first += size)
        {
            WindowBatch batch = _pool.Get(shape, size);
            for (int i = 0; i < size; i++)
                batch.Set(i, Observe(jobs[first + i]));
            batch.Run(null, cancellation);
            for (int i = 0; i < size; i++)
                Take(batch.Draws(i), jobs[first + i]);
        }
    }

    private static WindowObservation Observe(in BatchJob job) => new(job.Plan.Signal, new SampleRange(0, job.Plan.Signal[0].Length))
    {
        Seed = job.Session.Seed,
        Identity = WindowIdentity(job.Plan.Index, job.Modality),
        ResultScale = job.Plan.Targets[job.Modality].Scale,
        NoiseFactor = job.Session.Intake.NoiseFactor(job.Modality),
    };

    /// <summary>What keys the noise of a window, beside the session's seed.</summary>
    internal static uint WindowIdentity(long hop, int modality) => unchecked((uint)((4 * hop) + modality));

    private static void Take(WindowDraws draws, in BatchJob job)
    {
        Span<float> low = job.Plan.Low[job.Modality], high = job.Plan.High[job.Modality];
        draws.Summarize(DrawSummary.Median, job.Plan.Center[job.Modality]);
        if (draws.Count == 1)
        {
            low.Fill(float.NaN);
            high.Fill(float.NaN);
        }
        else
        {
            draws.Quantile(WindowDraws.LowQuantile, low);
            draws.Quantile(WindowDraws.HighQuantile, high);
        }

        LivePatient.Blend(job.Plan, job.Modality);
    }
}
