namespace UniCardio.Engine.Reference;

/// <summary>Intermediate values of one pass of the dense four-slot form, under the names of the golden vectors.</summary>
/// <remarks>
/// <c>encoder{1..4}</c> [C, S/p] (before any position code), <c>diffusion_embedding</c> [E], and for each block i from 0
/// <c>layer{i}/time_layer</c>, <c>layer{i}/x</c> and <c>layer{i}/skip</c>, [C, 4 S/p]: channels first, as PyTorch lays them out.
/// </remarks>
public sealed class ReferenceActivations
{
    private readonly Dictionary<string, double[]> _values = new(StringComparer.Ordinal);

    /// <summary>The values by name.</summary>
    public IReadOnlyDictionary<string, double[]> Values => _values;

    internal void Keep(string name, ReadOnlySpan<double> values) => _values[name] = values.ToArray();

    // rows [tokens, channels] are kept as [channels, tokens].
    internal void KeepTransposed(string name, ReadOnlySpan<double> rows, int channels)
    {
        int tokens = ReferenceShape.Rows(rows.Length, channels);
        double[] values = new double[rows.Length];
        for (int k = 0; k < tokens; k++)
        {
            for (int c = 0; c < channels; c++)
                values[(c * tokens) + k] = rows[(k * channels) + c];
        }

        _values[name] = values;
    }
}
