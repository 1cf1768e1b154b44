using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;

namespace UniCardio.Engine.Diagnostics;

/// <summary>What verifying and recording both do: run a backend on inputs laid out as in golden files.</summary>
internal static class GoldenRunner
{
    /// <summary>One network call: x [B, 4S] to what the network predicts [B, S].</summary>
    public static float[] Predict(InferenceEngine engine, CardioTask task, int t, int batch, ReadOnlyMemory<float> x)
    {
        ArgumentNullException.ThrowIfNull(engine);
        using InferenceSession session = engine.CreateSession(task, new SessionOptions { Windows = batch });
        float[] prediction = new float[session.Plan.StateSamples];
        session.Predict(Conditions(x.Span, session.Plan), Take(x.Span, session.Plan, [(int)session.Plan.Target]), t, prediction);
        return prediction;
    }

    /// <summary>
    /// A whole sampling run: observed [B, 4S], of which only the conditions' slots are read, and noise [draws, B, S] to the result [B, S];
    /// NaN where an input or the state is not finite.
    /// </summary>
    public static float[] Sample(InferenceEngine engine, GoldenRun run, ReadOnlyMemory<float> observed, ReadOnlyMemory<float> noise,
        CancellationToken cancellation)
    {
        using InferenceSession session = engine.CreateSession(run.Task, new SessionOptions { Windows = run.Batch, Sampler = run.Sampler });
        float[] result = new float[session.Plan.StateSamples], conditions = Conditions(observed.Span, session.Plan);

        // Draws that no row reads may be left out of a file.
        float[] draws = new float[session.Sampler.NoiseDraws * session.Plan.StateSamples];
        noise.Span.CopyTo(draws);
        if (FiniteScan.FirstNonFinite(conditions) >= 0 || FiniteScan.FirstNonFinite(draws) >= 0)
        {
            Array.Fill(result, float.NaN);
            return result;
        }

        try
        {
            session.Run(conditions, result, NoiseSource.Explicit(draws), cancellation: cancellation);
        }
        catch (NonFiniteResultException)
        {
            Array.Fill(result, float.NaN);
        }

        return result;
    }

    /// <summary>The dense four-slot pass of each window: x [B, 4S] to its intermediate values [B, ...] by name, the prediction as
    /// <c>eps</c>.</summary>
    public static Dictionary<string, float[]> Dense(ReferenceBackend reference, CardioTask task, int t, int batch, ReadOnlyMemory<float> x,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(reference);
        int samples = reference.Configuration.SlotSamples, all = ModelConfiguration.SlotCount * samples;
        double[] wide = Array.ConvertAll(x.ToArray(), v => (double)v), prediction = new double[samples];
        var values = new Dictionary<string, float[]>(StringComparer.Ordinal);
        for (int window = 0; window < batch; window++)
        {
            cancellation.ThrowIfCancellationRequested();
            var activations = new ReferenceActivations();
            reference.Network.Dense(task, wide.AsSpan(window * all, all), t, prediction, activations);
            foreach ((string name, double[] one) in activations.Values.Append(new("eps", prediction)))
                values[name] = [.. values.GetValueOrDefault(name, []), .. one.Select(v => (float)v)];
        }

        return values;
    }

    private static float[] Conditions(ReadOnlySpan<float> x, InferencePlan plan) => Take(x, plan, [.. plan.Conditions.Select(c => (int)c)]);

    // [B, 4S] -> [B, slots, S]
    private static float[] Take(ReadOnlySpan<float> x, InferencePlan plan, int[] slots)
    {
        int samples = plan.Configuration.SlotSamples;
        float[] taken = new float[plan.Windows * slots.Length * samples];
        for (int window = 0; window < plan.Windows; window++)
        {
            for (int i = 0; i < slots.Length; i++)
                x.Slice(((window * ModelConfiguration.SlotCount) + slots[i]) * samples, samples)
                    .CopyTo(taken.AsSpan(((window * slots.Length) + i) * samples));
        }

        return taken;
    }
}
