using UniCardio.Signals.Synthesis;

namespace UniCardio.Signals.Tests.Synthesis;

public class MonitorFilterTests
{
    private const double Rate = 125;

    // Amplitude of what comes out for a sine of amplitude 1, once the beginning has faded.
    private static double Gain(MonitorFilter filter, double frequency)
    {
        float[] x = [.. Enumerable.Range(0, 12500).Select(i => (float)Math.Sin(2 * Math.PI * frequency * i / Rate))];
        filter.Apply(x, Rate);
        double re = 0, im = 0;
        for (int i = 6250; i < 12500; i++)
        {
            re += x[i] * Math.Cos(2 * Math.PI * frequency * i / Rate);
            im += x[i] * Math.Sin(2 * Math.PI * frequency * i / Rate);
        }
        return 2 * Math.Sqrt(re * re + im * im) / 6250;
    }

    [Theory]
    [InlineData(5, 0.707)]
    [InlineData(20, 0.2)]
    [InlineData(8, 1.5)]
    public void ALowPassHasTheGainOfADampedOscillator(double natural, double damping)
    {
        var filter = new MonitorFilter { LowPass = natural, Damping = damping };
        // The bilinear transform maps f to tan(pi f / rate); there the analogue formula holds exactly.
        double Expected(double f)
        {
            double r = Math.Tan(Math.PI * f / Rate) / Math.Tan(Math.PI * natural / Rate);
            return 1 / Math.Sqrt((1 - r * r) * (1 - r * r) + 4 * damping * damping * r * r);
        }
        // Whole periods in the 50 s measured: only float32 rounding of the samples is left.
        foreach (double f in new[] { 0.5, 2, 5, 8, 20, 40 })
            Assert.Equal(Expected(f), Gain(filter, f), 1e-5);
    }

    [Fact]
    public void AHighPassTakesTheLevelAndKeepsTheRest()
    {
        var filter = new MonitorFilter { HighPass = 0.5 };
        Assert.Equal(Math.Sqrt(0.5), Gain(filter, 0.5), 1e-5);
        Assert.InRange(Gain(filter, 10), 0.998, 1);
        float[] level = [.. Enumerable.Repeat(80f, 500)];
        filter.Apply(level, Rate);
        Assert.All(level, x => Assert.Equal(0f, x));
    }

    [Fact]
    public void ALowPassKeepsALevelFromTheFirstSampleOn()
    {
        float[] level = [.. Enumerable.Repeat(80f, 500)];
        new MonitorFilter { LowPass = 10, Damping = 0.2 }.Apply(level, Rate);
        Assert.All(level, x => Assert.Equal(80f, x, 1e-4f));
        new MonitorFilter { LowPass = 10, HighPass = 1 }.Apply([], Rate);
    }
}
