namespace UniCardio.Ptx.Tests;

/// <summary>Operands at the edges of each type, and how they are combined.</summary>
internal static class EdgeValues
{
    private static readonly ulong[] s_words =
    [
        0, 1, 2, 3, 7, 15, 16, 30, 31, 32, 33, 63, 64, 65, 255, 256, 0x7fff, 0x8000, 0xffff, 0x10000, 0x12345678, 0x7ffffffe, 0x7fffffff,
            0x80000000, 0x80000001, 0xfffffffe, 0xffffffff,
    ];

    private static readonly ulong[] s_wides =
    [
        0, 1, 2, 31, 32, 33, 63, 64, 65, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x123456789abcdef0, 0x7fffffffffffffff,
            0x8000000000000000, 0x8000000000000001, 0xffffffff00000000, 0xfffffffffffffffe, 0xffffffffffffffff,
    ];

    // Zeros, subnormals, the smallest normal, ties, integers at and past the ranges of int and uint, infinities, quiet and signalling NaN.
    private static readonly ulong[] s_floats =
    [
        0, 0x80000000, 1, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000, 0x00800001, 0x3f800000, 0xbf800000, 0x3f7fffff, 0x3f800001,
            0x3f000000, 0xbf000000, 0x3fc00000, 0x40200000,
        0xc0200000, 0x40490fdb, 0x42c80000, 0xc2fc0000, 0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001, 0x4f7fffff, 0x4f800000,
            0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345, 0x7f800001,
        0x3f801000, 0x3f803000, 0x3f808000, 0x3f818000, 0x7f7ff000,
    ];

    public static ulong[] Of(PtxType type) => type switch
    {
        PtxType.Pred => [0, 1],
        PtxType.F32 => s_floats,
        _ when type.Size() == 8 => s_wides,
        _ when type.Size() == 4 => s_words,
        _ => [0, 1, 0x7f, 0x80, 0xff, 0x3ff, 0x400, 0x7bff, 0x7c00, 0xfc00, 0x7e00,
            0x83ff, 0x3c01, 0x7f80, 0x7fff, 0x8000, 0xffff, 0x3f80, 0xbf80],
    };

    /// <summary>Every pair of the first two operands; a third and fourth go through their values beside them.</summary>
    public static List<ulong[]> Combine(PtxType[] sources)
    {
        var rows = new List<ulong[]>();
        ulong[] first = Of(sources[0]), second = sources.Length > 1 ? Of(sources[1]) : [0];
        for (int i = 0; i < first.Length; i++)
        {
            for (int j = 0; j < second.Length; j++)
            {
                int at = (i * 7) + (j * 3);
                rows.Add([.. sources.Select((t, k) => k == 0 ? first[i] : k == 1 ? second[j] : Of(t)[(at + (5 * k)) % Of(t).Length])]);
            }
        }

        return rows;
    }
}
