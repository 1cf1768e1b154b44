using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;

namespace UniCardio.Golden;

/// <summary>What verifying and recording both do: run a backend on inputs laid out as in golden files.</summary>
internal static class GoldenRunner
{
    /// <summary>One network call: x [B, 4S] to what the network predicts [B, S].</summary>
    public static float[] Predict(IBackend device, CardioTask task, int t, int batch, ReadOnlyMemory<float> x)
    {
        var plan = new InferencePlan(device.Configuration, task, batch);
        using IExecutor executor = device.CreateExecutor(plan);
        executor.SetConditions(Take(x.Span, plan, [.. plan.Conditions.Select(c => (int)c)]));
        executor.SetState(Take(x.Span, plan, [(int)plan.Target]));
        float[] prediction = new float[plan.StateSamples];
        executor.Predict(t, prediction);
        return prediction;
    }

    /// <summary>A whole sampling run: observed [B, 4S], of which only the conditions' slots are read, and noise [draws, B, S] to the result [B, S].</summary>
    public static float[] Sample(IBackend device, CardioTask task, SamplerOptions sampler, int batch, ReadOnlyMemory<float> observed, ReadOnlyMemory<float> noise, CancellationToken cancellationToken)
    {
        var plan = new InferencePlan(device.Configuration, task, batch);
        using IExecutor executor = device.CreateExecutor(plan);
        executor.SetConditions(Take(observed.Span, plan, [.. plan.Conditions.Select(c => (int)c)]));
        var source = NoiseSource.Explicit(noise.Span);
        executor.SetState(source);
        foreach (SamplerStep step in SamplerTable.Create(sampler, device.Configuration, task).Steps)
        {
            cancellationToken.ThrowIfCancellationRequested();
            executor.Step(step, source);
        }

        float[] state = new float[plan.StateSamples];
        executor.GetState(state);
        return state;
    }

    /// <summary>The dense four-slot pass of each window: x [B, 4S] to its intermediate values [B, ...] by name, the prediction as <c>eps</c>.</summary>
    public static Dictionary<string, float[]> Dense(ReferenceNetwork network, CardioTask task, int t, int batch, ReadOnlyMemory<float> x, CancellationToken cancellationToken)
    {
        int samples = network.Configuration.SlotSamples, all = ModelConfiguration.SlotCount * samples;
        double[] wide = Array.ConvertAll(x.ToArray(), v => (double)v), prediction = new double[samples];
        var values = new Dictionary<string, float[]>(StringComparer.Ordinal);
        for (int window = 0; window < batch; window++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var activations = new ReferenceActivations();
            network.Dense(task, wide.AsSpan(window * all, all), t, prediction, activations);
            foreach ((string name, double[] one) in activations.Values.Append(new("eps", prediction)))
                values[name] = [.. values.GetValueOrDefault(name, []), .. one.Select(v => (float)v)];
        }

        return values;
    }

    // [B, 4S] -> [B, slots, S]
    private static float[] Take(ReadOnlySpan<float> x, InferencePlan plan, int[] slots)
    {
        int samples = plan.Configuration.SlotSamples;
        float[] taken = new float[plan.Windows * slots.Length * samples];
        for (int window = 0; window < plan.Windows; window++)
        {
            for (int i = 0; i < slots.Length; i++)
                x.Slice(((window * ModelConfiguration.SlotCount) + slots[i]) * samples, samples).CopyTo(taken.AsSpan(((window * slots.Length) + i) * samples));
        }

        return taken;
    }
}
