using System.Numerics;

namespace UniCardio.Ptx.Tests;

/// <summary>What each form gives by the PTX ISA, a scalar at a time and in another way than the simulator's.</summary>
internal static class FormRules
{
    private const uint Nan = 0x7fffffff;

    private static readonly string[] s_comparisons = ["eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu",
        "leu", "gtu", "geu", "num", "nan"];

    /// <summary>The result's bits of a form; null if this table does not have it.</summary>
    public static Func<ulong[], ulong>? Find(string name)
    {
        string[] parts = name.Split('.');
        string type = parts[^1];
        return parts[0] switch
        {
            "setp" => v => Compare(parts[1], type, v[0], v[1]) ? 1UL : 0,
            "selp" => v => v[2] != 0 ? v[0] : v[1],
            "cvt" => Convert(parts),
            "cvta" => v => v[0],
            "mov" => v => v[0],
            _ when type == "f32" => Float(parts),
            _ when type == "pred" => Predicate(parts[0]),
            _ when type.EndsWith("64", StringComparison.Ordinal) => Wide(parts[0], type),
            _ => Integer(parts[0], parts.Length > 2 ? parts[1] : "", type),
        };
    }

    /// <summary>Whether the ISA lets an instruction be wrong by 2 units in the last place.</summary>
    public static bool IsApproximate(string name) => name.Contains(".approx", StringComparison.Ordinal)
        || name.Contains(".full", StringComparison.Ordinal);

    private static Func<ulong[], ulong>? Predicate(string opcode) => opcode switch
    {
        "and" => v => v[0] & v[1],
        "or" => v => v[0] | v[1],
        "xor" => v => v[0] ^ v[1],
        "not" => v => 1 - v[0],
        _ => null,
    };

    private static Func<ulong[], ulong>? Integer(string opcode, string modifier, string type)
    {
        bool signed = type[0] == 's';
        return (opcode, modifier) switch
        {
            ("add", _) => v => (uint)(v[0] + v[1]),
            ("sub", _) => v => (uint)(v[0] - v[1]),
            ("mul", "lo") => v => (uint)(v[0] * v[1]),
            ("mul", "hi") => v => signed ? (uint)(((long)(int)v[0] * (int)v[1]) >> 32) : (uint)((v[0] * v[1]) >> 32),
            ("mul", "wide") => v => signed ? (ulong)((long)(int)v[0] * (int)v[1]) : v[0] * v[1],
            ("mad", "lo") => v => (uint)((v[0] * v[1]) + v[2]),
            ("mad", "wide") => v => (signed ? (ulong)((long)(int)v[0] * (int)v[1]) : v[0] * v[1]) + v[2],
            ("div", _) => v => v[1] == 0 ? uint.MaxValue : signed ? (uint)((long)(int)v[0] / (int)v[1]) : (uint)(v[0] / v[1]),
            ("rem", _) => v => v[1] == 0 ? (uint)v[0] : signed ? (uint)((long)(int)v[0] % (int)v[1]) : (uint)(v[0] % v[1]),
            ("min", _) => v => signed ? (uint)Math.Min((int)v[0], (int)v[1]) : (uint)Math.Min(v[0], v[1]),
            ("max", _) => v => signed ? (uint)Math.Max((int)v[0], (int)v[1]) : (uint)Math.Max(v[0], v[1]),
            ("neg", _) => v => (uint)-(long)v[0],
            ("abs", _) => v => (uint)Math.Abs((long)(int)v[0]),
            ("and", _) => v => v[0] & v[1],
            ("or", _) => v => v[0] | v[1],
            ("xor", _) => v => v[0] ^ v[1],
            ("not", _) => v => (uint)~v[0],
            ("shl", _) => v => v[1] > 31 ? 0 : (uint)(v[0] << (int)v[1]),
            ("shr", _) => v => signed ? (uint)((long)(int)v[0] >> (int)Math.Min(v[1], 40)) : v[1] > 31 ? 0 : (uint)(v[0] >> (int)v[1]),
            ("popc", _) => v => (ulong)Enumerable.Range(0, 32).Count(i => ((v[0] >> i) & 1) != 0),
            ("clz", _) => v => (ulong)Enumerable.Range(0, 32).TakeWhile(i => ((v[0] >> (31 - i)) & 1) == 0).Count(),
            _ => null,
        };
    }

    private static Func<ulong[], ulong>? Wide(string opcode, string type)
    {
        bool signed = type[0] == 's';
        return opcode switch
        {
            "add" => v => v[0] + v[1],
            "sub" => v => v[0] - v[1],
            "mul" => v => (ulong)((BigInteger)v[0] * v[1] & ulong.MaxValue),
            "mad" => v => (ulong)((((BigInteger)v[0] * v[1]) + v[2]) & ulong.MaxValue),
            "div" => v => v[1] == 0 ? ulong.MaxValue : signed ? (ulong)((BigInteger)(long)v[0] / (long)v[1] & ulong.MaxValue) : v[0] / v[1],
            "rem" => v => v[1] == 0 ? v[0] : signed ? (ulong)((BigInteger)(long)v[0] % (long)v[1] & ulong.MaxValue) : v[0] % v[1],
            "min" => v => signed ? (ulong)Math.Min((long)v[0], (long)v[1]) : Math.Min(v[0], v[1]),
            "max" => v => signed ? (ulong)Math.Max((long)v[0], (long)v[1]) : Math.Max(v[0], v[1]),
            "neg" => v => 0 - v[0],
            "and" => v => v[0] & v[1],
            "or" => v => v[0] | v[1],
            "xor" => v => v[0] ^ v[1],
            "not" => v => ulong.MaxValue - v[0],
            "shl" => v => (ulong)((BigInteger)v[0] << (int)Math.Min(v[1], 200) & ulong.MaxValue),
            "shr" => v => signed ? (ulong)((BigInteger)(long)v[0] >> (int)Math.Min(v[1], 200) & ulong.MaxValue)
                : (ulong)((BigInteger)v[0] >> (int)Math.Min(v[1], 200)),
            _ => null,
        };
    }

    private static Func<ulong[], ulong>? Float(string[] parts)
    {
        bool flush = parts.Contains("ftz"), saturate = parts.Contains("sat");
        Func<float[], float>? of = parts[0] switch
        {
            "add" => v => v[0] + v[1],
            "sub" => v => v[0] - v[1],
            "mul" => v => v[0] * v[1],
            "fma" => v => MathF.FusedMultiplyAdd(v[0], v[1], v[2]),
            "div" => v => v[0] / v[1],
            "min" => v => MinMax(v[0], v[1], takesLess: true),
            "max" => v => MinMax(v[0], v[1], takesLess: false),
            "neg" => v => -v[0],
            "abs" => v => MathF.Abs(v[0]),
            "rcp" => v => 1 / v[0],
            "sqrt" => v => MathF.Sqrt(v[0]),
            "rsqrt" => v => (float)(1 / Math.Sqrt(v[0])),
            "ex2" => v => (float)Math.Pow(2, v[0]),
            "lg2" => v => (float)Math.Log2(v[0]),
            "sin" => v => (float)Math.Sin(v[0]),
            "cos" => v => (float)Math.Cos(v[0]),
            "tanh" => v => (float)Math.Tanh(v[0]),
            _ => null,
        };
        if (of is null)
            return null;
        return v =>
        {
            float result = of([.. v.Select(b => Flush(Bits(b), flush))]);
            result = Flush(result, flush);
            if (saturate)
                result = result > 0 ? MathF.Min(result, 1) : 0;
            return float.IsNaN(result) ? Nan : BitConverter.SingleToUInt32Bits(result);
        };
    }

    private static Func<ulong[], ulong>? Convert(string[] parts)
    {
        string to = parts[^2], from = parts[^1];
        if (from == "f32")
            return FromFloat(parts[1], to);
        if (from == "bf16")
            return v => v[0] << 16;
        if (from == "f16")
        {
            return v => BitConverter.UInt16BitsToHalf((ushort)v[0]) is var half && Half.IsNaN(half) ? Nan
                : BitConverter.SingleToUInt32Bits((float)half);
        }

        if (to == "f32")
        {
            return from switch
            {
                "s32" => v => BitConverter.SingleToUInt32Bits((int)v[0]),
                "u32" => v => BitConverter.SingleToUInt32Bits((uint)v[0]),
                "s64" => v => BitConverter.SingleToUInt32Bits((long)v[0]),
                _ => v => BitConverter.SingleToUInt32Bits(v[0]),
            };
        }

        Func<ulong, BigInteger> read = from switch
        {
            "s8" => b => (sbyte)b,
            "s16" => b => (short)b,
            "s32" => b => (int)b,
            "s64" => b => (long)b,
            "u8" => b => (byte)b,
            "u16" => b => (ushort)b,
            "u32" => b => (uint)b,
            _ => b => b,
        };
        int bits = int.Parse(to[1..], System.Globalization.CultureInfo.InvariantCulture);
        return v => (ulong)(read(v[0]) & ((BigInteger.One << bits) - 1));
    }

    private static Func<ulong[], ulong>? FromFloat(string rounding, string to)
    {
        Func<double, double>? round = rounding switch
        {
            "rni" => v => Math.Round(v, MidpointRounding.ToEven),
            "rzi" => Math.Truncate,
            "rmi" => Math.Floor,
            "rpi" => Math.Ceiling,
            _ => null,
        };
        switch (to)
        {
            case "f32" when round is not null:
                return v => float.IsNaN(Bits(v[0])) ? Nan : BitConverter.SingleToUInt32Bits((float)round(Bits(v[0])));
            case "s32" when round is not null:
                return v => float.IsNaN(Bits(v[0])) ? 0 : (uint)(int)Math.Clamp(round(Bits(v[0])), int.MinValue, int.MaxValue);
            case "u32" when round is not null:
                return v => float.IsNaN(Bits(v[0])) ? 0 : (uint)Math.Clamp(round(Bits(v[0])), 0, uint.MaxValue);
            case "tf32":
                return v => float.IsFinite(Bits(v[0])) ? Nearest(v[0], 13, tiesToEven: false) << 13 : float.IsNaN(Bits(v[0])) ? Nan : v[0];
            case "bf16":
                return v => BrainFloat(v[0]);
            case "bf16x2":
                return v => (BrainFloat(v[0]) << 16) | BrainFloat(v[1]);
            default:
                return null;
        }
    }

    private static ulong BrainFloat(ulong bits) => float.IsNaN(Bits(bits)) ? 0x7fff : Nearest(bits, 16, tiesToEven: true);

    // The upper bits, rounded to nearest.
    private static ulong Nearest(ulong bits, int dropped, bool tiesToEven)
    {
        ulong whole = bits >> dropped, rest = bits & ((1UL << dropped) - 1), half = 1UL << (dropped - 1);
        return rest > half || (rest == half && (!tiesToEven || (whole & 1) != 0)) ? whole + 1 : whole;
    }

    private static float MinMax(float a, float b, bool takesLess)
    {
        if (float.IsNaN(a))
            return b;
        if (float.IsNaN(b))
            return a;
        bool aIsLess = a < b || (a == b && float.IsNegative(a));
        return aIsLess == takesLess ? a : b;
    }

    private static float Flush(float v, bool flush) => flush && float.IsSubnormal(v) ? MathF.CopySign(0, v) : v;

    private static float Bits(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    private static bool Compare(string how, string type, ulong a, ulong b)
    {
        if (type == "f32")
        {
            float x = Bits(a), y = Bits(b);
            bool unordered = float.IsNaN(x) || float.IsNaN(y);
            return how switch
            {
                "num" => !unordered,
                "nan" => unordered,
                _ when unordered => how.Length == 3,
                _ => Holds(how[..2], x.CompareTo(y) * (x == y ? 0 : 1)),
            };
        }

        Assert.Contains(how, s_comparisons);
        int order = type switch
        {
            "s32" => ((int)a).CompareTo((int)b),
            "s64" => ((long)a).CompareTo((long)b),
            _ => a.CompareTo(b),
        };
        return Holds(how, order);
    }

    private static bool Holds(string how, int order) => how switch
    {
        "eq" => order == 0,
        "ne" => order != 0,
        "lt" or "lo" => order < 0,
        "le" or "ls" => order <= 0,
        "gt" or "hi" => order > 0,
        "ge" or "hs" => order >= 0,
        _ => throw new ArgumentException(how),
    };
}
