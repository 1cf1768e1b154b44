using UniCardio.Engine.Model;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Weights.Tests;

public class WeightRecipeTests
{
    [SkippableFact]
    public void EqualsTheGoldenWeightsBitForBit()
    {
        using SafetensorsFile golden = SafetensorsFile.Open(Project.Shared("golden/tiny.safetensors"));
        var recipe = new WeightRecipe(1, ModelConfiguration.Tiny);
        int compared = 0;
        // The dead feature_layer twins follow the recipe too; alpha_torch is the noise schedule.
        foreach (SafetensorsEntry entry in golden.Entries.Where(e => e.Name != "alpha_torch"))
        {
            ParameterTensor made = recipe.Tensor(new ParameterShape(entry.Name, entry.Shape));
            Assert.True(made.Span.SequenceEqual(golden.Floats(entry.Name).Span), entry.Name);
            compared++;
        }

        Assert.Equal(golden.Entries.Count - 1, compared);
        Assert.True(compared > ParameterCatalog.For(ModelConfiguration.Tiny).Count);
    }

    // Values computed by hand from the published rule in Python (double, rounded once).
    [Theory]
    [InlineData("diffmodel.norm1.weight", new[] { 2, 2 }, new uint[] { 0x3F7D1A7A, 0x3F8A8F87, 0x3F80A024 })]
    [InlineData("diffmodel.norm1.bias", new[] { 2, 2 }, new uint[] { 0x3DA5C0B0, 0x3D54B226, 0xBD9BEDCA })]
    [InlineData("diffmodel.output_projection1_1.weight", new[] { 2, 3, 1 }, new uint[] { 0xBEA061C4, 0xBF07F29C, 0xBF1EFDEA })]
    [InlineData("diffmodel.output_projection1_1.bias", new[] { 2 }, new uint[] { 0x3CA933F3, 0xBAD54600 })]
    public void FollowsTheRule(string name, int[] shape, uint[] bits)
    {
        ParameterTensor tensor = new WeightRecipe(ulong.MaxValue - 6, ModelConfiguration.Tiny).Tensor(new ParameterShape(name, shape));
        Assert.Equal(bits, tensor.Span.ToArray().Take(bits.Length).Select(BitConverter.SingleToUInt32Bits));
    }

    [Theory]
    [InlineData("recipe:7", 288)]
    [InlineData("RECIPE:7", 288)]
    [InlineData("recipe: 7 , Compact ", 180)]
    [InlineData("recipe:7,tiny", 48)]
    [InlineData("recipe:7,full", 288)]
    public void ParsesItsText(string text, int channels)
    {
        WeightRecipe recipe = WeightRecipe.Parse(text);
        Assert.Equal(7UL, recipe.Seed);
        Assert.Equal(channels, recipe.Configuration.Channels);
    }

    [Fact]
    public void ASizeInTheTextWinsOverTheOneGiven()
    {
        ModelConfiguration given = ModelConfiguration.Tiny with { Blocks = 3 };
        Assert.Equal(3, WeightRecipe.Parse("recipe:1", given).Configuration.Blocks);
        Assert.Equal(5, WeightRecipe.Parse("recipe:1,full", given).Configuration.Blocks);
    }

    [Theory]
    [InlineData("recipe:")]
    [InlineData("recipe:-1")]
    [InlineData("recipe:1.5")]
    [InlineData("recipe:18446744073709551616")]
    [InlineData("recipe:1,huge")]
    [InlineData("recipe:1,tiny,tiny")]
    [InlineData("recipe:one")]
    [InlineData("weights.safetensors")]
    [InlineData("")]
    public void RefusesOtherText(string text) => Assert.Throws<WeightFormatException>(() => WeightRecipe.Parse(text));

    [Fact]
    public void MakesEveryTensorOfItsConfiguration()
    {
        using ModelWeights weights = WeightRecipe.Parse("recipe:3,compact").Create();
        Assert.Equal(ModelConfiguration.Compact, weights.Configuration);
        Assert.All(weights.Tensors, t => Assert.True(t.Span.IndexOfAnyExcept(0f) >= 0, t.Name));
    }
}
