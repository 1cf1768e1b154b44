namespace UniCardio.Ptx.Cuda;

/// <content>Streams and events.</content>
internal sealed unsafe partial class SimulatedDriver
{
    private readonly Dictionary<long, DriverStream> _streams = [];
    private readonly Dictionary<long, DriverStream?> _events = [];
    private readonly DriverStream _null = new();
    private long _handle = 0x1000;

    private long NextHandle() => _handle += 16;

    private IEnumerable<(string Name, Func<nint, CudaResult> Call)> Streams() =>
    [
        ("cuStreamCreate", a => Done(() => Return(a, 0, NewStream()))),
        ("cuStreamCreateWithPriority", a => Done(() => Return(a, 0, NewStream()))),
        ("cuStreamDestroy_v2", a => Done(() =>
        {
            Run(Stream(Argument(a, 0)));
            _streams.Remove(Argument(a, 0));
        })),
        ("cuStreamSynchronize", a => Done(() => Run(Stream(Argument(a, 0))))),
        ("cuStreamWaitEvent", a => Done(() => RunEvent(Argument(a, 1)))),
        ("cuEventCreate", a => Done(() =>
        {
            long handle = NextHandle();
            _events[handle] = null;
            Return(a, 0, handle);
        })),
        ("cuEventDestroy_v2", a => Done(() => _events.Remove(Argument(a, 0)))),
        ("cuEventRecord", a => Done(() => _events[Argument(a, 0)] = Stream(Argument(a, 1)))),
        ("cuEventQuery", a => _events.GetValueOrDefault(Argument(a, 0))?.IsIdle ?? true ? CudaResult.Success : CudaResult.NotReady),
        ("cuEventSynchronize", a => Done(() => RunEvent(Argument(a, 0)))),
        // There is no time on a simulated device.
        ("cuEventElapsedTime", a => Done(() => Return(a, 0, 0f))),
    ];

    private long NewStream()
    {
        long handle = NextHandle();
        _streams[handle] = new DriverStream();
        return handle;
    }

    // Handles 0 and 1 are the legacy NULL stream, 2 a thread's own.
    private DriverStream Stream(long handle) =>
        handle is >= 0 and <= 2 ? _null : _streams.GetValueOrDefault(handle)
            ?? throw new CudaException(CudaResult.InvalidHandle, "not a stream");

    // The NULL stream waits for all others.
    private void Run(DriverStream stream)
    {
        if (stream.Capture is not null)
            throw new CudaException(CudaResult.StreamCaptureUnsupported, "a stream that is being recorded cannot be waited for");
        if (stream == _null)
            RunAll();
        else
            stream.Run();
    }

    private void RunEvent(long handle)
    {
        if (_events.GetValueOrDefault(handle) is { } stream)
            Run(stream);
    }

    private void RunAll()
    {
        foreach (DriverStream stream in _streams.Values)
            stream.Run();
        _null.Run();
    }
}
