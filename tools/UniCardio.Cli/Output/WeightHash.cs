using System.Security.Cryptography;
using UniCardio.Weights;

namespace UniCardio.Cli.Output;

/// <summary>Weights by what is in their file, not by where it lies.</summary>
internal static class WeightHash
{
    /// <summary>What tells weights from others: half the hash, or the recipe.</summary>
    public static string Name(LoadedWeights weights) => Of(weights)?[..32] ?? weights.Source;

    /// <summary>SHA-256 of the file in hexadecimal digits; null for a recipe, whose text says all.</summary>
    public static string? Of(LoadedWeights weights)
    {
        if (weights.Format == WeightFormat.Recipe)
            return null;
        using FileStream file = File.OpenRead(weights.Source);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
