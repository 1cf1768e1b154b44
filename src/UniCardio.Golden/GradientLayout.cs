using UniCardio.Engine.Model;

namespace UniCardio.Golden;

/// <summary>The gradient entries among a golden file's tensors, checked against the file's network.</summary>
internal static class GradientLayout
{
    private const string Derivative = "/d/";

    /// <summary>Name of the entry that a tensor belongs to; null where it is none of an entry's tensors.</summary>
    public static string? Name(string tensor)
    {
        // Parameter names hold no slash, but they stand behind '/d/'.
        if (tensor.IndexOf(Derivative, StringComparison.Ordinal) is int d and > 0)
            return tensor[..d];
        int slash = tensor.LastIndexOf('/');
        return slash > 0 && tensor[(slash + 1)..] is "x" or "t" or "noise" or "loss" ? tensor[..slash] : null;
    }

    /// <summary>Names of the parameters with a gradient, by entry, in the file's order.</summary>
    public static Dictionary<string, List<string>> Parameters(GoldenFile file)
    {
        var parameters = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (string tensor in file.TensorNames.Where(n => n.StartsWith(GoldenName.Gradient + "/", StringComparison.Ordinal)))
        {
            if (Name(tensor) is not string name)
                continue;
            if (!parameters.TryGetValue(name, out List<string>? list))
                parameters[name] = list = [];
            if (tensor.AsSpan(name.Length).StartsWith(Derivative, StringComparison.Ordinal))
                list.Add(tensor[(name.Length + Derivative.Length)..]);
        }

        return parameters;
    }

    /// <summary>Checks that the entry is whole.</summary>
    /// <exception cref="GoldenException">A tensor is missing or of the wrong shape, a step is none of the network's, or a parameter is not the network's.</exception>
    public static GoldenGradient Entry(GoldenFile file, string name, CardioTask task, List<string> parameters)
    {
        int batch = GoldenLayout.Batch(file, name + "/x", ModelConfiguration.SlotCount);
        GoldenLayout.Expect(file, name + "/t", batch);
        GoldenLayout.Expect(file, name + "/noise", batch, file.Configuration.SlotSamples);
        GoldenLayout.Expect(file, name + "/loss", 1);
        if (parameters.Count == 0)
            throw new GoldenException(file.Path, name, "holds no gradient, expected NAME/d/PARAMETER for every parameter with one");
        var shapes = ParameterCatalog.For(file.Configuration).ToDictionary(p => p.Name, p => p.Shape, StringComparer.Ordinal);
        foreach (string parameter in parameters)
        {
            string tensor = name + Derivative + parameter;
            if (!shapes.TryGetValue(ParameterCatalog.Prefix + parameter, out IReadOnlyList<int>? shape))
                throw new GoldenException(file.Path, tensor, "no parameter of the file's network has this name");
            GoldenLayout.Expect(file, tensor, [.. shape]);
        }

        return new GoldenGradient(name, task, Steps(file, name + "/t"), parameters);
    }

    // Whole numbers kept as float32; the comparison is false for NaN.
    private static int[] Steps(GoldenFile file, string tensor)
    {
        ReadOnlySpan<float> values = file.Values(tensor).Span;
        int[] steps = new int[values.Length];
        for (int i = 0; i < steps.Length; i++)
        {
            if (!(values[i] >= 0 && values[i] < file.Configuration.DiffusionSteps) || values[i] != MathF.Truncate(values[i]))
                throw new GoldenException(file.Path, tensor, $"{values[i]} of window {i} is none of the steps 0 to {file.Configuration.DiffusionSteps - 1}");
            steps[i] = (int)values[i];
        }

        return steps;
    }
}
