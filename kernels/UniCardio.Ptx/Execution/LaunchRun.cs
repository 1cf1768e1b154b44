using System.Runtime.InteropServices;

namespace UniCardio.Ptx.Execution;

// One launch: refuses what a device would, gives groups to workers, and reports the first fault in the order of groups.
internal sealed unsafe class LaunchRun : IDisposable
{
    private readonly Lock _lock = new();
    private long _next;
    private long _faultGroup = long.MaxValue;
    private Exception? _fault;

    public LaunchRun(PtxDevice device, PtxKernel kernel, PtxDim grid, PtxDim group, ReadOnlySpan<byte> parameters, int dynamicSharedBytes)
    {
        PtxDeviceOptions options = device.Options;
        Device = device;
        Kernel = kernel;
        Grid = grid;
        Group = group;
        Check(kernel, options, grid, group, dynamicSharedBytes);
        if (parameters.Length != kernel.ParameterBytes)
            throw new ArgumentException($"{kernel.Name} takes {kernel.ParameterBytes} bytes of parameters, not {parameters.Length}",
                nameof(parameters));
        Code = kernel.Code(options.Sanitize, options.Fuse);
        if (options.Sanitize && Code.EntryRegisters.Count > 0)
            throw UnwrittenRegister(Code.EntryRegisters[0]);
        SharedBytes = Code.SharedBytes + dynamicSharedBytes;
        Parameters = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(64, parameters.Length), 64);
        parameters.CopyTo(new Span<byte>(Parameters, parameters.Length));
    }

    public PtxDevice Device { get; }

    public PtxKernel Kernel { get; }

    public KernelCode Code { get; }

    public PtxDim Grid { get; }

    public PtxDim Group { get; }

    public int SharedBytes { get; }

    public byte* Parameters { get; }

    public LaunchCounts? Execute(CancellationToken cancellation)
    {
        PtxDeviceOptions options = Device.Options;
        Sanitizer? sanitizer = options.Sanitize ? new Sanitizer(this) : null;
        bool isSampled = options.Profile && options.ProfiledGroups > 0 && options.ProfiledGroups < Grid.Count;
        long groups = isSampled ? options.ProfiledGroups : Grid.Count;
        int workers = options.Sanitize ? 1 : (int)Math.Min(options.Workers > 0 ? options.Workers : Environment.ProcessorCount, groups);
        var runs = new GroupRun[workers];
        var counters = new AccessCounter?[workers];
        try
        {
            for (int i = 0; i < workers; i++)
            {
                runs[i] = new GroupRun(this);
                if (options.Profile)
                    counters[i] = new AccessCounter(Code);
                runs[i].Observer = sanitizer is not null ? sanitizer : counters[i];
                sanitizer?.Attach(runs[i], counters[i]);
            }

            if (workers == 1)
                Work(runs[0], groups, isSampled, cancellation);
            else
                Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, i =>
                    Work(runs[i], groups, isSampled, cancellation));
            cancellation.ThrowIfCancellationRequested();
            if (_fault is not null)
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_fault);
            return options.Profile ? new LaunchCounts(this, runs, counters, groups) : null;
        }
        finally
        {
            foreach (GroupRun? run in runs)
                run?.Dispose();
        }
    }

    public void Dispose() => NativeMemory.AlignedFree(Parameters);

    // Groups are begun in order, so every group before a faulty one is executed too, and the first fault is always the same.
    private void Work(GroupRun run, long groups, bool isSampled, CancellationToken cancellation)
    {
        while (true)
        {
            long next = Interlocked.Increment(ref _next) - 1;
            if (next >= groups || next > Volatile.Read(ref _faultGroup) || cancellation.IsCancellationRequested)
                return;
            try
            {
                run.Run(isSampled ? next * Grid.Count / groups : next, cancellation);
            }
            catch (Exception e) when (e is PtxFaultException or OperationCanceledException)
            {
                lock (_lock)
                {
                    if (e is PtxFaultException && next < _faultGroup)
                        (_faultGroup, _fault) = (next, e);
                }

                return;
            }
        }
    }

    private PtxFaultException UnwrittenRegister(Register register)
    {
        Statement reader = Code.Instructions.First(i => i.Reads.Contains(register)).Source;
        return new PtxFaultException(
            PtxFaultKind.Uninitialised, $"{Kernel.Name}: on some way register {register.Name} is read "
                + $"before it is written [line {reader.Line}: {reader.Text}]", Kernel.Name, reader.Line);
    }

    private static void Check(PtxKernel kernel, PtxDeviceOptions options, PtxDim grid, PtxDim group, int dynamicSharedBytes)
    {
        string? why = 0 switch
        {
            _ when grid.X < 1 || grid.Y is < 1 or > 65535 || grid.Z is < 1 or > 65535 => $"a grid of {grid.X} x {grid.Y} x {grid.Z}",
            _ when group.X < 1 || group.Y < 1 || group.Z is < 1 or > 64 => $"a group of {group.X} x {group.Y} x {group.Z}",
            _ when group.Count > options.GroupThreads => $"{group.Count} threads a group, at most {options.GroupThreads}",
            _ when kernel.MaxThreads > 0 && group.Count > kernel.MaxThreads =>
                $"{group.Count} threads a group, the kernel allows {kernel.MaxThreads}",
            _ when dynamicSharedBytes < 0 || kernel.SharedBytes + dynamicSharedBytes > options.SharedBytes =>
                $"{kernel.SharedBytes + dynamicSharedBytes} bytes of shared memory, at most {options.SharedBytes}",
            _ => null,
        };
        if (why is not null)
            throw new PtxFaultException(PtxFaultKind.Resources, $"{kernel.Name} cannot be launched: {why}", kernel.Name);
    }
}
