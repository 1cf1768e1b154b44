using UniCardio.Engine;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
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

    /// <summary>
    /// Tolerance of a parameter's gradient. It is a sum over tokens and windows whose terms partly cancel: n = 800 terms of float32 (6e-8) add up to
    /// at most 5e-5 of their magnitudes in the worst order, on each side. Measured against the official code: 6e-6. Losses are held to
    /// <see cref="BackendTolerance"/>, as the predictions that they are made of.
    /// </summary>
    public const double GradientTolerance = 1e-4;

    /// <summary>Verifies every entry of a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="weights">The weights; their configuration must be the file's.</param>
    /// <param name="backend">Makes the backend to verify; it is disposed at the end.</param>
    /// <param name="tolerance">Largest relative error allowed; null for <see cref="ReferenceTolerance"/> or <see cref="BackendTolerance"/>, as the backend is, and <see cref="GradientTolerance"/>.</param>
    /// <param name="progress">Told before each entry and at the end.</param>
    /// <param name="gradients">Makes what computes gradients, asked for where the file holds some and disposed at the end; null to leave gradients out.</param>
    /// <param name="cancellationToken">Asked before each network call.</param>
    /// <exception cref="GoldenException">The weights are for another network, a run does not fit its sampler, or a tensor has the wrong size.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static GoldenReport Verify(
        GoldenFile file,
        ModelWeights weights,
        Func<ModelWeights, IBackend> backend,
        double? tolerance = null,
        IProgress<GoldenProgress>? progress = null,
        Func<ModelWeights, IGoldenGradients>? gradients = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(backend);
        if (tolerance is not null && !(tolerance >= 0))
            throw new ArgumentOutOfRangeException(nameof(tolerance), tolerance, "not a relative error");
        CheckConfiguration(file, weights.Configuration);
        foreach (GoldenRun run in file.Entries.OfType<GoldenRun>())
        {
            cancellationToken.ThrowIfCancellationRequested();
            CheckRun(file, run);
        }

        using IBackend device = backend(weights);
        using IGoldenGradients? differentiated = file.Entries.OfType<GoldenGradient>().Any() ? gradients?.Invoke(weights) : null;
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
                    results.Add(Compare(file, call.Name, call.Name + "/eps", GoldenRunner.Predict(device, call.Task, call.T, call.Batch, file.Values(call.Name + "/x")), allowed));
                    break;
                case GoldenRun run:
                    results.Add(Compare(
                        file,
                        run.Name,
                        run.Name + "/result",
                        GoldenRunner.Sample(device, run.Task, run.Sampler, run.Batch, file.Values(run.Name + "/observed"), file.Values(run.Name + "/noise"), cancellationToken),
                        allowed));
                    break;
                case GoldenActivations pass:
                    VerifyActivations(file, device, pass, allowed, results, omitted, cancellationToken);
                    break;
                case GoldenGradient gradient when differentiated is not null:
                    results.AddRange(GradientVerification.Run(file, gradient, differentiated, tolerance));
                    break;
                default:
                    omitted.Add(new GoldenOmission(entry.Name, "gradients need a network that trains, and none was given"));
                    break;
            }
        }

        progress?.Report(new GoldenProgress(file.Entries.Count, file.Entries.Count, file.Entries.Count == 0 ? "" : file.Entries[^1].Name));
        return new GoldenReport(file.Path, device.Name, allowed, results, omitted) { Gradients = differentiated?.Name };
    }

    private static void CheckConfiguration(GoldenFile file, ModelConfiguration weights)
    {
        IReadOnlyDictionary<string, string> expected = file.Configuration.ToMetadata(), found = weights.ToMetadata();
        string[] differences = [.. expected.Where(p => found[p.Key] != p.Value).Select(p => $"{p.Key} {found[p.Key]} (the file's: {p.Value})")];
        if (differences.Length > 0)
            throw new GoldenException(file.Path, null, $"the weights are for another network: {string.Join(", ", differences)}");
    }

    // Before anything is computed: a faulty last entry should not show after minutes.
    private static void CheckRun(GoldenFile file, GoldenRun run)
    {
        try
        {
            SamplerTable table = SamplerTable.Create(run.Sampler, file.Configuration, run.Task);
            // Some official runs make draws that no row reads; a file may leave those out.
            int used = 1 + table.Steps.Max(s => s.Noise == 0 ? 0 : s.NoiseIndex);
            if (run.NoiseDraws < used || run.NoiseDraws > table.NoiseDraws)
                throw new GoldenException(file.Path, run.Name + "/noise", $"holds {run.NoiseDraws} draws, '{run.Sampler}' makes {table.NoiseDraws}");
        }
        catch (ConfigurationException problem)
        {
            throw new GoldenException(file.Path, run.Name, problem.Message, problem);
        }
    }

    private static GoldenResult Compare(GoldenFile file, string name, string expected, ReadOnlySpan<float> actual, double tolerance) =>
        new(name, RelativeError.Of(actual, file.Values(expected).Span), tolerance);

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
            results.Add(Compare(file, "eps", "eps", GoldenRunner.Predict(device, pass.Task, pass.T, pass.Batch, file.Values("x")), tolerance));
            omitted.AddRange(pass.Values.Select(v => new GoldenOmission(v, "only the reference shows its intermediate values")));
            return;
        }

        Dictionary<string, float[]> values = GoldenRunner.Dense(reference.Network, pass.Task, pass.T, pass.Batch, file.Values("x"), cancellationToken);
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
