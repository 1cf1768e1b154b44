using UniCardio.Engine;
using UniCardio.Training.Optimization;

namespace UniCardio.Training.Tests.Optimization;

public class LearningRateScheduleTests
{
    [Fact]
    public void StepsFallAtThePublishedShares()
    {
        var schedule = new LearningRateSchedule { Peak = 1e-3, Shape = LearningRateShape.Step };
        Assert.Equal(1e-3, schedule.At(143, 800), 1e-12);
        Assert.Equal(1e-4, schedule.At(144, 800), 1e-12);
        Assert.Equal(1e-4, schedule.At(599, 800), 1e-12);
        Assert.Equal(1e-5, schedule.At(600, 800), 1e-12);
    }

    [Fact]
    public void WarmupRisesInAStraightLine()
    {
        var schedule = new LearningRateSchedule { Peak = 1, Shape = LearningRateShape.Constant, WarmupSteps = 4 };
        Assert.Equal([0.25, 0.5, 0.75, 1, 1], Enumerable.Range(0, 5).Select(i => schedule.At(i, 100)));
    }

    [Fact]
    public void CosineAndTrapezoidEndAtTheFloor()
    {
        var cosine = new LearningRateSchedule { Peak = 2, Shape = LearningRateShape.Cosine, Floor = 0.1 };
        Assert.Equal(2, cosine.At(0, 1000), 1e-9);
        Assert.Equal(2 * 0.55, cosine.At(500, 1000), 1e-9);
        // One step of 1000 before the end the cosine is (pi / 1000)^2 / 4 = 2.5e-6 above it.
        Assert.Equal(0.2, cosine.At(999, 1000), 1e-5);
        LearningRateSchedule trapezoid = cosine with { Shape = LearningRateShape.Trapezoid, Cooldown = 0.25 };
        Assert.Equal(2, trapezoid.At(750, 1000), 1e-9);
        // A quarter of the cooldown done: 1 - sqrt(1/4) of the way from floor to peak.
        Assert.Equal(2 * (0.1 + (0.9 * 0.5)), trapezoid.At(812, 999), 2e-2);
        Assert.True(trapezoid.At(999, 1000) is > 0.2 and < 0.21);
        for (int i = 1; i < 1000; i++)
            Assert.True(trapezoid.At(i, 1000) <= trapezoid.At(i - 1, 1000));
    }

    [Fact]
    public void BadNumbersAreNamed()
    {
        Assert.Equal("learning_rate",
            Assert.Throws<ConfigurationException>(() => new LearningRateSchedule { Peak = double.NaN }.Validate()).Setting);
        Assert.Equal("cooldown", Assert.Throws<ConfigurationException>(() => new LearningRateSchedule { Cooldown = 0 }.Validate()).Setting);
        Assert.Equal("floor", Assert.Throws<ConfigurationException>(() => new LearningRateSchedule { Floor = 2 }.Validate()).Setting);
    }
}
