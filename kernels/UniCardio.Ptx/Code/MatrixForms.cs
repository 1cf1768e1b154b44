namespace UniCardio.Ptx.Code;

// mma.sync and ldmatrix: what the tensor cores take.
internal static unsafe class MatrixForms
{
    public static Instruction Decode(Statement s) => s.Opcode == "mma" ? Product(s) : Load(s);

    private static Instruction Product(Statement s)
    {
        (nint run, int a, int b, int products) = Decoder.Name(s) switch
        {
            "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32" =>
                ((nint)(delegate*<Warp, Op*, void>)&MatrixProduct.Tf32, 4, 2, 16 * 8 * 8),
            "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32" =>
                ((nint)(delegate*<Warp, Op*, void>)&MatrixProduct.BFloat16, 4, 2, 16 * 8 * 16),
            _ => throw s.Unknown($"'{Decoder.Name(s)}'"),
        };
        if (s.Operands.Count != 4 || !s.Operands.Select(o => o.Elements.Count).SequenceEqual([4, a, b, 4]))
            throw s.Error($"vectors of 4, {a}, {b} and 4 registers were expected");
        List<Slot> slots =
        [
            .. s.Operands[0].Elements.Select(e => Decoder.Target(s, e, PtxType.F32, false)),
            .. s.Operands[1].Elements.Select(e => Decoder.Source(s, e, PtxType.B32, false)),
            .. s.Operands[2].Elements.Select(e => Decoder.Source(s, e, PtxType.B32, false)),
            .. s.Operands[3].Elements.Select(e => Decoder.Source(s, e, PtxType.F32, false)),
        ];
        return new Instruction(s, InstructionClass.Matrix) { Run = run, Slots = slots, Products = products };
    }

    private static Instruction Load(Statement s)
    {
        List<string> parts = [.. s.Modifiers.Select(m => m == "shared::cta" ? "shared" : m)];
        bool isTransposed = parts.Remove("trans");
        int count = parts switch
        {
            ["sync", "aligned", "m8n8", "x1", "shared", "b16"] => 1,
            ["sync", "aligned", "m8n8", "x2", "shared", "b16"] => 2,
            ["sync", "aligned", "m8n8", "x4", "shared", "b16"] => 4,
            _ => throw s.Unknown($"'{Decoder.Name(s)}'"),
        };
        if (s.Operands is not [Operand targets, { Kind: OperandKind.Address, Base: Operand from } address])
            throw s.Error("registers and an address in brackets were expected");
        IReadOnlyList<Operand> registers = targets.Kind == OperandKind.Vector ? targets.Elements : [targets];
        if (registers.Count != count)
            throw s.Error($"{count} registers were expected");
        (Slot row, long offset) = Decoder.Address(s, from, address.Bits, MemorySpace.Shared);
        return new Instruction(s, InstructionClass.Shared)
        {
            Run = (nint)(delegate*<Warp, Op*, void>)(isTransposed ? &MatrixLoad.Transposed : &MatrixLoad.Straight),
            Slots = [row, .. registers.Select(r => Decoder.Target(s, r, PtxType.B32, false))],
            Immediate = offset,
            IsNarrow = row.Size == 4,
            // Lane i gives the address of row i % 8 of matrix i / 8.
            Memory = new MemoryForm(MemorySpace.Shared, false, 16, 1) { Lanes = count == 4 ? uint.MaxValue : (1u << (8 * count)) - 1 },
        };
    }
}
