using System.Globalization;
using System.Text;
using UniCardio.Engine.Model;

namespace UniCardio.Weights;

/// <summary>Untrained weights that anyone can rebuild from a 64-bit seed, for golden vectors, benchmarks and tests. They make noise, not
/// signals.</summary>
/// <remarks>
/// Element i of the tensor named N is a SplitMix64 output (Steele, Lea, Flood 2014) whose state starts at seed * 0x9E3779B97F4A7C15 xor
/// FNV-1a-64(N), mapped to u in [-1, 1). Value, computed in double and rounded once: 1 + 0.1 u for a norm's weight and running variance,
/// 0.1 u for its bias and running mean; u sqrt(3 / inputs) for tensors of 2 or more dimensions; 0.1 u for biases.
/// </remarks>
/// <param name="Seed">The seed.</param>
/// <param name="Configuration">The network's sizes.</param>
internal sealed record WeightRecipe(ulong Seed, ModelConfiguration Configuration)
{
    /// <summary>How a recipe's text starts.</summary>
    public const string Prefix = "recipe:";

    private const ulong Golden = 0x9E3779B97F4A7C15UL;

    /// <summary>Whether the text names a recipe rather than a file.</summary>
    public static bool IsRecipe(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Reads <c>recipe:SEED[,full|compact|tiny]</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="sizes">Used where the text names no size; the published network's if null.</param>
    /// <exception cref="WeightFormatException">The text is not a recipe.</exception>
    public static WeightRecipe Parse(string text, ModelConfiguration? sizes = null)
    {
        if (!IsRecipe(text))
            throw new WeightFormatException(WeightFormatException.Shorten(text), "expected recipe:SEED[,full|compact|tiny]");
        string[] parts = text[Prefix.Length..].Split(',', StringSplitOptions.TrimEntries);
        if (parts.Length > 2 || !ulong.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed))
            throw new WeightFormatException(WeightFormatException.Shorten(text),
                "expected recipe:SEED[,full|compact|tiny] with a whole SEED from 0 to 18446744073709551615");
        ModelConfiguration configuration = parts.Length == 1 ? sizes ?? ModelConfiguration.Full : parts[1].ToLowerInvariant() switch
        {
            "full" => ModelConfiguration.Full,
            "compact" => ModelConfiguration.Compact,
            "tiny" => ModelConfiguration.Tiny,
            _ => throw new WeightFormatException(WeightFormatException.Shorten(text),
                $"unknown size '{WeightFormatException.Shorten(parts[1])}', expected full, compact or tiny"),
        };
        return new WeightRecipe(seed, configuration);
    }

    /// <summary>All tensors of the configuration, checked and arranged.</summary>
    /// <exception cref="Engine.ConfigurationException">The configuration does not hold together.</exception>
    public ModelWeights Create() => ModelWeights.Create(Configuration, ParameterCatalog.For(Configuration).Select(Tensor));

    /// <summary>One tensor.</summary>
    public ParameterTensor Tensor(ParameterShape parameter) => Tensor(Seed, parameter);

    /// <summary>One tensor of the recipe with this seed, of whichever network.</summary>
    internal static ParameterTensor Tensor(ulong seed, ParameterShape parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        float[] values = new float[checked((int)parameter.Count)];
        Fill(seed, parameter.Name, parameter.Shape, values);
        return new ParameterTensor(parameter.Name, parameter.Shape, values);
    }

    /// <summary>The first of the seeds whose recipe makes this tensor, bit for bit; null if none does.</summary>
    internal static ulong? FindSeed(ParameterTensor tensor, IEnumerable<ulong> seeds)
    {
        if (tensor.Data.IsEmpty)
            return null;
        (double offset, double scale) = Affine(tensor.Name, tensor.Shape);
        ulong hash = Hash(tensor.Name);
        float first = tensor.Span[0];
        foreach (ulong seed in seeds)
        {
            ulong state = (seed * Golden) ^ hash;
            if ((float)(offset + (scale * Unit(state + Golden))) == first
                && Tensor(seed, new ParameterShape(tensor.Name, tensor.Shape)).Span.SequenceEqual(tensor.Span))
                return seed;
        }

        return null;
    }

    private static void Fill(ulong seed, string name, IReadOnlyList<int> shape, Span<float> values)
    {
        (double offset, double scale) = Affine(name, shape);
        ulong state = (seed * Golden) ^ Hash(name);
        for (int i = 0; i < values.Length; i++)
        {
            state += Golden;
            values[i] = (float)(offset + (scale * Unit(state)));
        }
    }

    private static (double Offset, double Scale) Affine(string name, IReadOnlyList<int> shape)
    {
        if (name.Contains("norm", StringComparison.Ordinal) || IsBatchNorm(name))
            return (name.EndsWith("weight", StringComparison.Ordinal) || name.EndsWith("running_var", StringComparison.Ordinal) ? 1.0
                : 0.0, 0.1);
        return (0.0, shape.Count >= 2 ? Math.Sqrt(3.0 / shape.Skip(1).Aggregate(1L, (product, d) => product * d)) : 0.1);
    }

    // Batch norms of the alarm head, whose names hold no "norm".
    private static bool IsBatchNorm(string name) =>
        name.Contains(".bn", StringComparison.Ordinal) || name.Contains(".shortcut.1.", StringComparison.Ordinal)
            || name.Contains(".projector.1.", StringComparison.Ordinal);

    // FNV-1a, 64 bits.
    private static ulong Hash(string name)
    {
        ulong hash = 0xCBF29CE484222325UL;
        foreach (byte b in Encoding.UTF8.GetBytes(name))
            hash = (hash ^ b) * 0x100000001B3UL;
        return hash;
    }

    // The upper 40 bits are shifted out to 24: u has a spacing of 2^-23 and is exact in double.
    private static double Unit(ulong state)
    {
        ulong z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        z ^= z >> 31;
        return ((z >> 40) / 8388608.0) - 1.0;
    }
}
