using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;

namespace UniCardio.Golden;

/// <summary>Runs a backend on a golden file's inputs and compares with its outputs.</summary>
public static class GoldenVerifier
{
    /// <summary>Tolerance of the reference: twice what the official code's own float32 differs from its float64 by (9e-7).</summary>
    public const double ReferenceTolerance = 2e-6;

    /// <summary>Tolerance of a float32 backend: a few times the two float32 roundings' sum, for they add up in another order.</summary>
    public const double BackendTolerance = 1e-5;

    /// <summary>Verifies every entry of a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="weights">The weights; their configuration must be the file's.</param>
    /// <param name="backend">Makes the backend to verify; it is disposed at the end.</param>
    /// <param name="tolerance">Largest relative error allowed; null for <see cref="ReferenceTolerance"/> or <see cref="BackendTolerance"/>, as the backend is.</param>
    /// <param name="progress">Told before each entry and at the end.</param>
    /// <param name="cancellationToken">Asked before each network call.</param>
    /// <exception cref="GoldenException">The weights are for another network, or a tensor of the file is not usable.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static GoldenReport Verify(
        GoldenFile file,
        ModelWeights weights,
        Func<ModelWeights, IBackend> backend,
        double? tolerance = null,
        IProgress<GoldenProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(backend);
        if (tolerance is not null && !(tolerance >= 0))
            throw new ArgumentOutOfRangeException(nameof(tolerance), tolerance, "not a relative error");
        CheckConfiguration(file, weights.Configuration);
        using IBackend device = backend(weights);
        double allowed = tolerance ?? (device is ReferenceBackend ? ReferenceTolerance : BackendTolerance);
        var results = new List<GoldenResult>();
        var omitted = new List<GoldenOmission>(file.Unrecognised.Select(n => new GoldenOmission(n, "belongs to no known kind of entry")));
        for (int i = 0; i < file.Entries.Count; i++)
        {
            GoldenEntry entry = file.Entries[i];
            progress?.Report(new GoldenProgress(i, file.Entries.Count, entry.Name));
            cancellationToken.ThrowIfCancellationRequested();
            switch (entry)
            {
                case GoldenCall call:
                    results.Add(Compare(file, call.Name, call.Name + "/eps", Predict(file, device, call.Task, call.T, call.Batch, call.Name + "/x"), allowed));
                    break;
                case GoldenRun run:
                    results.Add(Compare(file, run.Name, run.Name + "/result", Sample(file, device, run, cancellationToken), allowed));
                    break;
                case GoldenActivations pass:
                    VerifyActivations(file, device, pass, allowed, results, omitted, cancellationToken);
                    break;
                default:
                    omitted.Add(new GoldenOmission(entry.Name, "gradients are not verified here"));
                    break;
            }
        }

        progress?.Report(new GoldenProgress(file.Entries.Count, file.Entries.Count, file.Entries.Count == 0 ? "" : file.Entries[^1].Name));
        return new GoldenReport(file.Path, device.Name, allowed, results, omitted);
    }

    private static void CheckConfiguration(GoldenFile file, ModelConfiguration weights)
    {
        IReadOnlyDictionary<string, string> expected = file.Configuration.ToMetadata(), found = weights.ToMetadata();
        string[] differences = [.. expected.Where(p => found[p.Key] != p.Value).Select(p => $"{p.Key} {found[p.Key]} (the file's: {p.Value})")];
        if (differences.Length > 0)
            throw new GoldenException(file.Path, null, $"the weights are for another network: {string.Join(", ", differences)}");
    }

    private static GoldenResult Compare(GoldenFile file, string name, string expected, ReadOnlySpan<float> actual, double tolerance) =>
        new(name, RelativeError.Of(actual, file.Values(expected).Span), tolerance);

    // [B, S]
    private static float[] Predict(GoldenFile file, IBackend device, CardioTask task, int t, int batch, string input)
    {
        var plan = new InferencePlan(file.Configuration, task, batch);
        var slots = new GoldenSlots(file.Values(input), file.Configuration.SlotSamples, batch);
        using IExecutor executor = device.CreateExecutor(plan);
        executor.SetConditions(slots.Conditions(plan));
        executor.SetState(slots.Of(plan.Target));
        float[] prediction = new float[plan.StateSamples];
        executor.Predict(t, prediction);
        return prediction;
    }

    // [B, S]
    private static float[] Sample(GoldenFile file, IBackend device, GoldenRun run, CancellationToken cancellationToken)
    {
        var plan = new InferencePlan(file.Configuration, run.Task, run.Batch);
        var slots = new GoldenSlots(file.Values(run.Name + "/observed"), file.Configuration.SlotSamples, run.Batch);
        using IExecutor executor = device.CreateExecutor(plan);
        executor.SetConditions(slots.Conditions(plan));
        var noise = NoiseSource.Explicit(file.Values(run.Name + "/noise").Span);
        executor.SetState(noise);
        foreach (SamplerStep step in SamplerTable.Create(run.Sampler, file.Configuration, run.Task).Steps)
        {
            cancellationToken.ThrowIfCancellationRequested();
            executor.Step(step, noise);
        }

        float[] state = new float[plan.StateSamples];
        executor.GetState(state);
        return state;
    }

    private static void VerifyActivations(
        GoldenFile file,
        IBackend device,
        GoldenActivations pass,
        double tolerance,
        List<GoldenResult> results,
        List<GoldenOmission> omitted,
        CancellationToken cancellationToken)
    {
        if (device is not ReferenceBackend reference)
        {
            results.Add(Compare(file, "eps", "eps", Predict(file, device, pass.Task, pass.T, pass.Batch, "x"), tolerance));
            omitted.AddRange(pass.Values.Select(v => new GoldenOmission(v, "only the reference shows its intermediate values")));
            return;
        }

        Dictionary<string, float[]> values = Dense(file, reference.Network, pass, cancellationToken);
        foreach (string name in pass.Values.Append("eps"))
        {
            if (!values.TryGetValue(name, out float[]? actual))
                omitted.Add(new GoldenOmission(name, "not an intermediate value of this network"));
            else if (actual.Length != file.Values(name).Length)
                throw new GoldenException(file.Path, name, $"has {file.Values(name).Length} elements, expected {actual.Length}");
            else
                results.Add(Compare(file, name, name, actual, tolerance));
        }
    }

    // The dense four-slot pass of each window; values [B, ...] by name, "eps" among them.
    private static Dictionary<string, float[]> Dense(GoldenFile file, ReferenceNetwork network, GoldenActivations pass, CancellationToken cancellationToken)
    {
        int samples = file.Configuration.SlotSamples, all = ModelConfiguration.SlotCount * samples;
        double[] x = Array.ConvertAll(file.Values("x").ToArray(), v => (double)v), prediction = new double[samples];
        var values = new Dictionary<string, float[]>(StringComparer.Ordinal);
        for (int window = 0; window < pass.Batch; window++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var activations = new ReferenceActivations();
            network.Dense(pass.Task, x.AsSpan(window * all, all), pass.T, prediction, activations);
            foreach ((string name, double[] one) in activations.Values.Append(new("eps", prediction)))
                values[name] = [.. values.GetValueOrDefault(name, []), .. one.Select(v => (float)v)];
        }

        return values;
    }
}
