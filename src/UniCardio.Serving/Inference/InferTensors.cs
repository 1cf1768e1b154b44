using System.Buffers.Binary;
using UniCardio.Serving.Hosting;

namespace UniCardio.Serving.Inference;

/// <summary>What every way of sending tensors has in common: their types, their sizes, their bytes.</summary>
internal static class InferTensors
{
    /// <exception cref="RequestException">It is of a type that is not taken.</exception>
    public static void RequireType(string name, string type)
    {
        if (type is not ("FP32" or "FP64" or "FP16" or "BF16"))
            throw RequestException.Bad(
                $"input '{name}' is of datatype '{type}'; expected FP32, or FP64, FP16 or BF16, which are converted");
    }

    /// <summary>Values of a shape.</summary>
    /// <exception cref="RequestException">They are more than <paramref name="maxValues"/>, or an extent is negative.</exception>
    public static int Count(string name, IReadOnlyCollection<long> shape, int maxValues)
    {
        // Bounded factor by factor, so that the product cannot overflow.
        long count = 1;
        foreach (long extent in shape)
        {
            if (extent < 0)
                throw RequestException.Bad($"input '{name}': shape [{string.Join(", ", shape)}] has a negative extent");
            count = extent > maxValues ? long.MaxValue : count * extent;
            if (count > maxValues)
                throw RequestException.Bad(
                    $"input '{name}': shape [{string.Join(", ", shape)}] has more than {maxValues} values, which is as many as this "
                    + $"server takes");
        }
        return (int)count;
    }

    /// <summary>Bytes of a value.</summary>
    public static int Width(string type) => type switch { "FP64" => 8, "FP32" => 4, _ => 2 };

    /// <summary>Little-endian bytes as float32.</summary>
    /// <exception cref="RequestException">A value is infinite, or no float32.</exception>
    public static float[] FromBytes(string name, string type, int count, ReadOnlySpan<byte> bytes)
    {
        int width = Width(type);
        var values = new float[count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = Value(name, type, i, bytes[(width * i)..]);
            if (float.IsInfinity(values[i]))
                throw RequestException.Bad($"input '{name}', value {i} is infinite; expected finite numbers, NaN where missing");
        }
        return values;
    }

    /// <summary>A double as float32, exactly or not at all: what a float32 cannot hold is refused, not rounded.</summary>
    /// <exception cref="RequestException">It is no float32.</exception>
    public static float Exact(string name, int i, double value) =>
        double.IsNaN(value) || (float)value == value ? (float)value
            : throw RequestException.Bad(
                $"input '{name}', value {i} is no float32, which the network computes in; round to FP32 before sending");

    private static float Value(string name, string type, int i, ReadOnlySpan<byte> bytes) => type switch
    {
        "FP16" => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes),
        "BF16" => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16),
        "FP64" => Exact(name, i, BinaryPrimitives.ReadDoubleLittleEndian(bytes)),
        _ => BinaryPrimitives.ReadSingleLittleEndian(bytes),
    };
}
