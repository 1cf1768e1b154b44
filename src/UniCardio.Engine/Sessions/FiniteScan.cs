using System.Numerics;
using System.Runtime.InteropServices;

namespace UniCardio.Engine.Sessions;

/// <summary>Looks for NaN and infinity.</summary>
internal static class FiniteScan
{
    private const uint Exponent = 0x7F800000;

    /// <summary>Index of the first value that is not finite, -1 if all are.</summary>
    public static int FirstNonFinite(ReadOnlySpan<float> values)
    {
        ReadOnlySpan<uint> bits = MemoryMarshal.Cast<float, uint>(values);
        var exponent = new Vector<uint>(Exponent);
        int i = 0;
        for (; i <= bits.Length - Vector<uint>.Count; i += Vector<uint>.Count)
        {
            if (Vector.EqualsAny(new Vector<uint>(bits[i..]) & exponent, exponent))
                break;
        }

        for (; i < bits.Length; i++)
        {
            if ((bits[i] & Exponent) == Exponent)
                return i;
        }

        return -1;
    }
}
