using UniCardio.Engine.Model;

namespace UniCardio.Engine.Reference;

/// <summary>The embedding of a diffusion step t: a sine/cosine table, then two linear maps with SiLU.</summary>
/// <remarks>
/// The official table is built in float32 and is not in the checkpoint. Its arguments reach 490,000, so float32's rounding of them is part
/// of the model and is repeated here exactly: x_j = fl32(fl32(j / (E/2 - 1)) 4), f_j = fl32(10^x_j), a = fl32(t f_j).
/// </remarks>
internal static class ReferenceDiffusionEmbedding
{
    /// <summary>Row t of the table: [sin(t f_0) ..., cos(t f_0) ...], f_j = 10^(4 j / (E/2 - 1)), j below E/2.</summary>
    /// <param name="t">Diffusion step, 0 to T-1.</param>
    /// <param name="table">[E] float32 values; E is even and at least 4.</param>
    /// <exception cref="ArgumentException">E is odd or below 4.</exception>
    public static void Table(int t, Span<double> table)
    {
        if (table.Length < 4 || table.Length % 2 != 0)
            throw new ArgumentException($"an embedding of {table.Length} is not even and at least 4", nameof(table));
        int half = table.Length / 2;
        for (int j = 0; j < half; j++)
        {
            float exponent = (float)((double)j / (half - 1)) * 4f;
            float frequency = (float)Math.Pow(10, exponent);
            float angle = t * frequency;
            table[j] = (float)Math.Sin(angle);
            table[half + j] = (float)Math.Cos(angle);
        }
    }

    /// <summary>Computes SiLU(W2 SiLU(W1 table[t] + b1) + b2).</summary>
    /// <param name="first">W1, b1.</param>
    /// <param name="second">W2, b2.</param>
    /// <param name="t">Diffusion step, 0 to T-1.</param>
    /// <param name="embedding">[E].</param>
    public static void Forward(LinearMap first, LinearMap second, int t, Span<double> embedding)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        double[] table = new double[embedding.Length], hidden = new double[embedding.Length];
        Table(t, table);
        first.Forward(table, hidden);
        ReferenceSilu.Forward(hidden, hidden);
        second.Forward(hidden, embedding);
        ReferenceSilu.Forward(embedding, embedding);
    }
}

/// <summary>The sine/cosine code of a token's position (Vaswani et al., arXiv 1706.03762), base 10000.</summary>
/// <remarks>
/// The official table is built in float32, whose rounding is repeated: d_j = fl32(1 / fl32(10000^fl32(2j/C))), a = fl32(position d_j);
/// channel 2j is sin a, channel 2j + 1 is cos a.
/// </remarks>
internal static class ReferencePositionCode
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
