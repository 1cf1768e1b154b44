using FsCheck;
using FsCheck.Fluent;
using UniCardio.Engine.Model;

namespace UniCardio.Engine.Tests.Model;

public class ModelConfigurationTests
{
    [Fact]
    public void TheNamedSizesHoldTogether()
    {
        Assert.Equal(36, ModelConfiguration.Full.Validate().HeadDim);
        Assert.Equal((48, 500), (ModelConfiguration.Full.ChannelsPerKernel, ModelConfiguration.Full.SlotTokens));
        Assert.Equal(
            (30, 6, 100),
            (ModelConfiguration.Compact.Validate().HeadDim, ModelConfiguration.Compact.ChannelsPerKernel,
                ModelConfiguration.Compact.SlotTokens));
        Assert.Equal((12, 8, 100),
            (ModelConfiguration.Tiny.Validate().HeadDim, ModelConfiguration.Tiny.ChannelsPerKernel, ModelConfiguration.Tiny.SlotTokens));
    }

    public static TheoryData<string, string, ModelConfiguration> Unsound
    {
        get
        {
            ModelConfiguration m = ModelConfiguration.Tiny;
            return new()
            {
                { "channels", "heads = 5", m with { Heads = 5 } },
                { "channels", "heads = 32", m with { Heads = 32 } },
                { "channels", "samples_per_token = 30", m with { SamplesPerToken = 5 } },
                { "channels", "samples_per_token = 6", m with { Channels = 44 } },
                { "slot", "samples_per_token = 8", m with { SamplesPerToken = 8 } },
                { "slot", "samples_per_token = 2", m with { SamplesPerToken = 2, SlotSamples = 101 } },
                { "embedding", "multiple of 2", m with { Embedding = 33 } },
                { "embedding", "between 4", m with { Embedding = 2 } },
                { "channels", "0 is not between", m with { Channels = 0 } },
                { "channels", "-48", m with { Channels = -48 } },
                { "channels", "2147483647", m with { Channels = int.MaxValue } },
                { "heads", "0 is not between", m with { Heads = 0 } },
                { "heads", "49", m with { Heads = 49 } },
                { "blocks", "0 is not between", m with { Blocks = 0 } },
                { "blocks", "257", m with { Blocks = 257 } },
                { "feed_forward", "0 is not between", m with { FeedForward = 0 } },
                { "steps", "0 is not between", m with { DiffusionSteps = 0 } },
                { "steps", "2147483647", m with { DiffusionSteps = int.MaxValue } },
                { "slot", "0 is not between", m with { SlotSamples = 0 } },
                { "samples_per_token", "0 is not between", m with { SamplesPerToken = 0 } },
                { "samples_per_token", "101", m with { SamplesPerToken = 101 } },
                { "samples_per_token", "2147483647", m with { SamplesPerToken = int.MaxValue } },
                { "beta_start", "0 is not between", m with { BetaStart = 0 } },
                { "beta_start", "NaN", m with { BetaStart = double.NaN } },
                { "beta_end", "not between", m with { BetaEnd = 1 } },
                { "beta_end", "not between", m with { BetaEnd = m.BetaStart / 2 } },
                { "beta_end", "NaN", m with { BetaEnd = double.NaN } },
                { "schedule", "none of", m with { Schedule = (ScheduleKind)2 } },
                { "positions", "none of", m with { Positions = (PositionKind)(-1) } },
                { "prediction", "none of", m with { Prediction = (PredictionKind)4 } },
            };
        }
    }

    [Theory]
    [MemberData(nameof(Unsound))]
    public void ANumberThatDoesNotFitIsNamed(string setting, string says, ModelConfiguration configuration)
    {
        var e = Assert.Throws<ConfigurationException>(() => configuration.Validate());
        Assert.Equal(setting, e.Setting);
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
        Assert.Throws<ConfigurationException>(() => ParameterCatalog.For(configuration));
        Assert.Throws<ConfigurationException>(() => ModelConfiguration.FromMetadata(configuration.ToMetadata()));
    }

    private static Gen<ModelConfiguration> Configurations =>
        from p in Gen.Choose(1, 8)
        from heads in Gen.Choose(1, 8)
        from perHead in Gen.Choose(1, 4)
        from blocks in Gen.Choose(1, 256)
        from forward in Gen.Choose(1, 65536)
        from half in Gen.Choose(2, 32768)
        from steps in Gen.Choose(1, 100_000)
        from tokens in Gen.Choose(1, 1000)
        from betas in Gen.Choose(1, int.MaxValue - 1).Two()
        from kinds in Gen.Choose(0, 11)
        let start = Math.Min(betas.Item1, betas.Item2) / (double)int.MaxValue
        let end = Math.Max(betas.Item1, betas.Item2) / (double)int.MaxValue
        select new ModelConfiguration
        {
            Channels = 6 * p * heads * perHead,
            Heads = heads,
            Blocks = blocks,
            FeedForward = forward,
            Embedding = 2 * half,
            DiffusionSteps = steps,
            SlotSamples = p * tokens,
            SamplesPerToken = p,
            BetaStart = start,
            BetaEnd = end,
            Schedule = (ScheduleKind)(kinds % 2),
            Positions = (PositionKind)(kinds / 2 % 2),
            Prediction = (PredictionKind)(kinds / 4),
            OwnSampler = steps % 3 == 0 ? "ddim:1" : null,
            OwnTasks = steps % 2 == 0 ? "impute bp | ppg;ppg->ecg" : null,
        };

    [Fact]
    public void MetadataReadsBackExactly() =>
        // The fallback is another network: every key must come from the metadata.
        Prop.ForAll(Arb.From(Configurations), m => ModelConfiguration.FromMetadata(m.ToMetadata(), ModelConfiguration.Compact) == m)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2000).WithReplay(20260104, 17));

    [Fact]
    public void ANetworkKnowsTheTasksThatItLearned()
    {
        CardioTask one = CardioTask.Parse("impute bp | ppg"), other = CardioTask.Parse("impute bp | ecg");
        Assert.True(ModelConfiguration.Full.Knows(one));
        ModelConfiguration some = ModelConfiguration.Full with { OwnTasks = "ppg->ecg; impute bp | ppg" };
        Assert.True(some.Validate().Knows(one));
        Assert.False(some.Knows(other));
    }

    [Fact]
    public void WhatIsAbsentComesFromTheDefaultsAndOtherKeysAreLeftAlone()
    {
        var some = new Dictionary<string, string> { ["layers"] = "3", ["schedule"] = " Linear ", ["seed"] = "x", ["format"] = "pt" };
        Assert.Equal(ModelConfiguration.Full with { Blocks = 3, Schedule = ScheduleKind.Linear }, ModelConfiguration.FromMetadata(some));
        Assert.Equal(ModelConfiguration.Tiny with { Blocks = 3, Schedule = ScheduleKind.Linear },
            ModelConfiguration.FromMetadata(some, ModelConfiguration.Tiny));
        Assert.Equal(ModelConfiguration.Full, ModelConfiguration.FromMetadata(new Dictionary<string, string>()));
    }

    [Theory]
    [InlineData("channels", "288.0")]
    [InlineData("channels", "-288")]
    [InlineData("channels", " 288")]
    [InlineData("channels", "")]
    [InlineData("layers", "99999999999")]
    [InlineData("heads", "eight")]
    [InlineData("beta_start", "1e999")]
    [InlineData("beta_start", "NaN")]
    [InlineData("beta_end", "half")]
    [InlineData("schedule", "cosine")]
    [InlineData("schedule", "0")]
    [InlineData("positions", "")]
    [InlineData("prediction", "noise")]
    [InlineData("own_sampler", "ddim:0")]
    [InlineData("own_tasks", "")]
    [InlineData("own_tasks", "impute bp;impute")]
    public void MetadataThatDoesNotParseIsNamed(string key, string value)
    {
        var metadata = new Dictionary<string, string>(ModelConfiguration.Full.ToMetadata()) { [key] = value };
        Assert.Equal(key, Assert.Throws<ConfigurationException>(() => ModelConfiguration.FromMetadata(metadata)).Setting);
    }
}
