using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace UniCardio.Weights.Torch;

/// <summary>CRC-32 of ISO 3309 (polynomial 0xEDB88320 reflected), as zip archives carry it; eight bytes a step (Kounavis and Berry
/// 2005).</summary>
internal static class Crc32
{
    private static readonly uint[][] Tables = MakeTables();

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        uint[] t0 = Tables[0], t1 = Tables[1], t2 = Tables[2], t3 = Tables[3], t4 = Tables[4], t5 = Tables[5], t6 = Tables[6],
            t7 = Tables[7];
        uint crc = ~0u;
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            uint low = crc ^ BinaryPrimitives.ReadUInt32LittleEndian(bytes), high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            crc = t7[(byte)low] ^ t6[(byte)(low >> 8)] ^ t5[(byte)(low >> 16)] ^ t4[(byte)(low >> 24)]
                ^ t3[(byte)high] ^ t2[(byte)(high >> 8)] ^ t1[(byte)(high >> 16)] ^ t0[(byte)(high >> 24)];
        }

        foreach (byte b in bytes)
            crc = t0[(byte)(crc ^ b)] ^ (crc >> 8);
        return ~crc;
    }

    // Table k holds the effect of a byte that stands k places before the end of a step.
    private static uint[][] MakeTables()
    {
        uint[][] tables = new uint[8][];
        for (int k = 0; k < 8; k++)
        {
            tables[k] = new uint[256];
            for (uint i = 0; i < 256; i++)
            {
                uint value = k == 0 ? i : tables[k - 1][i];
                for (int bit = 0; bit < 8; bit++)
                    value = (value & 1) != 0 ? (value >> 1) ^ 0xEDB88320u : value >> 1;
                tables[k][i] = value;
            }
        }

        return tables;
    }
}
