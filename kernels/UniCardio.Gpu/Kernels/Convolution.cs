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

    /// <summary>Four channels at one token.</summary>
    /// <param name="chunk">Samples.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="weights">[11 taps + bias, C] of the slot's encoder.</param>
    /// <param name="starts">Of the quad.</param>
    /// <param name="token">Token of the chunk.</param>
    /// <param name="quad">Quad of channels.</param>
    public static Float4 Apply(ArrayView<float> chunk, EncoderShape shape, ArrayView<Float4> weights, Offsets starts, int token, int quad)
    {
        int at = token * shape.SamplesPerToken;
        Float4 sum = weights[(Taps * shape.Quads) + quad];
        // Written out, so that the taps' weights are fetched together: one after the other each waits for the cache.
        sum = Tap(chunk, weights, starts, at, quad, sum);
        sum = Tap(chunk, weights, starts, at + 1, quad + shape.Quads, sum);
        sum = Tap(chunk, weights, starts, at + 2, quad + (2 * shape.Quads), sum);
        sum = Tap(chunk, weights, starts, at + 3, quad + (3 * shape.Quads), sum);
        sum = Tap(chunk, weights, starts, at + 4, quad + (4 * shape.Quads), sum);
        sum = Tap(chunk, weights, starts, at + 5, quad + (5 * shape.Quads), sum);
        sum = Tap(chunk, weights, starts, at + 6, quad + (6 * shape.Quads), sum);
        sum = Tap(chunk, weights, starts, at + 7, quad + (7 * shape.Quads), sum);
        sum = Tap(chunk, weights, starts, at + 8, quad + (8 * shape.Quads), sum);
        sum = Tap(chunk, weights, starts, at + 9, quad + (9 * shape.Quads), sum);
        return Tap(chunk, weights, starts, at + 10, quad + (10 * shape.Quads), sum);
    }

    private static Float4 Tap(ArrayView<float> chunk, ArrayView<Float4> weights, Offsets starts, int at, int w, Float4 sum)
    {
        var samples = new Float4(chunk[at + starts.X], chunk[at + starts.Y], chunk[at + starts.Z], chunk[at + starts.W]);
        return Float4.MultiplyAdd(samples, weights[w], sum);
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
