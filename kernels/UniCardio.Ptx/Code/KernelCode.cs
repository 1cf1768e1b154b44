using System.Collections;
using System.Runtime.InteropServices;

namespace UniCardio.Ptx.Code;

/// <summary>An entry made ready to run: its operations, blocks, and where each register is in a warp's memory.</summary>
/// <remarks>
/// Registers share rows where their lives do not meet, so that a warp's registers stay in the first-level cache; the sanitizer
/// gives each its own. Constants and special registers have rows too, filled when a group begins.
/// </remarks>
internal sealed unsafe class KernelCode
{
    private const int Row = 128;

    private readonly Dictionary<(ulong Bits, int Size), int> _constants = [];
    private readonly int[] _specialRows = new int[BodyParser.Special.Count];
    private readonly Op[] _ops;
    private readonly Liveness _liveness;
    private AssemblyModel? _assembly;

    public KernelCode(BodyParser body, bool isChecked, bool fuses)
    {
        IsChecked = isChecked;
        Layout(body.Variables, isChecked);
        Instructions = new Decoder(body).Decode();
        if (Instructions.Length == 0)
            throw new PtxException(1, "an entry without instructions");
        Blocks = ControlFlow.Build(Instructions, body.Labels.Values);
        var liveness = new Liveness(Instructions, Blocks, body.Registers.Count);
        EntryRegisters = [.. body.Registers.Where(r => liveness.In(0)[r.Id])];
        if (fuses)
        {
            Fusion.Apply(Instructions, Blocks, liveness);
            liveness = new Liveness(Instructions, Blocks, body.Registers.Count);
        }

        _liveness = liveness;
        LiveWords = MaxLive(liveness, body.Registers);
        int[] rows = isChecked ? OwnRows(body.Registers) : SharedRows(liveness, body.Registers);
        RowOf = rows;
        foreach (int i in Enumerable.Range(0, _specialRows.Length))
            _specialRows[i] = Take(Row);
        _ops = new Op[Instructions.Length];
        for (int i = 0; i < _ops.Length; i++)
            _ops[i] = MakeOp(i, rows);
        RegisterBytes = (RegisterBytes + 63) & ~63;
    }

    public bool IsChecked { get; }

    public Instruction[] Instructions { get; }

    public Block[] Blocks { get; }

    /// <summary>Registers that some way reads before it writes them.</summary>
    public IReadOnlyList<Register> EntryRegisters { get; }

    /// <summary>Most 32-bit words alive at once.</summary>
    public int LiveWords { get; }

    public int[] RowOf { get; }

    public int RegisterBytes { get; private set; }

    /// <summary>Static shared memory as laid out, and as the kernel asks for it.</summary>
    public int SharedBytes { get; private set; }

    public int DeclaredSharedBytes { get; private set; }

    public int LocalBytes { get; private set; }

    /// <summary>Pieces of shared memory that belong to a variable: begin and end.</summary>
    public List<(int Start, int End)> SharedPieces { get; } = [];

    public IReadOnlyDictionary<(ulong Bits, int Size), int> Constants => _constants;

    public IReadOnlyList<int> SpecialRows => _specialRows;

    public ReadOnlySpan<Op> Ops => _ops;

    /// <summary>What an assembler would make of it.</summary>
    public AssemblyModel Assembly => _assembly ??= new AssemblyModel(this);

    /// <summary>Whether a register is read after a block.</summary>
    public bool LivesBeyond(Block block, int register) => _liveness.Out(block.Index)[register];

    /// <summary>The row of a register, or of a constant.</summary>
    public int RowOfSlot(Slot slot) => slot.Register is not null ? RowOf[slot.Register.Id]
        : slot.Special >= 0 ? _specialRows[slot.Special]
        : _constants.TryGetValue((slot.Bits, slot.Size), out int row) ? row
            : _constants[(slot.Bits, slot.Size)] = Take(slot.Size == 8 ? 2 * Row : slot.Size == 0 ? 64 : Row);

    private Op MakeOp(int index, int[] rows)
    {
        Instruction instruction = Instructions[index];
        // An absorbed product has no row to write to any more.
        if (instruction.IsAbsorbed)
            return new Op { Index = index };
        if (instruction.Slots.Count > 16)
            throw instruction.Source.Unknown("an instruction of more than 16 operands");
        var op = new Op
        {
            Run = (delegate*<Warp, Op*, void>)instruction.Run,
            Index = index,
            Immediate = instruction.Immediate,
            Immediate2 = instruction.Immediate2,
            IsNarrow = instruction.IsNarrow,
            Bytes = instruction.Memory?.Bytes ?? 0,
            Count = instruction.Memory?.Count ?? 0,
            IsSigned = instruction.IsSigned,
        };
        for (int i = 0; i < instruction.Slots.Count; i++)
            op.R[i] = RowOfSlot(instruction.Slots[i]);
        if (instruction.Source.Guard is Register guard)
        {
            op.Guard = rows[guard.Id];
            op.GuardFlip = instruction.Source.IsGuardNegated ? uint.MaxValue : 0;
            if (instruction.Flow == Flow.Next && op.Run != null)
            {
                op.Guarded = op.Run;
                op.Run = &Warp.RunGuarded;
            }
        }

        return op;
    }

    private int Take(int bytes)
    {
        int at = RegisterBytes;
        RegisterBytes += bytes;
        return at;
    }

    private static int RowBytes(Register register) => register.Type == PtxType.Pred ? 64 : register.Type.Size() == 8 ? 2 * Row : Row;

    private int[] OwnRows(List<Register> registers) => [.. registers.Select(r => Take(RowBytes(r)))];

    // Linear scan over the order of the text: a life reaches from the first to the last place where the register is live or touched.
    private int[] SharedRows(Liveness liveness, List<Register> registers)
    {
        int count = registers.Count;
        int[] from = new int[count], to = new int[count], rows = new int[count];
        Array.Fill(from, int.MaxValue);
        Array.Fill(to, -1);
        void Touch(int register, int place)
        {
            from[register] = Math.Min(from[register], place);
            to[register] = Math.Max(to[register], place);
        }

        for (int b = 0; b < Blocks.Length; b++)
        {
            BitArray before = liveness.In(b), after = liveness.Out(b);
            for (int r = 0; r < count; r++)
            {
                if (before[r])
                    Touch(r, Blocks[b].First);
                if (after[r])
                    Touch(r, Blocks[b].End);
            }
        }

        for (int i = 0; i < Instructions.Length; i++)
        {
            if (Instructions[i].IsAbsorbed)
                continue;
            foreach (Register r in Instructions[i].Reads.Concat(Instructions[i].Writes))
                Touch(r.Id, i);
        }

        var free = new Dictionary<int, Stack<int>> { [64] = new(), [Row] = new(), [2 * Row] = new() };
        var active = new PriorityQueue<int, int>();
        foreach (int r in Enumerable.Range(0, count).Where(r => to[r] >= 0).OrderBy(r => from[r]))
        {
            while (active.TryPeek(out int old, out int end) && end < from[r])
            {
                active.Dequeue();
                free[RowBytes(registers[old])].Push(rows[old]);
            }

            int bytes = RowBytes(registers[r]);
            rows[r] = free[bytes].TryPop(out int row) ? row : Take(bytes);
            active.Enqueue(r, to[r]);
        }

        return rows;
    }

    private static int MaxLive(Liveness liveness, List<Register> registers)
    {
        int[] words = [.. registers.Select(r => r.Type == PtxType.Pred ? 0 : r.Type.Size() == 8 ? 2 : 1)];
        int max = 0;
        liveness.Walk((_, live) =>
        {
            int sum = 0;
            for (int r = 0; r < words.Length; r++)
                sum += live[r] ? words[r] : 0;
            max = Math.Max(max, sum);
        });
        return max;
    }

    // Checked, a gap of 128 bytes lies between variables, so that what runs over one is found; banks stay as they are.
    private void Layout(List<Variable> variables, bool isChecked)
    {
        foreach (Variable v in variables.Where(v => v.IsShared).OrderBy(v => v.IsDynamic))
        {
            DeclaredSharedBytes = Align(DeclaredSharedBytes, v.Alignment) + v.Bytes;
            int at = Align(SharedBytes, Math.Max(v.Alignment, isChecked ? 128 : 1));
            v.Address = at;
            SharedBytes = at + v.Bytes;
            if (v.IsDynamic)
                SharedPieces.Add((at, int.MaxValue));
            else
                SharedPieces.Add((at, SharedBytes));
            if (isChecked && !v.IsDynamic)
                SharedBytes += 128;
        }

        foreach (Variable v in variables.Where(v => !v.IsShared))
        {
            v.Address = Align(LocalBytes, v.Alignment);
            LocalBytes = v.Address + v.Bytes;
        }

        LocalBytes = Align(LocalBytes, 16);
    }

    private static int Align(int at, int alignment) => (at + alignment - 1) / alignment * alignment;
}
