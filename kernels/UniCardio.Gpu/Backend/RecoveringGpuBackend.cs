using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Gpu.Devices;

namespace UniCardio.Gpu.Backend;

/// <summary>A <see cref="GpuBackend"/> that is made anew on a fresh device after its device failed: for servers.</summary>
/// <remarks>
/// A call that meets the failure throws <see cref="BackendUnavailableException"/>, for its run is lost; the next run of the same session,
/// and every new session, starts on the new backend. Safe to use from several threads.
/// </remarks>
public sealed class RecoveringGpuBackend : IBackend
{
    private readonly Lock _lock = new();
    private readonly Func<GpuBackend> _make;
    private GpuBackend _current;
    private bool _disposed;

    /// <summary>Makes the first backend.</summary>
    /// <param name="make">Makes one; called again after a failure, so what it needs, such as the weights, must outlive this.</param>
    /// <exception cref="BackendUnavailableException">It starts on no device.</exception>
    public RecoveringGpuBackend(Func<GpuBackend> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        _make = make;
        _current = make();
    }

    /// <summary>On a device that the process keeps open: see <see cref="GpuBackend.Create"/>.</summary>
    /// <param name="weights">The weights; must outlive this.</param>
    /// <param name="device">Which; null for the first that it starts on.</param>
    /// <param name="options">How to launch.</param>
    public static RecoveringGpuBackend Create(ModelWeights weights, DeviceSelector? device = null, GpuOptions? options = null) =>
        new(() => GpuBackend.Create(weights, device, options));

    /// <inheritdoc/>
    public string Name => Current().Name;

    /// <inheritdoc/>
    public ModelConfiguration Configuration => _current.Configuration;

    /// <inheritdoc/>
    public IExecutor CreateExecutor(InferencePlan plan) => new Executor(this, plan);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _current.Dispose();
        }
    }

    private GpuBackend Current()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_current.HasFailed)
                return _current;
            GpuBackend made = _make();
            _current.Dispose();
            return _current = made;
        }
    }

    // A run begins with its conditions: there a session whose device failed moves to the next.
    private sealed class Executor : IExecutor
    {
        private readonly RecoveringGpuBackend _owner;
        private GpuBackend _backend;
        private IExecutor _inner;

        public Executor(RecoveringGpuBackend owner, InferencePlan plan)
        {
            _owner = owner;
            _backend = owner.Current();
            _inner = _backend.CreateExecutor(plan);
        }

        public InferencePlan Plan => _inner.Plan;

        public long ArenaBytes => _inner.ArenaBytes;

        public void SetConditions(ReadOnlySpan<float> conditions)
        {
            if (_backend.HasFailed)
            {
                GpuBackend next = _owner.Current();
                IExecutor made = next.CreateExecutor(Plan);
                _inner.Dispose();
                (_backend, _inner) = (next, made);
            }

            _inner.SetConditions(conditions);
        }

        public void SetState(ReadOnlySpan<float> state) => _inner.SetState(state);

        public void SetState(NoiseSource noise) => _inner.SetState(noise);

        public void GetState(Span<float> state) => _inner.GetState(state);

        public void GetClean(Span<float> clean) => _inner.GetClean(clean);

        public void Predict(int t, Span<float> prediction) => _inner.Predict(t, prediction);

        public void Step(in SamplerStep step, NoiseSource noise) => _inner.Step(in step, noise);

        public bool TryRun(ReadOnlySpan<SamplerStep> rows, NoiseSource noise) => _inner.TryRun(rows, noise);

        public void Dispose() => _inner.Dispose();
    }
}
