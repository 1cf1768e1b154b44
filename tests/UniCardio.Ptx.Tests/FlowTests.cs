using System.Runtime.InteropServices;

namespace UniCardio.Ptx.Tests;

/// <summary>Lanes that part and meet again: loops, nested branches, returns and guards, against the same steps a thread at a
/// time.</summary>
public class FlowTests
{
    private const int Threads = 70;

    // Collatz steps of tid + 1, with an early return for multiples of 11 and a guard that adds 1000 for odd threads.
    private const string Collatz = """
        .reg .pred %p<6>; .reg .b32 %r<12>; .reg .b64 %rd<4>;
        ld.param.b64 %rd1, [to];
        mov.b32 %r1, %tid.x;
        mul.wide.u32 %rd2, %r1, 4;
        add.u64 %rd1, %rd1, %rd2;
        add.s32 %r2, %r1, 1;
        mov.b32 %r3, 0;
        rem.s32 %r4, %r2, 11;
        setp.eq.s32 %p1, %r4, 0;
        st.global.b32 [%rd1], 7;
        @%p1 ret;
        Loop:
        setp.le.s32 %p2, %r2, 1;
        @%p2 bra Done;
        and.b32 %r5, %r2, 1;
        setp.eq.s32 %p3, %r5, 0;
        add.s32 %r3, %r3, 1;
        @!%p3 bra Odd;
        shr.s32 %r2, %r2, 1;
        setp.gt.s32 %p4, %r3, 100;
        @%p4 bra Done;
        bra Loop;
        Odd:
        mad.lo.s32 %r2, %r2, 3, 1;
        bra Loop;
        Done:
        and.b32 %r6, %r1, 1;
        setp.ne.s32 %p5, %r6, 0;
        @%p5 add.s32 %r3, %r3, 1000;
        @!%p5 sub.s32 %r3, %r3, 1;
        st.global.b32 [%rd1], %r3;
        ret;
        """;

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(false, 3)]
    public void EveryLaneGoesItsOwnWay(bool sanitize, int groups)
    {
        uint[] expected = [.. Enumerable.Range(0, Threads).Select(t => (uint)Steps(t))];
        Assert.Equal(expected, Run(Collatz, new PtxDeviceOptions { Sanitize = sanitize && groups == 1 }, groups));
    }

    [Fact]
    public void WrongMarkOfUniformityIsFound()
    {
        string text = Collatz.Replace("@!%p3 bra Odd", "@!%p3 bra.uni Odd", StringComparison.Ordinal);
        Assert.Equal(PtxFaultKind.Divergence, Assert.Throws<PtxFaultException>(() => Run(text, new PtxDeviceOptions(), 1)).Kind);
    }

    // Values of both sides of a branch live in registers that share a row when their lives do not meet.
    [Fact]
    public void SharedRowsKeepTheirLanes()
    {
        const string Body = """
            .reg .pred %p<2>; .reg .b32 %r<40>; .reg .b64 %rd<4>;
            ld.param.b64 %rd1, [to];
            mov.b32 %r1, %tid.x;
            mul.wide.u32 %rd2, %r1, 4;
            add.u64 %rd1, %rd1, %rd2;
            and.b32 %r2, %r1, 3;
            setp.lt.s32 %p1, %r2, 2;
            @%p1 bra Left;
            add.s32 %r10, %r1, 5;
            mul.lo.s32 %r11, %r10, 3;
            add.s32 %r12, %r11, %r10;
            bra Meet;
            Left:
            add.s32 %r20, %r1, 9;
            mul.lo.s32 %r21, %r20, 7;
            add.s32 %r12, %r21, %r20;
            Meet:
            add.s32 %r30, %r12, %r1;
            st.global.b32 [%rd1], %r30;
            ret;
            """;
        uint[] expected = [.. Enumerable.Range(0, Threads).Select(t => (uint)(((t & 3) < 2 ? 8 * (t + 9) : 4 * (t + 5)) + t))];
        Assert.Equal(expected, Run(Body, new PtxDeviceOptions(), 1));
    }

    [Fact]
    public void ProductAndSumAreRoundedOnceOrTwiceAsAsked()
    {
        const string Body = """
            .reg .f32 %f<5>; .reg .b32 %r<3>; .reg .b64 %rd<4>;
            ld.param.b64 %rd1, [to];
            mov.b32 %r1, %tid.x;
            mul.wide.u32 %rd2, %r1, 4;
            add.u64 %rd1, %rd1, %rd2;
            cvt.rn.f32.s32 %f1, %r1;
            add.f32 %f1, %f1, 0f3f800001;
            mul.f32 %f2, %f1, %f1;
            sub.f32 %f3, %f2, %f1;
            st.global.f32 [%rd1], %f3;
            ret;
            """;
        float[] x = [.. Enumerable.Range(0, Threads).Select(t => t + BitConverter.UInt32BitsToSingle(0x3f800001))];
        Assert.Equal(x.Select(v => BitConverter.SingleToUInt32Bits(MathF.FusedMultiplyAdd(v, v, -v))),
            Run(Body, new PtxDeviceOptions(), 1));
        Assert.Equal(x.Select(v => BitConverter.SingleToUInt32Bits((v * v) - v)), Run(Body, new PtxDeviceOptions { Fuse = false }, 1));
        // A rounding that is written is kept.
        string rounded = Body.Replace("mul.f32", "mul.rn.f32", StringComparison.Ordinal);
        Assert.Equal(x.Select(v => BitConverter.SingleToUInt32Bits((v * v) - v)), Run(rounded, new PtxDeviceOptions(), 1));
    }

    private static int Steps(int thread)
    {
        int v = thread + 1, steps = 0;
        if (v % 11 == 0)
            return 7;
        while (v > 1)
        {
            steps++;
            if (v % 2 != 0)
            {
                v = (3 * v) + 1;
                continue;
            }

            v /= 2;
            if (steps > 100)
                break;
        }

        return thread % 2 != 0 ? steps + 1000 : steps - 1;
    }

    private static uint[] Run(string body, PtxDeviceOptions options, int groups)
    {
        using var device = new PtxDevice(options);
        PtxKernel kernel = PtxModule.Parse(OneInstruction.Kernel(body, ".param .b64 to")).Find("k")!;
        ulong[] parameters = [device.Allocate(4 * Threads)];
        device.Launch(kernel, new PtxDim(groups), new PtxDim(Threads), MemoryMarshal.AsBytes<ulong>(parameters));
        uint[] result = new uint[Threads];
        device.Read(parameters[0], MemoryMarshal.AsBytes(result.AsSpan()));
        return result;
    }
}
