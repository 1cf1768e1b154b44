namespace UniCardio.Cli;

/// <summary>What the process returns to the shell. Part of the interface: never renumbered.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Success = 0;

    /// <summary>The work was done and its verdict is no: a golden entry is over its tolerance, training diverged.</summary>
    public const int Failed = 1;

    /// <summary>The command line, a file or an option is at fault; nothing was written.</summary>
    public const int BadInput = 2;

    /// <summary>Cancelled by Ctrl+C or a signal; nothing was written, but for the state of a run.</summary>
    public const int Cancelled = 3;

    /// <summary>A fault of the program itself. <c>UNICARDIO_TRACE=1</c> shows where.</summary>
    public const int Internal = 4;

    /// <summary>The codes as the help shows them.</summary>
    public const string Description =
        "Exit codes: 0 done; 1 a check failed (over tolerance) or training diverged; 2 bad usage or input; 3 cancelled; 4 a fault of the "
        + "program. Set UNICARDIO_TRACE=1 for stack traces.";
}
