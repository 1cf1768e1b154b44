using UniCardio.Engine.Model;

namespace UniCardio.Golden;

/// <summary>Compares the loss and every parameter's gradient of one entry.</summary>
internal static class GradientVerification
{
    /// <summary>The loss, the gradients that the file holds, and those that it should hold because they are not zero.</summary>
    /// <param name="file">The golden file.</param>
    /// <param name="entry">One of its entries.</param>
    /// <param name="network">Computes.</param>
    /// <param name="tolerance">Largest relative error allowed; null for the verifier's.</param>
    /// <exception cref="GoldenException">The network's parameters are not the file's.</exception>
    public static IEnumerable<GoldenResult> Run(GoldenFile file, GoldenGradient entry, IGoldenGradients network, double? tolerance)
    {
        GoldenGradients computed = network.Compute(entry.Task, entry.Steps, file.Values(entry.Name + "/x"), file.Values(entry.Name + "/noise"));
        string loss = entry.Name + "/loss";
        yield return new GoldenResult(loss, RelativeError.Of([(float)computed.Loss], file.Values(loss).Span), tolerance ?? GoldenVerifier.BackendTolerance);
        double allowed = tolerance ?? GoldenVerifier.GradientTolerance;
        foreach (string parameter in entry.Parameters)
        {
            string name = $"{entry.Name}/d/{parameter}";
            ReadOnlyMemory<float> expected = file.Values(name);
            if (!computed.Parameters.TryGetValue(parameter, out ReadOnlyMemory<float> actual) || actual.Length != expected.Length)
                throw new GoldenException(file.Path, name, $"has {expected.Length} elements, {network.Name} gives {actual.Length}");
            yield return new GoldenResult(name, RelativeError.Of(actual.Span, expected.Span), allowed);
        }

        // A parameter that the file leaves out has no gradient. Zeros are not listed; anything else is infinitely far from zero, or NaN.
        HashSet<string> held = [.. entry.Parameters];
        foreach ((string parameter, ReadOnlyMemory<float> actual) in computed.Parameters.Where(p => !held.Contains(p.Key)))
        {
            double error = RelativeError.Of(actual.Span, new float[actual.Length]);
            if (!(error <= 0))
                yield return new GoldenResult($"{entry.Name}/d/{parameter}", error, allowed);
        }
    }
}
