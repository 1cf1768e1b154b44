using System.Numerics;

namespace UniCardio.Ptx.Execution;

// shfl.sync (PTX ISA 9.7.8): R[0] target, R[1] value, R[2] lane or distance, R[3] clamp and segments, R[4] members, R[5] whether in range.
internal static unsafe class Exchange
{
    private delegate (int Lane, bool InRange) Choice(int lane, int b, int min, int max);

    public static void Up(Warp w, Op* op) => Shuffle(w, op, static (lane, b, min, max) => (lane - b, lane - b >= max));

    public static void Down(Warp w, Op* op) => Shuffle(w, op, static (lane, b, min, max) => (lane + b, lane + b <= max));

    public static void Butterfly(Warp w, Op* op) => Shuffle(w, op, static (lane, b, min, max) => (lane ^ b, (lane ^ b) <= max));

    public static void Indexed(Warp w, Op* op) =>
        Shuffle(w, op, static (lane, b, min, max) => (min | b, (min | b) <= max), isIndexed: true);

    public static void Sum(Warp w, Op* op) => Reduce(w, op, static (a, b) => a + b);

    public static void Min(Warp w, Op* op) => Reduce(w, op, Math.Min);

    public static void Max(Warp w, Op* op) => Reduce(w, op, Math.Max);

    public static void MinSigned(Warp w, Op* op) => Reduce(w, op, static (a, b) => (uint)Math.Min((int)a, (int)b));

    public static void MaxSigned(Warp w, Op* op) => Reduce(w, op, static (a, b) => (uint)Math.Max((int)a, (int)b));

    private static void Shuffle(Warp w, Op* op, Choice choose, bool isIndexed = false)
    {
        RequireMembers(w, op, op->R[4]);
        uint* target = Row(w, op->R[0]), value = Row(w, op->R[1]), b = Row(w, op->R[2]), c = Row(w, op->R[3]);
        uint* result = stackalloc uint[Warp.Lanes];
        uint inRange = 0;
        for (uint left = w.Mask; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left), segments = (int)(c[lane] >> 8) & 31, clamp = (int)c[lane] & 31;
            int min = lane & segments, max = min | (clamp & ~segments & 31), distance = (int)b[lane] & 31;
            (int from, bool isIn) = choose(lane, isIndexed ? distance & ~segments : distance, min, max);
            if (!isIn)
                from = lane;
            if ((w.Mask >> from & 1) == 0)
                throw w.Group.Fault(w, op, PtxFaultKind.Divergence, lane, $"takes the value of lane {from}, which does not take part");
            result[lane] = value[from];
            inRange |= isIn ? 1u << lane : 0;
        }

        for (uint left = w.Mask; left != 0; left &= left - 1)
            target[BitOperations.TrailingZeroCount(left)] = result[BitOperations.TrailingZeroCount(left)];
        if (op->Immediate != 0)
            w.SetPredicate(op->R[5], inRange);
    }

    private static void Reduce(Warp w, Op* op, Func<uint, uint, uint> combine)
    {
        RequireMembers(w, op, op->R[2]);
        uint* target = Row(w, op->R[0]), value = Row(w, op->R[1]);
        uint left = w.Mask, result = value[BitOperations.TrailingZeroCount(left)];
        for (left &= left - 1; left != 0; left &= left - 1)
            result = combine(result, value[BitOperations.TrailingZeroCount(left)]);
        for (left = w.Mask; left != 0; left &= left - 1)
            target[BitOperations.TrailingZeroCount(left)] = result;
    }

    // Every lane that is named, and has not ended, takes part, and no other.
    private static void RequireMembers(Warp w, Op* op, int row)
    {
        int first = BitOperations.TrailingZeroCount(w.Mask);
        uint members = Row(w, row)[first] & w.Group.LiveLanes(w);
        if (members != w.Mask)
            throw w.Group.Fault(w, op, PtxFaultKind.Divergence, first,
                $"exchanges values among lanes {members:x8}, of which {w.Mask & members:x8} take part");
    }

    private static uint* Row(Warp w, int row) => (uint*)(w.Registers + row);
}
