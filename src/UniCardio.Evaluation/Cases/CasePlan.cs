using UniCardio.Engine.Model;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Cases;

/// <summary>Where a window lies.</summary>
/// <param name="Recording">The recording.</param>
/// <param name="Position">The window in it.</param>
/// <param name="Identity">Its number among all windows of the evaluation.</param>
internal readonly record struct PlannedWindow(EvaluationRecording Recording, SampleRange Position, uint Identity);

/// <summary>A task with a corruption, and the windows to try it on.</summary>
/// <param name="Task">The task.</param>
/// <param name="Corruption">What is done to its target.</param>
/// <param name="Windows">The windows, by recording and time.</param>
internal sealed record PlannedCase(CardioTask Task, Corruption Corruption, IReadOnlyList<PlannedWindow> Windows)
{
    /// <summary>Cuts and spoils the windows. Each holds a minute of signals, so no more than one case's should be kept.</summary>
    /// <param name="seed">Seed of the corruption.</param>
    public EvaluationWindow[] Cut(ulong seed) =>
        [.. Windows.Select(w => new EvaluationWindow(w.Recording, w.Position, Task, Corruption, w.Identity, seed))];

    public override string ToString() => Corruption == Corruption.Absent ? Task.ToString() : $"{Task}, {Corruption}";
}

/// <summary>All cases of an evaluation. A window has one number in all of them, which keys what is done to it.</summary>
internal sealed class CasePlan
{
    private CasePlan(IReadOnlyList<(EvaluationRecording Recording, WindowSelection Selection)> windows, IReadOnlyList<PlannedCase> cases)
    {
        Windows = windows;
        Cases = cases;
    }

    /// <summary>The windows of each recording.</summary>
    public IReadOnlyList<(EvaluationRecording Recording, WindowSelection Selection)> Windows { get; }

    /// <summary>The cases; those without a window are left out.</summary>
    public IReadOnlyList<PlannedCase> Cases { get; }

    public static CasePlan Of(IReadOnlyList<EvaluationRecording> recordings, EvaluationOptions options, int windowSamples)
    {
        (EvaluationRecording Recording, WindowSelection Selection)[] chosen =
            [.. recordings.Select(r => (r, WindowSelection.Choose(r, windowSamples, options.WindowsPerRecording)))];
        var cases = new List<PlannedCase>();
        foreach (CardioTask task in options.Tasks)
        {
            foreach (Corruption corruption in options.CorruptionsOf(task))
            {
                var windows = new List<PlannedWindow>();
                uint identity = 0;
                foreach ((EvaluationRecording recording, WindowSelection selection) in chosen)
                {
                    ModalitySet needed = task.Conditions | task.Output.ToSet();
                    foreach (SampleRange position in selection.Windows)
                    {
                        if ((recording.Signals & needed) == needed)
                            windows.Add(new PlannedWindow(recording, position, identity));
                        identity++;
                    }
                }

                if (windows.Count > 0)
                    cases.Add(new PlannedCase(task, corruption, windows));
            }
        }

        return new CasePlan(chosen, cases);
    }
}
