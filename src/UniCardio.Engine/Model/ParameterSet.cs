namespace UniCardio.Engine.Model;

/// <summary>Tensors by name, checked against the names and shapes that a network expects.</summary>
internal static class ParameterSet
{
    /// <summary>Checks tensors and arranges them by name.</summary>
    /// <param name="expected">Names and shapes of the network.</param>
    /// <param name="tensors">Tensors, in any order.</param>
    /// <param name="isUnused">Names that a checkpoint may hold and the network never reads.</param>
    /// <exception cref="WeightsException">All missing, extra, duplicate, mis-shaped and non-finite tensors at once.</exception>
    public static IReadOnlyDictionary<string, ParameterTensor> Check(IReadOnlyList<ParameterShape> expected,
        IEnumerable<ParameterTensor> tensors, Func<string, bool> isUnused)
    {
        var problems = new List<string>();
        var found = new Dictionary<string, ParameterTensor>(StringComparer.Ordinal);
        foreach (ParameterTensor tensor in tensors)
        {
            if (!found.TryAdd(tensor.Name, tensor))
                problems.Add($"{tensor.Name}: there twice");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (ParameterShape parameter in expected)
        {
            names.Add(parameter.Name);
            if (!found.TryGetValue(parameter.Name, out ParameterTensor? tensor))
                problems.Add($"{parameter.Name}: missing, expected [{string.Join(", ", parameter.Shape)}]");
            else if (!tensor.Shape.SequenceEqual(parameter.Shape))
                problems.Add(
                    $"{parameter.Name}: shape [{string.Join(", ", tensor.Shape)}], expected [{string.Join(", ", parameter.Shape)}]");
            else if (FiniteScan.FirstNonFinite(tensor.Span) is int at and >= 0)
                problems.Add($"{parameter.Name}: element {at} is {tensor.Span[at]}");
        }

        problems.AddRange(found.Keys.Where(n => !names.Contains(n) && !isUnused(n)).Order(StringComparer.Ordinal)
            .Select(n => $"{n}: not part of this model"));
        return problems.Count == 0 ? found : throw new WeightsException(problems);
    }
}
