namespace UniCardio.Ptx.Text;

// A declared register. Ids count up over a kernel.
internal sealed record Register(string Name, PtxType Type, int Id);

// A declared variable of shared or local memory.
internal sealed record Variable(string Name, bool IsShared, int Alignment, int Bytes, bool IsDynamic)
{
    /// <summary>Where it is in its space; given when the kernel is laid out.</summary>
    public int Address { get; set; }
}

internal enum OperandKind
{
    Register,
    Integer,
    Float,
    Special,
    Variable,
    Parameter,
    Address,
    Vector,
    Label,
    Sink,
}

// One operand as written.
internal sealed record Operand(OperandKind Kind, string Text)
{
    public Register? Register { get; init; }

    public Variable? Variable { get; init; }

    public PtxParameter? Parameter { get; init; }

    /// <summary>The bits of an immediate; the offset of an address.</summary>
    public long Bits { get; init; }

    /// <summary>Bytes of a float immediate: 4 for 0f, 8 for 0d.</summary>
    public int FloatSize { get; init; }

    /// <summary>The base of an address.</summary>
    public Operand? Base { get; init; }

    public IReadOnlyList<Operand> Elements { get; init; } = [];
}

// One instruction as written; Guard is the predicate before it.
internal sealed record Statement(int Line, string Text, string Opcode, IReadOnlyList<string> Modifiers, IReadOnlyList<Operand> Operands)
{
    public Register? Guard { get; init; }

    public bool IsGuardNegated { get; init; }

    public PtxException Error(string message) => new(Line, $"{message}: {Text}");

    public PtxException Unknown(string what) => Error($"{what} is not known to the simulator");
}
