using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;

namespace UniCardio.Engine.Diagnostics;

/// <summary>Runs a backend on a golden file's inputs and compares with its outputs.</summary>
internal static class GoldenVerifier
{
    /// <summary>Tolerance of the reference: twice what the official code's own float32 differs from its float64 by (9e-7).</summary>
    public const double ReferenceTolerance = 2e-6;

    /// <summary>Tolerance of a float32 backend: a few times the two float32 roundings' sum, for they add up in another order.</summary>
    public const double BackendTolerance = 1e-5;

    /// <summary>Verifies every entry of a file but its gradients, which need a network that trains.</summary>
    /// <param name="file">The file.</param>
    /// <param name="weights">The weights; their configuration must be the file's.</param>
    /// <param name="backend">Makes the backend to verify; it is disposed at the end.</param>
    /// <param name="tolerance">Largest relative error allowed; null for <see cref="ReferenceTolerance"/> or <see cref="BackendTolerance"/>,
    /// as the backend is.</param>
    /// <param name="progress">Told before each entry and at the end.</param>
    /// <param name="cancellation">Asked before each network call.</param>
    /// <exception cref="GoldenException">The weights are for another network, a run does not fit its sampler, or a tensor has the wrong
    /// size.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static GoldenReport Verify(
        GoldenVectors file,
        ModelWeights weights,
        Func<ModelWeights, IBackend> backend,
        double? tolerance = null,
        IProgress<GoldenProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(backend);
        if (tolerance is not null && !(tolerance >= 0))
            throw new ArgumentOutOfRangeException(nameof(tolerance), tolerance, "not a relative error");
        file.CheckConfiguration(weights.Configuration);
        foreach (GoldenRun run in file.Entries.OfType<GoldenRun>())
        {
            cancellation.ThrowIfCancellationRequested();
            CheckRun(file, run);
        }

        using var engine = new InferenceEngine(backend(weights));
        IBackend device = engine.Backend;
        double allowed = tolerance ?? (device is ReferenceBackend ? ReferenceTolerance : BackendTolerance);
        var results = new List<GoldenResult>();
        var omitted = new List<GoldenOmission>(file.Unrecognised.Select(n => new GoldenOmission(n, "belongs to no known kind of entry")));
        for (int i = 0; i < file.Entries.Count; i++)
        {
            GoldenEntry entry = file.Entries[i];
            progress?.Report(new GoldenProgress(i, file.Entries.Count, entry.Name));
            cancellation.ThrowIfCancellationRequested();
            switch (entry)
            {
                case GoldenCall call:
                    results.Add(
                        Compare(file, call.Name, call.Name + "/eps",
                            GoldenRunner.Predict(engine, call.Task, call.T, call.Batch, file.Values(call.Name + "/x")), allowed));
                    break;
                case GoldenRun run:
                    results.Add(Compare(
                        file,
                        run.Name,
                        run.Name + "/result",
                        GoldenRunner.Sample(engine, run, file.Values(run.Name + "/observed"), file.Values(run.Name + "/noise"),
                            cancellation),
                        allowed));
                    break;
                case GoldenActivations pass:
                    VerifyActivations(file, engine, pass, allowed, results, omitted, cancellation);
                    break;
                default:
                    omitted.Add(new GoldenOmission(entry.Name, "gradients need a network that trains"));
                    break;
            }
        }

        progress?.Report(new GoldenProgress(file.Entries.Count, file.Entries.Count, file.Entries.Count == 0 ? "" : file.Entries[^1].Name));
        return new GoldenReport(file.Path, device.Name, allowed, results, omitted);
    }

    // Before anything is computed: a faulty last entry should not show after minutes.
    private static void CheckRun(GoldenVectors file, GoldenRun run)
    {
        try
        {
            SamplerTable table = SamplerTable.Create(run.Sampler, file.Configuration, run.Task);
            // Some official runs make draws that no row reads; a file may leave those out.
            int used = 1 + table.Steps.Max(s => s.Noise == 0 ? 0 : s.NoiseIndex);
            if (run.NoiseDraws < used || run.NoiseDraws > table.NoiseDraws)
                throw new GoldenException(file.Path, run.Name + "/noise",
                    $"holds {run.NoiseDraws} draws, '{run.Sampler}' makes {table.NoiseDraws}");
        }
        catch (ConfigurationException problem)
        {
            throw new GoldenException(file.Path, run.Name, problem.Message, problem);
        }
    }

    private static GoldenResult Compare(GoldenVectors file, string name, string expected, ReadOnlySpan<float> actual, double tolerance) =>
        new(name, RelativeError.Of(actual, file.Values(expected).Span), tolerance);

    private static void VerifyActivations(
        GoldenVectors file,
        InferenceEngine engine,
        GoldenActivations pass,
        double tolerance,
        List<GoldenResult> results,
        List<GoldenOmission> omitted,
        CancellationToken cancellation)
    {
        if (engine.Backend is not ReferenceBackend reference)
        {
            results.Add(
                Compare(file, "eps", "eps", GoldenRunner.Predict(engine, pass.Task, pass.T, pass.Batch, file.Values("x")), tolerance));
            omitted.AddRange(pass.Values.Select(v => new GoldenOmission(v, "only the reference shows its intermediate values")));
            return;
        }

        Dictionary<string, float[]> values = GoldenRunner.Dense(reference, pass.Task, pass.T, pass.Batch, file.Values("x"), cancellation);
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
}
