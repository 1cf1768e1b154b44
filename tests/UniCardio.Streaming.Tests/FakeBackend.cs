using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;

namespace UniCardio.Streaming.Tests;

/// <summary>A backend that makes a level out of its conditions, takes as long as it is told, on a clock that it moves itself, and allocates
/// nothing.</summary>
internal sealed class FakeBackend : IBackend
{
    public string Name => "fake";

    public ModelConfiguration Configuration => Make.Small;

    /// <summary>Called once a run, before its first row, with the windows of the batch.</summary>
    public Action<InferencePlan>? OnRun { get; set; }

    /// <summary>What every prediction is, given the mean of the window's conditions.</summary>
    public Func<float, float> Level { get; set; } = mean => mean;

    /// <summary>Windows of each run.</summary>
    public List<int> Batches { get; } = new(4096);

    public int Executors;

    public IExecutor CreateExecutor(InferencePlan plan)
    {
        Interlocked.Increment(ref Executors);
        return new Executor(this, plan);
    }

    public void Dispose()
    {
    }

    private sealed class Executor(FakeBackend owner, InferencePlan plan) : IExecutor
    {
        private readonly float[] _means = new float[plan.Windows];
        private bool _isFirst;

        public InferencePlan Plan => plan;

        public long ArenaBytes => 1 << 20;

        public void SetConditions(ReadOnlySpan<float> conditions)
        {
            int length = conditions.Length / plan.Windows;
            for (int w = 0; w < plan.Windows; w++)
            {
                float sum = 0;
                foreach (float value in conditions.Slice(w * length, length))
                    sum += value;
                _means[w] = sum / length;
            }
        }

        public void SetState(ReadOnlySpan<float> state) => _isFirst = true;

        public void SetState(NoiseSource noise) => _isFirst = true;

        public void GetState(Span<float> state)
        {
            for (int w = 0; w < plan.Windows; w++)
                state.Slice(w * plan.Draws * 500, plan.Draws * 500).Fill(owner.Level(_means[w]));
        }

        public void GetClean(Span<float> clean) => GetState(clean);

        public void Predict(int t, Span<float> prediction) => throw new NotSupportedException();

        public void Step(in SamplerStep step, NoiseSource noise)
        {
            if (_isFirst)
            {
                if (owner.Batches.Count < owner.Batches.Capacity)
                    owner.Batches.Add(plan.Windows);
                owner.OnRun?.Invoke(plan);
            }
            _isFirst = false;
        }

        public void Dispose() => Interlocked.Decrement(ref owner.Executors);
    }
}
