using System.Diagnostics;
using UniCardio.Engine.Sessions;

namespace UniCardio.Pipeline;

/// <summary>Told after every step of a sampler and whenever windows are complete, on the thread that runs.</summary>
/// <param name="done">Windows whose results were handed over.</param>
/// <param name="work">Windows' worth of work that is done: <paramref name="done"/> and the part of the batch under way.</param>
internal delegate void WindowProgress(int done, double work);

/// <summary>Takes what the network made of a window; the draws are valid during the call only.</summary>
/// <param name="window">Its number in the series.</param>
/// <param name="draws">What was made.</param>
internal delegate void WindowTaker(int window, WindowDraws draws);

/// <summary>Runs any number of windows of one shape, batch by batch, and counts what it took.</summary>
/// <param name="pool">Where the sessions come from.</param>
internal sealed class WindowSeries(SessionPool pool)
{
    /// <summary>Evaluations of the network so far.</summary>
    public long NetworkCalls { get; private set; }

    /// <summary>Time in the network so far.</summary>
    public TimeSpan ComputeTime { get; private set; }

    /// <summary>Windows of a batch; null for as many as keep memory bounded and cancellation prompt. Results do not depend on it.</summary>
    public int? WindowsPerBatch { get; init; }

    /// <summary>Runs windows.</summary>
    /// <param name="shape">What is computed.</param>
    /// <param name="count">How many windows.</param>
    /// <param name="observe">What is observed of window i.</param>
    /// <param name="take">Takes what was made of window i.</param>
    /// <param name="progress">Told how far it is, or null.</param>
    /// <param name="cancellation">Looked at before every network call.</param>
    /// <exception cref="NonFiniteResultException">The network went out of range; its window is i.</exception>
    /// <exception cref="ConditionValueException">A condition is not finite in scaled units; its window is i.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void Run(
        WindowShape shape,
        int count,
        Func<int, WindowObservation> observe,
        WindowTaker take,
        WindowProgress? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(observe);
        ArgumentNullException.ThrowIfNull(take);
        int size = shape.IsEstimate ? 1 : WindowsPerBatch ?? shape.BatchWindows(pool.Engine.Configuration);
        for (int first = 0; first < count; first += size)
        {
            int windows = Math.Min(size, count - first), done = first;
            WindowBatch batch = pool.Get(shape, windows);
            for (int i = 0; i < windows; i++)
                batch.Set(i, observe(first + i));
            // The last step is left to the report that follows once the windows are handed over.
            Compute(batch, first, progress is null ? null : (in StepObservation step) =>
            {
                if (step.Step + 1 < step.Steps)
                    progress(done, done + (windows * (step.Step + 1.0) / step.Steps));
            }, cancellation);
            for (int i = 0; i < windows; i++)
                take(first + i, batch.Draws(i));
            progress?.Invoke(first + windows, first + windows);
        }
    }

    private void Compute(WindowBatch batch, int first, StepObserver? observer, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            NetworkCalls += batch.Run(observer, cancellation);
        }
        catch (NonFiniteResultException problem) when (first > 0)
        {
            throw new NonFiniteResultException(first + problem.Window, problem.Draw, problem.Step, problem.T, problem.Sample);
        }
        catch (ConditionValueException problem) when (first > 0)
        {
            throw new ConditionValueException(first + problem.Window, problem.Condition, problem.Sample, problem.Value);
        }

        ComputeTime += Stopwatch.GetElapsedTime(start);
    }
}
