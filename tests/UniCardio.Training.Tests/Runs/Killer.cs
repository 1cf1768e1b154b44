using UniCardio.Training.Runs;

namespace UniCardio.Training.Tests.Runs;

/// <summary>Throws, or does something else once, when a number of updates is reached.</summary>
internal sealed class Killer(long updates, Action? instead = null) : IProgress<TrainingProgress>
{
    private bool _done;

    public void Report(TrainingProgress value)
    {
        if (_done || value.Updates < updates)
            return;
        _done = true;
        if (instead is null)
            throw new KilledException();
        instead();
    }
}

internal sealed class KilledException : Exception;
