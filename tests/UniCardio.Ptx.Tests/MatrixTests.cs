namespace UniCardio.Ptx.Tests;

/// <summary>mma.sync and ldmatrix: fragments as the PTX ISA's figures have them, sums within what it leaves open.</summary>
public class MatrixTests
{
    private const string Tf32 =
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%d0, %d1, %d2, %d3}, {%a0, %a1, %a2, %a3}, {%a4, %a5}, {%a6, %a7, %a8, %a9};";
    private const string BFloat =
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%d0, %d1, %d2, %d3}, {%a0, %a1, %a2, %a3}, {%a4, %a5}, {%a6, %a7, %a8, %a9};";

    // Small integers: every order and rounding gives the same, so a wrong place in a fragment shows.
    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public void ProductOfIntegersIsExact(int inner)
    {
        var random = new Random(inner);
        float[,] a = Matrix(16, inner, () => random.Next(-50, 51)), b = Matrix(inner, 8, () => random.Next(-50, 51)),
            c = Matrix(16, 8, () => random.Next(-1000, 1001));
        float[,] d = Multiply(a, b, c);
        for (int i = 0; i < 16; i++)
        {
            for (int j = 0; j < 8; j++)
            {
                double expected = c[i, j];
                for (int k = 0; k < inner; k++)
                    expected += (double)a[i, k] * b[k, j];
                Assert.Equal(expected, d[i, j]);
            }
        }
    }

    // Sums are cut once per block of 4 or 8 products: each cut is below a unit in the last place, of a sum that is at most the sum
    // of magnitudes. So the error is at most (inner / block) 2^-23 of that.
    [Theory]
    [InlineData(8, 4, 0xffffe000)]
    [InlineData(16, 8, 0xffff0000)]
    public void ProductIsWithinItsBound(int inner, int block, uint kept)
    {
        var random = new Random(1);
        float Value() => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits((float)(random.NextDouble() - 0.5)) & kept);
        float[,] a = Matrix(16, inner, Value), b = Matrix(inner, 8, Value), c = Matrix(16, 8, () => (float)random.NextDouble());
        float[,] d = Multiply(a, b, c);
        double worst = 0;
        for (int i = 0; i < 16; i++)
        {
            for (int j = 0; j < 8; j++)
            {
                double expected = c[i, j], magnitude = Math.Abs(c[i, j]);
                for (int k = 0; k < inner; k++)
                {
                    expected += (double)a[i, k] * b[k, j];
                    magnitude += Math.Abs((double)a[i, k] * b[k, j]);
                }

                worst = Math.Max(worst, Math.Abs(d[i, j] - expected) / magnitude);
            }
        }

        Assert.InRange(worst, double.Epsilon, inner / block * Math.Pow(2, -23));
    }

    [Fact]
    public void LowBitsOfTf32AreIgnored()
    {
        float almost = BitConverter.UInt32BitsToSingle(0x3f801fff);
        float[,] d = Multiply(Matrix(16, 8, () => almost), Matrix(8, 8, () => almost), Matrix(16, 8, () => 0));
        Assert.All(d.Cast<float>(), v => Assert.Equal(8f, v));
    }

    [Fact]
    public void NotANumberIsCanonical()
    {
        float[,] a = Matrix(16, 8, () => 1);
        a[3, 5] = float.NaN;
        float[,] d = Multiply(a, Matrix(8, 8, () => 1), Matrix(16, 8, () => 0));
        for (int i = 0; i < 16; i++)
        {
            for (int j = 0; j < 8; j++)
                Assert.Equal(i == 3 ? 0x7fffffffu : BitConverter.SingleToUInt32Bits(8), BitConverter.SingleToUInt32Bits(d[i, j]));
        }
    }

    [Fact]
    public void EveryLaneMustTakePart()
    {
        string text = WarpKernel.Text(Tf32, 10, 4, 31, 16);
        using var device = new PtxDevice();
        ulong[] parameters = [device.Allocate(4096), device.Allocate(4096)];
        PtxFaultException fault = Assert.Throws<PtxFaultException>(() =>
            device.Launch(PtxModule.Parse(text).Find("k")!, new PtxDim(1), new PtxDim(31),
                System.Runtime.InteropServices.MemoryMarshal.AsBytes<ulong>(parameters)));
        Assert.Equal(PtxFaultKind.Divergence, fault.Kind);
    }

    // Each matrix is 8 rows of 8 halves; the rows lie in shared memory in another order than they are asked for.
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(4, false)]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(4, true)]
    public void MatricesAreLoaded(int count, bool isTransposed)
    {
        ushort[] halves = [.. Enumerable.Range(0, 32 * 8).Select(i => (ushort)((i * 257) + 3))];
        uint[] words = [.. halves.Chunk(2).Select(p => p[0] | ((uint)p[1] << 16))];
        // Four words a lane fill row "lane"; row r of matrix m is asked for at row (5 (8 m + r)) % 32.
        uint[][] inputs = [.. Enumerable.Range(0, 4).Select(j => Enumerable.Range(0, 32).Select(lane => words[(lane * 4) + j]).ToArray())];
        string targets = string.Join(", ", Enumerable.Range(0, count).Select(i => $"%d{i}"));
        string body = $$"""
            mul.wide.u32 %rd4, %r0, 16;
            add.u64 %rd4, %rd3, %rd4;
            st.shared.v4.b32 [%rd4], {%a0, %a1, %a2, %a3};
            bar.sync 0;
            mul.lo.s32 %r1, %r0, 5;
            and.b32 %r1, %r1, 31;
            mul.wide.u32 %rd5, %r1, 16;
            add.u64 %rd5, %rd3, %rd5;
            ldmatrix.sync.aligned.m8n8.x{{count}}{{(isTransposed ? ".trans" : "")}}.shared.b16 {{{targets}}}, [%rd5];
            """;
        uint[][] result = WarpKernel.Run(body, inputs, count);
        ushort Half(int matrix, int row, int column) => halves[((((8 * matrix) + row) * 5 % 32) * 8) + column];
        for (int m = 0; m < count; m++)
        {
            for (int lane = 0; lane < 32; lane++)
            {
                int g = lane / 4, t = 2 * (lane % 4);
                uint expected = isTransposed ? Half(m, t, g) | ((uint)Half(m, t + 1, g) << 16) : Half(m, g, t)
                    | ((uint)Half(m, g, t + 1) << 16);
                Assert.Equal(expected, result[m][lane]);
            }
        }
    }

    private static float[,] Matrix(int rows, int columns, Func<float> value)
    {
        float[,] m = new float[rows, columns];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
                m[i, j] = value();
        }

        return m;
    }

    // The fragments by the figures of the PTX ISA: row g or g + 8, column pairs or quarters of t.
    private static float[,] Multiply(float[,] a, float[,] b, float[,] c)
    {
        bool isTf32 = a.GetLength(1) == 8;
        uint[][] inputs = [.. Enumerable.Range(0, 10).Select(_ => new uint[32])];
        for (int lane = 0; lane < 32; lane++)
        {
            int g = lane / 4, t = lane % 4;
            uint[] all = isTf32
                ? [Bits(a[g, t]), Bits(a[g + 8, t]), Bits(a[g, t + 4]), Bits(a[g + 8, t + 4]), Bits(b[t, g]), Bits(b[t + 4, g])]
                : [
                    Pair(a[g, 2 * t], a[g, (2 * t) + 1]), Pair(a[g + 8, 2 * t], a[g + 8, (2 * t) + 1]),
                        Pair(a[g, (2 * t) + 8], a[g, (2 * t) + 9]),
                    Pair(a[g + 8, (2 * t) + 8], a[g + 8, (2 * t) + 9]), Pair(b[2 * t, g], b[(2 * t) + 1, g]),
                        Pair(b[(2 * t) + 8, g], b[(2 * t) + 9, g]),
                ];
            all = [.. all, Bits(c[g, 2 * t]), Bits(c[g, (2 * t) + 1]), Bits(c[g + 8, 2 * t]), Bits(c[g + 8, (2 * t) + 1])];
            for (int i = 0; i < 10; i++)
                inputs[i][lane] = all[i];
        }

        uint[][] result = WarpKernel.Run(isTf32 ? Tf32 : BFloat, inputs, 4);
        float[,] d = new float[16, 8];
        for (int lane = 0; lane < 32; lane++)
        {
            for (int i = 0; i < 4; i++)
                d[(lane / 4) + (8 * (i / 2)), (2 * (lane % 4)) + (i % 2)] = BitConverter.UInt32BitsToSingle(result[i][lane]);
        }

        return d;
    }

    private static uint Bits(float v) => BitConverter.SingleToUInt32Bits(v);

    private static uint Pair(float low, float high) => (Bits(low) >> 16) | (Bits(high) & 0xffff0000);
}
