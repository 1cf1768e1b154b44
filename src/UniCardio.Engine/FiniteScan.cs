using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace UniCardio.Engine;

/// <summary>Looks for NaN and infinity.</summary>
internal static class FiniteScan
{
    // All exponent bits set is what infinities and NaN have in common. Four whole vectors a turn, so that a 25 MB file is looked
    // through at the speed of memory; compiled in full at once, because it mostly runs at the start of a process.
    /// <summary>Index of the first value that is not finite, -1 if all are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int FirstNonFinite(ReadOnlySpan<float> values)
    {
        ReadOnlySpan<Vector<uint>> bits = MemoryMarshal.Cast<float, Vector<uint>>(values);
        var exponent = new Vector<uint>(0x7F800000u);
        int v = 0;
        for (; v <= bits.Length - 4; v += 4)
        {
            Vector<uint> set = Vector.Equals(bits[v] & exponent, exponent) | Vector.Equals(bits[v + 1] & exponent, exponent)
                | Vector.Equals(bits[v + 2] & exponent, exponent) | Vector.Equals(bits[v + 3] & exponent, exponent);
            if (set != Vector<uint>.Zero)
                break;
        }

        int i = v * Vector<uint>.Count;
        for (; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
                return i;
        }

        return -1;
    }
}
