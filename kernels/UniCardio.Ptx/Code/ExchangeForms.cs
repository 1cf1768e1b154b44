namespace UniCardio.Ptx.Code;

// shfl.sync and redux.sync: values from other lanes of the warp.
internal static unsafe class ExchangeForms
{
    public static Instruction Decode(Statement s) => s.Opcode == "shfl" ? Shuffle(s) : Reduce(s);

    private static Instruction Shuffle(Statement s)
    {
        nint run = Decoder.Name(s) switch
        {
            "shfl.sync.up.b32" => (nint)(delegate*<Warp, Op*, void>)&Exchange.Up,
            "shfl.sync.down.b32" => (nint)(delegate*<Warp, Op*, void>)&Exchange.Down,
            "shfl.sync.bfly.b32" => (nint)(delegate*<Warp, Op*, void>)&Exchange.Butterfly,
            "shfl.sync.idx.b32" => (nint)(delegate*<Warp, Op*, void>)&Exchange.Indexed,
            _ => throw s.Unknown($"'{Decoder.Name(s)}'"),
        };
        if (s.Operands.Count != 5)
            throw s.Error($"{s.Operands.Count} operands, 5 were expected");
        bool hasPredicate = s.Operands[0] is { Kind: OperandKind.Vector, Text: "|" };
        Operand target = hasPredicate ? s.Operands[0].Elements[0] : s.Operands[0];
        // Without a predicate of one's own the value's presence is not told.
        List<Slot> slots =
        [
            Decoder.Target(s, target, PtxType.B32, false),
            .. s.Operands.Skip(1).Select(o => Decoder.Source(s, o, PtxType.B32, false)),
        ];
        if (hasPredicate)
            slots.Add(Decoder.Target(s, s.Operands[0].Elements[1], PtxType.Pred, false));
        return new Instruction(s, InstructionClass.Shuffle) { Run = run, Slots = slots, Immediate = hasPredicate ? 1 : 0 };
    }

    private static Instruction Reduce(Statement s)
    {
        (nint run, PtxType type) = Decoder.Name(s) switch
        {
            "redux.sync.add.s32" => ((nint)(delegate*<Warp, Op*, void>)&Exchange.Sum, PtxType.S32),
            "redux.sync.add.u32" => ((nint)(delegate*<Warp, Op*, void>)&Exchange.Sum, PtxType.U32),
            "redux.sync.min.s32" => ((nint)(delegate*<Warp, Op*, void>)&Exchange.MinSigned, PtxType.S32),
            "redux.sync.max.s32" => ((nint)(delegate*<Warp, Op*, void>)&Exchange.MaxSigned, PtxType.S32),
            "redux.sync.min.u32" => ((nint)(delegate*<Warp, Op*, void>)&Exchange.Min, PtxType.U32),
            "redux.sync.max.u32" => ((nint)(delegate*<Warp, Op*, void>)&Exchange.Max, PtxType.U32),
            _ => throw s.Unknown($"'{Decoder.Name(s)}'"),
        };
        if (s.Operands.Count != 3)
            throw s.Error($"{s.Operands.Count} operands, 3 were expected");
        return new Instruction(s, InstructionClass.Shuffle)
        {
            Run = run,
            Slots = [Decoder.Target(s, s.Operands[0], type, false), Decoder.Source(s, s.Operands[1], type, false),
                Decoder.Source(s, s.Operands[2], PtxType.B32, false)],
        };
    }
}
