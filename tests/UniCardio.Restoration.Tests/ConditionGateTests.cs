using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Restoration.Tests;

/// <summary>A condition that is too poor counts as absent.</summary>
[Collection(Interim.Name)]
public sealed class ConditionGateTests(InterimWeights weights)
{
    private static readonly Recording Whole = Make.Heart(60);

    // White noise of 1.5 times the signal's range from 20 to 40 s.
    private static Recording Noisy(string name) => Whole.WithChannels(Whole.Channels.Select(c =>
    {
        if (c.Name != name)
            return c;
        float[] samples = c.Samples.ToArray();
        float range = samples.Max() - samples.Min();
        var random = new CounterRandom(4, 9);
        for (int i = 20 * 125; i < 40 * 125; i++)
            samples[i] += 1.5f * range * (float)random.NextGaussian();
        return c.WithSamples(samples);
    }));

    [Theory]
    [InlineData(Modality.Ppg)]
    [InlineData(Modality.Bp)]
    [InlineData(Modality.Ecg)]
    public void NoiseIsTakenOutAndACleanSignalIsNot(Modality modality)
    {
        string name = modality == Modality.Bp ? "ABP" : modality.ToString().ToUpperInvariant();
        float[] clean = Whole.Require(name).Samples.ToArray(), noisy = Noisy(name).Require(name).Samples.ToArray();
        Assert.Empty(ConditionGate.Apply(modality, clean));
        IReadOnlyList<int> poor = ConditionGate.Apply(modality, noisy);

        // The index judges ten seconds: one that holds three bad ones at its end, or fewer, may pass.
        Assert.All(Enumerable.Range(24, 12), s => Assert.Contains(s, poor));
        Assert.All(poor, s => Assert.InRange(s, 15, 44));
        Assert.All(poor, s => Assert.Equal(0, GapFinder.CountMeasured(noisy.AsSpan(s * 125, 125))));
    }

    [Fact]
    public void WhatIsBriefIsNotJudged()
    {
        float[] noise = new float[(ConditionGate.MinSeconds * 125) - 1];
        var random = new CounterRandom(4, 8);
        foreach (ref float x in noise.AsSpan())
            x = (float)random.NextGaussian();
        Assert.Empty(ConditionGate.Apply(Modality.Ppg, noise));
        Assert.DoesNotContain(float.NaN, noise);
    }

    // The network alone: with the bad condition gated it errs as it does without that condition.
    [Fact]
    public void ABadConditionHurtsNoMoreThanNone()
    {
        (double, double)[] gaps = [(26, 27), (30, 31), (34, 34.8)];
        Recording noisy = Make.WithGaps(Noisy("PPG"), "ABP", gaps), clean = Make.WithGaps(Whole, "ABP", gaps);
        double Error(Recording recording, string task, bool gates)
        {
            RestorationResult result = new Restorer(weights.Engine, Make.Options(task, 4) with { GatesConditions = gates }).Run(recording);
            ReadOnlySpan<float> truth = Whole.Require("ABP").Samples.Span, made = result.Channel.Samples.Span;
            double sum = 0;
            int n = 0;
            for (int i = 0; i < truth.Length; i++)
            {
                if (result.Provenance.Span[i] == Provenance.Imputed)
                    (sum, n) = (sum + ((made[i] - truth[i]) * (made[i] - truth[i])), n + 1);
            }

            return Math.Sqrt(sum / n);
        }

        double gated = Error(noisy, "impute bp | ppg", true), none = Error(clean, "impute bp", true);

        // Windows within the noise run the very task without it; one that reaches out of it sees a clean rest.
        Assert.True(gated <= 1.1 * none, $"{gated} gated, {none} without the condition");
        RestorationResult told = new Restorer(weights.Engine, Make.Options("impute bp | ppg")).Run(noisy);
        Assert.Contains(told.Warnings, w => w.Message.Contains("too poor to work from", StringComparison.Ordinal));
        RestorationResult ungated =
            new Restorer(weights.Engine, Make.Options("impute bp | ppg") with { GatesConditions = false }).Run(noisy);
        Assert.Contains(ungated.Warnings, w => w.Message.Contains("may be made of noise", StringComparison.Ordinal));
        Assert.DoesNotContain(new Restorer(weights.Engine, Make.Options("impute bp | ppg")).Run(clean).Warnings,
            w => w.Message.Contains("too poor", StringComparison.Ordinal));
    }
}
