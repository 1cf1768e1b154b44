using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>The six convolutions of a slot at one token, as 11 taps a channel with zeros where a kernel is shorter.</summary>
internal static class Convolution
{
    /// <summary>Most threads of a group of the encoder: with some 110 registers they fit a multiprocessor.</summary>
    public const int MaxThreads = 512;

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
    /// <param name="state">[batch draws, S].</param>
    /// <param name="slot">Slot instance.</param>
    /// <param name="firstToken">First token of the chunk.</param>
    /// <param name="tokens">Tokens of a chunk.</param>
    public static void Load(ArrayView<float> chunk, EncoderShape shape, ArrayView<float> conditions, ArrayView<float> state, int slot,
        int firstToken, int tokens)
    {
        int samples = shape.SlotTokens * shape.SamplesPerToken, count = (tokens * shape.SamplesPerToken) + (2 * Reach);
        int first = (firstToken * shape.SamplesPerToken) - Reach;
        for (int i = (Group.IdxY * Group.DimX) + Group.IdxX; i < count; i += Group.DimX * Group.DimY)
        {
            int s = first + i;
            float value = 0;
            if (s >= 0 && s < samples)
                value = slot < shape.ConditionSlots ? conditions[(slot * samples) + s]
                    : state[((slot - shape.ConditionSlots) * samples) + s];
            chunk[i] = value;
        }
    }

    /// <summary>Where the four channels of a quad begin in a token's samples: channel c takes sample offset c mod p.</summary>
    public static Offsets Starts(EncoderShape shape, int quad)
    {
        int p = shape.SamplesPerToken;
        Offsets starts;
        starts.X = 4 * quad % p;
        starts.Y = starts.X + 1 == p ? 0 : starts.X + 1;
        starts.Z = starts.Y + 1 == p ? 0 : starts.Y + 1;
        starts.W = starts.Z + 1 == p ? 0 : starts.Z + 1;
        return starts;
    }

    /// <summary>The weights of four channels, fetched together: one after the other each would wait for the cache.</summary>
    /// <param name="weights">[11 taps + bias, C] of the slot's encoder.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="quad">Quad of channels.</param>
    public static TapWeights Weights(ArrayView<Float4> weights, EncoderShape shape, int quad)
    {
        int quads = shape.Quads;
        TapWeights w;
        w.T0 = weights[quad];
        w.T1 = weights[quad + quads];
        w.T2 = weights[quad + (2 * quads)];
        w.T3 = weights[quad + (3 * quads)];
        w.T4 = weights[quad + (4 * quads)];
        w.T5 = weights[quad + (5 * quads)];
        w.T6 = weights[quad + (6 * quads)];
        w.T7 = weights[quad + (7 * quads)];
        w.T8 = weights[quad + (8 * quads)];
        w.T9 = weights[quad + (9 * quads)];
        w.T10 = weights[quad + (10 * quads)];
        w.Bias = weights[quad + (Taps * quads)];
        return w;
    }

    /// <summary>Four channels at one token.</summary>
    /// <param name="chunk">Samples.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="weights">Of the quad of channels.</param>
    /// <param name="starts">Of the quad.</param>
    /// <param name="token">Token of the chunk.</param>
    public static Float4 Apply(ArrayView<float> chunk, EncoderShape shape, TapWeights weights, Offsets starts, int token)
    {
        int at = token * shape.SamplesPerToken;
        Float4 sum = Tap(chunk, weights.T0, starts, at, weights.Bias);
        sum = Tap(chunk, weights.T1, starts, at + 1, sum);
        sum = Tap(chunk, weights.T2, starts, at + 2, sum);
        sum = Tap(chunk, weights.T3, starts, at + 3, sum);
        sum = Tap(chunk, weights.T4, starts, at + 4, sum);
        sum = Tap(chunk, weights.T5, starts, at + 5, sum);
        sum = Tap(chunk, weights.T6, starts, at + 6, sum);
        sum = Tap(chunk, weights.T7, starts, at + 7, sum);
        sum = Tap(chunk, weights.T8, starts, at + 8, sum);
        sum = Tap(chunk, weights.T9, starts, at + 9, sum);
        return Tap(chunk, weights.T10, starts, at + 10, sum);
    }

    private static Float4 Tap(ArrayView<float> chunk, Float4 weight, Offsets starts, int at, Float4 sum)
    {
        var samples = new Float4(chunk[at + starts.X], chunk[at + starts.Y], chunk[at + starts.Z], chunk[at + starts.W]);
        return Float4.MultiplyAdd(samples, weight, sum);
    }

    /// <summary>Quads of one encoder's convolution weights.</summary>
    public static int WeightQuads(int quads) => (Taps + 1) * quads;
}

/// <summary>Sample offsets of a quad's channels within a token.</summary>
internal struct Offsets
{
    /// <summary>Of channel 0.</summary>
    public int X;

    /// <summary>Of channel 1.</summary>
    public int Y;

    /// <summary>Of channel 2.</summary>
    public int Z;

    /// <summary>Of channel 3.</summary>
    public int W;
}

/// <summary>Convolution weights of a quad of channels: 11 taps and the bias.</summary>
internal struct TapWeights
{
    /// <summary>Tap 0.</summary>
    public Float4 T0;

    /// <summary>Tap 1.</summary>
    public Float4 T1;

    /// <summary>Tap 2.</summary>
    public Float4 T2;

    /// <summary>Tap 3.</summary>
    public Float4 T3;

    /// <summary>Tap 4.</summary>
    public Float4 T4;

    /// <summary>Tap 5.</summary>
    public Float4 T5;

    /// <summary>Tap 6.</summary>
    public Float4 T6;

    /// <summary>Tap 7.</summary>
    public Float4 T7;

    /// <summary>Tap 8.</summary>
    public Float4 T8;

    /// <summary>Tap 9.</summary>
    public Float4 T9;

    /// <summary>Tap 10.</summary>
    public Float4 T10;

    /// <summary>The bias.</summary>
    public Float4 Bias;
}
