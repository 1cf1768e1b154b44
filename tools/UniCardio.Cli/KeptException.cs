namespace UniCardio.Cli;

/// <summary>A command was cancelled that had written something on purpose, as a long training does.</summary>
/// <param name="kept">What there is, in words.</param>
internal sealed class KeptException(string kept) : OperationCanceledException(kept);
