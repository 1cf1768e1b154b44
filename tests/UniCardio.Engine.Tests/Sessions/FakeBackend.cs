using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Tests.Sessions;

/// <summary>A backend whose network is any function of (x, mean of the window's conditions, t), sample by sample; it allocates nothing in a
/// run.</summary>
internal sealed class FakeBackend(ModelConfiguration configuration, Func<float, float, int, float> network) : IBackend
{
    public int Executors;

    public string Name => "fake";

    public ModelConfiguration Configuration => configuration;

    public bool Disposed { get; private set; }

    public Action<int>? BeforeStep { get; set; }

    public IExecutor CreateExecutor(InferencePlan plan)
    {
        Interlocked.Increment(ref Executors);
        return new Executor(this, plan, network);
    }

    public void Dispose() => Disposed = true;

    internal sealed class Executor(FakeBackend owner, InferencePlan plan, Func<float, float, int, float> network) : IExecutor
    {
        private readonly float[] _x = new float[plan.StateSamples];
        private readonly float[] _z = new float[plan.Configuration.SlotSamples];
        private readonly float[] _condition = new float[plan.Windows];
        private float[] _c0 = new float[plan.StateSamples];
        private float[] _c1 = new float[plan.StateSamples];
        private float[] _c2 = new float[plan.StateSamples];
        private int _row;
        private bool _disposed;

        public InferencePlan Plan => plan;

        public long ArenaBytes => 4L * 4 * plan.StateSamples;

        public void SetConditions(ReadOnlySpan<float> conditions)
        {
            Check();
            int length = conditions.Length / plan.Windows;
            for (int w = 0; w < plan.Windows; w++)
            {
                float sum = 0;
                foreach (float v in conditions.Slice(w * length, length))
                    sum += v;
                _condition[w] = sum / length;
            }
        }

        public void SetState(ReadOnlySpan<float> state) => state.CopyTo(_x);

        public void SetState(NoiseSource noise)
        {
            Check();
            int samples = _z.Length;
            for (int s = 0; s < plan.BatchDraws; s++)
                noise.Fill(plan, 0, s, _x.AsSpan(s * samples, samples));
            Array.Clear(_c0);
            Array.Clear(_c1);
            Array.Clear(_c2);
            _row = 0;
        }

        public void GetState(Span<float> state) => _x.CopyTo(state);

        public void GetClean(Span<float> clean) => _c0.CopyTo(clean);

        public void Predict(int t, Span<float> prediction) => throw new NotSupportedException();

        public void Step(in SamplerStep step, NoiseSource noise)
        {
            Check();
            owner.BeforeStep?.Invoke(_row++);
            (_c0, _c1, _c2) = (_c2, _c0, _c1);
            int samples = _z.Length;
            for (int s = 0; s < plan.BatchDraws; s++)
            {
                if (step.Noise != 0)
                    noise.Fill(plan, step.NoiseIndex, s, _z);
                for (int j = 0; j < samples; j++)
                {
                    int i = (s * samples) + j;
                    float p = network(_x[i], _condition[s / plan.Draws], step.T);
                    float clean =
                        (float)Math.Clamp((step.CleanFromState * _x[i]) + (step.CleanFromPrediction * p), step.ClampLow, step.ClampHigh);
                    _c0[i] = clean;
                    double next = (step.State * _x[i]) + (step.Clean0 * clean) + (step.Clean1 * _c1[i]) + (step.Clean2 * _c2[i]);
                    _x[i] = (float)(step.Noise != 0 ? next + (step.Noise * _z[j]) : next);
                }
            }
        }

        public void Dispose()
        {
            Assert.False(_disposed, "disposed twice");
            _disposed = true;
            Interlocked.Decrement(ref owner.Executors);
        }

        private void Check() => ObjectDisposedException.ThrowIf(_disposed, this);
    }
}
