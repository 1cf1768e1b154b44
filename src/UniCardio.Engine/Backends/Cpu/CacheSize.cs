using System.Globalization;
using System.Runtime.Intrinsics.X86;

namespace UniCardio.Engine.Backends.Cpu;

/// <summary>The second-level cache of this machine, from which the length of a strip follows.</summary>
internal static class CacheSize
{
    private const long Unknown = 1 << 20;
    private const long MaxBelievable = 1L << 30;

    /// <summary>Bytes of the L2 of the first processor: from the system's tables, else from the processor, else 1 MiB.</summary>
    public static long Level2 { get; } = FromSystem("/sys/devices/system/cpu/cpu0/cache") ?? FromProcessor() ?? Unknown;

    /// <summary>
    /// Most tokens of a strip for a cache: 2 KiB a token, whole blocks of 32, from 96 to 512. Measured: 512 with 1 MiB (Zen 4), 348 to 504
    /// with 2 MiB (Sapphire Rapids) are the best of 96 to 504; weights then come from L3 once in a set of the published 500 rows.
    /// </summary>
    public static int StripRows(long level2) => (int)Math.Clamp(level2 / 2048 / 32 * 32, 96, 512);

    /// <summary>The size in Linux's tables: index files with level, type and size, such as <c>1024K</c>.</summary>
    internal static long? FromSystem(string folder)
    {
        try
        {
            foreach (string index in Directory.EnumerateDirectories(folder, "index*"))
            {
                string Word(string name) => File.ReadAllText(Path.Combine(index, name)).Trim();
                if (Word("level") == "2" && Word("type") != "Instruction")
                    return Parse(Word("size"));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No such tables here, or not for us.
        }

        return null;
    }

    /// <summary>Bytes of a size such as <c>512K</c> or <c>2M</c>; null for anything else.</summary>
    internal static long? Parse(string size)
    {
        int shift = size.Length == 0 ? 0 : size[^1] switch
        {
            'K' => 10,
            'M' => 20,
            _ => 0,
        };
        bool isNumber = long.TryParse(shift == 0 ? size : size[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out long value);
        return isNumber && value > 0 && value <= MaxBelievable >> shift ? value << shift : null;
    }

    // Leaf 4 of Intel and leaf 0x8000001D of AMD describe one cache an index: type in bits 0-4 of eax (0 ends the list), level in 5-7;
    // ways, partitions and line size less one in ebx, sets less one in ecx.
    private static long? FromProcessor()
    {
        if (!X86Base.IsSupported)
            return null;
        foreach (int leaf in (int[])[4, unchecked((int)0x8000001D)])
        {
            if (X86Base.CpuId(leaf & int.MinValue, 0).Eax is int max && (uint)max < (uint)leaf)
                continue;
            for (int index = 0; index < 16; index++)
            {
                (int eax, int ebx, int ecx, _) = X86Base.CpuId(leaf, index);
                int type = eax & 31, level = (eax >> 5) & 7;
                if (type == 0)
                    break;
                long bytes = (((uint)ebx >> 22) + 1L) * (((ebx >> 12) & 1023) + 1) * ((ebx & 4095) + 1) * ((uint)ecx + 1L);
                if (level == 2 && type != 2 && bytes is > 0 and <= MaxBelievable)
                    return bytes;
            }
        }

        return null;
    }
}
