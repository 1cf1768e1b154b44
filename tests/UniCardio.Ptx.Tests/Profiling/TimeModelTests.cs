namespace UniCardio.Ptx.Tests.Profiling;

/// <summary>The device table and the time model, against arithmetic on paper.</summary>
public class TimeModelTests
{
    // Registers and groups a multiprocessor of kernels as assembled for an H100: threads, registers, shared bytes, groups.
    [Theory]
    [InlineData(64, 72, 12_800, 14)]
    [InlineData(64, 80, 18_944, 11)]
    [InlineData(64, 95, 22_016, 10)]
    [InlineData(64, 96, 31_232, 7)]
    [InlineData(576, 56, 39_936, 2)]
    [InlineData(576, 78, 48_640, 1)]
    [InlineData(576, 72, 37_888, 1)]
    [InlineData(1024, 32, 8_192, 2)]
    [InlineData(1024, 39, 12_288, 1)]
    public void GroupsFitAsOnTheDevice(int threads, int registers, int shared, int groups)
    {
        PtxDeviceModel device = PtxDeviceModel.Find("h100")!;
        Assert.Equal(groups, device.GroupsPerMultiprocessor(threads, registers, shared));
    }

    // The vendors' peaks of float32, in TFLOP/s.
    [Theory]
    [InlineData("h100", 59.3)]
    [InlineData("a100", 19.5)]
    [InlineData("rtx4090", 82.6)]
    [InlineData("rtx4060", 15.1)]
    [InlineData("t4", 8.1)]
    [InlineData("orin", 5.3)]
    public void PeaksAreTheVendors(string name, double tflops) => Assert.Equal(tflops, PtxDeviceModel.Find(name)!.Tflops, 0.06);

    // 1,000 multiply-adds of each of 32 threads: 1,000 slots a warp, four warps at a time on a multiprocessor.
    [Fact]
    public void FloatsTakeTheirSlots()
    {
        string chain = string.Concat(Enumerable.Range(0, 1000).Select(i => $"fma.rn.f32 %f{i % 8}, %f{i % 8}, %f{i % 8}, %f{i % 8};\n"));
        string body = string.Concat(Enumerable.Range(0, 8).Select(i => $"cvt.rn.f32.s32 %f{i}, %r0;\n")) + chain
            + "st.global.f32 [%rd0], %f0; ret;";
        PtxDeviceModel device = PtxDeviceModel.Find("h100")!;
        // 16 groups of 8 warps on each of 132 multiprocessors, of which 8 fit at a time: 2 waves of 64 warps.
        LaunchCounts counts = CountTests.Run(body, groups: 132 * 16, sampled: 2, threads: 256);
        LaunchTime time = LaunchTime.Of(counts, device);
        Assert.Equal((8, 1, 2, "issue"), (time.GroupsPerMultiprocessor, time.Occupancy, time.Waves, time.Bound));
        double cycles = 16 * 8 * (1000 + 8 + 1 + 1) / 4.0;
        Assert.Equal((cycles / 1755) + device.LaunchMicroseconds, time.Microseconds, 0.5);
        Assert.InRange(counts.FloatSlots / counts.IssueSlots, 0.98, 1);
    }

    // A chain of loads, each of which needs the one before: the cache's latency a link, however empty the device is.
    [Fact]
    public void ChainOfLoadsWaits()
    {
        string body = string.Concat(Enumerable.Repeat("ld.global.b64 %rd2, [%rd0]; and.b64 %rd2, %rd2, 8; add.u64 %rd0, %rd0, %rd2;\n",
            100)) + "ret;";
        PtxDeviceModel device = PtxDeviceModel.Find("h100")!;
        LaunchTime time = LaunchTime.Of(CountTests.Run(body), device);
        Assert.Equal("latency", time.Bound);
        Assert.InRange(time.Microseconds - device.LaunchMicroseconds, 100 * device.CacheLatency / 1755.0,
            100 * (device.CacheLatency + 40) / 1755.0);
    }

    [Fact]
    public void TensorCoresAreAskedOnlyWhereTheyAre()
    {
        string body = ".reg .b32 %a<10>; " + string.Concat(Enumerable.Range(0, 10).Select(i => $"mov.b32 %a{i}, 0;"))
            + "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%a6, %a7, %a8, %a9}, {%a0, %a1, %a2, %a3}, {%a4, %a5}, {%a6, %a7, "
                + "%a8, %a9}; ret;";
        LaunchCounts counts = CountTests.Run(body);
        Assert.Equal((1024, 2048), (counts.Tf32Products, counts.FloatOperations));
        Assert.True(double.IsFinite(LaunchTime.Of(counts, PtxDeviceModel.Find("a100")!).Microseconds));
        Assert.True(double.IsInfinity(LaunchTime.Of(counts, PtxDeviceModel.Find("t4")!).Microseconds));
    }
}
