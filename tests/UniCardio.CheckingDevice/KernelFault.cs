using ILGPU.Runtime;

namespace UniCardio.CheckingDevice;

/// <summary>What a kernel did wrong.</summary>
public enum FaultKind
{
    /// <summary>An index outside a view, or a view cut or cast wrongly.</summary>
    Bounds,

    /// <summary>A buffer used after it was disposed.</summary>
    Disposed,

    /// <summary>A view whose address does not fit the alignment of its element.</summary>
    Alignment,

    /// <summary>Threads of a group reached different barriers, or some ended while others waited.</summary>
    Divergence,

    /// <summary>Results changed with what was in memory that nobody had written.</summary>
    Uninitialised,

    /// <summary>Results changed with the order of the threads: a barrier is missing, or two threads write one place.</summary>
    Race,

    /// <summary>The host read an element that no kernel and no copy had written.</summary>
    Unwritten,

    /// <summary>A launch or an allocation that a real device would refuse.</summary>
    Resources,

    /// <summary>Two threads launched at a time: OpenCL keeps a launch's arguments in the kernel, so one would take the other's.</summary>
    Concurrency,

    /// <summary>The device was declared lost.</summary>
    Lost,
}

/// <summary>A fault found by the checking device; the message names kernel, group and thread.</summary>
public sealed class KernelFault : AcceleratorException
{
    public KernelFault(FaultKind kind, string message, Exception? inner = null)
        : base($"{kind}: {message}", inner)
    {
        Kind = kind;
    }

    public FaultKind Kind { get; }

    public override AcceleratorType AcceleratorType => AcceleratorType.CPU;

    // Adds where the running thread is, if a kernel runs.
    internal static KernelFault Here(FaultKind kind, string message) =>
        new(kind, SimulatedThread.Current is { } thread ? $"{message} [{thread.Describe()}]" : message);
}
