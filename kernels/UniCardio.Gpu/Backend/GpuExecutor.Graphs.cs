using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;
using UniCardio.Engine.Sampling;
using UniCardio.Gpu.Devices;

namespace UniCardio.Gpu.Backend;

/// <content>Steps and runs that come again, recorded as CUDA graphs; everything else is launched kernel by kernel.</content>
internal sealed partial class GpuExecutor
{
    /// <summary>Steps that are kept recorded: those of a long run that uses every t, conditions computed and shared.</summary>
    internal const int MaxGraphs = 128;

    // A step that is asked for a second time is recorded, and launched as one from then on.
    private readonly Dictionary<StepKey, CudaGraph?> _graphs = [];
    private readonly CudaStream? _recorder;

    // The rows of the last run, and all of them recorded as one once they came a second time.
    private StepKey[] _run = [];
    private CudaGraph? _runGraph;

    /// <remarks>
    /// The first run of its kind goes row by row; the second is recorded as one graph, which it and all later ones launch. Another sampler
    /// or other draws are another run. Explicit noise is handed over row by row.
    /// </remarks>
    public bool TryRun(ReadOnlySpan<SamplerStep> rows, NoiseSource noise)
    {
        if (_recorder is null || _pass.Clock is not null || noise.IsExplicit || rows.IsEmpty)
            return false;
        bool same = rows.Length == _run.Length;
        if (!same)
            _run = new StepKey[rows.Length];
        int t = _conditionStep, rotation = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            CheckReady(rows[i].T);
            rotation = (rotation + 1) % _buffers.Clean.Length;
            var key = new StepKey(rows[i].T, t != rows[i].T, rotation, Values(rows[i], noise));
            t = rows[i].T;
            same &= key.Equals(_run[i]);
            _run[i] = key;
        }

        if (!same || _rotation != 0)
        {
            DropRun();
            return false;
        }

        SetNoiseKeys(noise);
        Queue("a run", static (e, _) => e.LaunchRun(), 0);
        return true;
    }

    private void Evaluate(int t, StepValues values)
    {
        bool withConditions = _conditionStep != t;
        _conditionStep = t;
        if (values.Update != 0)
            Rotate();
        var key = new StepKey(t, withConditions, _rotation, values);
        if (_recorder is null || _pass.Clock is not null || (_graphs.Count >= MaxGraphs && !_graphs.ContainsKey(key)))
        {
            Launch(key);
            return;
        }

        if (!_graphs.TryGetValue(key, out CudaGraph? graph))
        {
            _graphs[key] = null;
            Launch(key);
            return;
        }

        if (graph is null)
            _graphs[key] = graph = CudaGraph.Record(_recorder, () => Launch(key));
        graph.Launch();
    }

    private void LaunchRun()
    {
        _runGraph ??= CudaGraph.Record(_recorder!, () =>
        {
            foreach (StepKey key in _run)
            {
                Rotate();
                Launch(key);
            }

            while (_rotation != 0)
                Rotate();
        });
        _runGraph.Launch();
        // The buffers of clean signals stand where the rows left them.
        for (int i = 0; i < _run.Length % _buffers.Clean.Length; i++)
            Rotate();
        _conditionStep = _run[^1].T;
    }

    private void DropRun()
    {
        if (_runGraph is null)
            return;
        // It may still be under way.
        Wait("the work before");
        lock (_device.Turn)
            _runGraph.Dispose();
        _runGraph = null;
    }

    private void DisposeGraphs()
    {
        foreach (CudaGraph? graph in _graphs.Values)
            graph?.Dispose();
        _runGraph?.Dispose();
    }

    private void Launch(in StepKey key)
    {
        _pass.Run(_network.Steps(key.T), key.WithConditions);
        _pass.Decode(key.Values);
    }

    // All that the launches of a step depend on beside the executor's buffers; compared without allocating.
    private readonly struct StepKey(int t, bool withConditions, int rotation, StepValues values) : IEquatable<StepKey>
    {
        private readonly int _rotation = rotation;
        private readonly StepValues _values = values;

        public int T { get; } = t;

        public bool WithConditions { get; } = withConditions;

        public StepValues Values => _values;

        public bool Equals(StepKey other) => T == other.T && WithConditions == other.WithConditions && _rotation == other._rotation
            && Bytes(in _values).SequenceEqual(Bytes(in other._values));

        public override bool Equals(object? obj) => obj is StepKey other && Equals(other);

        public override int GetHashCode()
        {
            var hash = default(HashCode);
            hash.Add(T);
            hash.AddBytes(Bytes(in _values));
            return hash.ToHashCode();
        }

        // Fields of 4 bytes each: there is no padding between them.
        private static ReadOnlySpan<byte> Bytes(in StepValues values) =>
            MemoryMarshal.AsBytes(new ReadOnlySpan<StepValues>(in values));
    }
}
