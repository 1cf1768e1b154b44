using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Reference;

namespace UniCardio.Engine.Tests.Quality;

public sealed unsafe class WindowedAttentionTests
{
    private const int Heads = 2;

    public static TheoryData<CpuInstructionSet, int, int, int> Shapes()
    {
        var data = new TheoryData<CpuInstructionSet, int, int, int>();
        foreach (CpuInstructionSet set in CpuInstructionSets.Supported)
        {
            foreach (int tokens in (int[])[1, 2, 15, 16, 17, 31, 32, 33, 60, 65, 300])
            {
                data.Add(set, tokens, 1, 5);
                data.Add(set, tokens, 4, 26);
                data.Add(set, tokens, 4, 64);
                data.Add(set, tokens, 400, 16);
            }
        }

        return data;
    }

    // Error bound of the kernel: (keys + d + 8) u of the largest value, u = 2^-24: 300 keys and d = 64 give 2.2e-5 in the worst order;
    // random ones 2e-6.
    [Theory]
    [MemberData(nameof(Shapes))]
    public void AgreesWithDenseAttentionUnderTheMask(CpuInstructionSet set, int tokens, int reach, int headDim)
    {
        int channels = Heads * headDim;
        float[] qkv = Vectors.Uniform(tokens * 3 * channels, tokens + headDim);
        double[] mask = new double[tokens * tokens];
        for (int q = 0; q < tokens; q++)
        {
            for (int k = 0; k < tokens; k++)
                mask[(q * tokens) + k] = q == 0 || k == 0 || Math.Abs(q - k) <= reach ? 0 : double.NegativeInfinity;
        }

        double[][] parts = [.. Enumerable.Range(0, 3).Select(part =>
            Enumerable.Range(0, tokens * channels)
                .Select(i => (double)qkv[(i / channels * 3 * channels) + (part * channels) + (i % channels)]).ToArray())];
        double[] expected = new double[tokens * channels];
        ReferenceAttention.Forward(parts[0], parts[1], parts[2], mask, Heads, channels, expected);
        (float[] actual, _) = Run(set, Scaled(qkv, channels, headDim), tokens, reach, headDim);
        Vectors.AssertClose([.. expected.Select(v => (float)v)], actual,
            (Math.Min(tokens, (2 * reach) + 1) + headDim + 8) * Math.Pow(2, -24) * 2);
    }

    // What the mask closes is skipped, not computed and thrown away: keys computed grow linearly in tokens, and stay under a block, its
    // surroundings and the global token a block.
    [Theory]
    [InlineData(60)]
    [InlineData(300)]
    [InlineData(2160)]
    public void ClosedKeysAreSkipped(int tokens)
    {
        const int reach = 4, headDim = 8;
        foreach (CpuInstructionSet set in CpuInstructionSets.Supported)
        {
            int lanes = CpuInstructionSets.Lanes(set), block = 2 * lanes, blocks = (tokens + block - 1) / block;
            (_, long keys) = Run(set, new float[tokens * 3 * Heads * headDim], tokens, reach, headDim);
            long perHead = keys / Heads, bound = ((long)blocks * (block + (2 * reach) + 1)) + tokens;
            Assert.InRange(perHead, (long)tokens + 1, bound);
            if (tokens >= 300)
                Assert.True(perHead < (long)blocks * tokens / 2, $"{perHead} keys of {(long)blocks * tokens} dense ones");
        }
    }

    [Fact]
    public void AWindowThatSpansAllTokensIsDense()
    {
        (_, long keys) = Run(CpuInstructionSet.Scalar, Vectors.Uniform(10 * 3 * Heads * 4, 1), 10, 10, 4);
        Assert.Equal(Heads * 5 * 10, keys);
    }

    // The queries carry log2(e) / sqrt(head dim), as the packed map gives them.
    private static float[] Scaled(float[] qkv, int channels, int headDim)
    {
        float[] scaled = [.. qkv];
        double factor = 1 / (Math.Log(2) * Math.Sqrt(headDim));
        for (int i = 0; i < scaled.Length; i++)
        {
            if (i % (3 * channels) < channels)
                scaled[i] = (float)(scaled[i] * factor);
        }

        return scaled;
    }

    private static (float[] Output, long Keys) Run(CpuInstructionSet set, float[] qkv, int tokens, int reach, int headDim) =>
        CpuInstructionSets.Run<Code, (float[], long)>(set, new Code(qkv, tokens, reach, headDim));

    private readonly struct Code(float[] qkv, int tokens, int reach, int headDim) : ISimdCode<(float[], long)>
    {
        public (float[], long) Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct => WindowedAttentionTests.Run<S, V>(qkv, tokens, reach, headDim);
    }

    private static (float[] Output, long Keys) Run<S, V>(float[] qkv, int tokens, int reach, int headDim)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int channels = Heads * headDim;
        using var input = new AlignedBuffer(qkv.Length);
        using var output = new AlignedBuffer(tokens * channels);
        int length = WindowedAttention.ScratchLength(tokens, headDim, reach, S.Width);
        using var scratch = new AlignedBuffer(length + 16);
        scratch.Span.Fill(float.NaN);
        qkv.CopyTo(input.Span);
        var rows = new WindowedAttentionRows
        {
            Qkv = input.Pointer,
            QkvStride = 3 * channels,
            Output = output.Pointer,
            OutputStride = channels,
            Tokens = tokens,
            Channels = channels,
            HeadDim = headDim,
            Reach = reach,
        };
        long keys = 0;
        for (int head = 0; head < Heads; head++)
            keys += WindowedAttention.Run<S, V>(rows, head, scratch.Pointer);
        foreach (float past in scratch.Span[length..])
            Assert.True(float.IsNaN(past), "scratch was written past its length");
        return (output.Span.ToArray(), keys);
    }
}
