namespace UniCardio.Signals.Scaling;

/// <summary>A signal has no measured sample, so there is nothing to scale it by.</summary>
public sealed class NoMeasuredSamplesException : SignalException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="samples">Number of samples of the signal.</param>
    public NoMeasuredSamplesException(int samples)
        : base($"None of the signal's {samples} samples is measured; expected at least one to scale it by.") => Samples = samples;

    /// <summary>Number of samples of the signal.</summary>
    public int Samples { get; }
}
