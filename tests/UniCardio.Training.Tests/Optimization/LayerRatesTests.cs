using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Training.Network;
using UniCardio.Training.Optimization;

namespace UniCardio.Training.Tests.Optimization;

public class LayerRatesTests
{
    private static readonly ParameterLayout Layout = new(Runs.ToyNetwork.Small);

    // Every value of the i-th layer is value(i).
    private static float[] Fill(Func<int, double> value)
    {
        float[] flat = new float[Layout.Length];
        int i = 0;
        foreach (WeightAndBias<ParameterSlice> layer in Layout.Network.Parts)
        {
            layer.Weight.Of(flat).Fill((float)value(i));
            layer.Bias.Of(flat).Fill((float)value(i++));
        }

        return flat;
    }

    [Fact]
    public void FactorsAreThePowerOfTheSensitivityOverTheMean()
    {
        // Sensitivity 2^(i mod 3) of layer i; as many of each as there are, one without a gradient.
        var rates = new LayerRates(Layout, new LayerRateOptions { Power = 0.5, Updates = 2, Limit = 1.3 });
        float[] weights = Fill(i => 2), gradients = Fill(i => i == 0 ? 0 : 2 * Math.Pow(2, i % 3));
        rates.Include(weights, gradients);
        Assert.All(rates.Factors(), f => Assert.Equal(1, f));
        rates.Include(weights, gradients);
        double[] factors = rates.Factors();
        double mean = Enumerable.Range(1, rates.Count - 1).Average(i => i % 3);
        Assert.Equal(1, factors[0]);
        for (int i = 1; i < factors.Length; i++)
            Assert.Equal(Math.Clamp(Math.Pow(2, 0.5 * ((i % 3) - mean)), 1 / 1.3, 1.3), factors[i], 1e-6);

        // What comes after the measurement changes nothing.
        rates.Include(weights, Fill(i => 100 * i));
        Assert.Equal(factors, rates.Factors());
    }

    [Fact]
    public void EveryTensorMovesByItsLayersRate()
    {
        var options = new AdamOptions { WeightDecay = 0, ClipNorm = double.PositiveInfinity };
        var rates = new LayerRates(Layout, new LayerRateOptions { Power = 1, Updates = 1, Limit = 2 });
        var adam = new Adam(Layout, options);
        float[] start = Fill(_ => 1), gradients = Fill(i => 0.001 * (1 + (i % 5))), moved = [.. start];
        adam.Update(moved, gradients, 0.01, rates);
        double[] factors = rates.Factors();
        Assert.True(factors.Distinct().Count() > 2);
        for (int layer = 0; layer < rates.Count; layer++)
        {
            foreach ((ParameterSlice tensor, int of) in rates.Tensors.Where(t => t.Layer == layer))
            {
                // Adam's first step is rate (g / |g|), to the rounding of 1 - x, 6e-8, and of epsilon, 1e-8 / 1e-3.
                foreach (float value in tensor.Of(moved))
                    Assert.Equal(1 - (0.01 * factors[of]), value, 1e-6);
            }
        }

        Assert.All(Enumerable.Range(0, Layout.Length).Where(i => start[i] == 0), i => Assert.Equal(0, moved[i]));
    }

    [Fact]
    public void EqualRatesAreTheUsualUpdateToTheBit()
    {
        float[] one = Fill(i => 0.1 + i), other = [.. one], gradients = Fill(i => Math.Sin(i));
        Adam plain = new(Layout, new AdamOptions()), layered = new(Layout, new AdamOptions());
        var rates = new LayerRates(Layout, new LayerRateOptions { Updates = 1000 });
        for (int k = 0; k < 5; k++)
        {
            plain.Update(one, gradients, 0.01);
            layered.Update(other, gradients, 0.01, rates);
        }

        Assert.Equal(one, other);
    }

    [Fact]
    public void BadNumbersAreNamed()
    {
        Assert.Equal("layer_rates", Assert.Throws<ConfigurationException>(() => new LayerRateOptions { Power = 2 }.Validate()).Setting);
        Assert.Equal("layer_rate_updates",
            Assert.Throws<ConfigurationException>(() => new LayerRateOptions { Updates = 0 }.Validate()).Setting);
        Assert.Equal("layer_rate_limit",
            Assert.Throws<ConfigurationException>(() => new LayerRateOptions { Limit = 1 }.Validate()).Setting);
    }
}
