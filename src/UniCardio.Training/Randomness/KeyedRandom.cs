using UniCardio.Engine.Sampling;

namespace UniCardio.Training.Randomness;

/// <summary>What a random number of a training run is for; a word of its key, so that no two uses share a number.</summary>
internal enum RandomUse : uint
{
    /// <summary>Diffusion noise of a window (draw 0 of <see cref="PhiloxNormal"/>).</summary>
    Noise = 0,

    /// <summary>Initial weights.</summary>
    Weights = 1,

    /// <summary>Tasks of a batch.</summary>
    Tasks = 2,

    /// <summary>Diffusion steps of a batch.</summary>
    Steps = 3,

    /// <summary>Names of dropout masks.</summary>
    Dropout = 4,
}

/// <summary>Uniform numbers keyed by (seed, use, place, step): a run resumed at any step draws what the uninterrupted run draws.</summary>
internal struct KeyedRandom(ulong seed, RandomUse use, uint place, long step)
{
    private uint _block;

    /// <summary>The next 64 bits.</summary>
    public ulong NextBits()
    {
        // Steps beyond 2^32 wrap into the block's upper half.
        uint high = (uint)(step >> 32) << 24;
        (uint w0, uint w1, _, _) = Philox4x32.Block((high | _block++, (uint)use, place, (uint)step), seed);
        return ((ulong)w1 << 32) | w0;
    }

    /// <summary>A number in [0, 1).</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A whole number from 0 to <paramref name="bound"/> - 1.</summary>
    public int Next(int bound) => (int)(NextDouble() * bound);
}
