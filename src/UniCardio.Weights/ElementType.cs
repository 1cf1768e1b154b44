using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace UniCardio.Weights;

/// <summary>Type of a stored tensor's elements.</summary>
public enum ElementType
{
    /// <summary>IEEE 754 binary32.</summary>
    F32,

    /// <summary>IEEE 754 binary64.</summary>
    F64,

    /// <summary>IEEE 754 binary16.</summary>
    F16,

    /// <summary>The upper half of a binary32.</summary>
    BF16,

    /// <summary>8-bit float, 4 exponent and 3 mantissa bits.</summary>
    F8E4M3,

    /// <summary>8-bit float, 5 exponent and 2 mantissa bits.</summary>
    F8E5M2,

    /// <summary>Signed 8-bit integer.</summary>
    I8,

    /// <summary>Signed 16-bit integer.</summary>
    I16,

    /// <summary>Signed 32-bit integer.</summary>
    I32,

    /// <summary>Signed 64-bit integer.</summary>
    I64,

    /// <summary>Unsigned 8-bit integer.</summary>
    U8,

    /// <summary>Unsigned 16-bit integer.</summary>
    U16,

    /// <summary>Unsigned 32-bit integer.</summary>
    U32,

    /// <summary>Unsigned 64-bit integer.</summary>
    U64,

    /// <summary>One byte, 0 or 1.</summary>
    Bool,
}

/// <summary>Sizes of element types and their conversion to float32.</summary>
internal static class ElementTypes
{
    /// <summary>The types in which weights are stored, as messages say them.</summary>
    public const string Stored = "F32, F64, F16, BF16, or I8 with scales";

    /// <summary>Bytes of one element.</summary>
    public static int Size(this ElementType type) => type switch
    {
        ElementType.F64 or ElementType.I64 or ElementType.U64 => 8,
        ElementType.F32 or ElementType.I32 or ElementType.U32 => 4,
        ElementType.F16 or ElementType.BF16 or ElementType.I16 or ElementType.U16 => 2,
        _ => 1,
    };

    /// <summary>Whether weights can be stored in this type: F32, F64, F16, BF16.</summary>
    public static bool IsConvertible(this ElementType type) =>
        type is ElementType.F32 or ElementType.F64 or ElementType.F16 or ElementType.BF16;

    /// <summary>One little-endian element as float32, rounded to nearest.</summary>
    internal static float Read(ElementType type, ReadOnlySpan<byte> at) => type switch
    {
        ElementType.F32 => BinaryPrimitives.ReadSingleLittleEndian(at),
        ElementType.F64 => (float)BinaryPrimitives.ReadDoubleLittleEndian(at),
        ElementType.F16 => (float)BinaryPrimitives.ReadHalfLittleEndian(at),
        ElementType.BF16 => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(at) << 16),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a floating-point type that weights are stored in"),
    };

    /// <summary>The first of the little-endian elements, as many as the destination holds, at any alignment, as float32.</summary>
    internal static void Convert(ElementType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        if (type == ElementType.F32 && BitConverter.IsLittleEndian)
        {
            Span<byte> bytes = MemoryMarshal.AsBytes(destination);
            source[..bytes.Length].CopyTo(bytes);
            return;
        }

        int size = type.Size();
        for (int i = 0; i < destination.Length; i++)
            destination[i] = Read(type, source[(i * size)..]);
    }
}
