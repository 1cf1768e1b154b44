namespace UniCardio.Cli;

/// <summary>Options that cannot go together, or a choice that the user has to make first.</summary>
internal sealed class UsageException : Exception
{
    public UsageException(string message)
        : base(message)
    {
    }
}
