using UniCardio.Engine.Model;

namespace UniCardio.Engine.Reference;

/// <summary>The sine/cosine code of a token's position (Vaswani et al., arXiv 1706.03762), base 10000.</summary>
/// <remarks>
/// The official table is built in float32, whose rounding is repeated: d_j = fl32(1 / fl32(10000^fl32(2j/C))), a = fl32(position d_j);
/// channel 2j is sin a, channel 2j + 1 is cos a.
/// </remarks>
public static class ReferencePositionCode
{
    /// <summary>The position that a token's code is taken at.</summary>
    /// <param name="configuration">Its <see cref="ModelConfiguration.Positions"/> and sizes.</param>
    /// <param name="slot">0 to 3.</param>
    /// <param name="token">0 to S/p - 1 within the slot.</param>
    public static int Position(ModelConfiguration configuration, int slot, int token)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration.Positions == PositionKind.Slot ? token : (slot * configuration.SlotTokens) + token;
    }

    /// <summary>The code of one position.</summary>
    /// <param name="position">0 or above.</param>
    /// <param name="code">[C] float32 values; C is even.</param>
    public static void Row(int position, Span<double> code)
    {
        int channels = code.Length;
        for (int c = 0; c < channels; c++)
        {
            float exponent = (float)((double)(c - (c % 2)) / channels);
            float divisor = 1f / (float)Math.Pow(10000, exponent);
            float angle = position * divisor;
            code[c] = (float)(c % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle));
        }
    }

    /// <summary>The codes of one slot's tokens.</summary>
    /// <param name="configuration">The network's sizes.</param>
    /// <param name="slot">0 to 3.</param>
    /// <param name="code">[S/p, C].</param>
    public static void Slot(ModelConfiguration configuration, int slot, Span<double> code)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        int tokens = configuration.SlotTokens, channels = configuration.Channels;
        ReferenceShape.Expect(code.Length, (long)tokens * channels, "[S/p, C]", nameof(code));
        for (int token = 0; token < tokens; token++)
            Row(Position(configuration, slot, token), code.Slice(token * channels, channels));
    }
}
