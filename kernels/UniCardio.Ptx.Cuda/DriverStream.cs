namespace UniCardio.Ptx.Cuda;

/// <summary>A stream: work waits until somebody asks for its end, so that a host that reads too early reads old values.</summary>
internal sealed class DriverStream
{
    private readonly Queue<Action> _work = new();

    /// <summary>Takes the work while a graph is recorded; null otherwise.</summary>
    public List<Action>? Capture { get; set; }

    public bool IsIdle => _work.Count == 0;

    public void Add(Action work)
    {
        if (Capture is not null)
            Capture.Add(work);
        else
            _work.Enqueue(work);
    }

    /// <summary>Executes what waits; what follows a failure is dropped, as a lost context does.</summary>
    public void Run()
    {
        try
        {
            while (_work.TryDequeue(out Action? work))
                work();
        }
        catch
        {
            _work.Clear();
            throw;
        }
    }

    public void Drop() => _work.Clear();
}
