using System.Runtime.Intrinsics.X86;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using Xunit.Abstractions;

namespace UniCardio.Engine.Tests.Sampling;

public sealed class PhiloxTests(ITestOutputHelper output)
{
    // Known answers published with Random123 (kat_vectors): all zeros, all ones, digits of pi.
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0ul, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xfffffffffffffffful, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u,
        0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0x299f31d0a4093822ul, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u,
        0x24126ea1u)]
    public void KnownAnswers(uint c0, uint c1, uint c2, uint c3, ulong key, uint w0, uint w1, uint w2, uint w3) =>
        Assert.Equal((w0, w1, w2, w3), Philox4x32.Block((c0, c1, c2, c3), key));

    [Fact]
    public void OneBlockGivesFourNormalsOfItsFourWords()
    {
        float[] z = new float[12];
        PhiloxNormal.Fill(0x0123456789abcdef, window: 7, draw: 5, step: 3, z);
        (uint w0, uint w1, uint w2, uint w3) = Philox4x32.Block((2, 5, 7, 3), 0x0123456789abcdef);
        static double R(uint w) => Math.Sqrt(-2 * Math.Log(((w >> 1) + 0.5) / 2147483648.0));
        static double A(uint w) => 2 * Math.PI * w / 4294967296.0;
        double[] expected = [R(w0) * Math.Cos(A(w1)), R(w0) * Math.Sin(A(w1)), R(w2) * Math.Cos(A(w3)), R(w2) * Math.Sin(A(w3))];
        for (int i = 0; i < 4; i++)
            Assert.Equal(expected[i], z[8 + i], 1e-6);
    }

    // The written transform evaluated apart from this code, in exact rational arithmetic rounded where it says so. A change of
    // transform or counter layout, or a machine that rounds otherwise, shows here.
    [Fact]
    public void BitsAreFrozen()
    {
        float[] z = new float[8];
        PhiloxNormal.Fill(42, 1, 2, 3, z);
        string bits = string.Join(' ', z.Select(v => BitConverter.SingleToUInt32Bits(v).ToString("x8")));
        Assert.Equal("be9d046e 3e131685 bf25ddea 3ec2737f bcae2809 40080ac6 3f369916 bdb99a45", bits);
    }

    [SkippableFact]
    public void VectorPathEqualsScalarBitForBit()
    {
        Skip.IfNot(Avx2.IsSupported && Fma.IsSupported, "no AVX2 on this machine");
        for (int length = 0; length <= 200; length++)
        {
            float[] scalar = new float[length], vector = new float[length + 1];
            vector[length] = 77;
            ulong seed = 0x9E3779B97F4A7C15 * (ulong)length;
            PhiloxNormal.FillScalar(seed, (uint)length, 1, 2, uint.MaxValue - 9, scalar);
            PhiloxNormal.FillAvx2(seed, (uint)length, 1, 2, uint.MaxValue - 9, vector.AsSpan(0, length));
            Assert.True(scalar.AsSpan().SequenceEqual(vector.AsSpan(0, length)), $"length {length}");
            Assert.Equal(77, vector[length]);
        }

        float[] longScalar = new float[1 << 20], longVector = new float[1 << 20];
        PhiloxNormal.FillScalar(ulong.MaxValue, 1, 2, 3, 0, longScalar);
        PhiloxNormal.FillAvx2(ulong.MaxValue, 1, 2, 3, 0, longVector);
        Assert.True(longScalar.AsSpan().SequenceEqual(longVector));
    }

    [Fact]
    public void AnyStretchHasTheValuesOfTheWhole()
    {
        float[] whole = new float[300];
        PhiloxNormal.Fill(5, 6, 7, 8, whole);
        for (int first = 0; first < 140; first++)
        {
            float[] part = new float[1 + (first * 7 % 150)];
            PhiloxNormal.Fill(5, 6, 7, 8, part, first);
            Assert.Equal(whole.AsSpan(first, part.Length).ToArray(), part);
        }
    }

    [Fact]
    public void NoiseDoesNotDependOnHowWindowsAndDrawsAreBatched()
    {
        ModelConfiguration model = ModelConfiguration.Tiny;
        CardioTask task = CardioTask.Parse("ppg->ecg");
        var whole = new InferencePlan(model, task, 3, 5);
        uint[] ids = [11, 4, 900];
        float[] expected = new float[model.SlotSamples], part = new float[model.SlotSamples];
        for (int batchDraw = 0; batchDraw < whole.BatchDraws; batchDraw++)
        {
            int window = batchDraw / 5, draw = batchDraw % 5;
            NoiseSource.Philox(9, ids).Fill(whole, 2, batchDraw, expected);
            NoiseSource.Philox(9, [ids[window]], (uint)draw).Fill(new InferencePlan(model, task), 2, 0, part);
            Assert.Equal(expected, part);
        }
    }

    [Fact]
    public void EachWindowMayHaveItsOwnSeed()
    {
        ModelConfiguration model = ModelConfiguration.Tiny;
        CardioTask task = CardioTask.Parse("ppg->ecg");
        var whole = new InferencePlan(model, task, 3, 2);
        uint[] ids = [11, 4, 11];
        ulong[] seeds = [9, 9, ulong.MaxValue];
        float[] expected = new float[model.SlotSamples], actual = new float[model.SlotSamples];
        for (int batchDraw = 0; batchDraw < whole.BatchDraws; batchDraw++)
        {
            NoiseSource.Philox(seeds, ids, 6).Fill(whole, 1, batchDraw, actual);
            NoiseSource.Philox(seeds[batchDraw / 2], ids, 6).Fill(whole, 1, batchDraw, expected);
            Assert.Equal(expected, actual);
        }

        Assert.Throws<ArgumentException>(() => NoiseSource.Philox([1ul, 2], [1u]));
    }

    [Fact]
    public void ExplicitNoiseIsTakenByRowAndDraw()
    {
        var plan = new InferencePlan(ModelConfiguration.Tiny, CardioTask.Parse("ppg->ecg"), 2, 3);
        float[] values = [.. Enumerable.Range(0, 4 * plan.StateSamples).Select(i => (float)i)];
        float[] z = new float[10];
        NoiseSource.Explicit(values).Fill(plan, 3, 4, z, first: 7);
        Assert.Equal(Enumerable.Range((3 * plan.StateSamples) + 407, 10).Select(i => (float)i), z);
        Assert.Throws<ArgumentException>(() => NoiseSource.Explicit(values).Fill(plan, 4, 0, new float[10]));
        Assert.Throws<ArgumentException>(() => NoiseSource.Philox(1, [1]).Fill(plan, 0, 0, new float[10]));
        Assert.Throws<ArgumentException>(() => NoiseSource.Explicit(values).Fill(plan, 0, 6, new float[10]));
        Assert.Throws<ArgumentException>(() => NoiseSource.Explicit(values).Fill(plan, 0, 5, new float[10], 95));
    }

    // Radius: 2^21 words spread over the range and the ends. Angle likewise.
    [Fact]
    public void TransformErrors()
    {
        double worstRadius = 0, worstAngle = 0;
        for (uint i = 0; i < 1 << 21; i++)
        {
            uint word = i < 2048 ? i : i > (1 << 21) - 2048 ? uint.MaxValue - ((1 << 21) - i) : (i * 2039) + 17;
            double exact = Math.Sqrt(
                -2 * Math.Log(Math.Min(1, (double)(float)(((double)(float)(int)(word >> 1) / 2147483648.0) + (1 / 4294967296.0)))));
            worstRadius = Math.Max(worstRadius, Math.Abs(PhiloxNormal.Radius(word) - exact) / Ulp(exact));
            (float cos, float sin) = PhiloxNormal.CosSin(word);
            double angle = 2 * Math.PI * word / 4294967296.0;
            worstAngle = Math.Max(worstAngle, Math.Max(Math.Abs(cos - Math.Cos(angle)), Math.Abs(sin - Math.Sin(angle))));
        }

        output.WriteLine($"radius {worstRadius:f3} ulp, cos and sin {worstAngle / Math.Pow(2, -24):f3} x 2^-24");

        // r: half an ulp each from the last fma (halved by the root), the root and the polynomial's 0.1 ulp: 1.5 leaves room.
        Assert.InRange(worstRadius, 0, 1.5);

        // cos, sin in [-1, 1]: rounding of the word's 30 bits, of the product by Turn and of the result, each at most 2^-25 relative.
        Assert.InRange(worstAngle, 0, 2 * Math.Pow(2, -24));
    }

    private static double Ulp(double value) => value < float.Epsilon ? float.Epsilon : MathF.BitIncrement((float)value) - (float)value;
}
