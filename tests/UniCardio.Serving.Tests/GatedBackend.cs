using UniCardio.Engine.Backends;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Weights;

namespace UniCardio.Serving.Tests;

/// <summary>Computes only while the gate is open: how long a request takes is the test's choice, not the machine's.</summary>
internal sealed class GatedBackend(IBackend backend, ManualResetEventSlim gate) : IBackend
{
    public string Name => backend.Name;

    public ModelConfiguration Configuration => backend.Configuration;

    /// <summary>The tiny network on the CPU, gated.</summary>
    public static ServedModel Tiny(ManualResetEventSlim gate) =>
        new(WeightFile.Load("recipe:1,tiny"), w => new InferenceEngine(new GatedBackend(new CpuBackend(w.Weights), gate)));

    public IExecutor CreateExecutor(InferencePlan plan) => new Executor(backend.CreateExecutor(plan), gate);

    public void Dispose() => backend.Dispose();

    private sealed class Executor(IExecutor inner, ManualResetEventSlim gate) : IExecutor
    {
        public InferencePlan Plan => inner.Plan;

        public long ArenaBytes => inner.ArenaBytes;

        public void SetConditions(ReadOnlySpan<float> conditions) => inner.SetConditions(conditions);

        public void SetState(ReadOnlySpan<float> state) => inner.SetState(state);

        public void SetState(NoiseSource noise) => inner.SetState(noise);

        public void GetState(Span<float> state) => inner.GetState(state);

        public void GetClean(Span<float> clean) => inner.GetClean(clean);

        public void Predict(int t, Span<float> prediction) => inner.Predict(t, prediction);

        public void Step(in SamplerStep step, NoiseSource noise)
        {
            gate.Wait();
            inner.Step(step, noise);
        }

        public void Dispose() => inner.Dispose();
    }
}
