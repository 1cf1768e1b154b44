using UniCardio.Engine.Quality;
using UniCardio.Engine.Reference;

namespace UniCardio.Engine.Diagnostics;

/// <summary>Golden vectors of a QualityFM network, by the names of shared/golden/qualityfm. What reads them from a file knows its
/// format.</summary>
internal abstract class QualityVectors
{
    /// <summary>Where they come from, for messages.</summary>
    public abstract string Path { get; }

    /// <summary>The network that the vectors are of.</summary>
    public abstract QualityConfiguration Configuration { get; }

    /// <summary>Names of the tensors in the order of their data.</summary>
    public abstract IReadOnlyList<string> Names { get; }

    /// <summary>A tensor's dimensions.</summary>
    /// <exception cref="GoldenException">There is no such tensor.</exception>
    public abstract IReadOnlyList<int> Shape(string name);

    /// <summary>A tensor's elements, row-major.</summary>
    /// <exception cref="GoldenException">There is no such tensor.</exception>
    public abstract ReadOnlyMemory<float> Values(string name);

    /// <summary>Whether there is such a tensor.</summary>
    public bool Contains(string name) => Names.Contains(name);

    /// <summary>Windows and samples of an input [windows, channels, samples].</summary>
    /// <exception cref="GoldenException">It has another shape.</exception>
    public (int Windows, int Samples) Window(string name)
    {
        IReadOnlyList<int> shape = Shape(name);
        return shape.Count == 3 && shape[0] >= 1 && shape[1] == Configuration.Channels && shape[2] >= 1
            ? (shape[0], shape[2])
            : throw new GoldenException(
                Path, name, $"has shape [{string.Join(", ", shape)}], expected [windows, {Configuration.Channels}, samples]");
    }
}

/// <summary>Runs a QualityFM network on golden inputs and compares with their outputs.</summary>
internal static class QualityGolden
{
    /// <summary>
    /// Tolerance of the reference: three times what the author's own float32 differs from float64 by, which grows with depth: 7.6e-7 for 2
    /// layers, 1.3e-6 for 21, 2.1e-6 for 50.
    /// </summary>
    public static double ReferenceTolerance(QualityConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return 3 * configuration.Layers switch { <= 2 => 7.6e-7, <= 21 => 1.3e-6, _ => 2.1e-6 };
    }

    /// <summary>The same for spectral phases, whose bins of small amplitude amplify rounding: 3 times 1.5e-6.</summary>
    public const double PhaseTargetTolerance = 4.5e-6;

    /// <summary>Verifies every tensor but losses and gradients, which need a network that trains.</summary>
    /// <param name="vectors">The vectors.</param>
    /// <param name="weights">The weights; their configuration must be that of the vectors.</param>
    /// <param name="network">Makes the network to verify; it is disposed at the end.</param>
    /// <param name="tolerance">Largest relative error allowed; null for <see cref="ReferenceTolerance"/> or
    /// <see cref="GoldenVerifier.BackendTolerance"/>.</param>
    /// <param name="cancellation">Asked before each input.</param>
    /// <exception cref="GoldenException">The weights are for another network, or a tensor has the wrong size.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static GoldenReport Verify(
        QualityVectors vectors,
        QualityWeights weights,
        Func<QualityWeights, IQualityNetwork> network,
        double? tolerance = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(vectors);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(network);
        if (tolerance is not null && !(tolerance >= 0))
            throw new ArgumentOutOfRangeException(nameof(tolerance), tolerance, "not a relative error");
        Check(vectors, weights.Configuration);
        using IQualityNetwork device = network(weights);
        double allowed = tolerance
            ?? (device is ReferenceQualityNetwork ? ReferenceTolerance(weights.Configuration) : GoldenVerifier.BackendTolerance);
        var computed = new Dictionary<string, float[]>(StringComparer.Ordinal);
        Compute(vectors, weights, device, computed, cancellation);
        string[] inputs = ["x", "short/x", "vtac/x", "x1", "x2"];
        var results = new List<GoldenResult>();
        var omitted = new List<GoldenOmission>();
        foreach (string name in vectors.Names.Where(n => !inputs.Contains(n)))
        {
            if (!computed.TryGetValue(name, out float[]? actual))
                omitted.Add(new GoldenOmission(name, Reason(name, device)));
            else if (actual.Length != vectors.Values(name).Length)
                throw new GoldenException(vectors.Path, name, $"has {vectors.Values(name).Length} elements, expected {actual.Length}");
            else
                results.Add(
                    new GoldenResult(name, RelativeError.Of(actual, vectors.Values(name).Span), name == "target/phase"
                        ? Math.Max(allowed, PhaseTargetTolerance) : allowed));
        }

        return new GoldenReport(vectors.Path, device.Name, allowed, results, omitted);
    }

    private static void Check(QualityVectors vectors, QualityConfiguration weights)
    {
        IReadOnlyDictionary<string, string> expected = vectors.Configuration.ToMetadata(), found = weights.ToMetadata();
        string[] differences =
            [.. expected.Where(p => found[p.Key] != p.Value).Select(p => $"{p.Key} {found[p.Key]} (the file's: {p.Value})")];
        if (differences.Length > 0)
            throw new GoldenException(vectors.Path, null, $"the weights are for another network: {string.Join(", ", differences)}");
    }

    private static string Reason(string name, IQualityNetwork device)
    {
        if (name.StartsWith("d/", StringComparison.Ordinal) || name.Split('/')[0] is "loss" or "centre" or "teacher" or "student"
            || name.StartsWith("target/", StringComparison.Ordinal))
            return "losses and gradients need a network that trains";
        return device is ReferenceQualityNetwork ? "not a value of this network" : "only the reference shows its intermediate values";
    }

    private static void Compute(QualityVectors vectors, QualityWeights weights, IQualityNetwork device,
        Dictionary<string, float[]> computed, CancellationToken cancellation)
    {
        QualityConfiguration m = weights.Configuration;
        if (vectors.Contains("x"))
        {
            float[] features = Encode(vectors, device, "x", cancellation);
            computed["features"] = features;
            int windows = vectors.Window("x").Windows, outputs = m.TokensOf(m.Width);
            if (vectors.Contains("amplitude"))
            {
                float[] amplitude = computed["amplitude"] = new float[windows * outputs * m.Width], phase = computed["phase"] =
                    new float[amplitude.Length];
                device.Decode(features, windows, amplitude, phase);
            }

            foreach ((string name, QualityHead head, int values) in ((string, QualityHead, int)[])[
                ("af/logits", QualityHead.AtrialFibrillation, 1), ("bp/logits", QualityHead.BloodPressure, 2)])
            {
                if (vectors.Contains(name))
                    device.Head(head, features, windows, computed[name] = new float[windows * values]);
            }

            if (device is ReferenceQualityNetwork reference)
                Trace(vectors, reference, features.Length, computed);
        }

        if (vectors.Contains("short/x"))
            computed["short/features"] = Encode(vectors, device, "short/x", cancellation);
        if (vectors.Contains("vtac/x"))
            Alarm(vectors, device, computed, cancellation);
    }

    private static float[] Encode(QualityVectors vectors, IQualityNetwork device, string name, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        (int windows, int samples) = vectors.Window(name);
        float[] features = new float[windows * device.Configuration.TokensOf(samples) * device.Configuration.Width];
        device.Encode(vectors.Values(name).Span, windows, features);
        return features;
    }

    // Every intermediate value, window after window, as the file has them.
    private static void Trace(QualityVectors vectors, ReferenceQualityNetwork reference, int features, Dictionary<string, float[]> computed)
    {
        (int windows, int samples) = vectors.Window("x");
        var values = new Dictionary<string, List<float>>(StringComparer.Ordinal);
        void Note(string name, ReadOnlySpan<double> window)
        {
            if (!vectors.Contains(name))
                return;
            if (!values.TryGetValue(name, out List<float>? all))
                values[name] = all = [];
            foreach (double value in window)
                all.Add((float)value);
        }

        int length = reference.Configuration.Channels * samples;
        for (int i = 0; i < windows; i++)
        {
            double[] x = new double[length];
            for (int s = 0; s < length; s++)
                x[s] = vectors.Values("x").Span[(i * length) + s];
            double[] made = reference.Network.Encode(x, Note);
            if (vectors.Contains("amplitude"))
                reference.Network.Decode(made, Note);
            if (vectors.Contains("target/amplitude"))
            {
                (double[] amplitude, double[] phase) = reference.Network.Targets(x);
                Note("target/amplitude", amplitude);
                Note("target/phase", phase);
            }
        }

        foreach ((string name, List<float> all) in values)
            computed.TryAdd(name, [.. all]);
        int tokens = features / (windows * reference.Configuration.Width);
        computed["mask"] = [.. reference.Network.Mask(tokens).Select(v => v == 0 ? 1f : 0f)];
    }

    private static void Alarm(QualityVectors vectors, IQualityNetwork device, Dictionary<string, float[]> computed,
        CancellationToken cancellation)
    {
        computed["vtac/features"] = Encode(vectors, device, "vtac/x", cancellation);
        (int windows, int samples) = vectors.Window("vtac/x");
        device.Alarm(vectors.Values("vtac/x").Span, windows, computed["vtac/logits"] = new float[windows]);
        if (device is not ReferenceQualityNetwork reference)
            return;
        int length = device.Configuration.Channels * samples;
        var values = new Dictionary<string, List<float>>(StringComparer.Ordinal);
        for (int i = 0; i < windows; i++)
        {
            double[] x = new double[length];
            for (int s = 0; s < length; s++)
                x[s] = vectors.Values("vtac/x").Span[(i * length) + s];
            reference.Network.Alarm(x, (name, window) =>
            {
                if (!values.TryGetValue("vtac/" + name, out List<float>? all))
                    values["vtac/" + name] = all = [];
                foreach (double value in window)
                    all.Add((float)value);
            });
        }

        foreach ((string name, List<float> all) in values)
            computed[name] = [.. all];
    }
}
