namespace UniCardio.Ptx.Execution;

/// <summary>What a kernel, or a use of the device, did wrong.</summary>
public enum PtxFaultKind
{
    /// <summary>An access outside every allocation, or outside the group's shared or the thread's local variables.</summary>
    Bounds,

    /// <summary>An address that does not fit the size of the access.</summary>
    Alignment,

    /// <summary>Threads of a group reached different barriers, or some ended or went elsewhere while others waited; or a branch marked
    /// uniform that was not.</summary>
    Divergence,

    /// <summary>A read of memory or of a register that nothing had written.</summary>
    Uninitialised,

    /// <summary>Two threads touched one place without a barrier between them, and at least one wrote; or two groups in one
    /// launch.</summary>
    Race,

    /// <summary>The host read bytes that no kernel and no copy had written.</summary>
    Unwritten,

    /// <summary>A launch or an allocation that a device would refuse.</summary>
    Resources,

    /// <summary>A warp executed more instructions than the device's limit: most likely a loop without an end.</summary>
    Endless,
}

/// <summary>A fault that the simulator found; the message names kernel, line, group and thread.</summary>
internal sealed class PtxFaultException : Exception
{
    internal PtxFaultException(PtxFaultKind kind, string message, string? kernel = null, int line = 0)
        : base($"{kind}: {message}")
    {
        Kind = kind;
        Kernel = kernel;
        Line = line;
    }

    /// <summary>What was wrong.</summary>
    public PtxFaultKind Kind { get; }

    /// <summary>The kernel in which it happened; null outside kernels.</summary>
    public string? Kernel { get; }

    /// <summary>The line of the module's text; 0 outside kernels.</summary>
    public int Line { get; }
}
