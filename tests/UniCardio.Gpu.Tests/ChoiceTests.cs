using UniCardio.Ptx.Profiling;

namespace UniCardio.Gpu.Tests;

/// <summary>What the backend chooses of itself, against the time model.</summary>
public sealed class ChoiceTests
{
    public static TheoryData<string, GpuPrecision> Devices => new()
    {
        { "h100", GpuPrecision.ThreeTf32 },
        { "a100", GpuPrecision.ThreeTf32 },
        { "rtx4090", GpuPrecision.SingleTiles },
        { "rtx4060", GpuPrecision.SingleTiles },
        { "orin", GpuPrecision.SingleTiles },
        { "t4", GpuPrecision.Single },
    };

    [Theory]
    [MemberData(nameof(Devices))]
    public void ProductsAreChosenByTheModelsRates(string name, GpuPrecision expected)
    {
        PtxDeviceModel device = PtxDeviceModel.Find(name)!;
        (int major, int minor) = (device.Architecture / 10, device.Architecture % 10);
        ProductRates rates = ProductRates.Of(major, minor);
        Assert.Equal((device.FloatLanes, device.Tf32PerCycle), (rates.FloatLanes, rates.TensorLanes));
        Assert.Equal(rates, ProductRates.Of($"{major}.{minor}"));
        Assert.Equal(expected, ProductRates.Choice(major, minor));
        // Three products pay where the tensor cores are three times as fast as what float32 reaches.
        Assert.Equal(expected == GpuPrecision.ThreeTf32, rates.ThreeTf32 > rates.Single);
    }

    // 1, 8 and 50 draws of the full size; no choice is slower than the largest or the smallest strip.
    [Theory]
    [InlineData(132, 72, 8)]
    [InlineData(24, 72, 8)]
    [InlineData(16, 45, 8)]
    [InlineData(40, 9, 8)]
    [InlineData(132, 160, 4)]
    public void StripsHaveTheShortestWaves(int multiprocessors, int columns, int max)
    {
        foreach (int count in (int[])[1, 100, 1000, 4500, 25_500])
        {
            int rows = StripChoice.Rows(count, max, columns, multiprocessors);
            Assert.InRange(rows, 1, max);
            double chosen = StripChoice.Time(count, rows, columns, multiprocessors);
            Assert.All(Enumerable.Range(1, max), r => Assert.True(chosen <= StripChoice.Time(count, r, columns, multiprocessors)));
        }
    }

    // By hand, H100: at 1 draw 250 strips of 4 rows read weights for 6.8 units, 125 of 8 wait 6.6; at 50 draws strips of 32 rows.
    [Fact]
    public void StripsOfTheFullSize()
    {
        Assert.Equal(2, StripChoice.Rows(1000, 8, 72, 132));
        Assert.Equal(6.6, StripChoice.Time(1000, 2, 72, 132), 6);
        Assert.Equal(250 / 132.0 * 3.6, StripChoice.Time(1000, 1, 72, 132), 6);
        Assert.Equal(8 * 7, StripChoice.Time(25_500, 8, 72, 132), 6);
    }
}
