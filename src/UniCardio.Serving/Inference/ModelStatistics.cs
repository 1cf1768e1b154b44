namespace UniCardio.Serving.Inference;

/// <summary>What a model has been asked and has done since the start, as the protocol's statistics extension counts it.</summary>
internal sealed class ModelStatistics
{
    private readonly Lock _lock = new();
    private Duration _success, _fail, _queue, _compute;
    private long _windows, _last;

    /// <summary>Notes a request.</summary>
    /// <param name="took">From its arrival to its answer.</param>
    /// <param name="job">What was computed; null if it failed.</param>
    public void Note(TimeSpan took, InferJob? job)
    {
        lock (_lock)
        {
            if (job is null)
            {
                _fail.Add(took);
                return;
            }
            _success.Add(took);
            _compute.Add(job.ComputeTime);
            _queue.Add(took > job.ComputeTime ? took - job.ComputeTime : TimeSpan.Zero);
            _windows += job.Windows;
            _last = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        }
    }

    public object Describe(string name)
    {
        lock (_lock)
        {
            return new
            {
                name,
                version = ModelFamily.Version,
                last_inference = _last,
                inference_count = _windows,
                execution_count = _success.Count,
                inference_stats = new
                {
                    success = _success.ToJson(),
                    fail = _fail.ToJson(),
                    queue = _queue.ToJson(),
                    compute_infer = _compute.ToJson(),
                },
            };
        }
    }

    private struct Duration
    {
        private long _ticks;

        public long Count { get; private set; }

        public void Add(TimeSpan time) => (_ticks, Count) = (_ticks + time.Ticks, Count + 1);

        public readonly object ToJson() => new { count = Count, ns = _ticks * TimeSpan.NanosecondsPerTick };
    }
}
