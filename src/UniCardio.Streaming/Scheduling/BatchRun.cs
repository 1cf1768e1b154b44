using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Scaling;

namespace UniCardio.Streaming;

/// <summary>Runs the windows of a batch through the engine and leaves the results in their hops. For one thread at a time.</summary>
internal sealed class BatchRun
{
    private readonly ComputePool _pool;
    private readonly float[] _band;
    private readonly float[] _measured;
    private readonly double[] _work;

    public BatchRun(ComputePool pool, int slotSamples) =>
        (_pool, _band, _measured, _work) = (pool, new float[2 * slotSamples], new float[slotSamples], new double[slotSamples]);

    /// <summary>What went wrong last, if anything did.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Computes a batch.</summary>
    /// <param name="shape">What it computes.</param>
    /// <param name="jobs">Its windows.</param>
    /// <param name="cancellation">Stops at the next sampler step.</param>
    /// <returns>The jobs that failed, by bit.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; no result is of use.</exception>
    public ulong Run(TaskShape shape, ReadOnlySpan<BatchJob> jobs, CancellationToken cancellation)
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

    private void Compute(TaskShape shape, ReadOnlySpan<BatchJob> jobs, CancellationToken cancellation)
    {
        if (shape.Estimates)
        {
            foreach (BatchJob job in jobs)
                Estimate(_pool.Get(shape, 1), job, cancellation);
            return;
        }

        ComputeSlot slot = _pool.Get(shape, jobs.Length);
        int samples = slot.Session.Plan.Configuration.SlotSamples, inputs = slot.Session.Plan.Conditions.Count;
        for (int i = 0; i < jobs.Length; i++)
        {
            FillConditions(shape, jobs[i], slot.Conditions.AsSpan(i * inputs * samples, inputs * samples));
            slot.FillNoise(i, jobs[i].Session.Seed, WindowIdentity(jobs[i].Plan.Index, jobs[i].Modality));
        }

        slot.Session.Run(slot.Conditions, slot.Results, NoiseSource.Explicit(slot.Noise), null, cancellation);
        int draws = shape.Sampling.Draws;
        for (int i = 0; i < jobs.Length; i++)
            Summarize(jobs[i], slot.Results.AsSpan(i * draws * samples, draws * samples), draws, samples);
    }

    private void Estimate(ComputeSlot slot, in BatchJob job, CancellationToken cancellation)
    {
        int m = job.Modality;
        AffineScale scale = job.Plan.Targets[m].Scale;
        FillConditions(slot.Shape, job, slot.Conditions);
        job.Plan.Signal[m].CopyTo(_measured, 0);
        double level = job.Session.Intake.NoiseFactor(m) * WhiteNoise.Level(_measured, _work);
        GapBridge.FillAll(_measured);
        scale.Forward(_measured, _measured);
        slot.Session.Estimate(slot.Conditions, _measured, level / scale.HalfRange, slot.Results, cancellation);
        scale.Inverse(slot.Results, job.Plan.Center[m]);
        job.Plan.Low[m].AsSpan().Fill(float.NaN);
        job.Plan.High[m].AsSpan().Fill(float.NaN);
    }

    // [conditions, S] of one window, in slot order.
    private static void FillConditions(TaskShape shape, in BatchJob job, Span<float> conditions)
    {
        foreach (Modality condition in (ReadOnlySpan<Modality>)[Modality.Ppg, Modality.Bp, Modality.Ecg])
        {
            if (!shape.Task.Conditions.Contains(condition))
                continue;
            float[] signal = job.Plan.Signal[(int)condition];
            Scale(job, condition).Forward(signal, conditions[..signal.Length]);
            conditions = conditions[signal.Length..];
        }
    }

    /// <summary>What keys the noise of a window, beside the session's seed.</summary>
    internal static uint WindowIdentity(long hop, int modality) => unchecked((uint)((4 * hop) + modality));

    private static AffineScale Scale(in BatchJob job, Modality condition) =>
        (int)condition == job.Modality ? job.Plan.Targets[job.Modality].Scale : GenerationPolicy.ScaleOf(condition, job.Plan.Signal[(int)condition]);

    private void Summarize(in BatchJob job, ReadOnlySpan<float> results, int draws, int samples)
    {
        AffineScale scale = job.Plan.Targets[job.Modality].Scale;
        Span<float> center = job.Plan.Center[job.Modality], low = job.Plan.Low[job.Modality], high = job.Plan.High[job.Modality];
        DrawStatistics.Median(results, draws, samples, center);
        scale.Inverse(center, center);
        if (draws == 1)
        {
            low.Fill(float.NaN);
            high.Fill(float.NaN);
            return;
        }
        DrawStatistics.Quantiles(results, draws, samples, [0.05, 0.95], _band);
        scale.Inverse(_band.AsSpan(0, samples), low);
        scale.Inverse(_band.AsSpan(samples, samples), high);
    }
}
