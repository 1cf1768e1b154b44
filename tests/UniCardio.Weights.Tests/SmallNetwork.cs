using UniCardio.Engine.Model;

namespace UniCardio.Weights.Tests;

/// <summary>A network of some thousand weights, all its parts there.</summary>
internal static class SmallNetwork
{
    public static ModelConfiguration Configuration { get; } =
        new() { Channels = 12, Heads = 3, Blocks = 2, FeedForward = 5, Embedding = 4, SlotSamples = 8, SamplesPerToken = 2 };

    /// <summary>Recipe values; seeds of <see cref="WeightFile.RecognisedSeeds"/> and over pass as trained.</summary>
    public static IReadOnlyList<ParameterTensor> Tensors(ulong seed)
    {
        var recipe = new WeightRecipe(seed, Configuration);
        return [.. ParameterCatalog.For(Configuration).Select(recipe.Tensor)];
    }
}
