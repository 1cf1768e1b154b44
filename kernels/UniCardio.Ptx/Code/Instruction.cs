namespace UniCardio.Ptx.Code;

internal enum Flow
{
    Next,
    Branch,
    Return,
    Barrier,
}

internal enum MemorySpace
{
    None,
    Global,
    Shared,
    Local,
}

// What an instruction does to memory.
internal sealed record MemoryForm(MemorySpace Space, bool IsStore, int Bytes, int Count)
{
    public int LaneBytes => Bytes * Count;

    /// <summary>Lanes whose addresses count.</summary>
    public uint Lanes { get; init; } = uint.MaxValue;
}

// An operand of a decoded instruction: a register, a special register, or bits that are the same in every lane.
internal readonly record struct Slot(Register? Register, int Special, ulong Bits, int Size, bool IsTarget)
{
    public static Slot Of(Register register, bool isTarget) => new(register, -1, 0, register.Type.Size(), isTarget);

    public static Slot Constant(ulong bits, int size) => new(null, -1, bits, size, false);
}

// A statement that was checked and has found what runs it.
internal sealed class Instruction(Statement source, InstructionClass kind)
{
    public Statement Source { get; } = source;

    public InstructionClass Class { get; } = kind;

    /// <summary>A delegate*&lt;Warp, Op*, void&gt;; none for flow, and for a product that a later sum has taken in.</summary>
    public nint Run { get; set; }

    public List<Slot> Slots { get; init; } = [];

    public long Immediate { get; init; }

    /// <summary>The offset of a second address.</summary>
    public long Immediate2 { get; init; }

    /// <summary>Whether the first address is of 32 bits, as shared memory's may be.</summary>
    public bool IsNarrow { get; init; }

    public MemoryForm? Memory { get; init; }

    public bool IsSigned { get; init; }

    /// <summary>Multiply-adds of a matrix instruction.</summary>
    public int Products { get; init; }

    public Flow Flow { get; init; }

    /// <summary>The statement that a branch goes to.</summary>
    public int Target { get; init; } = -1;

    /// <summary>Whether the text says that all lanes of a warp go the same way.</summary>
    public bool IsUniform { get; init; }

    /// <summary>Whether a product and a sum became this one.</summary>
    public bool IsFused { get; set; }

    /// <summary>Whether a later sum has taken this product in.</summary>
    public bool IsAbsorbed { get; set; }

    public IEnumerable<Register> Reads
    {
        get
        {
            foreach (Slot slot in Slots)
            {
                if (!slot.IsTarget && slot.Register is not null)
                    yield return slot.Register;
            }

            if (Source.Guard is not null)
                yield return Source.Guard;
        }
    }

    public IEnumerable<Register> Writes => Slots.Where(s => s.IsTarget && s.Register is not null).Select(s => s.Register!);
}
