namespace UniCardio.Ptx.Tests;

/// <summary>shfl.sync and redux.sync against the ISA's formulas; cp.async with and without its waits.</summary>
public class ExchangeTests
{
    public static TheoryData<string, int, uint> Shuffles
    {
        get
        {
            var cases = new TheoryData<string, int, uint>();
            foreach (string mode in (string[])["up", "down", "bfly", "idx"])
            {
                foreach (int distance in (int[])[0, 1, 5, 16, 31])
                {
                    // Whole warp, halves and quarters of 8: clamp in the low bits, the segments' mask from bit 8 on.
                    foreach (uint width in (uint[])[32, 16, 8])
                        cases.Add(mode, distance, (mode == "up" ? 0 : 0x1fu) | ((32 - width) << 8));
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Shuffles))]
    public void ShuffleFollowsTheFormula(string mode, int distance, uint control)
    {
        uint[] value = [.. Enumerable.Range(0, 32).Select(i => (uint)(i * 1001))];
        uint[][] result = WarpKernel.Run(
            $"shfl.sync.{mode}.b32 %d0|%p1, %a0, {distance}, {control}, 0xffffffff; selp.b32 %d1, 1, 0, %p1;", [value], 2);
        int segment = (int)(control >> 8), clamp = (int)(control & 31);
        for (int lane = 0; lane < 32; lane++)
        {
            int max = (lane & segment) | (clamp & ~segment), min = lane & segment;
            (int from, bool isIn) = mode switch
            {
                "up" => (lane - distance, lane - distance >= max),
                "down" => (lane + distance, lane + distance <= max),
                "bfly" => (lane ^ distance, (lane ^ distance) <= max),
                _ => (min | (distance & ~segment), (min | (distance & ~segment)) <= max),
            };
            Assert.Equal((isIn ? value[from] : value[lane], isIn ? 1u : 0), (result[0][lane], result[1][lane]));
        }
    }

    [Theory]
    [InlineData("add.s32")]
    [InlineData("add.u32")]
    [InlineData("min.s32")]
    [InlineData("max.s32")]
    [InlineData("min.u32")]
    [InlineData("max.u32")]
    public void ReductionGoesOverTheWarp(string what)
    {
        uint[] value = [.. Enumerable.Range(0, 32).Select(i => (uint)(i * 0x13579bdf))];
        uint expected = what switch
        {
            "add.s32" or "add.u32" => value.Aggregate((a, b) => a + b),
            "min.s32" => (uint)value.Min(v => (int)v),
            "max.s32" => (uint)value.Max(v => (int)v),
            "min.u32" => value.Min(),
            _ => value.Max(),
        };
        Assert.All(WarpKernel.Run($"redux.sync.{what} %d0, %a0, 0xffffffff;", [value], 1)[0], v => Assert.Equal(expected, v));
    }

    [Fact]
    public void LanesThatAreNamedMustTakePart()
    {
        const string Body = "setp.lt.u32 %p1, %r0, 8; mov.b32 %d0, 0; @%p1 shfl.sync.idx.b32 %d0, %a0, 0, 31, 0xffffffff;";
        PtxFaultException fault = Assert.Throws<PtxFaultException>(() => WarpKernel.Run(Body, [new uint[32]], 1));
        Assert.Equal(PtxFaultKind.Divergence, fault.Kind);
        // Named as they are, it is sound.
        WarpKernel.Run(Body.Replace("0xffffffff", "0xff", StringComparison.Ordinal), [new uint[32]], 1);
    }

    private const string Copy = """
        mul.wide.u32 %rd4, %r0, 16; add.u64 %rd4, %rd3, %rd4;
        mul.wide.u32 %rd5, %r0, 12; add.u64 %rd5, %rd0, %rd5;
        cp.async.cg.shared.global [%rd4], [%rd5], 16;
        cp.async.commit_group;
        {0}
        sub.s32 %r1, 31, %r0;
        mul.wide.u32 %rd6, %r1, 16; add.u64 %rd6, %rd3, %rd6;
        ld.shared.v4.b32 {{%d0, %d1, %d2, %d3}}, [%rd6];
        """;

    [Theory]
    [InlineData("cp.async.wait_group 0; bar.sync 0;", null)]
    [InlineData("cp.async.wait_all; bar.sync 0;", null)]
    [InlineData("bar.sync 0;", PtxFaultKind.Uninitialised)]
    [InlineData("cp.async.wait_group 1; bar.sync 0;", PtxFaultKind.Uninitialised)]
    [InlineData("cp.async.wait_group 0;", PtxFaultKind.Race)]
    [InlineData("bar.sync 0; cp.async.wait_group 0;", PtxFaultKind.Race)]
    [InlineData("cp.async.wait_group 0; bar.warp.sync 0xffffffff;", null)]
    public void CopyArrivesWhenItIsWaitedFor(string wait, PtxFaultKind? kind)
    {
        // Lane i copies words 4 i to 4 i + 3: the first four inputs lie one after the other.
        uint[][] inputs = [.. Enumerable.Range(0, 4).Select(j => Enumerable.Range(0, 32).Select(i => (uint)((32 * j) + i)).ToArray())];
        string body = string.Format(System.Globalization.CultureInfo.InvariantCulture, System.Text.CompositeFormat.Parse(Copy), wait);
        if (kind is not null)
        {
            Assert.Equal(kind, Assert.Throws<PtxFaultException>(() => WarpKernel.Run(body, inputs, 4)).Kind);
            return;
        }

        uint[][] result = WarpKernel.Run(body, inputs, 4);
        for (int lane = 0; lane < 32; lane++)
        {
            for (int j = 0; j < 4; j++)
                Assert.Equal((uint)((4 * (31 - lane)) + j), result[j][lane]);
        }
    }

    [Fact]
    public void ShortCopyIsFilledWithZeros()
    {
        const string Body = """
            mul.wide.u32 %rd4, %r0, 4; add.u64 %rd4, %rd3, %rd4;
            cvt.u32.u64 %r2, %rd4;
            mov.b32 %r1, 2;
            cp.async.ca.shared.global [%r2], [%rd0], 4, %r1;
            cp.async.wait_all;
            ld.shared.b32 %d0, [%r2];
            """;
        uint[] value = [.. Enumerable.Range(0, 32).Select(i => 0xabcd0000u + (uint)i)];
        Assert.Equal(value.Select(v => v & 0xffff), WarpKernel.Run(Body, [value], 1)[0]);
    }

    // A warp's own order suffices within it, but not between warps.
    [Theory]
    [InlineData(32, null)]
    [InlineData(64, PtxFaultKind.Race)]
    public void BarrierOfAWarpOrdersIt(int threads, PtxFaultKind? kind)
    {
        const string Body = """
            mul.wide.u32 %rd4, %r0, 4; add.u64 %rd4, %rd3, %rd4;
            st.shared.b32 [%rd4], %a0;
            bar.warp.sync 0xffffffff;
            mov.b32 %r2, %ntid.x; sub.s32 %r2, %r2, 1; sub.s32 %r1, %r2, %r0;
            mul.wide.u32 %rd5, %r1, 4; add.u64 %rd5, %rd3, %rd5;
            ld.shared.b32 %d0, [%rd5];
            """;
        uint[] value = [.. Enumerable.Range(0, threads).Select(i => (uint)i)];
        if (kind is null)
            Assert.Equal(value.Reverse(), WarpKernel.Run(Body, [value], 1, threads)[0]);
        else
            Assert.Contains((PtxFaultKind[])[PtxFaultKind.Race, PtxFaultKind.Uninitialised], k =>
                k == Assert.Throws<PtxFaultException>(() => WarpKernel.Run(Body, [value], 1, threads)).Kind);
    }

    [Fact]
    public void CopiesNeedTheirAlignment()
    {
        const string Body = "cp.async.cg.shared.global [%rd3+4], [%rd0], 16; cp.async.wait_all; mov.b32 %d0, 0;";
        Assert.Equal(PtxFaultKind.Alignment, Assert.Throws<PtxFaultException>(() => WarpKernel.Run(Body, [new uint[32]], 1)).Kind);
    }
}
