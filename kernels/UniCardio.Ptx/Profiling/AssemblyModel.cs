namespace UniCardio.Ptx.Profiling;

/// <summary>What an assembler makes of each PTX instruction, as far as the time model needs it: issue slots and latency.</summary>
/// <remarks>
/// Copies, parameters and absorbed products cost nothing; a shift or product that one sum reads becomes part of it (LEA, IMAD,
/// IMAD.WIDE); sums of 64 bits are two instructions; exact division and roots, and exponentials that keep subnormals, are sequences.
/// The counts of the sequences are those seen in assembled kernels; the inner product loop of the strip kernels (95 to 100
/// instructions as assembled for sm_90, 64 of them FFMA) comes to 96.
/// </remarks>
internal sealed class AssemblyModel
{
    private readonly KernelCode _code;
    private readonly Dictionary<(int Block, int Latency), long> _cycles = [];

    public AssemblyModel(KernelCode code)
    {
        _code = code;
        Slots = [.. code.Instructions.Select(SlotsOf)];
        bool[] isPart = new bool[Slots.Length];
        foreach (Block block in code.Blocks)
            Absorb(block, isPart);
        for (int i = 0; i < Slots.Length; i++)
        {
            if (isPart[i])
                Slots[i] = 0;
        }
    }

    /// <summary>Issue slots of each instruction.</summary>
    public int[] Slots { get; }

    /// <summary>Cycles from issue to the result.</summary>
    /// <param name="instruction">The instruction.</param>
    /// <param name="globalLatency">Cycles of a load that the second-level cache serves.</param>
    public static int Latency(Instruction instruction, int globalLatency) => instruction.Class switch
    {
        _ when instruction.IsAbsorbed => 0,
        InstructionClass.Move or InstructionClass.Parameter => 0,
        InstructionClass.Float => 4,
        InstructionClass.Integer => 5,
        InstructionClass.IntegerDivision => 60,
        InstructionClass.FloatDivision => 40,
        InstructionClass.Special => 22,
        InstructionClass.Compare => 6,
        InstructionClass.Convert => 12,
        InstructionClass.Global => globalLatency,
        InstructionClass.Shared => 30,
        InstructionClass.Local => 40,
        InstructionClass.Barrier => 25,
        InstructionClass.Matrix => 34,
        InstructionClass.Shuffle => 25,
        _ => 8,
    };

    /// <summary>Cycles that one warp alone needs for a block.</summary>
    /// <remarks>
    /// An assembler orders a block's instructions: those with the longest way to the block's end go first, one a cycle, each when its
    /// operands are there. Loads do not pass stores to their space, nothing passes a barrier. What the block does not read itself it
    /// does not wait for.
    /// </remarks>
    public long BlockCycles(Block block, int globalLatency)
    {
        if (_cycles.TryGetValue((block.Index, globalLatency), out long known))
            return known;
        int count = block.End - block.First;
        List<int>[] after = [.. Enumerable.Range(0, count).Select(_ => new List<int>())];
        int[] before = new int[count];
        Connect(block, after, before);
        long[] way = new long[count];
        for (int i = count - 1; i >= 0; i--)
            way[i] = Delay(block.First + i, globalLatency) + after[i].Select(n => way[n]).DefaultIfEmpty(0).Max();
        return _cycles[(block.Index, globalLatency)] = Issue(block, after, before, way, globalLatency);
    }

    private long Issue(Block block, List<int>[] after, int[] before, long[] way, int globalLatency)
    {
        long[] ready = new long[after.Length];
        var waiting = new PriorityQueue<int, long>();
        var open = new PriorityQueue<int, long>();
        for (int i = 0; i < after.Length; i++)
        {
            if (before[i] == 0)
                waiting.Enqueue(i, 0);
        }

        long now = 0;
        while (waiting.Count > 0 || open.Count > 0)
        {
            while (waiting.TryPeek(out int next, out long at) && at <= now)
            {
                waiting.Dequeue();
                open.Enqueue(next, -way[next]);
            }

            if (!open.TryDequeue(out int i, out _))
            {
                waiting.TryPeek(out _, out now);
                continue;
            }

            int slots = Slots[block.First + i];
            long done = now + Delay(block.First + i, globalLatency);
            now += slots;
            foreach (int n in after[i])
            {
                ready[n] = Math.Max(ready[n], done);
                if (--before[n] == 0)
                    waiting.Enqueue(n, ready[n]);
            }
        }

        return now;
    }

    // Issue and latency; what takes no slot is a name for another value.
    private long Delay(int index, int globalLatency) => Slots[index] == 0 ? 0 : Slots[index]
        + Latency(_code.Instructions[index], globalLatency);

    private void Connect(Block block, List<int>[] after, int[] before)
    {
        var writer = new Dictionary<int, int>();
        var stores = new Dictionary<MemorySpace, int>();
        int barrier = -1;
        void Edge(int from, int to)
        {
            after[from].Add(to);
            before[to]++;
        }

        for (int i = 0; i < after.Length; i++)
        {
            Instruction instruction = _code.Instructions[block.First + i];
            if (instruction.IsAbsorbed)
                continue;
            foreach (Register r in instruction.Reads)
            {
                if (writer.TryGetValue(r.Id, out int w))
                    Edge(w, i);
            }

            foreach (Register r in instruction.Writes)
                writer[r.Id] = i;
            if (instruction.Memory is { Space: not MemorySpace.None } form)
            {
                if (stores.TryGetValue(form.Space, out int store))
                    Edge(store, i);
                if (form.IsStore)
                    stores[form.Space] = i;
            }

            if (barrier >= 0 && instruction.Memory is not null)
                Edge(barrier, i);
            if (instruction.Class == InstructionClass.Barrier)
                barrier = i;
        }
    }

    private static int SlotsOf(Instruction instruction)
    {
        if (instruction.IsAbsorbed)
            return 0;
        string opcode = instruction.Source.Opcode;
        bool isWide = instruction.Source.Modifiers is [.., "u64" or "s64" or "b64"];
        return (instruction.Class, opcode) switch
        {
            (InstructionClass.Move or InstructionClass.Parameter, _) => 0,
            // Signs are part of the instruction that reads them.
            (InstructionClass.Float, "neg" or "abs") => 0,
            (InstructionClass.Float, _) => 1,
            (InstructionClass.Integer, "mul") when isWide => 4,
            (InstructionClass.Integer, "add" or "sub" or "shl" or "shr" or "and" or "or" or "xor" or "min" or "max") => isWide ? 2 : 1,
            (InstructionClass.IntegerDivision, "div") => 20,
            (InstructionClass.IntegerDivision, _) => 22,
            (InstructionClass.FloatDivision, "div") => 9,
            (InstructionClass.FloatDivision, "sqrt") => 7,
            (InstructionClass.FloatDivision, _) => 6,
            (InstructionClass.Special, "ex2" or "lg2") when !instruction.Source.Modifiers.Contains("ftz") => 3,
            (InstructionClass.Special, _) => 1,
            _ => 1,
        };
    }

    // Marks shifts and products of integers that are part of the one sum that reads them; such a sum is one instruction.
    private void Absorb(Block block, bool[] isPart)
    {
        var uses = new Dictionary<int, List<int>>();
        var producer = new Dictionary<int, int>();
        void Close(int register)
        {
            if (producer.Remove(register, out int at) && uses.GetValueOrDefault(at) is [int sum])
            {
                isPart[at] = true;
                Slots[sum] = 1;
            }
        }

        for (int i = block.First; i < block.End; i++)
        {
            Instruction instruction = _code.Instructions[i];
            foreach (Register r in instruction.Reads)
            {
                if (!producer.TryGetValue(r.Id, out int at))
                    continue;
                bool isSum = instruction.Source.Opcode is "add" && instruction.Class == InstructionClass.Integer
                    && !uses.Values.Any(u => u.Contains(i));
                if (isSum)
                    (uses.TryGetValue(at, out List<int>? all) ? all : uses[at] = []).Add(i);
                else
                    producer.Remove(r.Id);
            }

            foreach (Register r in instruction.Writes)
            {
                Close(r.Id);
                if (instruction.Class == InstructionClass.Integer && instruction.Source.Opcode is "mul" or "shl"
                    && instruction.Source.Guard is null
                    && instruction.Source.Modifiers is not [.., "u64" or "s64" or "b64"])
                    producer[r.Id] = i;
            }
        }

        // What is still open at the end may be read later: only registers of a single name in the text are safe to close.
        foreach (int register in producer.Keys.ToArray())
        {
            if (!_code.LivesBeyond(block, register))
                Close(register);
        }
    }
}
