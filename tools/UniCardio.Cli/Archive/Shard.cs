using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace UniCardio.Cli.Archive;

/// <summary>Part i of n of an archive, i from 0. Recordings are parted by a hash of their names, so that adding some moves none.</summary>
internal readonly record struct Shard(int Index, int Count) : IParsable<Shard>
{
    private const int Max = 1_000_000;

    public static Shard Whole { get; } = new(0, 1);

    /// <summary>Whether a recording belongs to this part.</summary>
    public bool Contains(string name)
    {
        // FNV-1a, 64 bits; the upper half is folded in, as the lowest bits alone are mixed least.
        ulong hash = 0xCBF29CE484222325UL;
        foreach (byte b in Encoding.UTF8.GetBytes(name))
            hash = (hash ^ b) * 0x100000001B3UL;
        return (int)((hash ^ (hash >> 32)) % (uint)Count) == Index;
    }

    public static Shard Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out Shard shard) ? shard
            : throw new FormatException($"'{s}' is not a part I/N with I from 0 to N-1, e.g. 0/16");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out Shard result)
    {
        result = default;
        string[] parts = (s ?? "").Split('/');
        if (parts.Length != 2
            || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            || count is < 1 or > Max || index >= count)
            return false;
        result = new Shard(index, count);
        return true;
    }

    public override string ToString() => $"{Index}/{Count}";
}
