using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>The six convolutions of a slot at one token, as 11 taps a channel with zeros where a kernel is shorter.</summary>
public static class Convolution
{
    /// <summary>Taps of the widest kernel.</summary>
    public const int Taps = 11;

    /// <summary>Samples that the widest kernel reads on either side.</summary>
    public const int Reach = 5;

    /// <summary>Floats of a chunk's samples in shared memory.</summary>
    public const int Samples = 2048;

    /// <summary>Copies the samples around a chunk of tokens, zeros outside the slot. A barrier must follow.</summary>
    /// <param name="chunk">Takes the samples from <see cref="Reach"/> before the first token on.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="conditions">[condition slots, S].</param>
    /// <param name="state">[streams, S].</param>
    /// <param name="slot">Slot instance.</param>
    /// <param name="firstToken">First token of the chunk.</param>
    /// <param name="tokens">Tokens of a chunk.</param>
    public static void Load(ArrayView<float> chunk, EncoderShape shape, ArrayView<float> conditions, ArrayView<float> state, int slot, int firstToken, int tokens)
    {
        int samples = shape.SlotTokens * shape.SamplesPerToken, count = (tokens * shape.SamplesPerToken) + (2 * Reach);
        int first = (firstToken * shape.SamplesPerToken) - Reach;
        for (int i = (Group.IdxY * Group.DimX) + Group.IdxX; i < count; i += Group.DimX * Group.DimY)
        {
            int s = first + i;
            float value = 0;
            if (s >= 0 && s < samples)
                value = slot < shape.ConditionSlots ? conditions[(slot * samples) + s] : state[((slot - shape.ConditionSlots) * samples) + s];
            chunk[i] = value;
        }
    }

    /// <summary>Four channels at one token; channel c takes sample offset c mod p of the token.</summary>
    /// <param name="chunk">Samples.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="weights">[11 taps + bias, C] of the slot's encoder.</param>
    /// <param name="token">Token of the chunk.</param>
    /// <param name="quad">Quad of channels.</param>
    public static Float4 Apply(ArrayView<float> chunk, EncoderShape shape, ArrayView<Float4> weights, int token, int quad)
    {
        int p = shape.SamplesPerToken, at = token * p, c = 4 * quad;
        int s0 = at + (c % p), s1 = at + ((c + 1) % p), s2 = at + ((c + 2) % p), s3 = at + ((c + 3) % p);
        Float4 sum = weights[(Taps * shape.Quads) + quad];
        for (int tap = 0; tap < Taps; tap++)
            sum = Float4.MultiplyAdd(new Float4(chunk[s0 + tap], chunk[s1 + tap], chunk[s2 + tap], chunk[s3 + tap]), weights[(tap * shape.Quads) + quad], sum);
        return sum;
    }

    /// <summary>Quads of one encoder's convolution weights.</summary>
    public static int WeightQuads(int quads) => (Taps + 1) * quads;
}
