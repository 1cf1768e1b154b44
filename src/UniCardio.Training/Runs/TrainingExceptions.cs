using UniCardio.Engine;

namespace UniCardio.Training.Runs;

/// <summary>Training went astray: the loss or its gradient is not finite, or the loss exploded. The last checkpoint is from
/// before.</summary>
public sealed class TrainingDivergedException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="step">The update that failed.</param>
    /// <param name="message">What was seen.</param>
    public TrainingDivergedException(long step, string message)
        : base(
            $"training diverged at step {step}: {message}. The last checkpoint is kept; a lower learning rate, more warm-up or a smaller "
            + $"clip norm are the usual remedies.")
    {
        Step = step;
    }

    /// <summary>The update that failed, 0 and up.</summary>
    public long Step { get; }
}

/// <summary>A run's folder that cannot be used: not a run, of another run, or in use.</summary>
public sealed class RunFolderException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="path">The folder or the file in it.</param>
    /// <param name="message">What is wrong and what was expected.</param>
    /// <param name="inner">The cause.</param>
    public RunFolderException(string path, string message, Exception? inner = null)
        : base($"{path}: {message}", inner)
    {
        Path = path;
    }

    /// <summary>The folder or the file in it.</summary>
    public string Path { get; }
}
