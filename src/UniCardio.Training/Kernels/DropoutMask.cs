using System.Runtime.CompilerServices;
using UniCardio.Engine.Sampling;

namespace UniCardio.Training.Kernels;

/// <summary>Where in the network a dropout mask stands; a word of its counter.</summary>
internal enum DropoutSite : uint
{
    /// <summary>Attention weights after the softmax.</summary>
    Attention,

    /// <summary>Output of attention, before the residual.</summary>
    AttentionOut,

    /// <summary>Hidden layer of the feed-forward map, after GELU.</summary>
    Hidden,

    /// <summary>Output of the feed-forward map, before the residual.</summary>
    FeedForwardOut,
}

/// <summary>
/// Inverted dropout (Srivastava et al. 2014) as a function of place: <c>x[j] &lt;- x[j] keep_j / (1 - rate)</c>, keep_j from 16 bits of
/// Philox at counter (j / 8, row, window and block, site), so that forward and backward draw the same mask without storing it.
/// </summary>
/// <param name="Seed">The call's seed.</param>
/// <param name="Threshold">rate 2^16: a value below it drops the element; 0 drops nothing.</param>
internal readonly record struct DropoutMask(ulong Seed, uint Threshold)
{
    /// <summary>The mask of a rate.</summary>
    /// <param name="seed">The call's seed.</param>
    /// <param name="rate">0 to below 1; rounded to a multiple of 2^-16.</param>
    public static DropoutMask Of(ulong seed, double rate) => new(seed, (uint)Math.Round(rate * 65536));

    /// <summary>Whether nothing is dropped.</summary>
    public bool IsOff => Threshold == 0;

    /// <summary>Multiplies one row by its mask.</summary>
    /// <param name="x">[count].</param>
    /// <param name="count">Elements.</param>
    /// <param name="site">Where.</param>
    /// <param name="window">Window in the batch.</param>
    /// <param name="block">Residual block.</param>
    /// <param name="row">Row within window and site (for attention: head and query).</param>
    public unsafe void Apply(float* x, int count, DropoutSite site, int window, int block, int row)
    {
        float scale = 65536f / (65536 - Threshold);
        uint where = ((uint)site << 24) | (uint)block;
        for (int j = 0; j < count; j += 8)
        {
            (uint a, uint b, uint c, uint d) = Philox4x32.Block(((uint)(j / 8), (uint)row, (uint)window, where), Seed);
            int rest = Math.Min(8, count - j);
            for (int i = 0; i < rest; i++)
            {
                uint word = (i >> 1) switch { 0 => a, 1 => b, 2 => c, _ => d };
                uint value = (i & 1) == 0 ? word & 0xFFFF : word >> 16;
                x[j + i] = value < Threshold ? 0f : x[j + i] * scale;
            }
        }
    }
}
