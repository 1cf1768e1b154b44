using UniCardio.Engine.Model;

namespace UniCardio.Gpu.Types;

/// <summary>How the weights of a block's four large maps lie on the device, for <see cref="StripShape.Weights"/>.</summary>
internal enum WeightKind
{
    /// <summary>Float32, with what is constant folded in.</summary>
    Single,

    /// <summary>bf16, as they are in the file.</summary>
    BFloat,

    /// <summary>f16, as they are in the file.</summary>
    Half,
}

/// <summary>Which weights lose nothing in 16 bits.</summary>
internal static class WeightKinds
{
    /// <summary>The kind that holds every weight of the large maps exactly; <see cref="WeightKind.Single"/> where neither does.</summary>
    /// <remarks>The values decide, not the file's type: what an f16 or bf16 file holds is exact by nature, and nothing else is.</remarks>
    public static WeightKind Of(ModelWeights weights)
    {
        ParameterTensor[] maps = [.. weights.Network.Blocks.SelectMany(Maps)];
        return Array.TrueForAll(maps, m => Holds(m.Span, IsBFloat)) ? WeightKind.BFloat
            : Array.TrueForAll(maps, m => Holds(m.Span, IsHalf)) ? WeightKind.Half : WeightKind.Single;
    }

    /// <summary>A value's 16 bits.</summary>
    public static ushort Bits(WeightKind kind, float value) => kind == WeightKind.BFloat
        ? (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16) : BitConverter.HalfToUInt16Bits((Half)value);

    private static IEnumerable<ParameterTensor> Maps(BlockWeights<WeightAndBias<ParameterTensor>> b) =>
        [b.AttentionIn.Weight, b.AttentionOut.Weight, b.MidProjection.Weight, b.OutputProjection.Weight];

    private static bool Holds(ReadOnlySpan<float> values, Func<float, bool> isExact)
    {
        foreach (float value in values)
        {
            if (!isExact(value))
                return false;
        }

        return true;
    }

    private static bool IsBFloat(float value) => (BitConverter.SingleToUInt32Bits(value) & 0xffff) == 0;

    private static bool IsHalf(float value) => (float)(Half)value == value;
}
