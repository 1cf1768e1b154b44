using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Cases;

/// <summary>One window with one task: what a method is given, and what should come out.</summary>
/// <remarks>
/// The signals about the window are given too, as whoever restores a recording has them: a baseline may learn a patient's beats there, the
/// network sees the window alone. Results are in the signal's own unit (mmHg for blood pressure); a translated PPG or ECG has no amplitude
/// and is in [-1, 1].
/// </remarks>
internal sealed class EvaluationWindow
{
    /// <summary>How much is given on either side of the window, in seconds.</summary>
    public const double ContextSeconds = 30;

    private readonly float[][] _given = [[], [], []];

    /// <summary>Cuts and spoils a window.</summary>
    /// <param name="recording">The recording, which holds the task's conditions and its output.</param>
    /// <param name="position">The window in it.</param>
    /// <param name="task">The task.</param>
    /// <param name="corruption">What is done to the output.</param>
    /// <param name="identity">Number of the window among all; it keys corruption and the network's noise.</param>
    /// <param name="seed">Seed of the corruption.</param>
    public EvaluationWindow(EvaluationRecording recording, SampleRange position, CardioTask task, Corruption corruption,
        uint identity, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(recording);
        (Recording, Position, Task, Corruption, Identity) = (recording, position, task, corruption, identity);
        int reach = (int)(ContextSeconds * NetworkSignal.Rate);
        Context = SampleRange.Between(Math.Max(0, position.Start - reach), Math.Min(recording.Length, position.End + reach));
        Window = new SampleRange(position.Start - Context.Start, position.Length);
        foreach (Modality modality in (task.Conditions | task.Output.ToSet()).Members())
            _given[(int)modality] = recording.Signal(modality).Slice(Context.Start, Context.Length).ToArray();

        Truth = recording.Signal(task.Output).Slice(position.Start, position.Length).ToArray();
        // The seed tells windows, signals and corruptions apart, not tasks: more conditions meet the same noise.
        ulong spoil = CounterRandom.Derive(CounterRandom.Derive(seed, identity), (ulong)task.Output);
        Scope = corruption.Apply(_given[(int)task.Output].AsSpan(Window.Start, Window.Length), spoil);
        Observation = new WindowObservation(_given, Window) { Identity = identity };
        Observation = Observation with { ResultScale = task is { Kind: TaskKind.Translate, Output: Modality.Bp } ? AffineScale.BloodPressure
            : WindowScale.OfResult(task, Observation) };
        TruthScale = WindowScale.Of(task.Output, Truth.Span, new SampleRange(0, Truth.Length));
    }

    /// <summary>Where it comes from.</summary>
    public EvaluationRecording Recording { get; }

    /// <summary>The window in the recording.</summary>
    public SampleRange Position { get; }

    /// <summary>The task.</summary>
    public CardioTask Task { get; }

    /// <summary>What was done to the output.</summary>
    public Corruption Corruption { get; }

    /// <summary>Number of the window among all.</summary>
    public uint Identity { get; }

    /// <summary>The stretch of the recording that is given, n samples.</summary>
    public SampleRange Context { get; }

    /// <summary>The window in the context, S samples.</summary>
    public SampleRange Window { get; }

    /// <summary>The samples of the window that are scored: the gap, else all.</summary>
    public SampleRange Scope { get; }

    /// <summary>The clean output, [S], in its own unit.</summary>
    public ReadOnlyMemory<float> Truth { get; }

    /// <summary>The map that the network's result takes back to its unit: the product's own, from what is given.</summary>
    public AffineScale ResultScale => Observation.ResultScale!.Value;

    /// <summary>What the network is given.</summary>
    internal WindowObservation Observation { get; }

    /// <summary>
    /// The map to the unit of the measures: (mmHg - 100) / 50, else minimum and maximum of the clean window to [-1, 1], so that errors at
    /// different noise are in one unit.
    /// </summary>
    public AffineScale TruthScale { get; }

    /// <summary>A signal as it is given, [n], NaN where missing; empty if the task has no use for it.</summary>
    /// <param name="modality">Which.</param>
    public ReadOnlySpan<float> Given(Modality modality) => _given[(int)modality];

    /// <summary>The given window of a signal, [S].</summary>
    /// <param name="modality">Which.</param>
    public ReadOnlySpan<float> GivenWindow(Modality modality) => Given(modality).Slice(Window.Start, Window.Length);

    /// <summary>Whether results are in [-1, 1] because nothing tells their amplitude.</summary>
    public bool IsNormalized => Task.Kind == TaskKind.Translate && Task.Output != Modality.Bp;

    /// <summary>Brings a result to the unit of the measures. In imputation what was measured stays as it is.</summary>
    /// <param name="result">[S] in the result's unit.</param>
    /// <param name="scaled">Where to put it, [S].</param>
    public void ToMeasured(ReadOnlySpan<float> result, Span<float> scaled)
    {
        if (IsNormalized)
        {
            result.CopyTo(scaled);
            return;
        }

        TruthScale.Forward(result, scaled);
        if (Task.Kind != TaskKind.Impute)
            return;
        for (int i = 0; i < scaled.Length; i++)
            scaled[i] = Scope.Contains(i) ? scaled[i] : TruthScale.Forward(Truth.Span[i]);
    }
}
