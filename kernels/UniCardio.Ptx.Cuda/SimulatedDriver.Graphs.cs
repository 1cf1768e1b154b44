namespace UniCardio.Ptx.Cuda;

/// <content>Graphs: what a stream was given between begin and end, to be launched again and again.</content>
internal sealed unsafe partial class SimulatedDriver
{
    private readonly Dictionary<long, Action[]> _graphs = [];

    /// <summary>Graphs launched since the start.</summary>
    public int GraphLaunches { get; private set; }

    private IEnumerable<(string Name, Func<nint, CudaResult> Call)> Graphs() =>
    [
        ("cuStreamBeginCapture_v2", a => Done(() =>
        {
            DriverStream stream = Stream(Argument(a, 0));
            if (stream == _null)
                throw new CudaException(CudaResult.StreamCaptureUnsupported, "the NULL stream cannot be recorded");
            stream.Capture = [];
        })),
        ("cuStreamEndCapture", a => Done(() =>
        {
            DriverStream stream = Stream(Argument(a, 0));
            List<Action> work = stream.Capture ?? throw new CudaException(CudaResult.StreamCaptureInvalidated, "nothing is being recorded");
            stream.Capture = null;
            Return(a, 1, Keep([.. work]));
        })),
        ("cuGraphInstantiateWithFlags", a => Done(() => Return(a, 0, Keep(Graph(Argument(a, 1)))))),
        ("cuGraphLaunch", a => Done(() =>
        {
            DriverStream stream = Stream(Argument(a, 1));
            GraphLaunches++;
            foreach (Action work in Graph(Argument(a, 0)))
                stream.Add(work);
        })),
        ("cuGraphExecDestroy", a => Done(() => _graphs.Remove(Argument(a, 0)))),
        ("cuGraphDestroy", a => Done(() => _graphs.Remove(Argument(a, 0)))),
    ];

    private long Keep(Action[] work)
    {
        long handle = NextHandle();
        _graphs[handle] = work;
        return handle;
    }

    private Action[] Graph(long handle) =>
        _graphs.GetValueOrDefault(handle) ?? throw new CudaException(CudaResult.InvalidHandle, "not a graph");
}
