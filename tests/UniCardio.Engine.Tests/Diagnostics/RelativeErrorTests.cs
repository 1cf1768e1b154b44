using UniCardio.Engine.Diagnostics;

namespace UniCardio.Engine.Tests.Diagnostics;

public class RelativeErrorTests
{
    [Fact]
    public void IsTheLargestDifferenceOverTheLargestExpectedMagnitude()
    {
        Assert.Equal(0, RelativeError.Of([1, -2, 3], [1, -2, 3]));
        Assert.Equal(0.5 / 4, RelativeError.Of([1.25f, -4, 2.5f], [1, -4, 3]));
        Assert.Equal(2, RelativeError.Of([1, 2], [0, -2]));
    }

    [Fact]
    public void NothingPassesThatHoldsNaNOrInfinity()
    {
        Assert.True(double.IsNaN(RelativeError.Of([float.NaN], [1])));
        Assert.True(double.IsNaN(RelativeError.Of([1, 1], [1, float.NaN])));
        Assert.True(double.IsNaN(RelativeError.Of([float.PositiveInfinity], [float.PositiveInfinity])));
        Assert.True(double.IsNaN(RelativeError.Of([], [])));
        Assert.False(new GoldenResult("a", double.NaN, double.PositiveInfinity).Passed);
    }

    [Fact]
    public void ZeroIsOnlyMatchedByZero()
    {
        Assert.Equal(0, RelativeError.Of([0, 0], [0, -0f]));
        Assert.Equal(double.PositiveInfinity, RelativeError.Of([1e-30f, 0], [0, 0]));
        Assert.Throws<ArgumentException>(() => RelativeError.Of([1], [1, 2]));
    }

    [Fact]
    public void TheWorstIsNaNBeforeAnyNumber()
    {
        var report = new GoldenReport("f", "b", 1, [new("a", 0.5, 1), new("b", double.NaN, 1), new("c", 9, 1)], []);
        Assert.Equal("b", report.Worst?.Name);
        Assert.False(report.Passed);
        Assert.False(new GoldenReport("f", "b", 1, [], []).Passed);
        Assert.True(new GoldenReport("f", "b", 1, [new("a", 1, 1)], []).Passed);
    }
}
