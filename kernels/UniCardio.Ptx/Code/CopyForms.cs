namespace UniCardio.Ptx.Code;

// cp.async and what waits for it.
internal static unsafe class CopyForms
{
    public static Instruction Decode(Statement s)
    {
        switch (s.Modifiers)
        {
            case ["async", "commit_group"] when s.Operands.Count == 0:
                return new Instruction(s, InstructionClass.Barrier) { Run = (nint)(delegate*<Warp, Op*, void>)&AsyncCopies.Commit };
            case ["async", "wait_all"] when s.Operands.Count == 0:
                return new Instruction(s, InstructionClass.Barrier) { Run = (nint)(delegate*<Warp, Op*, void>)&AsyncCopies.WaitAll };
            case ["async", "wait_group"] when s.Operands is [{ Kind: OperandKind.Integer, Bits: >= 0 } count]:
                return new Instruction(s, InstructionClass.Barrier) { Run = (nint)(delegate*<Warp, Op*, void>)&AsyncCopies.Wait,
                    Immediate = count.Bits };
        }

        List<string> parts = [.. s.Modifiers.Where(m => !m.StartsWith("L2::", StringComparison.Ordinal))
            .Select(m => m == "shared::cta" ? "shared" : m)];
        if (parts is not ["async", "ca" or "cg", "shared", "global"])
            throw s.Unknown($"'{Decoder.Name(s)}'");
        if (s.Operands is not [{ Kind: OperandKind.Address } target, { Kind: OperandKind.Address } source,
            { Kind: OperandKind.Integer } size, ..] || s.Operands.Count > 4)
            throw s.Error("two addresses in brackets and a size were expected");
        int bytes = (int)size.Bits;
        if (bytes is not (4 or 8 or 16) || (parts[1] == "cg" && bytes != 16))
            throw s.Error($"{size.Text} bytes; 4, 8 or 16 were expected (.cg: 16)");
        (Slot to, long toOffset) = Decoder.Address(s, target.Base!, target.Bits, MemorySpace.Shared);
        (Slot from, long fromOffset) = Decoder.Address(s, source.Base!, source.Bits, MemorySpace.Global);
        Slot taken = s.Operands.Count == 4 ? Decoder.Source(s, s.Operands[3], PtxType.U32, false) : Slot.Constant((ulong)bytes, 4);
        return new Instruction(s, InstructionClass.Global)
        {
            Run = (nint)(delegate*<Warp, Op*, void>)&AsyncCopies.Begin,
            Slots = [to, from, taken],
            Immediate = toOffset,
            Immediate2 = fromOffset,
            IsNarrow = to.Size == 4,
            Memory = new MemoryForm(MemorySpace.Global, false, bytes, 1),
        };
    }
}
