namespace UniCardio.Ptx.Code;

// Checks statements by the rules of their instructions and finds what runs them. What is not here stops the module.
internal sealed unsafe class Decoder(BodyParser body)
{
    public Instruction[] Decode() => [.. body.Statements.Select(Decode)];

    private Instruction Decode(Statement s) => s.Opcode switch
    {
        "bra" => Branch(s),
        "ret" or "exit" => Return(s),
        "bar" or "barrier" => Barrier(s),
        "ld" or "st" => Access(s),
        "mov" => Move(s),
        "membar" or "fence" => Fence(s),
        "mma" or "ldmatrix" => MatrixForms.Decode(s),
        "cp" => CopyForms.Decode(s),
        "shfl" or "redux" => ExchangeForms.Decode(s),
        _ => Mapped(s),
    };

    public static string Name(Statement s) => string.Join('.', [s.Opcode, .. s.Modifiers]);

    // add, mul, setp, cvt and all others that are a map over lanes.
    private static Instruction Mapped(Statement s)
    {
        Form form = Forms.Find(Name(s)) ?? throw s.Unknown($"'{Name(s)}'");
        if (s.Operands.Count != form.Sources.Length + 1)
            throw s.Error($"{s.Operands.Count} operands, {form.Sources.Length + 1} were expected");
        bool isConversion = form.Class == InstructionClass.Convert;
        var slots = new List<Slot> { Target(s, s.Operands[0], form.Target, isConversion) };
        for (int i = 0; i < form.Sources.Length; i++)
            slots.Add(Source(s, s.Operands[i + 1], form.Sources[i], isConversion));
        return new Instruction(s, form.Class) { Run = form.Run, Slots = slots };
    }

    // Besides registers: addresses of variables, pairs, and their parts.
    private static Instruction Move(Statement s)
    {
        if (s.Operands.Count == 2 && s.Operands.Any(o => o.Kind == OperandKind.Vector))
            return Pair(s);
        return Mapped(s);
    }

    private static Instruction Pair(Statement s)
    {
        bool isPack = s.Operands[1].Kind == OperandKind.Vector;
        Operand vector = s.Operands[isPack ? 1 : 0], single = s.Operands[isPack ? 0 : 1];
        (PtxType whole, PtxType part, nint run) = (Name(s), isPack) switch
        {
            ("mov.b64", true) => (PtxType.B64, PtxType.B32, (nint)(delegate*<Warp, Op*, void>)&Map.Pack),
            ("mov.b64", false) => (PtxType.B64, PtxType.B32, (nint)(delegate*<Warp, Op*, void>)&Map.Unpack),
            ("mov.b32", true) => (PtxType.B32, PtxType.B16, (nint)(delegate*<Warp, Op*, void>)&Map.PackHalves),
            ("mov.b32", false) => (PtxType.B32, PtxType.B16, (nint)(delegate*<Warp, Op*, void>)&Map.UnpackHalves),
            _ => throw s.Unknown($"'{Name(s)}' of a vector"),
        };
        if (vector.Elements.Count != 2)
            throw s.Unknown($"a vector of {vector.Elements.Count} elements here");
        List<Slot> slots = isPack
            ? [Target(s, single, whole, false), .. vector.Elements.Select(e => Source(s, e, part, false))]
            : [.. vector.Elements.Select(e => Target(s, e, part, false)), Source(s, single, whole, false)];
        return new Instruction(s, InstructionClass.Move) { Run = run, Slots = slots };
    }

    private Instruction Branch(Statement s)
    {
        bool isUniform = s.Modifiers is ["uni"];
        if (!isUniform && s.Modifiers.Count > 0)
            throw s.Unknown($"'{Name(s)}'");
        if (s.Operands is not [{ Kind: OperandKind.Label } label])
            throw s.Error("a label was expected");
        return new Instruction(s, InstructionClass.Branch) { Flow = Flow.Branch, Target = body.Labels[label.Text], IsUniform = isUniform };
    }

    private static Instruction Return(Statement s) => s.Modifiers.Count == 0 && s.Operands.Count == 0
        ? new Instruction(s, InstructionClass.Branch) { Flow = Flow.Return }
        : throw s.Unknown("this form");

    // bar.sync 0 and its longer names; bar.warp.sync is an order within a warp.
    private static Instruction Barrier(Statement s)
    {
        if (Name(s) is "bar.warp.sync" && s.Operands is [{ Kind: OperandKind.Integer, Bits: 0xffffffff or -1 }])
            return new Instruction(s, InstructionClass.Barrier) { Run = (nint)(delegate*<Warp, Op*, void>)&WarpBarrier.Run };
        if (Name(s) is not ("bar.sync" or "barrier.sync" or "barrier.sync.aligned"
            or "bar.cta.sync" or "barrier.cta.sync" or "barrier.cta.sync.aligned"))
            throw s.Unknown($"'{Name(s)}'");
        if (s.Operands is not [{ Kind: OperandKind.Integer, Bits: >= 0 and < 16 } id])
            throw s.Unknown("a barrier of some threads, or of a number that is no constant from 0 to 15,");
        return s.Guard is null
            ? new Instruction(s, InstructionClass.Barrier) { Flow = Flow.Barrier, Immediate = id.Bits }
            : throw s.Unknown("a barrier under a predicate");
    }

    private static Instruction Fence(Statement s) =>
        Name(s) is "membar.cta" or "membar.gl" or "membar.sys" or "fence.acq_rel.cta" or "fence.acq_rel.gpu" or "fence.sc.cta"
        ? new Instruction(s, InstructionClass.Barrier) { Run = (nint)(delegate*<Warp, Op*, void>)&WarpBarrier.Fence }
        : throw s.Unknown($"'{Name(s)}'");

    private static Instruction Access(Statement s)
    {
        bool isStore = s.Opcode == "st";
        List<string> parts = [.. s.Modifiers];
        parts.RemoveAll(p => p is "volatile" or "ca" or "cg" or "cs" or "lu" or "cv" or "nc" or "wb" or "wt");
        int count = 1;
        if (parts.Count == 3 && parts[1] is "v2" or "v4")
        {
            count = parts[1][1] - '0';
            parts.RemoveAt(1);
        }

        if (parts.Count != 2 || !PtxTypes.TryParse(parts[1], out PtxType type) || type is PtxType.Pred or PtxType.F16)
            throw s.Unknown($"'{Name(s)}'");
        if (s.Operands.Count != 2)
            throw s.Error($"{s.Operands.Count} operands, 2 were expected");
        Operand address = s.Operands[isStore ? 0 : 1], data = s.Operands[isStore ? 1 : 0];
        if (address is not { Kind: OperandKind.Address, Base: Operand from })
            throw s.Error("an address in brackets was expected");
        IReadOnlyList<Operand> elements = count == 1 ? [data] : data.Elements;
        if (elements.Count != count || (count > 1 && data.Text != "{}"))
            throw s.Error($"{count} elements in braces were expected");
        if (count * type.Size() > 16)
            throw s.Error("an access of more than 16 bytes a lane");
        List<Slot> values = [.. elements.Select(e => isStore ? Source(s, e, type, true) : Target(s, e, type, true))];
        if (parts[0] == "param" && !isStore)
            return Parameter(s, from, address.Bits, type, count, values);
        MemorySpace space = parts[0] switch
        {
            "global" => MemorySpace.Global,
            "shared" or "shared::cta" => MemorySpace.Shared,
            "local" => MemorySpace.Local,
            _ => throw s.Unknown($"'{Name(s)}'"),
        };
        (Slot row, long offset) = Address(s, from, address.Bits, space);
        return new Instruction(s, Kind(space))
        {
            IsNarrow = row.Size == 4,
            Run = isStore ? MemoryAccess.Store(space, type.Size(), count) : MemoryAccess.Load(space, type.Size(), count),
            Slots = [row, .. values],
            Immediate = offset,
            Memory = new MemoryForm(space, isStore, type.Size(), count),
            IsSigned = type.IsSigned(),
        };
    }

    /// <summary>The row and the offset of an address.</summary>
    public static (Slot Row, long Offset) Address(Statement s, Operand from, long offset, MemorySpace space) => from.Kind switch
    {
        OperandKind.Register when space == MemorySpace.Shared && from.Register!.Type.Size() == 4 && !from.Register.Type.IsFloat() =>
            (Slot.Of(from.Register, false), offset),
        OperandKind.Register when from.Register!.Type.Size() == 8 && !from.Register.Type.IsFloat() =>
            (Slot.Of(from.Register, false), offset),
        OperandKind.Register => throw s.Error($"{from.Text} is no register of 64 bits, as an address is"),
        OperandKind.Variable => (Slot.Constant((ulong)from.Variable!.Address, 8), offset),
        OperandKind.Integer => (Slot.Constant(0, 8), offset),
        _ => throw s.Error($"'{from.Text}' is no address"),
    };

    private static Instruction Parameter(Statement s, Operand from, long offset, PtxType type, int count, List<Slot> values)
    {
        if (from.Kind != OperandKind.Parameter)
            throw s.Unknown("an address of a parameter that is not a name");
        PtxParameter parameter = from.Parameter!;
        if (offset < 0 || offset + (count * type.Size()) > parameter.Bytes)
            throw s.Error($"bytes {offset} to {offset + (count * type.Size())} of parameter {parameter.Name}, which has {parameter.Bytes}");
        if ((parameter.Offset + offset) % (count * type.Size()) != 0)
            throw s.Error("a misaligned parameter");
        return new Instruction(s, InstructionClass.Parameter)
        {
            Run = MemoryAccess.Parameter(type.Size()),
            Slots = [.. values],
            Immediate = parameter.Offset + offset,
            IsSigned = type.IsSigned(),
            Memory = new MemoryForm(MemorySpace.None, false, type.Size(), count),
        };
    }

    private static InstructionClass Kind(MemorySpace space) => space switch
    {
        MemorySpace.Global => InstructionClass.Global,
        MemorySpace.Shared => InstructionClass.Shared,
        _ => InstructionClass.Local,
    };

    public static Slot Target(Statement s, Operand operand, PtxType type, bool mayBeWider)
    {
        if (operand.Kind != OperandKind.Register)
            throw s.Error($"'{operand.Text}' is no register to write");
        Check(s, operand.Register!, type, mayBeWider);
        return Slot.Of(operand.Register!, true);
    }

    public static Slot Source(Statement s, Operand operand, PtxType type, bool mayBeWider)
    {
        switch (operand.Kind)
        {
            case OperandKind.Register:
                Check(s, operand.Register!, type, mayBeWider);
                return Slot.Of(operand.Register!, false);
            case OperandKind.Special when type.Size() == 4 && !type.IsFloat():
                return new Slot(null, (int)operand.Bits, 0, 4, false);
            case OperandKind.Variable when type.Size() == 8 && s.Opcode == "mov":
                return Slot.Constant((ulong)operand.Variable!.Address, 8);
            case OperandKind.Float when operand.FloatSize == type.Size() && (type.IsFloat() || type.IsBits()):
                return Slot.Constant((ulong)operand.Bits, type.Size());
            case OperandKind.Integer when type == PtxType.Pred:
                return Slot.Constant(operand.Bits != 0 ? uint.MaxValue : 0, 0);
            case OperandKind.Integer when !type.IsFloat():
                return Slot.Constant(Immediate(s, operand, type), Math.Max(4, type.Size()));
            default:
                throw s.Error($"'{operand.Text}' is no operand of type {type.Name()}");
        }
    }

    private static ulong Immediate(Statement s, Operand operand, PtxType type)
    {
        if (type.Size() >= 8)
            return (ulong)operand.Bits;
        int bits = 8 * type.Size();
        if (operand.Bits < -(1L << (bits - 1)) || operand.Bits >= 1L << bits)
            throw s.Error($"{operand.Text} does not fit {type.Name()}");
        return (uint)operand.Bits;
    }

    private static void Check(Statement s, Register register, PtxType type, bool mayBeWider)
    {
        if (!(mayBeWider ? type.AgreesWidened(register.Type) : type.Agrees(register.Type)))
            throw s.Error($"{register.Name} is declared {register.Type.Name()}, the instruction wants {type.Name()}");
    }
}
