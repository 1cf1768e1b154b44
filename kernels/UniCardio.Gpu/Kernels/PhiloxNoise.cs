using ILGPU;
using ILGPU.Algorithms;

namespace UniCardio.Gpu.Kernels;

/// <summary>
/// Standard normal noise keyed by (seed, window, draw, step, sample): Philox4x32-10 (Salmon et al., SC 2011) and the transform
/// that the engine's noise is written down with (UniCardio.Engine.Sampling.PhiloxNormal).
/// </summary>
/// <remarks>
/// The words are those of the CPU to the bit. The transform's steps are the same, but whether a multiplication and an addition
/// fuse is the compiler's choice here, so normals may differ from the CPU's by 2e-6.
/// </remarks>
internal static class PhiloxNoise
{
    /// <summary>The four words of one counter.</summary>
    public static Words Block(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = 0xD2511F53ul * c0, p1 = 0xCD9E8D57ul * c2;
            c0 = (uint)(p1 >> 32) ^ c1 ^ k0;
            c2 = (uint)(p0 >> 32) ^ c3 ^ k1;
            c1 = (uint)p1;
            c3 = (uint)p0;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }

        Words words;
        words.W0 = c0;
        words.W1 = c1;
        words.W2 = c2;
        words.W3 = c3;
        return words;
    }

    /// <summary>The normal of one sample of one draw.</summary>
    /// <param name="step">Noise index, draws of a window and the first one's identity.</param>
    /// <param name="keys">[W, 3] identity, low and high half of the seed of each window.</param>
    /// <param name="batchDraw">Draw of the batch, window * N + draw.</param>
    /// <param name="sample">Sample of the window.</param>
    public static float OfDraw(StepValues step, ArrayView<int> keys, int batchDraw, int sample)
    {
        int window = batchDraw / step.Draws, draw = batchDraw - (window * step.Draws);
        return Sample((uint)keys[(3 * window) + 1], (uint)keys[(3 * window) + 2], (uint)keys[3 * window], (uint)(step.FirstDraw + draw),
            (uint)step.NoiseIndex, sample);
    }

    /// <summary>The normal of one sample.</summary>
    public static float Sample(uint seedLow, uint seedHigh, uint window, uint draw, uint step, int sample)
    {
        Words words = Block((uint)(sample / 4), draw, window, step, seedLow, seedHigh);
        int element = sample % 4;
        float radius = element < 2 ? Radius(words.W0) : Radius(words.W2);
        uint angle = element < 2 ? words.W1 : words.W3;
        return radius * CosSin(angle, element % 2);
    }

    // sqrt(-2 ln u) of a uniform u in [2^-32, 1].
    private static float Radius(uint word)
    {
        float u = ((int)(word >> 1) * (1f / 2147483648f)) + (1f / 4294967296f);
        int bits = (int)Interop.FloatAsInt(u), e = (bits - 0x3F3504F3) >> 23;
        float f = Interop.IntAsFloat((uint)(bits - (e << 23))) - 1f;
        float p = (f * -0.07634493f) + 0.12761575f;
        p = (f * p) - 0.13160183f;
        p = (f * p) + 0.14201759f;
        p = (f * p) - 0.16623357f;
        p = (f * p) + 0.20001227f;
        p = (f * p) - 0.2500082f;
        p = (f * p) + 0.3333333f;
        p = (f * p) - 0.5f;
        p = (f * f * p) + f;
        // Without fusing the sum may round above 0 where u is 1.
        return XMath.Sqrt(XMath.Max(0f, -2f * ((e * 0.693147182f) + p)));
    }

    // Cosine (part 0) or sine (part 1) of 2 pi word / 2^32.
    private static float CosSin(uint word, int part)
    {
        uint quarter = (word + 0x20000000u) >> 30;
        float y = (int)(word - (quarter << 30)) * 1.46291807927e-9f, y2 = y * y;
        float s = (y2 * -0.000195173f) + 0.008332178f;
        s = (y2 * s) - 0.16666655f;
        s = (y * y2 * s) + y;
        float c = (y2 * 2.4438452e-5f) - 0.0013887368f;
        c = (y2 * c) + 0.041666646f;
        c = (y2 * c) - 0.5f;
        c = (y2 * c) + 1f;
        // sin a = cos(a - a quarter): one quarter back.
        quarter = (quarter + (part == 0 ? 0u : 3u)) & 3u;
        float value = (quarter & 1u) == 0u ? c : s;
        return quarter == 1u || quarter == 2u ? -value : value;
    }
}

/// <summary>Four random words.</summary>
internal struct Words
{
    /// <summary>Word 0.</summary>
    public uint W0;

    /// <summary>Word 1.</summary>
    public uint W1;

    /// <summary>Word 2.</summary>
    public uint W2;

    /// <summary>Word 3.</summary>
    public uint W3;
}
