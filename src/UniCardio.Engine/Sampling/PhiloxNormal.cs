using System.Runtime.Intrinsics.X86;

namespace UniCardio.Engine.Sampling;

/// <summary>
/// Philox4x32-10, a counter-based random generator: 128 bits of counter and 64 bits of key give 128 random bits, and nothing
/// else does (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
/// </summary>
internal static class Philox4x32
{
    /// <summary>Rounds.</summary>
    public const int Rounds = 10;

    internal const uint Multiplier0 = 0xD2511F53;
    internal const uint Multiplier1 = 0xCD9E8D57;
    internal const uint KeyStep0 = 0x9E3779B9;
    internal const uint KeyStep1 = 0xBB67AE85;

    /// <summary>The four words of one counter.</summary>
    /// <param name="counter">Counter words 0 to 3.</param>
    /// <param name="key">Key; its low half is word 0, its high half word 1.</param>
    public static (uint W0, uint W1, uint W2, uint W3) Block((uint C0, uint C1, uint C2, uint C3) counter, ulong key)
    {
        (uint c0, uint c1, uint c2, uint c3) = counter;
        uint k0 = (uint)key, k1 = (uint)(key >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            ulong p0 = (ulong)Multiplier0 * c0, p1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += KeyStep0;
            k1 += KeyStep1;
        }

        return (c0, c1, c2, c3);
    }
}

/// <summary>
/// Standard normal noise that depends on (seed, window, draw, step, sample) and on nothing else: not on batch, thread count,
/// order or machine. Every operation below is a 32-bit integer operation or one IEEE float32 multiplication, fused
/// multiply-add, square root or int-to-float conversion, rounded to nearest even; no library function is used, so every
/// processor gives the same bits, and a GPU kernel that repeats the steps does too.
/// </summary>
/// <remarks>
/// <para><b>Counter.</b> Samples 4b .. 4b+3 come from the Philox4x32-10 block with counter words
/// (b, draw, window, step) and the seed as key (low half: word 0). <em>step</em> is the noise draw's index of
/// <see cref="SamplerStep.NoiseIndex"/>, 0 for x_T.</para>
/// <para><b>Words to normals.</b> Box and Muller (1958) on the pairs (w0, w1) and (w2, w3): with radius r(w0), angle a(w1),
/// sample 4b is r cos a, 4b+1 is r sin a; with r(w2), a(w3), sample 4b+2 is r cos a, 4b+3 is r sin a.</para>
/// <para><b>Radius.</b> u = fma(float(int(w &gt;&gt; 1)), 2^-31, 2^-32), in [2^-32, 1]. i = bits(u), e = (i - 0x3F3504F3) &gt;&gt; 23
/// (arithmetic), m = float with bits i - (e &lt;&lt; 23), in [sqrt(1/2), sqrt(2)), f = m - 1. P = Horner's rule by fma over
/// <c>Log7 .. Log0</c>. l = fma(e, ln 2, fma(f * f, fma(f, P, -0.5), f)). r = sqrt(-2 * l). At most 6.66.</para>
/// <para><b>Angle.</b> w is a turn of 2^32. q = (w + 2^29) &gt;&gt; 30 (32-bit, wrapping) is the nearest quarter, the rest
/// y = float(int(w - (q &lt;&lt; 30))) * (2 pi / 2^32) is in [-pi/4, pi/4]. s = fma(y * (y y), Horner(Sin2 .. Sin0; y y), y),
/// c = fma(y y, fma(y y, Horner(Cos2 .. Cos0; y y), -0.5), 1). (cos, sin) = (c, s), (-s, c), (-c, -s), (s, -c) for q = 0 .. 3.</para>
/// <para>The polynomials are minimax fits (Lawson iteration in double, rounded once) for this project: relative error of
/// ln(1+f) 5.9e-9, of sin 3.6e-9, of cos 1e-10 before rounding. The normals' largest error is stated in the tests.</para>
/// </remarks>
internal static partial class PhiloxNormal
{
    internal const int LogOffset = 0x3F3504F3;
    internal const float Ln2 = 0.693147182f;
    internal const float Log0 = 0.3333333f;
    internal const float Log1 = -0.2500082f;
    internal const float Log2 = 0.20001227f;
    internal const float Log3 = -0.16623357f;
    internal const float Log4 = 0.14201759f;
    internal const float Log5 = -0.13160183f;
    internal const float Log6 = 0.12761575f;
    internal const float Log7 = -0.07634493f;
    internal const float Turn = 2 * MathF.PI / 4294967296f;
    internal const float Sin0 = -0.16666655f;
    internal const float Sin1 = 0.008332178f;
    internal const float Sin2 = -0.000195173f;
    internal const float Cos0 = 0.041666646f;
    internal const float Cos1 = -0.0013887368f;
    internal const float Cos2 = 2.4438452e-5f;

    /// <summary>Fills a stretch of one noise draw.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="window">Identity of the window.</param>
    /// <param name="draw">Draw of the window.</param>
    /// <param name="step">Index of the noise draw within the run; 0 is x_T.</param>
    /// <param name="destination">Where samples <paramref name="first"/>, <paramref name="first"/> + 1, ... go.</param>
    /// <param name="first">The first sample; any stretch has the values that it has in the whole.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="first"/> is negative.</exception>
    public static void Fill(ulong seed, uint window, uint draw, uint step, Span<float> destination, int first = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        uint block = (uint)first / 4;
        int skip = first % 4;
        if (skip != 0)
        {
            Span<float> whole = stackalloc float[4];
            FillScalar(seed, window, draw, step, block++, whole);
            int count = Math.Min(4 - skip, destination.Length);
            whole.Slice(skip, count).CopyTo(destination);
            destination = destination[count..];
        }

        if (Avx2.IsSupported && Fma.IsSupported)
            FillAvx2(seed, window, draw, step, block, destination);
        else
            FillScalar(seed, window, draw, step, block, destination);
    }

    /// <summary>The twin of every vectorised path.</summary>
    internal static void FillScalar(ulong seed, uint window, uint draw, uint step, uint block, Span<float> destination)
    {
        Span<float> tail = stackalloc float[4];
        while (!destination.IsEmpty)
        {
            (uint w0, uint w1, uint w2, uint w3) = Philox4x32.Block((block++, draw, window, step), seed);
            Span<float> four = destination.Length < 4 ? tail : destination[..4];
            (four[0], four[1]) = Pair(w0, w1);
            (four[2], four[3]) = Pair(w2, w3);
            if (destination.Length < 4)
            {
                tail[..destination.Length].CopyTo(destination);
                return;
            }

            destination = destination[4..];
        }
    }

    /// <summary>Two normals of two words.</summary>
    internal static (float Cos, float Sin) Pair(uint radius, uint angle)
    {
        float r = Radius(radius);
        (float cos, float sin) = CosSin(angle);
        return (r * cos, r * sin);
    }

    /// <summary>sqrt(-2 ln u).</summary>
    internal static float Radius(uint word)
    {
        float u = MathF.FusedMultiplyAdd((int)(word >> 1), 1 / 2147483648f, 1 / 4294967296f);
        int bits = BitConverter.SingleToInt32Bits(u);
        int e = (bits - LogOffset) >> 23;
        float f = BitConverter.Int32BitsToSingle(bits - (e << 23)) - 1;
        float p = MathF.FusedMultiplyAdd(f, Log7, Log6);
        p = MathF.FusedMultiplyAdd(f, p, Log5);
        p = MathF.FusedMultiplyAdd(f, p, Log4);
        p = MathF.FusedMultiplyAdd(f, p, Log3);
        p = MathF.FusedMultiplyAdd(f, p, Log2);
        p = MathF.FusedMultiplyAdd(f, p, Log1);
        p = MathF.FusedMultiplyAdd(f, p, Log0);
        p = MathF.FusedMultiplyAdd(f, p, -0.5f);
        p = MathF.FusedMultiplyAdd(f * f, p, f);
        return MathF.Sqrt(-2 * MathF.FusedMultiplyAdd(e, Ln2, p));
    }

    /// <summary>Cosine and sine of 2 pi word / 2^32.</summary>
    internal static (float Cos, float Sin) CosSin(uint word)
    {
        uint q = (word + 0x20000000) >> 30;
        float y = (int)(word - (q << 30)) * Turn;
        float y2 = y * y;
        float s = MathF.FusedMultiplyAdd(y2, Sin2, Sin1);
        s = MathF.FusedMultiplyAdd(y2, s, Sin0);
        s = MathF.FusedMultiplyAdd(y * y2, s, y);
        float c = MathF.FusedMultiplyAdd(y2, Cos2, Cos1);
        c = MathF.FusedMultiplyAdd(y2, c, Cos0);
        c = MathF.FusedMultiplyAdd(y2, c, -0.5f);
        c = MathF.FusedMultiplyAdd(y2, c, 1);
        return q switch
        {
            0 => (c, s),
            1 => (-s, c),
            2 => (-c, -s),
            _ => (s, -c),
        };
    }
}
