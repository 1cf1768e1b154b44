using UniCardio.Engine;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;

namespace UniCardio.Weights.Golden;

/// <summary>Finds the entries among a golden file's tensors and checks that each is whole and of the right shape.</summary>
internal static class GoldenLayout
{
    private static readonly string[] ActivationNames = ["encoder", "diffusion_embedding", "layer"];

    /// <summary>The entries, and the names of the tensors that belong to none.</summary>
    /// <exception cref="GoldenException">An entry lacks a tensor, or a tensor's name or shape is wrong.</exception>
    public static (IReadOnlyList<GoldenEntry> Entries, IReadOnlyList<string> Unrecognised) Read(GoldenFile file)
    {
        var entries = new List<GoldenEntry>();
        var unrecognised = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        List<string> activations = [];
        Dictionary<string, List<string>> parameters = GradientLayout.Parameters(file);
        foreach (string tensor in file.TensorNames)
        {
            string kind = tensor.Split('/', 2)[0];
            string? name = kind == GoldenName.Gradient ? GradientLayout.Name(tensor) : Parent(tensor);
            if (tensor is "x" or "eps" || ActivationNames.Any(a => kind.StartsWith(a, StringComparison.Ordinal)))
                activations.Add(tensor);
            else if (name is null || !(kind is GoldenName.Call or GoldenName.Gradient || GoldenName.IsRun(kind)))
                unrecognised.Add(tensor);
            else if (seen.Add(name))
                entries.Add(Entry(file, kind, name, parameters));
        }

        if (activations.Count > 0)
            entries.Add(Activations(file, activations));
        return (entries, unrecognised);
    }

    private static string? Parent(string tensor) => tensor.LastIndexOf('/') is int slash and > 0 ? tensor[..slash] : null;

    private static GoldenEntry Entry(GoldenFile file, string kind, string name, Dictionary<string, List<string>> parameters)
    {
        try
        {
            Dictionary<string, string> parts = GoldenName.Parts(name);
            return kind switch
            {
                GoldenName.Call => Call(file, name, GoldenName.Task(parts), GoldenName.Number(parts, "t")),
                GoldenName.Gradient => GradientLayout.Entry(file, name, GoldenName.Task(parts), parameters[name]),
                _ => Run(file, name, GoldenName.RunTask(parts), GoldenName.Sampler(kind, parts)),
            };
        }
        catch (FormatException problem)
        {
            throw new GoldenException(file.Path, name, problem.Message, problem);
        }
    }

    private static GoldenCall Call(GoldenFile file, string name, CardioTask task, int t)
    {
        int batch = Batch(file, name + "/x", 4);
        CheckStep(file, name, t);
        Expect(file, name + "/eps", batch, file.Configuration.SlotSamples);
        return new GoldenCall(name, task, t, batch);
    }

    private static GoldenRun Run(GoldenFile file, string name, CardioTask task, SamplerOptions sampler)
    {
        int batch = Batch(file, name + "/observed", 4), slot = file.Configuration.SlotSamples;
        Expect(file, name + "/result", batch, slot);
        if (file.Shape(name + "/noise") is not [int draws, ..])
            throw new GoldenException(file.Path, name + "/noise", $"missing or without dimensions, expected [draws, {batch}, {slot}]");
        Expect(file, name + "/noise", draws, batch, slot);
        return new GoldenRun(name, task, sampler, batch, draws);
    }

    private static GoldenActivations Activations(GoldenFile file, List<string> tensors)
    {
        foreach (string key in (string[])["cond", "target", "decoder", "t"])
        {
            if (!file.Metadata.ContainsKey(key))
                throw new GoldenException(file.Path, key, "missing from the metadata of a file of intermediate values");
        }

        try
        {
            CardioTask task = GoldenName.Task(file.Metadata);
            int t = GoldenName.Number(file.Metadata, "t"), batch = Batch(file, "x", 4);
            CheckStep(file, "t", t);
            Expect(file, "eps", batch, file.Configuration.SlotSamples);
            return new GoldenActivations(GoldenName.Of(task, t), task, t, batch, [.. tensors.Where(n => n is not ("x" or "eps"))]);
        }
        catch (FormatException problem)
        {
            throw new GoldenException(file.Path, null, problem.Message, problem);
        }
    }

    internal static void CheckStep(GoldenFile file, string name, int t)
    {
        if (t >= file.Configuration.DiffusionSteps)
            throw new GoldenException(file.Path, name, $"t = {t} is not below the {file.Configuration.DiffusionSteps} diffusion steps");
    }

    internal static int Batch(GoldenFile file, string tensor, int slots)
    {
        int samples = slots * file.Configuration.SlotSamples;
        if (file.Shape(tensor) is not [int batch and >= 1 and <= InferencePlan.MaxBatch, int length] || length != samples)
            throw new GoldenException(file.Path, tensor, $"{Found(file, tensor)}, expected [batch, {samples}]");
        return batch;
    }

    internal static void Expect(GoldenFile file, string tensor, params int[] shape)
    {
        if (file.Shape(tensor) is not IReadOnlyList<int> found || !found.SequenceEqual(shape))
            throw new GoldenException(file.Path, tensor, $"{Found(file, tensor)}, expected [{string.Join(", ", shape)}]");
    }

    private static string Found(GoldenFile file, string tensor) =>
        file.Shape(tensor) is IReadOnlyList<int> shape ? $"has shape [{string.Join(", ", shape)}]" : "is missing";
}

/// <summary>The gradient entries among a golden file's tensors, checked against the file's network.</summary>
internal static class GradientLayout
{
    private const string Derivative = "/d/";

    /// <summary>Name of the entry that a tensor belongs to; null where it is none of an entry's tensors.</summary>
    public static string? Name(string tensor)
    {
        // Parameter names hold no slash, but they are after '/d/'.
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
    /// <exception cref="GoldenException">A tensor is missing or of the wrong shape, a step is none of the network's, or a parameter is not
    /// the network's.</exception>
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
                throw new GoldenException(file.Path, tensor,
                    $"{values[i]} of window {i} is none of the steps 0 to {file.Configuration.DiffusionSteps - 1}");
            steps[i] = (int)values[i];
        }

        return steps;
    }
}
