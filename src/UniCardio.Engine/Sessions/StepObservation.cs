using UniCardio.Engine.Backends;

namespace UniCardio.Engine.Sessions;

/// <summary>Called after every row of a run, on the thread that runs it.</summary>
/// <param name="observation">What happened; not to be kept.</param>
public delegate void StepObserver(in StepObservation observation);

/// <summary>One executed row of a run. Signals are copied only when asked for, so watching the numbers alone costs nothing.</summary>
public readonly ref struct StepObservation
{
    private readonly IExecutor _executor;

    internal StepObservation(IExecutor executor, int step, int steps, int t)
    {
        _executor = executor;
        Step = step;
        Steps = steps;
        T = t;
    }

    /// <summary>Row that was executed, from 0.</summary>
    public int Step { get; }

    /// <summary>Rows of the run.</summary>
    public int Steps { get; }

    /// <summary>Diffusion step that the network was evaluated at.</summary>
    public int T { get; }

    /// <summary>Copies the state that the row left: x at the next row's t, the result after the last.</summary>
    /// <param name="state">[W N, S].</param>
    public void CopyState(Span<float> state) => _executor.GetState(state);

    /// <summary>Copies the clean signal that the row predicted.</summary>
    /// <param name="clean">[W N, S].</param>
    public void CopyClean(Span<float> clean) => _executor.GetClean(clean);
}
