using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Tests.Sampling;

public sealed class SamplerOptionsTests
{
    [Theory]
    [InlineData("ddpm")]
    [InlineData("ddpm,official")]
    [InlineData("ddim")]
    [InlineData("ddim:20")]
    [InlineData("ddim:20,eta=0.5")]
    [InlineData("ddim:20,eta=1,placement=logsnr,threshold=off")]
    [InlineData("dpm++2m:10")]
    [InlineData("dpm++3m:10,placement=uniform")]
    [InlineData("dpm++2m:8,placement=logsnr-to-end")]
    [InlineData("ddim:6,official")]
    [InlineData("ddim:10,official,ratio=1.1")]
    [InlineData("improved")]
    public void TextRoundTrips(string text)
    {
        SamplerOptions options = SamplerOptions.Parse(text);
        Assert.Equal(text, options.ToString());
        Assert.Equal(options, SamplerOptions.Parse(options.ToString()));
        Assert.True(SamplerOptions.TryParse(text, null, out SamplerOptions? again));
        Assert.Equal(options, again);
    }

    [Fact]
    public void SpacesAndCaseDoNotMatter() =>
        Assert.Equal(new SamplerOptions { Kind = SamplerKind.Ddim, Steps = 6, OfficialCompatible = true, Ratio = 1.5 },
            SamplerOptions.Parse(" DDIM : 6 , Official, RATIO = 1.5 "));

    [Theory]
    [InlineData("", "name")]
    [InlineData("euler:10", "name")]
    [InlineData("ddim:0", "less than 1")]
    [InlineData("ddim:-3", "steps")]
    [InlineData("ddim:x", "steps")]
    [InlineData("ddim:99999999999", "steps")]
    [InlineData("ddim:", "steps")]
    [InlineData("ddpm:10", "all of the model's steps")]
    [InlineData("ddim:5,eta=2", "eta")]
    [InlineData("ddim:5,eta=nan", "eta")]
    [InlineData("ddim:5,eta", "none of")]
    [InlineData("ddim:5,official,eta=0.5", "eta")]
    [InlineData("dpm++2m:5,eta=0.5", "eta")]
    [InlineData("dpm++2m:5,official", "official")]
    [InlineData("ddim:5,ratio=1.1", "ratio")]
    [InlineData("ddim:5,official,ratio=0", "ratio")]
    [InlineData("ddim:5,official,threshold=on", "threshold")]
    [InlineData("ddim:5,official,placement=uniform", "fixed")]
    [InlineData("ddim:5,eta=0.1,eta=0.2", "twice")]
    [InlineData("ddim:5,wat", "none of")]
    public void WhatDoesNotGoTogetherIsNamed(string text, string part)
    {
        var error = Assert.Throws<FormatException>(() => SamplerOptions.Parse(text));
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.False(SamplerOptions.TryParse(text, null, out _));
    }

    [Fact]
    public void ThresholdIsOnExceptInOfficialForms()
    {
        Assert.True(SamplerOptions.Default.Thresholds);
        Assert.True(SamplerOptions.Parse("ddpm").Thresholds);
        Assert.False(SamplerOptions.Parse("ddpm,official").Thresholds);
        Assert.False(SamplerOptions.Parse("improved").Thresholds);
        SamplerTable bp = SamplerTable.Create(SamplerOptions.Default, ModelConfiguration.Full, CardioTask.Parse("ppg->bp"));
        Assert.All(bp.Steps, s => Assert.Equal((-2.0, 4.0), (s.ClampLow, s.ClampHigh)));
        SamplerTable off =
            SamplerTable.Create(SamplerOptions.Parse("ddim:3,threshold=off"), ModelConfiguration.Full, CardioTask.Parse("ppg->bp"));
        Assert.All(off.Steps, s => Assert.Equal((double.NegativeInfinity, double.PositiveInfinity), (s.ClampLow, s.ClampHigh)));
    }

    [Fact]
    public void MoreStepsThanTheModelHasAreRefused()
    {
        var error = Assert.Throws<ConfigurationException>(() =>
            SamplerTable.Create(SamplerOptions.Parse("ddim:51"), ModelConfiguration.Full, CardioTask.Parse("ppg->bp")));
        Assert.Equal("steps", error.Setting);
        Assert.Contains("50", error.Message, StringComparison.Ordinal);
    }
}
