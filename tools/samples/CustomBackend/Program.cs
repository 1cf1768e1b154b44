// A backend of your own: three things to do - take a window's conditions, evaluate the network at t, execute a sampler's row.
// This one hands them to the CPU backend and counts; one for another device would compute them itself.
using UniCardio.Engine.Backends;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Weights;

using LoadedWeights weights = WeightFile.Load("recipe:1,tiny");
var counting = new CountingBackend(new CpuBackend(weights.Weights));
using var engine = new InferenceEngine(counting);
using InferenceSession session = engine.CreateSession(CardioTask.Translate(Modality.Ppg.ToSet(), Modality.Bp),
    new SessionOptions { Draws = 2, Sampler = SamplerOptions.Parse("ddim:5") });
var conditions = new float[session.Plan.ConditionSamples];
for (int i = 0; i < conditions.Length; i++)
    conditions[i] = MathF.Sin(i * 0.06f);
var results = new float[session.Plan.StateSamples];
session.Run(conditions, results);
Console.WriteLine($"{counting.Name}: {counting.Windows} windows, {counting.Steps} steps, {results.Length} samples; "
    + $"recipe weights make noise.");

internal sealed class CountingBackend(IBackend inner) : IBackend
{
    public string Name => $"counting {inner.Name}";

    public ModelConfiguration Configuration => inner.Configuration;

    public int Windows { get; private set; }

    public int Steps { get; private set; }

    public IExecutor CreateExecutor(InferencePlan plan) => new Executor(this, inner.CreateExecutor(plan));

    public void Dispose() => inner.Dispose();

    private sealed class Executor(CountingBackend counts, IExecutor inner) : IExecutor
    {
        public InferencePlan Plan => inner.Plan;

        public long ArenaBytes => inner.ArenaBytes;

        public void SetConditions(ReadOnlySpan<float> conditions)
        {
            counts.Windows++;
            inner.SetConditions(conditions);
        }

        public void SetState(ReadOnlySpan<float> state) => inner.SetState(state);

        public void SetState(NoiseSource noise) => inner.SetState(noise);

        public void GetState(Span<float> state) => inner.GetState(state);

        public void GetClean(Span<float> clean) => inner.GetClean(clean);

        public void Predict(int t, Span<float> prediction) => inner.Predict(t, prediction);

        public void Step(in SamplerStep step, NoiseSource noise)
        {
            counts.Steps++;
            inner.Step(step, noise);
        }

        public void Dispose() => inner.Dispose();
    }
}
